"""The layout of fastText's model files: arguments, dictionary and matrices, as they are on disk.

A file of FastText::saveModel, version 12, has a magic number and a version, the arguments of
training, the dictionary, the input matrix (a row for each word, then one for each bucket of
n-grams) and the output matrix. Each matrix follows a byte that tells whether it is quantized.
Files written in 2016 lack the magic number, the version, and the fields for pruning and
quantization.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import FormatError, counted
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import LARGEST_DIMENSION

__all__ = [
    "CBOW",
    "DOWNLOAD_AGAIN",
    "LONGEST_WORD",
    "LOSSES",
    "MAGIC",
    "NEGATIVE_SAMPLING",
    "ROWS",
    "SKIPGRAM",
    "SUPERVISED",
    "VERSION",
    "WORD",
    "Arguments",
    "Header",
    "cut_short",
    "is_fasttext",
    "read_blocks",
    "read_header",
    "take",
]

MAGIC, VERSION = 793_712_314, 12
CBOW, SKIPGRAM, SUPERVISED = 1, 2, 3  # models
LOSSES = {1: "hierarchical softmax", 2: "negative sampling", 3: "softmax", 4: "one-vs-all"}
NEGATIVE_SAMPLING = 2
WORD, _LABEL = 0, 1  # types of entries
ROWS = 1 << 14  # rows of a matrix that are read or written at a time
DOWNLOAD_AGAIN = "Download the file again."

_VERSIONS = (0, 11, VERSION)
LONGEST_WORD = (1 << 16) - 1  # bytes
_LONGEST_NGRAM = 1 << 8


@dataclass(frozen=True)
class Arguments:
    """The settings of training, in the order of the file and under fastText's names."""

    dim: int = 100
    ws: int = 5
    epoch: int = 5
    min_count: int = 5
    neg: int = 5
    word_ngrams: int = 1
    loss: int = NEGATIVE_SAMPLING
    model: int = SKIPGRAM
    bucket: int = 0
    minn: int = 3
    maxn: int = 0
    lr_update_rate: int = 100
    t: float = 1e-4

    def packed(self) -> bytes:
        """Return them as the file has them."""
        return _ARGUMENTS.pack(*astuple(self))


_ARGUMENTS = struct.Struct("<12id")
_OLD_HEAD = struct.Struct("<12id3iq")


@dataclass(frozen=True)
class Header:
    """What precedes the input matrix.

    Attributes:
        version: of the file; 0 for a file written in 2016, which has none.
        arguments: of the training.
        words, counts: of the dictionary, without labels.
        starts: number of bytes before each word.
        kept: int32 (n, 2), the buckets that pruning kept, and their rows among those of n-grams;
            None if the model is not pruned.
    """

    version: int
    arguments: Arguments
    words: list[bytes]
    counts: list[int]
    starts: list[int]
    kept: NDArray[np.int32] | None = None

    @property
    def lengths(self) -> tuple[int, int] | None:
        """The lengths of the shortest and the longest character n-grams; None if there are none."""
        shortest, longest = max(self.arguments.minn, 1), self.arguments.maxn
        if self.arguments.model == SUPERVISED and self.version < VERSION:
            return None  # these models store lengths of n-grams but do not use them
        return (shortest, longest) if shortest <= longest else None

    @property
    def ngram_rows(self) -> int:
        """Number of rows of the input matrix that follow those of words."""
        return self.arguments.bucket if self.kept is None else len(self.kept)


def is_fasttext(source: ByteSource) -> bool:
    """Recognize a model file by its first bytes or, without a magic number, by its settings."""
    if source.peek(4) == struct.pack("<i", MAGIC):
        return True
    head = source.peek(_OLD_HEAD.size)
    if len(head) < _OLD_HEAD.size:
        return False
    *settings, entries, words, labels, tokens = _OLD_HEAD.unpack(head)
    arguments = Arguments(*settings)
    return bool(
        _plausible(arguments)
        and {arguments.loss, arguments.model} <= {1, 2, 3}
        and min(arguments.minn, arguments.maxn) >= 0
        and 0 <= arguments.t <= 1
        and min(words, labels, tokens) >= 0
        and words + labels == entries > 0
    )


