"""Pure functions over arrays that pool a bag of rows into one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedkit.index.metrics import Matrix, nonzero

__all__ = [
    "Bags",
    "divide_rows",
    "document_frequencies",
    "first_component",
    "maxima",
    "weighted_sums",
]

_GATHERED_ROWS = 1 << 12  # so few that the gathered rows stay in the processor's cache


@dataclass(frozen=True)
class Bags:
    """n bags of rows of a matrix, with a weight for each row.

    Attributes:
        rows: int64 (tokens,).
        weights: float32 (tokens,).
        bounds: where each bag begins, followed by the number of tokens; int64 (n + 1,).
    """

    rows: NDArray[np.int64]
    weights: NDArray[np.float32]
    bounds: NDArray[np.int64]

    @classmethod
    def of(cls, bags: Sequence[Sequence[int]]) -> Bags:
        """Return bags of these rows, each row with weight 1."""
        bounds = np.cumsum([0, *map(len, bags)], dtype=np.int64)
        rows = np.fromiter(chain.from_iterable(bags), dtype=np.int64, count=bounds[-1])
        return cls(rows, np.ones(len(rows), dtype=np.float32), bounds)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def where(self, keep: NDArray[np.bool_]) -> Bags:
        """Return the bags with only those tokens for which *keep*, (tokens,), is true."""
        kept_before = np.zeros(len(keep) + 1, dtype=np.int64)
        np.cumsum(keep, out=kept_before[1:])
        return Bags(self.rows[keep], self.weights[keep], kept_before[self.bounds])

    def matrix(self, size: int) -> sparse.csr_array:
        """Return the weights as CSR, float32 (n, size); duplicate rows stay separate entries."""
        return sparse.csr_array((self.weights, self.rows, self.bounds), shape=(len(self), size))

    def sizes(self) -> NDArray[np.int64]:
        """Return the number of tokens in each bag, (n,)."""
        return np.diff(self.bounds)

    def totals(self) -> NDArray[np.float64]:
        """Return the sum of the weights in each bag, (n,)."""
        before = np.zeros(len(self.weights) + 1)
        np.cumsum(self.weights, out=before[1:])
        return np.diff(before[self.bounds])


def weighted_sums(matrix: Matrix, bags: Bags, extra: Matrix | None = None) -> Matrix:
    """Return the weighted sum of each bag's rows, float32 (n, d); zeros for an empty bag.

    Args:
        matrix: (V, d), dense or CSR; the sums have the same format.
        extra: the rows from V on, (k, d), in the same format, if there are any.
    """
    size = matrix.shape[0]
    if extra is None or not extra.shape[0]:
        return bags.matrix(size) @ matrix
    known = bags.rows < size
    others = bags.where(~known)
    others = Bags(others.rows - size, others.weights, others.bounds)
    return bags.where(known).matrix(size) @ matrix + others.matrix(extra.shape[0]) @ extra


def divide_rows(sums: Matrix, divisors: NDArray[np.number]) -> None:
    """Divide each row of *sums*, (n, d) dense or CSR, by its divisor, (n,), in place.

    A divisor of 0 belongs to an empty bag, which stays zero.
    """
    divisors = nonzero(divisors).astype(np.float32)
    if sparse.issparse(sums):
        sums.data /= np.repeat(divisors, np.diff(sums.indptr))
    else:
        sums /= divisors[:, np.newaxis]


def maxima(matrix: Matrix, bags: Bags, extra: Matrix) -> Matrix:
    """Return the largest value of each bag in each dimension, float32 (n, d).

    The arguments are those of `weighted_sums`; the weights are not used.
    """
    if sparse.issparse(matrix):
        return _sparse_maxima(sparse.vstack([matrix, extra], format="csr"), bags)
    size = matrix.shape[0]
    pooled = np.zeros((len(bags), matrix.shape[1]), dtype=np.float32)
    filled = np.flatnonzero(np.diff(bags.bounds))
    starts = bags.bounds[filled]
    first = 0
    while first < len(filled):
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + _GATHERED_ROWS)))
        stop = bags.bounds[filled[last - 1] + 1]
        rows = bags.rows[starts[first] : stop]
        gathered = matrix[np.where(rows < size, rows, 0)]
        gathered[rows >= size] = extra[rows[rows >= size] - size]
        pooled[filled[first:last]] = np.maximum.reduceat(
            gathered, starts[first:last] - starts[first], axis=0
        )
        first = last
    return pooled


def _sparse_maxima(matrix: sparse.csr_array, bags: Bags) -> sparse.csr_array:
    words = bags.matrix(matrix.shape[0])
    words.sum_duplicates()  # duplicates do not change a maximum
    bag = np.repeat(np.arange(len(bags)), np.diff(words.indptr))
    chosen = matrix[words.indices].tocoo()
    order = np.lexsort((chosen.col, bag[chosen.row]))
    bag, column, value = bag[chosen.row][order], chosen.col[order], chosen.data[order]
    starts = np.flatnonzero(np.diff(bag, prepend=-1) | np.diff(column, prepend=-1))
    if not len(starts):
        return sparse.csr_array((len(bags), matrix.shape[1]), dtype=np.float32)
    largest = np.maximum.reduceat(value, starts)
    # A column that only some rows of a bag store is 0 in the others.
    stored = np.diff(starts, append=len(bag))
    some = stored < np.diff(words.indptr)[bag[starts]]
    largest[some] = np.maximum(largest[some], 0)
    return sparse.csr_array(
        (largest, (bag[starts], column[starts])), shape=(len(bags), matrix.shape[1])
    )


def document_frequencies(bags: Bags, size: int) -> NDArray[np.int64]:
    """Return the number of bags in which each row occurs, (size,)."""
    words = bags.matrix(size)
    words.sum_duplicates()
    return np.bincount(words.indices, minlength=size)


def first_component(pooled: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the first right singular vector of *pooled*, (d,), or zeros if *pooled* is zero."""
    gram = np.zeros((pooled.shape[1], pooled.shape[1]))
    for start in range(0, len(pooled), _GATHERED_ROWS):
        rows = pooled[start : start + _GATHERED_ROWS].astype(np.float64)
        gram += rows.T @ rows
    if not gram.any():
        return np.zeros(len(gram))
    vector: NDArray[np.float64] = np.linalg.eigh(gram)[1][:, -1]
    return vector
