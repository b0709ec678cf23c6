"""Names of the metrics and of the kinds of index, and the settings that each kind uses."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["INDEX_KINDS", "INDEX_SETTINGS", "METRIC_NAMES"]

METRIC_NAMES = ("cosine", "l2", "dot")
"""Cosine similarity, Euclidean distance, inner product."""

INDEX_KINDS = ("flat", "hnsw", "ivf", "ivfpq", "pq")
"""Exact search, a graph (Malkov and Yashunin 2018), inverted lists, inverted lists with product
quantization (Jegou et al. 2011), and a scan of product-quantized vectors in registers (Andre et al.
2015)."""

INDEX_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "flat": (),
    "hnsw": ("m", "ef_construction", "ef_search"),
    "ivf": ("nlist", "nprobe", "seed"),
    "ivfpq": ("nlist", "nprobe", "pq_m", "seed"),
    "pq": ("pq_m", "seed"),
}
"""The settings that each kind uses, in addition to its metric."""
