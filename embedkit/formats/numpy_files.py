"""NumPy's files: a matrix (.npy) with a word list beside it, or both in one file (.npz)."""

from __future__ import annotations

import contextlib
import tokenize
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import byte_strings
from embedkit.errors import ConfigurationError, counted
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import Repairs, list_names
from embedkit.formats.row_builder import LARGEST_DIMENSION, RowBuilder
from embedkit.formats.word_list import read_words
from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "check_matrix",
    "is_npy",
    "is_npz",
    "read_array",
    "read_matrix",
    "read_npy",
    "read_npz",
    "write_npy",
    "write_npz",
    "write_rows",
]

_ROWS = 1 << 12
_MAX_WORD_BYTES = 1 << 30  # in an .npz, which pads each word to the longest
_MAX_DEFLATE_RATIO = 1032  # of the sizes before and after compression
_WRITE_AGAIN = "Write the file again."
_WRITE_NUMBERS = (
    "Write words as strings and vectors as numbers: np.array(words, dtype=str) and "
    "np.array(vectors, dtype=np.float32)."
)
# What NumPy raises for a damaged header, which it parses as Python.
_DAMAGE = (ValueError, OSError, EOFError, OverflowError, SyntaxError, tokenize.TokenError)


def is_npy(source: ByteSource) -> bool:
    """Recognize a .npy file by its first bytes."""
    return source.peek(6) == b"\x93NUMPY"


def is_npz(source: ByteSource) -> bool:
    """Recognize a .npz file by its first bytes, those of any zip file."""
    return source.peek(4) == b"PK\x03\x04"


