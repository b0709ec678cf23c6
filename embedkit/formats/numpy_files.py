"""NumPy's files: a matrix (.npy) with a list of the words beside it, or both in one file (.npz)."""

from __future__ import annotations

import tokenize
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError
from embedkit.formats.byte_source import Source
from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import LARGEST_DIMENSION, Rows, byte_strings
from embedkit.formats.word_list import read_words
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["is_npy", "is_npz", "read_matrix", "read_npy", "read_npz", "write_npy", "write_npz"]

_ROWS = 1 << 12
_LARGEST_WORDS = 1 << 30  # bytes of words in an .npz, where each takes as much as the longest
_DEFLATED = 1032  # the most that a byte of a zip file can stand for
_AGAIN = "write the file again"
# What NumPy raises where a header is wrong; it reads headers as Python.
_DAMAGE = (ValueError, OSError, EOFError, OverflowError, SyntaxError, tokenize.TokenError)


def is_npy(source: Source) -> bool:
    """Tell a .npy file by its first bytes."""
    return source.peek(6) == b"\x93NUMPY"


def is_npz(source: Source) -> bool:
    """Tell a .npz file by its first bytes, those of any zip file."""
    return source.peek(4) == b"PK\x03\x04"


def read_npy(source: Source, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read a matrix, and its words from the list beside it.

    Raises:
        FormatError: one of the two is missing, or they do not agree; see `Rows` for the rest.
    """
    with source.whole() as path:
        try:
            matrix = npy.open_memmap(path, mode="r")  # np.load() would open a zip file too
        except _DAMAGE as error:
            raise repairs.error("", f"it cannot be read: {_first(error)}", _AGAIN) from error
        words, counts = read_words(source.path, repairs)
        return read_matrix(words, matrix, counts, repairs, limit)


def read_matrix(
    words: pa.BinaryArray,
    matrix: NDArray[Any],
    counts: NDArray[np.int64] | None,
    repairs: Repairs,
    limit: int | None,
) -> WordVectors:
    """Return words and the rows of a matrix that lies in a file, checked and copied from it.

    Raises:
        FormatError: they do not agree; see `Rows` for the rest.
    """
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu":
        raise repairs.error(
            "",
            f"it holds {matrix.ndim} axes of {matrix.dtype}, not a matrix of numbers",
            "write an array of two axes",
        )
    if len(matrix) != len(words):
        raise repairs.error(
            "", f"{len(matrix):,} rows for {len(words):,} words", "write both again"
        )
    if not 1 <= matrix.shape[1] <= LARGEST_DIMENSION:
        raise repairs.error("", f"{matrix.shape[1]:,} dimensions", _AGAIN)
    rows = Rows(matrix.shape[1], repairs, limit, len(matrix))
    for start in range(0, len(matrix), _ROWS):
        block = slice(start, start + _ROWS)
        with np.errstate(over="ignore"):  # what is too large for float32 is found as infinite
            numbers = np.asarray(matrix[block]).astype(np.float32)
        some = None if counts is None else counts[block]
        rows.append(words[block], numbers, partial(_place, start), some)
        if rows.full:
            break
    return rows.vectors()


def _place(start: int, row: int) -> str:
    return f"row {start + row + 1:,}"


def _first(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def read_npz(source: Source, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read the one matrix of numbers, the one list of words, and "counts" if it is there.

    Raises:
        FormatError: they are not there, or do not agree; see `Rows` for the rest.
    """
    try:
        with source.whole() as path, zipfile.ZipFile(path) as archive:
            arrays = {
                entry.filename.removesuffix(".npy"): _member(archive, entry, repairs)
                for entry in archive.infolist()
            }
    except (*_DAMAGE, zipfile.BadZipFile, NotImplementedError) as error:
        raise repairs.error("", f"it cannot be read: {_first(error)}", _AGAIN) from error
    except RuntimeError as error:  # a password
        raise repairs.error("", _first(error), _AGAIN) from error
    matrices = [array for array in arrays.values() if array.ndim == 2]
    lists = [array for array in arrays.values() if array.ndim == 1 and array.dtype.kind in "US"]
    if len(matrices) != 1 or len(lists) != 1:
        raise repairs.error(
            "",
            f"it holds {', '.join(arrays) or 'nothing'}: not one matrix and one list of words",
            'write np.savez(file, words=[...], vectors=matrix), "counts" if they are known',
        )
    counts = arrays.get("counts")
    if counts is not None and (counts.shape != lists[0].shape or counts.dtype.kind not in "iu"):
        raise repairs.error("", "its counts are not one whole number a word", _AGAIN)
    words = lists[0].tolist()
    if lists[0].dtype.kind == "U":
        words = [word.encode(errors="surrogatepass") for word in words]
    return read_matrix(
        byte_strings(words),
        matrices[0],
        None if counts is None else counts.astype(np.int64),
        repairs,
        limit,
    )


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, repairs: Repairs) -> NDArray[Any]:
    """Read an array, once it is certain that the file has the bytes that it claims."""
    with archive.open(entry) as file:
        version = npy.read_magic(file)
        readers: dict[Any, Callable[[Any], Any]] = {
            (1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0,
        }  # fmt: skip
        if version not in readers:
            raise repairs.error("", f"{entry.filename} is of version {version}", _AGAIN)
        shape, _, dtype = readers[version](file)
    needed = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if dtype.hasobject or not needed <= entry.file_size <= _DEFLATED * (entry.compress_size + 1):
        what = "Python objects" if dtype.hasobject else f"{needed:,} bytes that are not there"
        raise repairs.error("", f"{entry.filename} claims {what}", _AGAIN)
    with archive.open(entry) as file:
        return npy.read_array(file, allow_pickle=False)


def write_npy(vectors: WordVectors, stream: BinaryIO, progress: Callable[[int], None]) -> None:
    """Write the matrix; *progress* is told the words written."""
    npy.write_array_header_1_0(
        stream,
        {"descr": "<f4", "fortran_order": False, "shape": (len(vectors), vectors.dimension)},
    )
    for start in range(0, len(vectors), _ROWS):
        rows = np.ascontiguousarray(vectors.matrix[start : start + _ROWS], dtype="<f4")
        stream.write(rows.tobytes())
        progress(len(rows))


def write_npz(vectors: WordVectors, stream: BinaryIO, progress: Callable[[int], None]) -> None:
    """Write words, vectors and, if they are known, counts; *progress* is told the words written.

    Raises:
        ConfigurationError: a word is so long that the list would take more than 1 GB, or ends with
            NUL, which NumPy drops.
    """
    words = vectors.vocabulary.words()
    if 4 * max(map(len, words), default=0) * len(words) > _LARGEST_WORDS:
        raise ConfigurationError(
            "NumPy gives each word as much room as the longest one: this list would take more "
            "than 1 GB.",
            hint="--to npy writes the words as text.",
        )
    if any(word.endswith("\0") for word in words):
        raise ConfigurationError("NumPy drops NUL at the end of a word.", hint="Use --to npy.")
    arrays: dict[str, Any] = {"words": np.array(words, dtype=np.str_), "vectors": vectors.matrix}
    if vectors.vocabulary.counts.any():
        arrays["counts"] = vectors.vocabulary.counts
    np.savez(stream, **arrays)
    progress(len(vectors))
