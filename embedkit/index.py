"""The nearest rows of a matrix: FAISS for dense vectors, sparse products for one-hot ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.metrics import find_metric, unit_rows

__all__ = ["DenseIndex", "Hits", "SparseIndex", "make_index"]

Hits: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.float64]]"
"""Row numbers and scores, nearest first."""

_L2_BATCH = 16  # from 20 queries on FAISS expands the square, which loses digits
_L2_SPARE = 16  # candidates beyond those asked for, sorted again by the exact distance


def make_index(matrix: Any, metric: str, norms: NDArray[np.float32] | None = None) -> Any:
    """Return the index that suits *matrix*: `DenseIndex` or `SparseIndex`."""
    if isinstance(matrix, np.ndarray):
        return DenseIndex(matrix, metric, norms)
    return SparseIndex(matrix, metric)


class DenseIndex:
    """Exact search over a dense matrix.

    Args:
        matrix: float32 (n, d); used where it lies, except that cosine keeps a copy of unit rows.
        metric: a name of `metrics.METRICS`.
        norms: lengths of the rows, (n,), if they are known.
    """

    def __init__(
        self,
        matrix: NDArray[np.float32],
        metric: str = "cosine",
        norms: NDArray[np.float32] | None = None,
    ) -> None:
        self.metric = find_metric(metric)
        self._matrix = matrix
        self._norms = norms

    @cached_property
    def rows(self) -> NDArray[np.float32]:
        """The matrix as FAISS searches it, C-contiguous."""
        if self.metric.normalize:
            return np.asarray(unit_rows(self._matrix, self._norms))
        return np.ascontiguousarray(self._matrix, dtype=np.float32)

    def search(
        self, queries: NDArray[np.float32], k: int, exclude: Sequence[Sequence[int]] = ()
    ) -> list[Hits]:
        """Return the *k* nearest rows to each query, without the rows excluded for it.

        Args:
            queries: (m, d); any length for cosine.
            k: at least 1; fewer hits come back where fewer rows are left.
            exclude: row numbers for each query, or nothing at all.

        Returns:
            m pairs of row numbers and scores; similarities fall, distances (true ones, not FAISS's
            squared ones) rise.
        """
        import faiss

        excluded = [np.asarray(rows, dtype=np.int64) for rows in exclude] or [
            np.empty(0, dtype=np.int64)
        ] * len(queries)
        wanted = k + max((len(rows) for rows in excluded), default=0)
        if self.metric.normalize:
            queries = unit_rows(queries)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if self.metric.ascending:
            return self._search_l2(faiss, queries, k, wanted, excluded)
        fetched = min(wanted, len(self.rows))
        scores, ids = faiss.knn(queries, self.rows, fetched, metric=self.metric.faiss_metric)
        return [
            _without(row, found.astype(np.float64), rows, k)
            for row, found, rows in zip(ids, scores, excluded, strict=True)
        ]

    def _search_l2(
        self,
        faiss: Any,
        queries: NDArray[np.float32],
        k: int,
        wanted: int,
        excluded: list[NDArray[np.int64]],
    ) -> list[Hits]:
        hits: list[Hits] = []
        fetched = min(wanted + _L2_SPARE, len(self.rows))
        for start in range(0, len(queries), _L2_BATCH):
            batch = queries[start : start + _L2_BATCH]
            _, ids = faiss.knn(batch, self.rows, fetched, metric=self.metric.faiss_metric)
            for query, row, rows in zip(batch, ids, excluded[start:], strict=False):
                difference = self.rows[row].astype(np.float64) - query
                distance = np.linalg.norm(difference, axis=1)
                order = np.lexsort((row, distance))
                hits.append(_without(row[order], distance[order], rows, k))
        return hits


class SparseIndex:
    """Exact search over a scipy.sparse CSR matrix; costs what is stored in it, not rows by columns.

    Equal scores are common here (every other word is as far as the next): they are ordered by row
    number, so by frequency.
    """

    def __init__(self, matrix: Any, metric: str = "cosine") -> None:
        self.metric = find_metric(metric)
        self.rows = matrix
        wide = matrix.astype(np.float64)
        self._norms = np.sqrt(np.asarray(wide.multiply(wide).sum(axis=1))).ravel()

    def search(self, queries: Any, k: int, exclude: Sequence[Sequence[int]] = ()) -> list[Hits]:
        """Like `DenseIndex.search`, for CSR queries (m, d)."""
        hits: list[Hits] = []
        for number in range(queries.shape[0]):
            query = queries[[number]].astype(np.float64)  # so that the products are float64, too
            norm = float(np.sqrt(query.multiply(query).sum()))
            products = (self.rows @ query.T).toarray().ravel()
            if self.metric.ascending:
                squares = self._norms**2 + norm**2 - 2.0 * products
                scores = np.sqrt(np.maximum(squares, 0.0))
                order = np.argsort(scores, kind="stable")
            else:
                lengths = self._norms * norm if self.metric.normalize else np.ones(1)
                scores = products / (lengths + (lengths == 0))
                order = np.argsort(-scores, kind="stable")
            excluded = np.asarray(exclude[number] if exclude else [], dtype=np.int64)
            order = order[: k + len(excluded)]
            hits.append(_without(order, scores[order], excluded, k))
        return hits


def _without(
    ids: NDArray[np.int64], scores: NDArray[np.float64], excluded: NDArray[np.int64], k: int
) -> Hits:
    kept = ~np.isin(ids, excluded) & (ids >= 0)  # FAISS fills up with -1 beside what is no number
    return ids[kept][:k].astype(np.int64), scores[kept][:k]
