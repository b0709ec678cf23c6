"""word2vec's binary format: a line "words dimension", then words, each with its float32 numbers.

A space ends a word. word2vec.c ends each row with a line feed, gensim does not.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import numbers
from embedkit.errors import counted, share_verb
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import LARGEST_DIMENSION, RowBuilder
from embedkit.formats.text_layout import HEADER, refuse_empty
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["read_word2vec", "write_word2vec"]

_BLOCK = 1 << 20
_LONGEST_WORD = 1 << 16
_ROWS = 1 << 12  # written at a time


def read_word2vec(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read a file.

    Raises:
        FormatError: it has no header or no complete vector; or a word has a fault or the file is
            cut short, and the policy is "strict".
    """
    header = HEADER.match(source.peek(64))
    if not header or not 1 <= int(header[2]) <= LARGEST_DIMENSION:
        raise repairs.error(
            "byte 1",
            "expected a line with the number of words and the dimension, between 1 and "
            f"{LARGEST_DIMENSION:,}",
            "Choose the format of the file with --format (format=).",
        )
    claimed, dimension = int(header[1]), int(header[2])
    refuse_empty(claimed, "byte 1", repairs)
    position = len(source.read(header.end()))
    possible = (source.plain_size or 0) // (4 * dimension + 1)
    rows = RowBuilder(dimension, repairs, limit, min(claimed, possible))
    data, found = b"", 0
    with ThreadPoolExecutor(1) as pool:  # adds words while the next ones are searched for
        taken: Future[None] | None = None
        while not rows.full and found < claimed:
            block = source.read(_BLOCK + 4 * dimension)
            data += block
            starts, spaces = _scan(data, dimension, claimed - found)
            if taken is not None:
                taken.result()
            taken = pool.submit(_take, rows, data, starts, spaces, position)
            found += len(spaces)
            if not block or (not len(spaces) and len(data) > _LONGEST_WORD + 8 * dimension):
                break
            end = int(spaces[-1]) + 1 + 4 * dimension if len(spaces) else 0
            position += end
            data = data[end:]
        if taken is not None:
            taken.result()
    if not rows.full:
        _check_end(source, repairs, claimed, found, position + len(data), data)
    return rows.build()


def _check_end(
    source: ByteSource, repairs: Repairs, claimed: int, found: int, end: int, rest: bytes
) -> None:
    if found < claimed:
        repairs.handle(
            "wrong_header" if not rest.strip() else "cut_short",
            f"byte {end:,}",
            f"only {found:,} of the {counted(claimed, 'word')} that the header says "
            f"{share_verb(found, claimed, 'is', 'are')} complete: the file is cut short, "
            "damaged or in another format",
            claimed - found if rest.strip() else 1,
        )
    elif rest.strip(b"\n") or source.peek(2).strip(b"\n"):
        repairs.handle(
            "wrong_header",
            f"byte {end - len(rest) + 1:,}",
            f"the file continues after the {counted(claimed, 'word')} that the header says",
        )


def _scan(data: bytes, dimension: int, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each complete word in *data* starts, and where the space after it is."""
    starts: list[int] = []
    spaces: list[int] = []
    find, last = data.find, len(data) - 1 - 4 * dimension
    step, end = 1 + 4 * dimension, 0
    while len(spaces) < most:
        space = find(b" ", end, end + _LONGEST_WORD)
        if space < 0 or space > last:
            break
        starts.append(end)
        spaces.append(space)
        end = space + step
    return np.array(starts, dtype=np.int64), np.array(spaces, dtype=np.int64)


def _take(
    rows: RowBuilder,
    data: bytes,
    starts: NDArray[np.int64],
    spaces: NDArray[np.int64],
    position: int,
) -> None:
    if len(spaces) and not rows.full:
        words, numbers = _words(data, starts, spaces), _gather(data, spaces + 1, rows.dimension)
        rows.append(words, numbers, partial(_place, spaces + 1 + position))


def _words(data: bytes, starts: NDArray[np.int64], spaces: NDArray[np.int64]) -> pa.BinaryArray:
    """Return the words between *starts* and *spaces*, without the line feed of the row before."""
    line_ends = np.frombuffer(data, dtype=np.uint8)[starts] == ord("\n")
    places = np.empty(2 * len(starts), dtype=np.int32)
    places[::2], places[1::2] = starts + line_ends, spaces
    # The block as Arrow strings: a word, the numbers after it, a word, and so on.
    buffers = [None, pa.py_buffer(places), pa.py_buffer(data)]
    pieces = pa.Array.from_buffers(pa.binary(), len(places) - 1, buffers)
    return pieces.take(numbers(np.arange(0, len(pieces), 2)))


def _gather(data: bytes, starts: NDArray[np.int64], dimension: int) -> NDArray[np.float32]:
    """Return the numbers that start at some bytes, float32 (len(starts), dimension)."""
    width = 4 * dimension
    # A view of the row at every byte of the block: indexing it copies all rows in one step.
    every = np.ndarray((len(data) - width + 1,), dtype=f"V{width}", buffer=data, strides=(1,))
    rows: NDArray[np.float32] = every[starts].view("<f4").reshape(-1, dimension)
    return rows


def _place(places: NDArray[np.int64], row: int) -> str:
    return f"the vector at byte {places[row] + 1:,}"


def write_word2vec(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write a file as gensim does."""
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
        options.progress(len(rows))
