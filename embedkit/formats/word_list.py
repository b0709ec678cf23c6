"""The text file beside a file of numbers: one word per line, optionally a tab and its count."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import byte_strings
from embedkit.corpus.encodings import plain_lines
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.formats.byte_source import ByteSource, plain_name
from embedkit.formats.repairs import Repairs

__all__ = ["path_beside", "read_words", "write_words"]

_LARGEST = 1 << 31
_ROWS = 1 << 14


def path_beside(path: Path) -> Path:
    """Return the path of the word list of a file of numbers: x.words.txt for x.npy.gz."""
    return plain_name(path).with_suffix(".words.txt")


def read_words(path: Path, repairs: Repairs) -> tuple[pa.BinaryArray, NDArray[np.int64] | None]:
    """Return the words of the list beside a file, and their counts if every line has one.

    Args:
        path: x.npy, for the list x.words.txt or x.txt.

    Raises:
        FormatError: there is no list, or it is larger than 2 GB.
    """
    candidates = [path_beside(path), plain_name(path).with_suffix(".txt")]
    found = [name for name in candidates if name.is_file()]
    if not found:
        raise repairs.error(
            "",
            f"its word list, {candidates[0]} or {candidates[1]}, is missing",
            "Put the list of words, one per line, next to the file.",
        )
    with ByteSource(found[0]) as source:
        text = source.read(_LARGEST)
        if len(text) == _LARGEST:
            raise repairs.error(
                "", f"the word list {found[0]} is larger than 2 GB", "Check that it is a word list."
            )
    lines = plain_lines(text)
    words, counts = [], []
    for line in lines:
        word, tab, count = line.rpartition(b"\t")
        if not (tab and word and count.isdigit() and len(count) <= 18):
            return byte_strings(lines), None
        words.append(word)
        counts.append(int(count))
    return byte_strings(words), np.array(counts, dtype=np.int64)


def write_words(vocabulary: Vocabulary, stream: BinaryIO) -> None:
    """Write the words, with their counts if they are known."""
    counted = bool(vocabulary.counts.any())
    for start in range(0, len(vocabulary), _ROWS):
        rows = range(start, min(start + _ROWS, len(vocabulary)))
        words = vocabulary.words(rows)
        counts = vocabulary.counts[rows.start : rows.stop].tolist()
        lines = (f"{w}\t{n}" for w, n in zip(words, counts, strict=True)) if counted else words
        stream.write("".join(f"{line}\n" for line in lines).encode())