def _plausible(arguments: Arguments) -> bool:
    return (
        1 <= arguments.dim <= LARGEST_DIMENSION
        and arguments.bucket >= 0
        and max(arguments.minn, arguments.maxn) <= _LONGEST_NGRAM
    )


def take(source: ByteSource, repairs: Repairs, layout: str) -> tuple[Any, ...]:
    """Return the next numbers, which have a layout as `struct` describes it.

    Raises:
        FormatError: the file ends before.
    """
    size = struct.calcsize(layout)
    data = source.read(size)
    if len(data) < size:
        raise cut_short(source, repairs)
    return struct.unpack(layout, data)


def cut_short(source: ByteSource, repairs: Repairs) -> FormatError:
    """Return the error of a file that ends too early."""
    return repairs.error(f"byte {source.position:,}", "the model is cut short here", DOWNLOAD_AGAIN)


def read_header(source: ByteSource, repairs: Repairs) -> Header:
    """Read what precedes the input matrix.

    Raises:
        FormatError: it is damaged or cut short.
    """
    old = source.peek(4) != struct.pack("<i", MAGIC)
    version = 0 if old else take(source, repairs, "<ii")[1]
    arguments = Arguments(*take(source, repairs, _ARGUMENTS.format))
    entries, words, labels, _ = take(source, repairs, "<3iq")
    pruned = -1 if old else take(source, repairs, "<q")[0]
    if not (
        version in _VERSIONS
        and _plausible(arguments)
        and min(entries, words, labels) >= 0
        and words + labels == entries
        and pruned <= arguments.bucket
    ):
        raise repairs.error("byte 1", "the settings are not valid for fastText", DOWNLOAD_AGAIN)
    head = Header(version, arguments, [], [], [])
    for row in range(entries):
        _read_word(source, repairs, head, row)
    if len(head.words) != words:
        raise repairs.error(
            f"byte {source.position:,}",
            f"it has {counted(len(head.words), 'word')}, but {words:,} in the settings",
            DOWNLOAD_AGAIN,
        )
    if pruned < 0:
        return head
    kept = _read_kept(source, repairs, pruned, arguments.bucket)
    return Header(version, arguments, head.words, head.counts, head.starts, kept)


def _read_word(source: ByteSource, repairs: Repairs, head: Header, row: int) -> None:
    start = source.position
    ahead = source.peek(1 << 8)
    if b"\0" not in ahead:
        ahead = source.peek(LONGEST_WORD + 1)
    end = ahead.find(b"\0")
    if end < 0:
        raise repairs.error(f"byte {start + 1:,}", f"word {row + 1:,} does not end", DOWNLOAD_AGAIN)
    word = source.read(end + 1)[:-1]
    count, kind = take(source, repairs, "<qb")
    if kind != _LABEL:
        head.words.append(word)
        head.counts.append(max(count, 0))
        head.starts.append(start)


def _read_kept(source: ByteSource, repairs: Repairs, count: int, buckets: int) -> NDArray[np.int32]:
    """Read which buckets pruning has kept, in which rows, int32 (count, 2)."""
    start = source.position
    data = b"".join(read_blocks(source, repairs, count, 8))
    kept = np.frombuffer(data, "<i4").reshape(count, 2)
    bucket, row = kept.T
    distinct = len(np.unique(bucket)) == len(np.unique(row)) == count
    if not distinct or (kept < 0).any() or (bucket >= buckets).any() or (row >= count).any():
        raise repairs.error(
            f"byte {start + 1:,}",
            f"the list of {counted(count, 'n-gram')} that pruning kept contradicts itself",
            DOWNLOAD_AGAIN,
        )
    return kept


def read_blocks(source: ByteSource, repairs: Repairs, count: int, width: int) -> Iterator[bytes]:
    """Yield the bytes of *count* rows of *width* bytes, `ROWS` rows at a time.

    Raises:
        FormatError: the file ends before.
    """
    for start in range(0, count, ROWS):
        size = min(ROWS, count - start) * width
        data = source.read(size)
        if len(data) < size:
            raise cut_short(source, repairs)
        yield data
