"""safetensors files: one matrix, with a word list beside it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from embedkit.formats.byte_source import ByteSource
from embedkit.formats.numpy_files import read_matrix, write_rows
from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import Repairs
from embedkit.formats.word_list import read_words
from embedkit.storage.tensors import tensors_header
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["is_safetensors", "read_safetensors", "read_tensor", "write_safetensors"]


def is_safetensors(source: ByteSource) -> bool:
    """Recognize a file by its first bytes: a length, then JSON."""
    head = source.peek(9)
    return len(head) == 9 and head[8:] == b"{" and struct.unpack("<Q", head[:8])[0] < 1 << 32


def read_safetensors(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read the matrix called "vectors", or the only one, and the words beside it.

    Raises:
        FormatError: one of the two is missing, or they do not match; see `RowBuilder`.
    """
    with source.plain_file() as path:
        matrix = read_tensor(path, repairs)
    words, counts = read_words(source.path, repairs)
    return read_matrix(words, matrix, counts, repairs, limit)


def read_tensor(
    path: Path, repairs: Repairs, names: tuple[str, ...] = ("vectors",)
) -> NDArray[Any]:
    """Return the first tensor of *names* that the file has, or else its only matrix.

    Raises:
        FormatError: the file is damaged, or there is no such tensor.
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
                    f"expected exactly one matrix, found {', '.join(keys) or 'no tensors'}",
                    f"Name the matrix {names[0]!r}.",
                )
            matrix: NDArray[Any] = file.get_tensor(found[0])
            return matrix
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise repairs.error("", f"it cannot be read: {error}", "Write the file again.") from error


def write_safetensors(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write the matrix as "vectors"."""
    stream.write(tensors_header({"vectors": vectors.matrix.shape}))
    write_rows(vectors, stream, options)
