"""Numbers in fewer bytes: float16, and int8 with a scale for each row.

int8 is symmetric: q = round(127 x / s), s the largest absolute value of the row, so that a number
is off by at most s / 254. float16 keeps 11 bits of each number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError

__all__ = ["STORAGES", "pack", "unpack"]

STORAGES = ("float32", "float16", "int8")

_ROWS = 1 << 12
_LARGEST = 127


def pack(matrix: NDArray[np.float32], storage: str) -> dict[str, NDArray[Any]]:
    """Return the tensors that stand for a matrix, float32 (n, d).

    Returns:
        "vectors" (n, d) as float32 (the matrix itself), float16 or int8; for int8 also "scales",
        float32 (n,): what the number 1 in a row is worth.

    Raises:
        ConfigurationError: no such storage, or a number that float16 or int8 cannot hold.
    """
    if storage not in STORAGES:
        raise ConfigurationError(f"no storage {storage!r}; there are {', '.join(STORAGES)}")
    if storage == "float32":
        return {"vectors": matrix}
    packed = np.empty(matrix.shape, dtype=storage)
    scales = np.zeros(len(matrix), dtype=np.float32)
    for start in range(0, len(matrix), _ROWS):
        rows = matrix[start : start + _ROWS]
        largest = np.abs(rows).max(axis=1, initial=0)
        _refuse_what_does_not_fit(largest, start, storage)
        if storage == "int8":
            # Adding 1 where all numbers of a row are 0 leaves them 0.
            scales[start : start + _ROWS] = largest / np.float32(_LARGEST)
            share = rows / (largest + (largest == 0))[:, np.newaxis]
            packed[start : start + _ROWS] = np.rint(share * np.float32(_LARGEST))
        else:
            packed[start : start + _ROWS] = rows
    return {"vectors": packed} if storage == "float16" else {"vectors": packed, "scales": scales}


def _refuse_what_does_not_fit(largest: NDArray[np.float32], start: int, storage: str) -> None:
    limit = np.finfo(np.float16 if storage == "float16" else np.float32).max
    fits = largest <= limit  # which no NaN is
    if not fits.all():
        row = int(np.argmin(fits))
        raise ConfigurationError(
            f"row {start + row} (counted from 0) holds {largest[row]:g}, which {storage} cannot: "
            f"it goes to {limit:g}.",
            hint="Keep float32.",
        )


def unpack(tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return the float32 matrix (n, d) that `pack` made tensors of.

    What is float32 is returned as it is, a memory map too; the rest becomes a matrix in memory,
    4 bytes a number, block by block: besides it only a block is held.
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
