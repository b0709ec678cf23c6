"""Vectors in fewer bytes: float16, and int8 with a scale for each row.

int8 is symmetric: q = round(127 x / s), where s is the largest absolute value of the row, so the
error of a number is at most s / 254. float16 keeps 11 significant bits of each number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from embedkit.errors import ConfigurationError
from embedkit.index.metrics import nonzero
from embedkit.validation import check_choice

__all__ = ["STORAGES", "PackedRows", "pack", "unpack"]

STORAGES = ("float32", "float16", "int8")

_ROWS = 1 << 12
_LARGEST = 127


def pack(matrix: NDArray[np.float32], storage: str) -> dict[str, NDArray[Any]]:
    """Return the tensors that store a matrix, float32 (n, d).

    Returns:
        "vectors" (n, d) as float32 (the matrix itself), float16 or int8; for int8 also "scales",
        float32 (n,), the factor of each row.

    Raises:
        ConfigurationError: the storage is unknown, or cannot represent a number.
    """
    check_choice("storage", storage, STORAGES)
    if storage == "float32":
        return {"vectors": matrix}
    packed = np.empty(matrix.shape, dtype=storage)
    scales = np.zeros(len(matrix), dtype=np.float32)
    for start in range(0, len(matrix), _ROWS):
        rows = matrix[start : start + _ROWS]
        largest = np.abs(rows).max(axis=1, initial=0)
        _check_representable(largest, start, storage)
        if storage == "int8":
            scales[start : start + _ROWS] = largest / np.float32(_LARGEST)
            share = rows / nonzero(largest)[:, np.newaxis]
            packed[start : start + _ROWS] = np.rint(share * np.float32(_LARGEST))
        else:
            packed[start : start + _ROWS] = rows
    return {"vectors": packed} if storage == "float16" else {"vectors": packed, "scales": scales}


def _check_representable(largest: NDArray[np.float32], start: int, storage: str) -> None:
    limit = np.finfo(np.float16 if storage == "float16" else np.float32).max
    fits = largest <= limit  # false for NaN
    if not fits.all():
        row = int(np.argmin(fits))
        raise ConfigurationError(
            f"row {start + row} (counted from 0) contains {largest[row]:g}, which {storage} cannot "
            f"represent: its limit is {limit:g}.",
            hint="Use float32.",
        )


def unpack(tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return the float32 matrix (n, d) of the tensors that `pack` returned.

    A float32 matrix is returned without a copy, even if it is a memory map. Other types are
    converted to a matrix in memory, block by block.
    """
    vectors = tensors["vectors"]
    if vectors.dtype == np.float32:
        return vectors
    matrix = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), _ROWS):
        rows = matrix[start : start + _ROWS]
        rows[:] = vectors[start : start + _ROWS]
        if vectors.dtype == np.int8:
            rows *= tensors["scales"][start : start + _ROWS, np.newaxis]
    matrix.flags.writeable = False
    return matrix


class PackedRows:
    """The rows of a packed matrix, converted to float32 when used; memory maps are not copied.

    Args:
        packed: float16 or int8 (n, d).
        scales: the factor of each row, float32 (n,); None for float16.
    """

    def __init__(self, packed: NDArray[Any], scales: NDArray[np.float32] | None = None) -> None:
        self.packed = packed
        self.scales = scales
        self.shape = packed.shape
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> NDArray[np.float32]:
        """Return some rows, chosen by row numbers or a slice, float32 (m, d)."""
        found = self.packed[rows].astype(np.float32)
        if self.scales is not None:
            found *= self.scales[rows][:, np.newaxis]
        return found

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        return self[:].astype(dtype or np.float32, copy=False)
