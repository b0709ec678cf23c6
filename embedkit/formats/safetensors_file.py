"""safetensors files: one matrix, with a word list beside it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import quoted
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.numpy_files import read_matrix, write_rows
from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import Repairs, list_names
from embedkit.formats.word_list import read_words
from embedkit.storage.tensors import tensors_header
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["is_safetensors", "read_safetensors", "read_tensors", "write_safetensors"]


def is_safetensors(source: ByteSource) -> bool:
    """Recognize a file by its first bytes: a length, then JSON."""
    head = source.peek(9)
    return len(head) == 9 and head[8:] == b"{" and struct.unpack("<Q", head[:8])[0] < 1 << 32


def read_safetensors(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read the matrix called "vectors", or the only one, and the words beside it.

    Raises:
        FormatError: one of the two is missing, they do not match, or the file has other tensors and
            the policy is "strict"; see `RowBuilder`.
    """
    with source.plain_file() as path:
        matrix = read_tensors(path, repairs, ("vectors",))["matrix"]
    words, counts = read_words(source.path, repairs)
    return read_matrix(words, matrix, counts, repairs, limit)


def read_tensors(
    path: Path, repairs: Repairs, names: tuple[str, ...], parts: tuple[str, ...] = ()
) -> dict[str, NDArray[np.generic]]:
    """Return the matrix of a file, called "matrix", and those of *parts* that it has.

    Args:
        names: names that the matrix may have, in order of preference; otherwise, the only matrix
            is used.
        parts: names of other tensors.

    Raises:
        FormatError: the file is damaged, there is no such matrix, or there is a tensor that is not
            known, which might change the meaning of the matrix, and the policy is "strict".
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            keys = list(file.keys())
            found = [name for name in names if name in keys] or [
                key
                for key in keys
                if key not in parts and len(file.get_slice(key).get_shape()) == 2
            ]
            if not found or (found[0] not in names and len(found) > 1):
                raise repairs.error(
                    "",
                    f"expected exactly one matrix, found {list_names(keys) or 'no tensors'}",
                    f"Name the matrix {quoted(names[0])}.",
                )
            repairs.refuse_parts([key for key in keys if key not in (found[0], *parts)])
            known = [part for part in parts if part in keys]
            return {
                "matrix": file.get_tensor(found[0]),
                **{part: file.get_tensor(part) for part in known},
            }
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise repairs.error("", f"it cannot be read: {error}", "Write the file again.") from error


def write_safetensors(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write the matrix as "vectors"."""
    stream.write(tensors_header({"vectors": vectors.matrix.shape}))
    write_rows(vectors, stream, options)
