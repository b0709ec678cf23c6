"""Arrays that grow without being copied."""

from __future__ import annotations

import mmap
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["GrowingArray"]

Scalar = TypeVar("Scalar", bound=np.generic)


class GrowingArray(Generic[Scalar]):
    """An array in large pages that the system enlarges by moving pages, not bytes.

    Pages that were never written take no memory, so the array may reserve more than it needs.
    `numpy.ndarray.resize` copies large arrays and writes zeros to all that it adds.

    Args:
        kind: data type.
        columns: length of a row; 0 for an array of one dimension.
        rows: initial number of rows.

    Attributes:
        array: the rows, (rows, columns) or (rows,); zeros initially. Do not keep views of it when
            it grows.
    """

    def __init__(self, kind: type[Scalar], rows: int, columns: int = 0) -> None:
        self._kind = np.dtype(kind)
        self._columns = columns
        self._map = mmap.mmap(-1, self._bytes(rows), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.array: NDArray[Scalar] = self._view(rows)

    def _bytes(self, rows: int) -> int:
        return max(rows * max(self._columns, 1) * self._kind.itemsize, 1)

    def _view(self, rows: int) -> NDArray[Scalar]:
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._map.madvise(mmap.MADV_HUGEPAGE)
        count = rows * max(self._columns, 1)
        flat: NDArray[Scalar] = np.frombuffer(self._map, dtype=self._kind, count=count)
        return flat.reshape(-1, self._columns) if self._columns else flat

    def reserve(self, rows: int) -> None:
        """Make room for at least *rows* rows."""
        if rows <= len(self.array):
            return
        rows = max(rows, 2 * len(self.array))
        del self.array  # a map that is in use cannot be resized
        self._map.resize(self._bytes(rows))
        self.array = self._view(rows)
