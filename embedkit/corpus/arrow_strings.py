"""Arrow's arrays of strings and numbers as NumPy arrays, and back.

`pa.array` and `np.asarray` of an Arrow array import pandas if it is installed, which takes half a
second; these functions do not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.errors import CorpusError, quoted

__all__ = [
    "byte_strings",
    "encoded_strings",
    "joined",
    "numbers",
    "offsets_and_text",
    "strings",
    "tokens_of",
]

_MOST_SMALL_BYTES = 2**31 - 1
"""The number of bytes that Arrow's strings with 32-bit offsets can hold."""


def offsets_and_text(words: pa.StringArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the UTF-8 bytes of an array without nulls: word n is text[offsets[n]:offsets[n + 1]].

    Returns:
        Offsets, (words + 1,), and the text, a view without copying.
    """
    _, offsets, text = words.buffers()
    kind = np.int64 if pa.types.is_large_string(words.type) else np.int32
    if offsets is None or not len(words):
        return np.zeros(1, dtype=np.int64), np.frombuffer(b"", dtype=np.uint8)
    found = np.frombuffer(offsets, dtype=kind)[words.offset : words.offset + len(words) + 1]
    return found.astype(np.int64), np.frombuffer(text or b"", dtype=np.uint8)


def strings(offsets: NDArray[np.int64], text: NDArray[np.uint8]) -> pa.StringArray:
    """Return an array of strings; with 64-bit offsets only if 32 bits are not enough."""
    large = len(text) > _MOST_SMALL_BYTES
    numbers = offsets if large else offsets.astype(np.int32)
    kind = pa.large_string() if large else pa.string()
    buffers = [None, pa.py_buffer(numbers), pa.py_buffer(text)]
    return pa.Array.from_buffers(kind, len(offsets) - 1, buffers)


def byte_strings(words: Sequence[bytes]) -> pa.BinaryArray:
    """Return an array of byte strings, which together have less than 2 GB."""
    offsets = np.zeros(len(words) + 1, dtype=np.int32)
    np.cumsum([len(word) for word in words], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(words))]
    return pa.Array.from_buffers(pa.binary(), len(words), buffers)


def encoded_strings(words: Sequence[str]) -> pa.StringArray:
    """Return an array of strings.

    Raises:
        UnicodeEncodeError: a word has lone surrogates.
    """
    encoded = [word.encode() for word in words]
    offsets = np.zeros(len(words) + 1, dtype=np.int64)
    np.cumsum([len(word) for word in encoded], out=offsets[1:])
    return strings(offsets, np.frombuffer(b"".join(encoded), dtype=np.uint8))


def numbers(values: NDArray[np.int32] | NDArray[np.int64]) -> pa.Array:
    """Return an array of 32-bit or 64-bit integers, without copying if they are contiguous."""
    kind = pa.int64() if values.dtype == np.int64 else pa.int32()
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def joined(words: pa.StringArray, more: list[str]) -> pa.StringArray:
    """Return an array of strings with more of them at its end."""
    added = pa.array(more, type=words.type)
    if words.nbytes + added.nbytes > _MOST_SMALL_BYTES:
        words, added = words.cast(pa.large_string()), added.cast(pa.large_string())
    return pa.concat_arrays([words, added])


def tokens_of(sentences: Sequence[Sequence[str]]) -> pa.StringArray:
    """Return the tokens of sentences as one array.

    Raises:
        CorpusError: a token has a lone surrogate, so it cannot be encoded as UTF-8.
    """
    try:
        return pa.array([token for sentence in sentences for token in sentence], type=pa.string())
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"the token {quoted(error.object)} cannot be encoded as UTF-8.",
            hint="It has a lone surrogate. Replace it with "
            'token.encode("utf-8", "replace").decode().',
        ) from error
