"""The interface of all indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import Metric

__all__ = ["Hits", "Index"]


class Hits(NamedTuple):
    """The nearest rows to a query, nearest first.

    Attributes:
        rows: row numbers, int64 (n,).
        scores: similarities in descending order, or with "l2" distances in ascending order,
            float64 (n,).
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]


class Index(Protocol):
    """Finds the rows of a matrix, (n, d), that are nearest to queries.

    Exact, sparse and approximate indexes implement it. The order and the scores of hits are those
    of float64; rows with equal scores are ordered by row number.
    """

    @property
    def metric(self) -> Metric:
        """How vectors are compared."""

    def search(self, queries: Any, k: int, exclude: Sequence[Sequence[int]] = ()) -> list[Hits]:
        """Return the *k* nearest rows to each query.

        Args:
            queries: float32 (m, d); CSR for a sparse matrix. For cosine, they may have any length.
            k: at least 1; if fewer rows are left, fewer hits are returned.
            exclude: for each query, the row numbers that must not be hits; empty excludes none.

        Returns:
            The hits of each query.
        """

    def first(self, size: int) -> Index:
        """Return an index of the first *size* rows."""
