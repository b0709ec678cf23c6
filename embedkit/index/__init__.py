"""The nearest rows of a matrix: exact, sparse and approximate search."""

from __future__ import annotations

from embedkit.index.exact import DenseIndex, Hits, SparseIndex, make_index
from embedkit.index.metrics import METRICS, Metric

__all__ = ["METRICS", "DenseIndex", "Hits", "Metric", "SparseIndex", "make_index"]
