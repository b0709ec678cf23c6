"""The matrices of fastText's model files that are not quantized."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import counted, plural
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.fasttext_layout import DOWNLOAD_AGAIN, read_blocks
from embedkit.formats.repairs import Repairs
from embedkit.index.metrics import all_finite

__all__ = ["read_nonzero_rows", "read_rows", "require_finite"]


def require_finite(numbers: NDArray[np.float32], start: int, repairs: Repairs) -> None:
    """Check numbers that follow *start* bytes of the file.

    Raises:
        FormatError: one is not finite.
    """
    if not all_finite(numbers):
        place = start + 4 * int(np.argmin(np.isfinite(numbers))) + 1
        raise repairs.error(
            f"byte {place:,}",
            "a number is not finite",
            "Train the model again with a lower learning rate.",
        )


def read_rows(
    source: ByteSource, repairs: Repairs, count: int, dimension: int
) -> NDArray[np.float32]:
    """Read a matrix, float32 (count, dimension); memory is allocated as its bytes arrive.

    Raises:
        FormatError: the file ends before.
    """
    return _read_rows(source, repairs, (count, dimension), zeros=True)[0]


def read_nonzero_rows(
    source: ByteSource, repairs: Repairs, count: int, dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Read the rows of a matrix that are not zero; return them and their numbers, int32 (n,).

    Raises:
        FormatError: the file ends before, or a number is not finite.
    """
    return _read_rows(source, repairs, (count, dimension), zeros=False)


def _read_rows(
    source: ByteSource, repairs: Repairs, shape: tuple[int, int], *, zeros: bool
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    count, dimension = shape
    width = 4 * dimension
    possible = 0 if source.plain_size is None else (source.plain_size - source.position) // width
    if source.plain_size is not None and possible < count:
        raise repairs.error(
            f"byte {source.plain_size:,}",
            f"the model is cut short: {count - possible:,} of {counted(count, 'row')} "
            f"{plural(count - possible, 'is', 'are')} missing",
            DOWNLOAD_AGAIN,
        )
    matrix = np.empty((min(count, possible), dimension), dtype=np.float32)
    numbers, seen, filled = [np.zeros(0, dtype=np.int32)], 0, 0
    for data in read_blocks(source, repairs, count, width):
        rows = np.frombuffer(data, "<f4").reshape(-1, dimension)
        kept: NDArray[np.bool_] = np.ones(len(rows), dtype=np.bool_)
        if not zeros:
            require_finite(rows, source.position - len(data), repairs)
            kept = np.any(rows, axis=1)
        numbers.append((np.flatnonzero(kept) + seen).astype(np.int32))
        seen += len(rows)
        rows = rows if kept.all() else rows[kept]
        if filled + len(rows) > len(matrix):
            grown = min(count, filled + len(rows) + len(matrix) // 8)
            matrix.resize((grown, dimension), refcheck=False)
        matrix[filled : filled + len(rows)] = rows
        filled += len(rows)
    matrix.resize((filled, dimension), refcheck=False)
    return matrix, np.concatenate(numbers)
