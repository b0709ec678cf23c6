"""The nearest rows of a matrix: FAISS for dense vectors, sparse products for one-hot ones."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.metrics import Metric, find_metric, unit_rows

__all__ = ["DenseIndex", "Hits", "SparseIndex", "make_index"]

Hits: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.float64]]"
"""Row numbers and scores, nearest first."""

_PRODUCT_BATCH = 8  # from so many queries on, one product of matrices beats going row by row
_ALWAYS, _NEVER = 0, 2**31 - 1
_ONE_SEARCH = threading.Lock()  # what FAISS is told below, it is told for the whole process
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
        rows: what `rows` would be, if it is at hand.
    """

    def __init__(
        self,
        matrix: NDArray[np.float32],
        metric: str = "cosine",
        norms: NDArray[np.float32] | None = None,
        rows: NDArray[np.float32] | None = None,
    ) -> None:
        self.metric = find_metric(metric)
        self._matrix = matrix
        self._norms = norms
        if rows is not None:
            self.__dict__["rows"] = rows

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
        excluded = [np.asarray(rows, dtype=np.int64) for rows in exclude] or [
            np.empty(0, dtype=np.int64)
        ] * len(queries)
        wanted = k + max((len(rows) for rows in excluded), default=0)
        if self.metric.normalize:
            queries = unit_rows(queries)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if self.metric.ascending:
            return self._search_l2(queries, k, wanted, excluded)
        fetched = min(wanted, len(self.rows))
        scores, ids = _knn(queries, self.rows, fetched, self.metric)
        return _all_without(ids, scores.astype(np.float64), excluded, k)

    def _search_l2(
        self,
        queries: NDArray[np.float32],
        k: int,
        wanted: int,
        excluded: list[NDArray[np.int64]],
    ) -> list[Hits]:
        hits: list[Hits] = []
        fetched = min(wanted + _L2_SPARE, len(self.rows))
        _, ids = _knn(queries, self.rows, fetched, self.metric)
        for query, row, rows in zip(queries, ids, excluded, strict=True):
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


def _knn(
    queries: NDArray[np.float32], rows: NDArray[np.float32], k: int, metric: Metric
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return FAISS's scores and row numbers, (m, k) each.

    When FAISS goes row by row and when it multiplies matrices differs from version to version. The
    latter is several times faster for many queries, but it would expand the square of L2, which
    loses the digits that matter for near vectors. A single query gains nothing from threads, and
    waiting for them to end costs it more than the search.
    """
    import faiss

    multiply = not metric.ascending and len(queries) >= _PRODUCT_BATCH
    with _ONE_SEARCH:
        before, threads = faiss.cvar.distance_compute_blas_threshold, faiss.omp_get_max_threads()
        faiss.cvar.distance_compute_blas_threshold = _ALWAYS if multiply else _NEVER
        faiss.omp_set_num_threads(min(threads, max(len(queries), 1)))
        try:
            scores, ids = faiss.knn(queries, rows, k, metric=metric.faiss_metric)
        finally:
            faiss.cvar.distance_compute_blas_threshold = before
            faiss.omp_set_num_threads(threads)
    return scores, ids


def _without(
    ids: NDArray[np.int64], scores: NDArray[np.float64], excluded: NDArray[np.int64], k: int
) -> Hits:
    kept = ~np.isin(ids, excluded) & (ids >= 0)  # FAISS fills up with -1 beside what is no number
    return ids[kept][:k].astype(np.int64), scores[kept][:k]


def _all_without(
    ids: NDArray[np.int64],
    scores: NDArray[np.float64],
    excluded: list[NDArray[np.int64]],
    k: int,
) -> list[Hits]:
    """Like `_without` for every row of (m, n) tables, in one go: NumPy's calls are what costs."""
    unwanted = np.full((len(ids), max(map(len, excluded), default=0) + 1), -1, dtype=np.int64)
    for row, rows in zip(unwanted, excluded, strict=True):
        row[: len(rows)] = rows
    kept = np.ones(ids.shape, dtype=bool)
    for column in unwanted.T:  # -1 among them: FAISS fills up with it beside what is no number
        kept &= ids != column[:, np.newaxis]
    return [
        (row[keep][:k], found[keep][:k]) for row, found, keep in zip(ids, scores, kept, strict=True)
    ]
