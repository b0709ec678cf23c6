"""Metrics as data: how FAISS is asked, and how its score becomes the number a person expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError

__all__ = [
    "METRICS",
    "Metric",
    "UnitRows",
    "distance_matrix",
    "find_metric",
    "row_norms",
    "row_scores",
    "unit_rows",
]

_NORM_ROWS = 1 << 14
_INNER_PRODUCT, _L2 = 0, 1  # faiss.METRIC_INNER_PRODUCT and faiss.METRIC_L2


@dataclass(frozen=True)
class Metric:
    """A way to compare vectors.

    Attributes:
        name: as users write it.
        faiss_metric: FAISS's number for it.
        normalize: whether vectors are brought to length 1 first.
        ascending: whether small scores are near (a distance) or far (a similarity).
    """

    name: str
    faiss_metric: int
    normalize: bool
    ascending: bool


METRICS: Mapping[str, Metric] = {
    "cosine": Metric("cosine", _INNER_PRODUCT, normalize=True, ascending=False),
    "l2": Metric("l2", _L2, normalize=False, ascending=True),
    "dot": Metric("dot", _INNER_PRODUCT, normalize=False, ascending=False),
}


def find_metric(name: str) -> Metric:
    """Return the metric called *name*.

    Raises:
        ConfigurationError: there is none of that name.
    """
    if name not in METRICS:
        raise ConfigurationError(f"no metric {name!r}; there are {', '.join(METRICS)}")
    return METRICS[name]


def unit_rows(matrix: Any, norms: NDArray[np.float32] | None = None) -> Any:
    """Return a copy of *matrix*, (n, d), whose rows have length 1; zero rows stay zero.

    A dense matrix gives float32, a scipy.sparse one CSR.
    """
    if not isinstance(matrix, np.ndarray):
        from scipy import sparse

        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        return sparse.csr_array(sparse.diags_array(1.0 / (lengths + (lengths == 0))) @ matrix)
    rows = np.array(matrix, dtype=np.float32, order="C")
    lengths = np.linalg.norm(rows, axis=1) if norms is None else norms
    # Adding 1 where the length is 0 leaves such a row as it is.
    rows /= (lengths + (lengths == 0))[:, np.newaxis].astype(np.float32)
    return rows


def row_norms(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the Euclidean lengths of the rows, (n,), without a copy of the matrix."""
    norms = np.empty(len(matrix), dtype=np.float32)
    for start in range(0, len(matrix), _NORM_ROWS):
        rows = matrix[start : start + _NORM_ROWS]
        squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        with np.errstate(over="ignore"):  # past float32 a length is infinite
            norms[start : start + len(rows)] = np.sqrt(squares)
    norms.flags.writeable = False
    return norms


class UnitRows:
    """The rows of a matrix at length 1, worked out where they are asked for: no copy of them all.

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
        """Return some rows, as an array of row numbers or a slice picks them."""
        norms = self._norms[rows].ravel()
        found = unit_rows(self._matrix[rows].reshape(-1, self.shape[1]), norms)
        return np.asarray(found).reshape(*np.shape(self._norms[rows]), self.shape[1])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or np.float32, copy=False)

    def fill(self, start: int, out: NDArray[np.float32]) -> None:
        """Put rows from number *start* on into *out*, (m, d)."""
        norms = self._norms[start : start + len(out)]
        lengths = (norms + (norms == 0)).astype(np.float32)
        np.divide(self._matrix[start : start + len(out)], lengths[:, np.newaxis], out=out)


def distance_matrix(rows: Any, metric: str) -> NDArray[np.float64]:
    """Return the table of each row against each, (n, n), exactly.

    "l2" gives Euclidean distances, "cosine" and "dot" similarities. *rows* is a dense array or a
    scipy.sparse matrix, (n, d). Differences are taken in float64 before they are squared: expanding
    the square loses the digits that matter for near vectors.
    """
    chosen = find_metric(metric)
    if isinstance(rows, np.ndarray):
        dense = rows.astype(np.float64)
    else:
        used = np.unique(rows.indices)
        dense = rows[:, used].toarray().astype(np.float64)
    if chosen.ascending:
        table = [np.linalg.norm(dense - row, axis=1) for row in dense]
        return np.array(table).reshape(len(dense), len(dense))
    if chosen.normalize:
        lengths = np.linalg.norm(dense, axis=1)
        dense = dense / (lengths + (lengths == 0))[:, np.newaxis]
    return np.asarray(dense @ dense.T)


def row_scores(rows: Any, query: NDArray[np.float64], metric: str) -> NDArray[np.float64]:
    """Return the similarity of each row to *query*, or with "l2" the distance, (n,).

    Args:
        rows: (n, d), dense or CSR.
        query: (d,).
        metric: a name of `METRICS`.
    """
    chosen = find_metric(metric)
    scores = np.empty(rows.shape[0])
    for start in range(0, len(scores), _NORM_ROWS):
        block = rows[start : start + _NORM_ROWS].astype(np.float64)
        products = np.asarray(block @ query)
        if not isinstance(block, np.ndarray):
            squares = np.asarray(block.multiply(block).sum(axis=1)).ravel()
        else:
            squares = np.einsum("ij,ij->i", block, block)
        if not chosen.ascending:
            lengths = np.sqrt(squares) * np.linalg.norm(query) if chosen.normalize else np.ones(1)
            found = products / (lengths + (lengths == 0))
        elif isinstance(block, np.ndarray):
            found = np.linalg.norm(block - query, axis=1)
        else:
            found = np.sqrt(np.maximum(squares - 2 * products + query @ query, 0.0))
        scores[start : start + len(found)] = found
    return scores
