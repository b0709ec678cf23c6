"""The nearest rows of a matrix: FAISS for dense vectors, sparse products for one-hot ones.

FAISS finds candidates in float32; which of them are nearest, and how near, float64 decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import Metric, UnitRows, find_metric, row_norms, unit_rows
from embedkit.index.scan import nearest_rows

__all__ = ["DenseIndex", "Hits", "SparseIndex", "make_index", "ranked", "without"]

Hits: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.float64]]"
"""Row numbers and scores, nearest first."""

_SPARE, _SPARE_SHARE = 4, 64  # candidates beyond those asked for, and one more for so many
_WIDER = 8  # times as many candidates, where those at hand leave a doubt
_MOST_CANDIDATES = 1 << 22  # of a search, for all its queries together
_SCORED = 1 << 20  # numbers that are taken at a time from a matrix to be scored in float64
_ROUNDING = 2.0**-24  # of float32, relative


def make_index(matrix: Any, metric: str, norms: NDArray[np.float32] | None = None) -> Any:
    """Return the index that suits *matrix*: `DenseIndex` or `SparseIndex`."""
    if isinstance(matrix, np.ndarray):
        return DenseIndex(matrix, metric, norms)
    return SparseIndex(matrix, metric)


class DenseIndex:
    """Exact search over a dense matrix, which is used where it lies.

    Scores are those of float64, equal ones are ordered by row number.

    Args:
        matrix: float32 (n, d).
        metric: a name of `metrics.METRICS`.
        norms: lengths of the rows, (n,), if they are known.
        rows: the rows at length 1, (n, d), if they are at hand; for cosine.
    """

    def __init__(
        self,
        matrix: NDArray[np.float32],
        metric: str = "cosine",
        norms: NDArray[np.float32] | None = None,
        rows: NDArray[np.float32] | None = None,
    ) -> None:
        self.metric = find_metric(metric)
        self.matrix = np.asarray(matrix)  # of a memory map this is the plain array, which is faster
        if norms is not None:
            self.__dict__["_norms"] = norms
        if rows is not None:
            self.__dict__["rows"] = rows

    @cached_property
    def _norms(self) -> NDArray[np.float32]:
        return row_norms(self.matrix)

    @cached_property
    def rows(self) -> NDArray[np.float32] | UnitRows:
        """The rows as FAISS searches them; those of length 1 are worked out block by block."""
        if self.metric.normalize:
            return UnitRows(self.matrix, self._norms)
        return np.ascontiguousarray(self.matrix, dtype=np.float32)

    def first(self, size: int) -> DenseIndex:
        """Return an index of the first *size* rows only."""
        rows = self.rows if self.metric.normalize else None
        return DenseIndex(
            self.matrix[:size],
            self.metric.name,
            self.__dict__["_norms"][:size] if "_norms" in self.__dict__ else None,
            rows[:size] if isinstance(rows, np.ndarray) else None,
        )

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
        wanted = k + max(map(len, exclude), default=0)
        fetched = wanted + _SPARE + wanted // _SPARE_SHARE
        return self._search(queries, k, list(exclude) or [()] * len(queries), fetched)

    def _search(
        self,
        queries: NDArray[np.float32],
        k: int,
        exclude: list[Sequence[int]],
        fetched: int,
    ) -> list[Hits]:
        fetched = min(fetched, len(self.matrix))
        together = max(_MOST_CANDIDATES // max(fetched, 1), 1)
        hits: list[Hits] = []
        for start in range(0, len(queries), together):
            part = slice(start, start + together)
            hits += self._search_together(queries[part], k, exclude[part], fetched)
        return hits

    def _search_together(
        self,
        queries: NDArray[np.float32],
        k: int,
        exclude: list[Sequence[int]],
        fetched: int,
    ) -> list[Hits]:
        asked = unit_rows(queries) if self.metric.normalize else queries
        asked = np.ascontiguousarray(asked, dtype=np.float32)
        keys, ids = nearest_rows(self.rows, asked, fetched, self.metric)
        ids, scores = ranked(self.matrix, queries, ids, self.metric)
        hits = without(ids, scores, exclude, k)
        if fetched < len(self.matrix):
            wanted = k + max(map(len, exclude), default=0)
            doubt = self._doubtful(asked, keys.max(axis=1), scores[:, wanted - 1])
            again = np.flatnonzero(doubt & (ids >= 0).all(axis=1))
            wider = self._search(
                queries[again], k, [exclude[number] for number in again], _WIDER * fetched
            )
            for number, found in zip(again, wider, strict=True):
                hits[number] = found
        return hits

    def _doubtful(
        self,
        queries: NDArray[np.float32],
        farthest: NDArray[np.float32],
        scores: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """Return whether a row that is no candidate may be as near as the last one wanted, (m,).

        Its key is at least that of the farthest candidate. What float32 may be wrong by is the
        usual bound on the rounding of a sum of d products (Higham 2002, section 3.1).

        Args:
            queries: (m, d), as they were searched for.
            farthest: largest key of a candidate, (m,).
            scores: of the last candidate wanted, (m,).
        """
        wrong = _ROUNDING * (queries.shape[1] + 8)
        bound = farthest.astype(np.float64)
        if self.metric.ascending:
            return np.asarray(scores**2 >= bound * (1.0 - 2.0 * wrong))
        if not self.metric.normalize:
            lengths = np.linalg.norm(queries.astype(np.float64), axis=1)
            wrong = wrong * lengths * float(np.nanmax(self._norms))
        return np.asarray(-scores >= bound - wrong)


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
            kept = order[~np.isin(order, excluded)][:k]
            hits.append((kept.astype(np.int64), scores[kept]))
        return hits


def ranked(
    matrix: NDArray[np.float32],
    queries: NDArray[np.float32],
    ids: NDArray[np.int64],
    metric: Metric,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return candidates and their scores in float64, (m, n) each, nearest first.

    Equal scores are ordered by row number. What is no row, -1, comes last.

    Args:
        matrix: float32 (rows, d).
        queries: (m, d).
        ids: row numbers of the candidates of each query, (m, n).
    """
    wide = queries.astype(np.float64)
    flat, owners = ids.ravel(), np.repeat(np.arange(len(ids)), ids.shape[1])
    scores = np.empty(len(flat))
    step = max(_SCORED // max(matrix.shape[1], 1), 1)
    for start in range(0, len(flat), step):
        part = slice(start, start + step)
        scores[part] = _scores(matrix[flat[part]].astype(np.float64), wide[owners[part]], metric)
    table = scores.reshape(ids.shape)
    keys = np.where(ids < 0, np.inf, table if metric.ascending else -table)
    order = np.lexsort((ids, keys))
    return np.take_along_axis(ids, order, 1), np.take_along_axis(table, order, 1)


def _scores(
    rows: NDArray[np.float64], queries: NDArray[np.float64], metric: Metric
) -> NDArray[np.float64]:
    """Return the score of each row with the query beside it, (n,)."""
    if metric.ascending:
        return np.asarray(np.linalg.norm(rows - queries, axis=1))
    products = np.einsum("ij,ij->i", rows, queries)
    if metric.normalize:
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(queries, axis=1)
        products /= lengths + (lengths == 0)
    return np.asarray(products)


def without(
    ids: NDArray[np.int64],
    scores: NDArray[np.float64],
    exclude: Sequence[Sequence[int]],
    k: int,
) -> list[Hits]:
    """Return the first *k* of each row of (m, n) tables, without the rows excluded for it.

    All in one go: NumPy's calls are what costs.
    """
    unwanted = np.full((len(ids), max(map(len, exclude), default=0) + 1), -1, dtype=np.int64)
    for row, rows in zip(unwanted, exclude, strict=True):
        row[: len(rows)] = rows
    kept = np.ones(ids.shape, dtype=bool)
    for column in unwanted.T:  # -1 among them: FAISS fills up with it beside what is no number
        kept &= ids != column[:, np.newaxis]
    return [
        (row[keep][:k], found[keep][:k]) for row, found, keep in zip(ids, scores, kept, strict=True)
    ]
