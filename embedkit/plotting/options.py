"""Options of a map of words, in a module that does not import NumPy."""

from __future__ import annotations

__all__ = ["PROJECTION_METHODS"]

PROJECTION_METHODS = ("pca", "tsne", "umap")
"""Principal components (Pearson 1901), t-SNE (van der Maaten and Hinton 2008) and UMAP (McInnes et
al. 2018)."""
