"""Metrics as data, and the arithmetic of rows: lengths, unit rows, distances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from embedkit.errors import ModelError
from embedkit.index.options import METRIC_NAMES
from embedkit.validation import check_choice

__all__ = [
    "METRICS",
    "Matrix",
    "Metric",
    "UnitRows",
    "all_finite",
    "distance_matrix",
    "find_metric",
    "nonzero",
    "require_finite",
    "row_norms",
    "row_scores",
    "scores_of_products",
    "sparse_norms",
    "unit_rows",
]

Matrix: TypeAlias = Any
"""float32 (n, d): a NumPy array, or scipy.sparse CSR, which has no types."""

Number = TypeVar("Number", bound=np.number)

_BLOCK_ROWS = 1 << 14
_BLOCK_NUMBERS = 1 << 17  # differences that are squared at once
_INNER_PRODUCT, _L2 = 0, 1  # faiss.METRIC_INNER_PRODUCT and faiss.METRIC_L2


@dataclass(frozen=True)
class Metric:
    """A way to compare vectors.

    Attributes:
        name: the name that users write.
        faiss_metric: FAISS's number for the metric.
        normalize: whether vectors are scaled to length 1 first.
        ascending: whether a smaller score means nearer (a distance) or farther (a similarity).
    """

    name: str
    faiss_metric: int
    normalize: bool
    ascending: bool


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("cosine", _INNER_PRODUCT, normalize=True, ascending=False),
        Metric("l2", _L2, normalize=False, ascending=True),
        Metric("dot", _INNER_PRODUCT, normalize=False, ascending=False),
    )
}
"""The metrics by name; the names are `METRIC_NAMES`."""


def find_metric(name: str) -> Metric:
    """Return the metric called *name*.

    Raises:
        ConfigurationError: the metric is unknown.
    """
    check_choice("metric", name, METRIC_NAMES)
    return METRICS[name]


def nonzero(lengths: NDArray[Number]) -> NDArray[Number]:
    """Return lengths to divide by: 1 in place of 0, so that rows of zeros stay zeros."""
    return np.asarray(lengths + (lengths == 0))


def all_finite(rows: Matrix) -> bool:
    """Tell whether *rows* contain neither NaN nor infinity, using little memory."""
    numbers = rows if isinstance(rows, np.ndarray) else rows.data
    blocks = (numbers[start : start + _BLOCK_ROWS] for start in range(0, len(numbers), _BLOCK_ROWS))
    return all(bool(np.isfinite(block).all()) for block in blocks)


def require_finite(rows: Matrix, word: Callable[[int], str] | None = None) -> None:
    """Raise `ModelError` if *rows* contain NaN or infinity.

    Args:
        rows: (n, d), dense or CSR, or (n,).
        word: returns the word of a dense row, for the message.
    """
    if all_finite(rows):
        return
    which = "the vectors contain"
    if word is not None:
        finite = np.isfinite(rows).reshape(len(rows), -1).all(axis=1)
        which = f"the vector of {word(int(np.argmin(finite)))!r} contains"
    raise ModelError(f"{which} NaN or infinity.", hint="Train the model again.")


def row_norms(matrix: Matrix) -> NDArray[np.float32]:
    """Return the Euclidean lengths of the rows, float32 (n,), without a copy of a dense matrix."""
    if not isinstance(matrix, np.ndarray):
        return sparse_norms(matrix).astype(np.float32)
    norms = np.empty(len(matrix), dtype=np.float32)
    for start in range(0, len(matrix), _BLOCK_ROWS):
        rows = matrix[start : start + _BLOCK_ROWS]
        squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        with np.errstate(over="ignore"):  # a length beyond the range of float32 becomes infinite
            norms[start : start + len(rows)] = np.sqrt(squares)
    norms.flags.writeable = False
    return norms


def sparse_norms(matrix: Matrix) -> NDArray[np.float64]:
    """Return the Euclidean lengths of CSR rows, float64 (n,)."""
    wide = matrix.astype(np.float64)
    return np.asarray(np.sqrt(np.asarray(wide.multiply(wide).sum(axis=1))).ravel())


def unit_rows(matrix: Matrix, norms: NDArray[np.float32] | None = None) -> Matrix:
    """Return a copy of *matrix*, (n, d), whose rows have length 1; rows of zeros stay zeros.

    Args:
        matrix: dense or CSR; the copy has the same layout.
        norms: lengths of the rows, (n,), if they are known.
    """
    if not isinstance(matrix, np.ndarray):
        from scipy import sparse

        lengths = row_norms(matrix) if norms is None else norms
        return sparse.csr_array(sparse.diags_array(1.0 / nonzero(lengths)) @ matrix)
    rows = np.array(matrix, dtype=np.float32, order="C")
    lengths = np.linalg.norm(rows, axis=1) if norms is None else norms
    rows /= nonzero(lengths)[:, np.newaxis].astype(np.float32)
    return rows


class UnitRows:
    """The rows of a matrix scaled to length 1, computed when used, without a copy of all of them.

    Args:
        matrix: float32 (n, d).
        norms: lengths of the rows, (n,).
    """

    def __init__(self, matrix: NDArray[np.float32], norms: NDArray[np.float32]) -> None:
        self.shape = matrix.shape
        self.size = matrix.size
        self.dtype = np.dtype(np.float32)
        self._matrix = matrix
        self._norms = norms

    def __len__(self) -> int:
        return len(self._matrix)

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        """Return some rows, chosen by row numbers or a slice as in NumPy."""
        norms = self._norms[rows].ravel()
        found = unit_rows(self._matrix[rows].reshape(-1, self.shape[1]), norms)
        return np.asarray(found).reshape(*np.shape(self._norms[rows]), self.shape[1])

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        return self[:].astype(dtype or np.float32, copy=False)

    def first(self, size: int) -> UnitRows:
        """Return the first *size* rows, also computed when used."""
        return UnitRows(self._matrix[:size], self._norms[:size])

    def fill(self, start: int, out: NDArray[np.float32]) -> None:
        """Write m rows, beginning with number *start*, to *out*, (m, d)."""
        rows = slice(start, start + len(out))
        lengths = nonzero(self._norms[rows]).astype(np.float32)
        np.divide(self._matrix[rows], lengths[:, np.newaxis], out=out)


def distance_matrix(rows: Matrix, metric: str) -> NDArray[np.float64]:
    """Return the distance between every two rows, (n, n), in float64.

    "l2" gives Euclidean distances, "cosine" and "dot" similarities. Differences are taken before
    they are squared: expanding the square loses the digits that matter for near vectors.

    Args:
        rows: (n, d), dense or CSR.
        metric: a name of `METRICS`.
    """
    chosen = find_metric(metric)
    if isinstance(rows, np.ndarray):
        dense = rows.astype(np.float64)
    else:
        used = np.unique(rows.indices)
        dense = rows[:, used].toarray().astype(np.float64)
    if chosen.ascending:
        table = np.empty((len(dense), len(dense)))
        step = max(1, _BLOCK_NUMBERS // max(1, dense.size))
        for start in range(0, len(dense), step):
            some = dense[start : start + step, np.newaxis]
            table[start : start + step] = np.linalg.norm(dense - some, axis=2)
        return table
    if chosen.normalize:
        dense = dense / nonzero(np.linalg.norm(dense, axis=1))[:, np.newaxis]
    return np.asarray(dense @ dense.T)


def row_scores(rows: Matrix, query: NDArray[np.float64], metric: str) -> NDArray[np.float64]:
    """Return the similarity of each row to *query*, or with "l2" the distance, (n,).

    Args:
        rows: (n, d), dense or CSR.
        query: (d,).
        metric: a name of `METRICS`.
    """
    chosen = find_metric(metric)
    scores = np.empty(rows.shape[0])
    for start in range(0, len(scores), _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS].astype(np.float64)
        scores[start : start + block.shape[0]] = _block_scores(block, query, chosen)
    return scores


def _block_scores(block: Matrix, query: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    is_dense = isinstance(block, np.ndarray)
    if metric.ascending and is_dense:
        return np.asarray(np.linalg.norm(block - query, axis=1))
    products = np.asarray(block @ query)
    lengths = np.linalg.norm(block, axis=1) if is_dense else sparse_norms(block)
    return scores_of_products(products, lengths, float(np.linalg.norm(query)), metric)


def scores_of_products(
    products: NDArray[np.float64],
    lengths: NDArray[np.float64],
    query_length: float,
    metric: Metric,
) -> NDArray[np.float64]:
    """Return the scores of rows, (n,), by their inner products with a query and their lengths.

    For L2, the square is expanded, which is exact for one-hot vectors. Dense vectors would lose
    digits, so this function is not used for their L2 distances.
    """
    if metric.ascending:
        return np.sqrt(np.maximum(lengths**2 + query_length**2 - 2.0 * products, 0.0))
    return products / nonzero(lengths * query_length) if metric.normalize else products
