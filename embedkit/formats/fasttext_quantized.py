"""fastText's quantized matrices (.ftz): rows as codes of a product quantizer.

The layout is that of QuantMatrix::save: for each row a code for each of its parts, then the
quantizer, whose codebook has 256 centroids for each part. With qnorm, the length of each row is
quantized on its own (Joulin et al. 2016, arXiv:1612.03651).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import counted
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.fasttext_layout import (
    DOWNLOAD_AGAIN,
    ROWS,
    cut_short,
    read_blocks,
    take,
)
from embedkit.formats.fasttext_matrix import require_finite
from embedkit.formats.repairs import Repairs

__all__ = ["read_quantized"]

_CENTROIDS = 256
_WIDEST_PART = 64  # numbers that one byte may stand for: -dsub is 2 unless set


@dataclass(frozen=True)
class _Quantizer:
    """A product quantizer.

    Attributes:
        dimension: of a row.
        width: of all parts of a row but the last one, which may be narrower.
        codebook: the centroids of the first part, then those of the second one, and so on.
    """

    dimension: int
    width: int
    codebook: NDArray[np.float32]

    def decode(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the rows of codes (n, parts), float32 (n, dimension)."""
        rows = np.empty((len(codes), self.dimension), dtype=np.float32)
        for part in range(codes.shape[1]):
            first, last = part * self.width, min((part + 1) * self.width, self.dimension)
            centroids = self.codebook[first * _CENTROIDS : last * _CENTROIDS]
            rows[:, first:last] = centroids.reshape(_CENTROIDS, last - first)[codes[:, part]]
        return rows


def read_quantized(
    source: ByteSource, repairs: Repairs, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Read a quantized matrix, and return its numbers, float32 of a shape.

    Raises:
        FormatError: it is damaged, cut short or of another shape.
    """
    with_norms, rows, dimension, size = take(source, repairs, "<?qqi")
    parts = size // max(rows, 1)
    if (rows, dimension) != shape or size != rows * parts or not rows * dimension >= size >= rows:
        raise repairs.error(
            f"byte {source.position:,}",
            f"the quantized matrix is {rows:,} x {dimension:,} with {counted(size, 'code')}, but "
            f"the settings say {shape[0]:,} x {shape[1]:,}",
            DOWNLOAD_AGAIN,
        )
    codes = _read_codes(source, repairs, rows, parts)
    quantizer = _read_quantizer(source, repairs, dimension, parts)
    norms = None
    if with_norms:
        norm_codes = _read_codes(source, repairs, rows, 1)
        norms = _read_quantizer(source, repairs, 1, 1).decode(norm_codes)
    matrix = np.empty(shape, dtype=np.float32)
    for start in range(0, rows, ROWS):
        block = slice(start, start + ROWS)
        matrix[block] = quantizer.decode(codes[block])
        if norms is not None:
            matrix[block] *= norms[block]
    return matrix


def _read_codes(source: ByteSource, repairs: Repairs, rows: int, parts: int) -> NDArray[np.uint8]:
    data = b"".join(read_blocks(source, repairs, rows, parts))
    return np.frombuffer(data, np.uint8).reshape(rows, parts)


def _read_quantizer(source: ByteSource, repairs: Repairs, dimension: int, parts: int) -> _Quantizer:
    start = source.position
    found, found_parts, width, last = take(source, repairs, "<4i")
    if not (
        (found, found_parts) == (dimension, parts)
        and 1 <= width <= _WIDEST_PART
        and last == dimension - (parts - 1) * width
        and 1 <= last <= width
    ):
        raise repairs.error(
            f"byte {start + 1:,}",
            f"the quantizer has {counted(found_parts, 'part')} of {width:,} and {last:,} numbers "
            f"for {counted(found, 'dimension')}, but each row has {counted(parts, 'code')} for "
            f"{counted(dimension, 'dimension')}",
            DOWNLOAD_AGAIN,
        )
    size = 4 * dimension * _CENTROIDS
    data = source.read(size)
    if len(data) < size:
        raise cut_short(source, repairs)
    codebook = np.frombuffer(data, "<f4")
    require_finite(codebook, source.position - size, repairs)
    return _Quantizer(dimension, width, codebook)
