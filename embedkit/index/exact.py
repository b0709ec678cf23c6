"""Exact search: FAISS for dense vectors, sparse products for one-hot ones.

FAISS finds candidates in float32; they are scored and ordered in float64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import (
    Matrix,
    Metric,
    UnitRows,
    find_metric,
    nonzero,
    row_norms,
    scores_of_products,
    sparse_norms,
    unit_rows,
)
from embedkit.index.protocol import Hits, Index
from embedkit.index.scan import nearest_rows

__all__ = ["DenseIndex", "SparseIndex", "make_index", "ranked", "without"]

_EXTRA = 4  # candidates fetched beyond those wanted
_WANTED_PER_EXTRA = 64  # one more extra candidate for every 64 wanted
_WIDER = 8  # factor by which more candidates are fetched if rounding may have hidden a nearer row
_MOST_CANDIDATES = 1 << 22  # in total for the queries that are searched together
_SCORED_NUMBERS = 1 << 20  # numbers of a matrix that are scored in float64 at a time
_ROUNDING = 2.0**-24  # relative rounding error of float32


def make_index(
    matrix: Matrix,
    metric: str,
    norms: NDArray[np.float32] | None = None,
    rows: NDArray[np.float32] | UnitRows | None = None,
) -> Index:
    """Return an exact index: `DenseIndex` for an array, `SparseIndex` for CSR."""
    if isinstance(matrix, np.ndarray):
        return DenseIndex(matrix, metric, norms, rows)
    return SparseIndex(matrix, metric)


class DenseIndex:
    """Exact search over a dense matrix, without a copy of it; an `Index`.

    Args:
        matrix: float32 (n, d).
        metric: a name of `metrics.METRICS`.
        norms: lengths of the rows, (n,), if they are known.
        rows: the rows scaled to length 1, (n, d), if they are known; for cosine.
    """

    def __init__(
        self,
        matrix: NDArray[np.float32],
        metric: str = "cosine",
        norms: NDArray[np.float32] | None = None,
        rows: NDArray[np.float32] | UnitRows | None = None,
    ) -> None:
        self.metric = find_metric(metric)
        self.matrix = np.asarray(matrix)  # a memory map as a plain array, which is faster
        self._norms = norms
        self._rows = rows

    @property
    def norms(self) -> NDArray[np.float32]:
        """Lengths of the rows, (n,)."""
        if self._norms is None:
            self._norms = row_norms(self.matrix)
        return self._norms

    @property
    def rows(self) -> NDArray[np.float32] | UnitRows:
        """The rows as FAISS searches them; those of length 1 are computed block by block."""
        if self._rows is None:
            if self.metric.normalize:
                self._rows = UnitRows(self.matrix, self.norms)
            else:
                self._rows = np.ascontiguousarray(self.matrix, dtype=np.float32)
        return self._rows

    def first(self, size: int) -> DenseIndex:
        """Return an index of the first *size* rows."""
        rows = self._rows if self.metric.normalize else None
        return DenseIndex(
            self.matrix[:size],
            self.metric.name,
            None if self._norms is None else self._norms[:size],
            rows[:size] if isinstance(rows, np.ndarray) else None,
        )

    def search(
        self, queries: NDArray[np.float32], k: int, exclude: Sequence[Sequence[int]] = ()
    ) -> list[Hits]:
        """Return the *k* nearest rows to each query; see `Index.search`."""
        wanted = k + max(map(len, exclude), default=0)
        fetched = wanted + _EXTRA + wanted // _WANTED_PER_EXTRA
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
        """Return for each query whether a row outside the candidates may be a hit, (m,).

        The key of such a row is at least that of the farthest candidate, up to the rounding error
        of float32, which the usual bound for a sum of d products limits (Higham 2002, section 3.1).

        Args:
            queries: (m, d), as they were searched for.
            farthest: largest key of a candidate, (m,).
            scores: score of the last candidate wanted, (m,).
        """
        wrong = _ROUNDING * (queries.shape[1] + 8)
        bound = farthest.astype(np.float64)
        if self.metric.ascending:
            return np.asarray(scores**2 >= bound * (1.0 - 2.0 * wrong))
        if not self.metric.normalize:
            lengths = np.linalg.norm(queries.astype(np.float64), axis=1)
            wrong = wrong * lengths * float(np.nanmax(self.norms))
        return np.asarray(-scores >= bound - wrong)


class SparseIndex:
    """Exact search over a scipy.sparse CSR matrix; an `Index`.

    The cost of a search is proportional to the stored values, not to rows times columns. Equal
    scores are common here, because all other words are equally far. They are ordered by row number,
    that is, by frequency.
    """

    def __init__(self, matrix: Matrix, metric: str = "cosine") -> None:
        self.metric = find_metric(metric)
        self.rows = matrix
        self._norms = sparse_norms(matrix)

    def first(self, size: int) -> SparseIndex:
        """Return an index of the first *size* rows."""
        return SparseIndex(self.rows[:size], self.metric.name)

    def search(self, queries: Matrix, k: int, exclude: Sequence[Sequence[int]] = ()) -> list[Hits]:
        """Return the *k* nearest rows to each query, CSR (m, d); see `Index.search`."""
        hits: list[Hits] = []
        for number in range(queries.shape[0]):
            query = queries[[number]].astype(np.float64)  # makes the products float64, too
            length = float(sparse_norms(query)[0])
            products = (self.rows @ query.T).toarray().ravel()
            scores = scores_of_products(products, self._norms, length, self.metric)
            order = np.argsort(scores if self.metric.ascending else -scores, kind="stable")
            excluded = np.asarray(exclude[number] if exclude else [], dtype=np.int64)
            order = order[: k + len(excluded)]
            kept = order[~np.isin(order, excluded)][:k]
            hits.append(Hits(kept.astype(np.int64), scores[kept]))
        return hits


def ranked(
    matrix: NDArray[np.float32],
    queries: NDArray[np.float32],
    ids: NDArray[np.int64],
    metric: Metric,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return candidates and their scores in float64, (m, n) each, nearest first.

    Equal scores are ordered by row number. The number -1, which stands for no row, comes last.

    Args:
        matrix: float32 (rows, d).
        queries: (m, d).
        ids: row numbers of the candidates of each query, (m, n).
    """
    wide = queries.astype(np.float64)
    flat, owners = ids.ravel(), np.repeat(np.arange(len(ids)), ids.shape[1])
    scores = np.empty(len(flat))
    step = max(_SCORED_NUMBERS // max(matrix.shape[1], 1), 1)
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
    """Return the score of each row with the query of the same number, (n,)."""
    if metric.ascending:
        return np.asarray(np.linalg.norm(rows - queries, axis=1))
    products = np.einsum("ij,ij->i", rows, queries)
    if metric.normalize:
        products /= nonzero(np.linalg.norm(rows, axis=1) * np.linalg.norm(queries, axis=1))
    return np.asarray(products)


def without(
    ids: NDArray[np.int64],
    scores: NDArray[np.float64],
    exclude: Sequence[Sequence[int]],
    k: int,
) -> list[Hits]:
    """Return the first *k* candidates of each query, without the rows excluded for it.

    Args:
        ids: row numbers of the candidates, (m, n), nearest first.
        scores: their scores, (m, n).
        exclude: row numbers for each query.
        k: number of hits.
    """
    # All queries at once, because the overhead of NumPy's calls is larger than their work.
    unwanted = np.full((len(ids), max(map(len, exclude), default=0) + 1), -1, dtype=np.int64)
    for row, rows in zip(unwanted, exclude, strict=True):
        row[: len(rows)] = rows
    kept = np.ones(ids.shape, dtype=bool)
    for column in unwanted.T:  # also -1, FAISS's placeholder where a score is NaN
        kept &= ids != column[:, np.newaxis]
    return [
        Hits(row[keep][:k], found[keep][:k])
        for row, found, keep in zip(ids, scores, kept, strict=True)
    ]