def read_npy(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read a matrix, and its words from the list beside it.

    Raises:
        FormatError: one of the two is missing, or they do not match; see `RowBuilder`.
    """
    with source.plain_file() as path:
        try:
            matrix = _open_array(path)
        except _DAMAGE as error:
            hint = _WRITE_NUMBERS if "Python objects" in str(error) else _WRITE_AGAIN
            raise repairs.error("", f"it cannot be read: {_first_line(error)}", hint) from error
        words, counts = read_words(source.path, repairs)
        return read_matrix(words, matrix, counts, repairs, limit)


def read_matrix(
    words: pa.BinaryArray,
    matrix: NDArray[np.generic],
    counts: NDArray[np.int64] | None,
    repairs: Repairs,
    limit: int | None,
) -> WordVectors:
    """Return words and the rows of a matrix, checked and copied from a file.

    Raises:
        FormatError: they do not match; see `RowBuilder`.
    """
    check_matrix(matrix, len(words), repairs)
    rows = RowBuilder(matrix.shape[1], repairs, limit, len(matrix))
    for start in range(0, len(matrix), _ROWS):
        block = slice(start, start + _ROWS)
        with np.errstate(over="ignore"):  # numbers too large for float32 are reported as infinite
            numbers = np.asarray(matrix[block]).astype(np.float32)
        block_counts = None if counts is None else counts[block]
        rows.append(words[block], numbers, partial(_place, start), block_counts)
        if rows.full:
            break
    return rows.build()


def check_matrix(matrix: NDArray[np.generic], words: int, repairs: Repairs) -> None:
    """Check that an array is a matrix of numbers with a row for each of *words* words.

    Raises:
        FormatError: it is not, or it has too many dimensions.
    """
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu":
        raise repairs.error(
            "",
            f"expected a 2D array of numbers, got a {matrix.ndim}D array of {matrix.dtype}",
            "Write a two-dimensional array.",
        )
    if len(matrix) != words:
        raise repairs.error(
            "",
            f"{counted(len(matrix), 'row')} for {counted(words, 'word')}",
            "Write both files again.",
        )
    if not 1 <= matrix.shape[1] <= LARGEST_DIMENSION:
        raise repairs.error(
            "",
            f"expected between 1 and {LARGEST_DIMENSION:,} dimensions, got {matrix.shape[1]:,}",
            _WRITE_AGAIN,
        )


def read_array(path: Path, name: Path, repairs: Repairs) -> NDArray[np.generic]:
    """Return the array in a .npy file, memory-mapped, or the only one in a .npz file.

    Args:
        name: of the file for messages, if *path* does not exist.

    Raises:
        FormatError: the file is missing or damaged.
    """
    if not path.is_file():
        raise repairs.error(
            "", f"the file {name}, which belongs to it, is missing", "Copy it next to this file."
        )
    try:
        if path.suffix != ".npz":
            return _open_array(path)
        with zipfile.ZipFile(path) as archive:
            (entry,) = archive.infolist()
            return _member(archive, entry, repairs)
    except (*_DAMAGE, zipfile.BadZipFile, NotImplementedError) as error:
        raise repairs.error(
            "", f"{path} cannot be read: {_first_line(error)}", "Copy it again."
        ) from error


def _place(start: int, row: int) -> str:
    return f"row {start + row + 1:,}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def read_npz(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read the only matrix, the only list of words, and "counts" if there is one.

    Raises:
        FormatError: they are missing or do not match, or there are other arrays and the policy is
            "strict"; see `RowBuilder`.
    """
    try:
        with source.plain_file() as path, zipfile.ZipFile(path) as archive:
            arrays = {
                entry.filename.removesuffix(".npy"): _member(archive, entry, repairs)
                for entry in archive.infolist()
            }
    except (*_DAMAGE, zipfile.BadZipFile, NotImplementedError) as error:
        raise repairs.error("", f"it cannot be read: {_first_line(error)}", _WRITE_AGAIN) from error
    except RuntimeError as error:  # a password
        raise repairs.error("", _first_line(error), _WRITE_AGAIN) from error
    matrices = [array for array in arrays.values() if array.ndim == 2]
    lists = [array for array in arrays.values() if array.ndim == 1 and array.dtype.kind in "US"]
    if len(matrices) != 1 or len(lists) != 1:
        raise repairs.error(
            "",
            "expected one matrix and one list of words, found "
            + (list_names([*arrays]) or "no arrays"),
            'Write it with np.savez(file, words=[...], vectors=matrix); "counts" may be added.',
        )
    used = (matrices[0], lists[0], counts := arrays.get("counts"))
    others = [name for name, array in arrays.items() if not any(array is part for part in used)]
    repairs.refuse_parts(others)
    if counts is not None and (counts.shape != lists[0].shape or counts.dtype.kind not in "iu"):
        raise repairs.error("", "its counts must be one integer per word", _WRITE_AGAIN)
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


def _open_array(path: Path) -> NDArray[np.generic]:
    with _ignored_python_2_warning():
        # np.load() would open a zip file too.
        array: NDArray[np.generic] = npy.open_memmap(path, mode="r")
    return array


@contextlib.contextmanager
def _ignored_python_2_warning() -> Iterator[None]:
    """Ignore NumPy's warning that a header written by Python 2 takes longer to read."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Reading `.npy` or `.npz` file", UserWarning)
        yield


def _member(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, repairs: Repairs
) -> NDArray[np.generic]:
    """Read an array after checking that the file has as many bytes as its header claims."""
    with archive.open(entry) as file, _ignored_python_2_warning():
        version = npy.read_magic(file)
        readers: dict[tuple[int, int], Callable[..., Any]] = {
            (1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0,
        }  # fmt: skip
        if version not in readers:
            raise repairs.error(
                "", f"{entry.filename} has the unknown version {version}", _WRITE_AGAIN
            )
        shape, _, dtype = readers[version](file)
    needed = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if dtype.hasobject or not needed <= entry.file_size <= _MAX_DEFLATE_RATIO * (
        entry.compress_size + 1
    ):
        problem = (
            "contains Python objects"
            if dtype.hasobject
            else f"does not have the {needed:,} bytes that its header claims"
        )
        hint = _WRITE_NUMBERS if dtype.hasobject else _WRITE_AGAIN
        raise repairs.error("", f"{entry.filename} {problem}", hint)
    with archive.open(entry) as file, _ignored_python_2_warning():
        return npy.read_array(file, allow_pickle=False)


def write_npy(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write the matrix."""
    npy.write_array_header_1_0(
        stream,
        {"descr": "<f4", "fortran_order": False, "shape": (len(vectors), vectors.dimension)},
    )
    write_rows(vectors, stream, options)


def write_rows(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write the numbers of a matrix as little-endian float32, row by row."""
    for start in range(0, len(vectors), _ROWS):
        rows = np.ascontiguousarray(vectors.matrix[start : start + _ROWS], dtype="<f4")
        stream.write(rows.tobytes())
        options.progress(len(rows))


def write_npz(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write words, vectors and, if they are known, counts.

    Raises:
        ConfigurationError: a word is so long that the list would need more than 1 GB, or ends with
            NUL, which NumPy drops.
    """
    words = vectors.vocabulary.words()
    if 4 * max(map(len, words), default=0) * len(words) > _MAX_WORD_BYTES:
        raise ConfigurationError(
            "NumPy stores each word in as many bytes as the longest one, so these words would need "
            "more than 1 GB.",
            hint='Use --to npy (format="npy"), which writes the words as text.',
        )
    if any(word.endswith("\0") for word in words):
        raise ConfigurationError(
            "a word ends with NUL, which NumPy would drop.", hint='Use --to npy (format="npy").'
        )
    arrays: dict[str, Any] = {"words": np.array(words, dtype=np.str_), "vectors": vectors.matrix}
    if vectors.vocabulary.counts.any():
        arrays["counts"] = vectors.vocabulary.counts
    np.savez(stream, **arrays)
    options.progress(len(vectors))
