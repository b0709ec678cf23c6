"""safetensors files: one matrix, with a list of the words beside it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from embedkit.formats.byte_source import Source
from embedkit.formats.numpy_files import read_matrix
from embedkit.formats.repairs import Repairs
from embedkit.formats.word_list import read_words
from embedkit.storage.tensors import tensors_header
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["is_safetensors", "read_safetensors", "tensor_of", "write_safetensors"]

_ROWS = 1 << 12


def is_safetensors(source: Source) -> bool:
    """Tell a file by its first bytes: a length, and JSON of it."""
    head = source.peek(9)
    return len(head) == 9 and head[8:] == b"{" and struct.unpack("<Q", head[:8])[0] < 1 << 32


def read_safetensors(source: Source, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read the one matrix of a file, or the one called "vectors", and the words beside it.

    Raises:
        FormatError: one of the two is missing, or they do not agree; see `Rows` for the rest.
    """
    with source.whole() as path:
        matrix = tensor_of(path, repairs)
    words, counts = read_words(source.path, repairs)
    return read_matrix(words, matrix, counts, repairs, limit)


def tensor_of(path: Path, repairs: Repairs, names: tuple[str, ...] = ("vectors",)) -> NDArray[Any]:
    """Return the first of the tensors *names* that is there, or the only one of two axes.

    Raises:
        FormatError: the file is damaged, or there is none.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            keys = list(file.keys())
            found = [name for name in names if name in keys] or [
                key for key in keys if len(file.get_slice(key).get_shape()) == 2
            ]
            if not found or (found[0] not in names and len(found) > 1):
                raise repairs.error(
                    "",
                    f"it holds {', '.join(keys) or 'nothing'}: not one matrix",
                    f"call the matrix {names[0]!r}",
                )
            matrix: NDArray[Any] = file.get_tensor(found[0])
            return matrix
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise repairs.error("", f"it cannot be read: {error}", "write the file again") from error


def write_safetensors(
    vectors: WordVectors, stream: BinaryIO, progress: Callable[[int], None]
) -> None:
    """Write the matrix as "vectors"; *progress* is told the words written."""
    stream.write(tensors_header({"vectors": vectors.matrix.shape}))
    for start in range(0, len(vectors), _ROWS):
        rows = np.ascontiguousarray(vectors.matrix[start : start + _ROWS], dtype="<f4")
        stream.write(rows.tobytes())
        progress(len(rows))
