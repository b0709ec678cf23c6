"""word2vec's binary format: a line "words dimension", then words, each with its float32 numbers.

A space ends a word; word2vec.c puts a line end after the numbers, gensim does not.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from embedkit.formats.repairs import Repairs
from embedkit.formats.rows import LARGEST_DIMENSION, Rows, byte_strings
from embedkit.formats.source import Source
from embedkit.formats.text import HEADER
from embedkit.vectors import WordVectors

__all__ = ["read_word2vec", "write_word2vec"]

_BLOCK = 1 << 19  # what stays in the processor's cache
_LONGEST_WORD = 1 << 16
_ROWS = 1 << 12  # written at a time


def read_word2vec(source: Source, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read a file.

    Raises:
        FormatError: it has no header, a word is wrong or the file is cut short, and the policy is
            "strict"; or it holds no whole vector.
    """
    header = HEADER.match(source.peek(64))
    if not header or not 1 <= int(header[2]) <= LARGEST_DIMENSION:
        raise repairs.error(
            "byte 1",
            f"no line says how many words of 1 to {LARGEST_DIMENSION:,} dimensions follow",
            "name the format with --format",
        )
    claimed, dimension = int(header[1]), int(header[2])
    position = len(source.read(header.end()))
    possible = (source.plain_size or 0) // (4 * dimension + 1)
    rows = Rows(dimension, repairs, limit, min(claimed, possible))
    data, found = b"", 0
    with ThreadPoolExecutor(1) as pool:  # checks numbers beside the search for words
        taken: Future[None] | None = None
        while not rows.full and found < claimed:
            block = source.read(_BLOCK + 4 * dimension)
            data += block
            words, starts, end = _scan(data, dimension, claimed - found)
            if taken is not None:
                taken.result()
            taken = pool.submit(_take, rows, data, words, starts, position)
            found += len(words)
            if not block or (not words and len(data) > _LONGEST_WORD + 8 * dimension):
                break
            position += end
            data = data[end:]
        if taken is not None:
            taken.result()
    if not rows.full:
        _check_end(source, repairs, claimed, found, position + len(data), data)
    return rows.vectors()


def _check_end(
    source: Source, repairs: Repairs, claimed: int, found: int, end: int, rest: bytes
) -> None:
    if found < claimed:
        repairs.meet(
            "wrong_header" if not rest.strip() else "cut_short",
            f"byte {end:,}",
            f"after {found:,} of the {claimed:,} words of the header there is no further whole "
            "word and vector: the file is cut short, damaged or of another format",
            claimed - found if rest.strip() else 1,
        )
    elif rest.strip(b"\n") or source.peek(2).strip(b"\n"):
        repairs.meet(
            "wrong_header",
            f"byte {end - len(rest) + 1:,}",
            f"more follows after the {claimed:,} words of the header",
        )


def _scan(data: bytes, dimension: int, most: int) -> tuple[list[bytes], list[int], int]:
    """Return the whole words in *data*, where the numbers of each begin, and where they all end."""
    words: list[bytes] = []
    starts: list[int] = []
    size, end, last = 4 * dimension, 0, len(data)
    while len(words) < most:
        space = data.find(b" ", end, end + _LONGEST_WORD)
        if space < 0 or space + 1 + size > last:
            break
        words.append(data[end:space].lstrip(b"\n"))
        starts.append(space + 1)
        end = space + 1 + size
    return words, starts, end


def _take(rows: Rows, data: bytes, words: list[bytes], starts: list[int], position: int) -> None:
    if words and not rows.full:
        numbers = _gather(data, starts, rows.dimension)
        places = np.array(starts) + position
        rows.append(byte_strings(words), numbers, partial(_place, places))


def _gather(data: bytes, starts: list[int], dimension: int) -> NDArray[np.float32]:
    """Return the numbers that begin at some bytes, float32 (len(starts), dimension)."""
    width = 4 * dimension
    # Every place of the block as a row of bytes: taking some copies each in one go.
    every = np.ndarray((len(data) - width + 1,), dtype=f"V{width}", buffer=data, strides=(1,))
    rows: NDArray[np.float32] = every[np.array(starts)].view("<f4").reshape(-1, dimension)
    return rows


def _place(places: NDArray[np.int64], row: int) -> str:
    return f"the vector at byte {places[row] + 1:,}"


def write_word2vec(vectors: WordVectors, stream: BinaryIO, progress: Callable[[int], None]) -> None:
    """Write a file; *progress* is told the words written."""
    stream.write(f"{len(vectors)} {vectors.dimension}\n".encode())
    for start in range(0, len(vectors), _ROWS):
        rows = np.ascontiguousarray(vectors.matrix[start : start + _ROWS], dtype="<f4")
        words = vectors.vocabulary.words(range(start, start + len(rows)))
        data, width = rows.tobytes(), 4 * vectors.dimension
        stream.write(
            b"".join(
                [
                    b"%s %s" % (word.encode(), data[place * width : (place + 1) * width])
                    for place, word in enumerate(words)
                ]
            )
        )
        progress(len(rows))
