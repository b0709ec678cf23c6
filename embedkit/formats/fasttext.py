"""fastText's model files (.bin): words, counts, and rows of words and of character n-grams.

The layout is that of FastText::saveModel, version 12: settings, the dictionary, then the input
matrix with a row for each word followed by a row for each bucket of n-grams. Files written in 2016
lack the magic number, the version, and the fields for pruning and quantization. Quantized models
(.ftz) cannot be read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.ngrams import Ngrams
from embedkit.errors import counted, plural
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import LARGEST_DIMENSION, RowBuilder, byte_strings
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["is_fasttext", "read_fasttext"]

_MAGIC = 793_712_314
_VERSIONS = (0, 11, 12)
_OLD_HEAD = struct.Struct("<12id3iq")
_SUPERVISED = 3
_LABEL = 1
_LONGEST_WORD = 1 << 16
_LONGEST_NGRAM = 1 << 8
_ROWS = 1 << 14  # rows of the matrix that are read at a time
_COMPOSED_WORDS = 1 << 12  # words composed at a time
_DOWNLOAD_AGAIN = "Download the file again."
_USE_BIN = "Use the .bin file or the .vec file."


@dataclass(frozen=True)
class _Header:
    """Settings and dictionary.

    Attributes:
        version: of the file; 0 for a file written in 2016, which has none.
        dimension: of the vectors.
        buckets: number of rows of n-grams.
        shortest, longest: lengths of the n-grams.
        words, counts: of the dictionary, without labels.
        starts: number of bytes before each word.
    """

    version: int
    dimension: int
    buckets: int
    shortest: int
    longest: int
    words: list[bytes]
    counts: list[int]
    starts: list[int]


def is_fasttext(source: ByteSource) -> bool:
    """Recognize a model file by its first bytes or, without a magic number, by its settings."""
    if source.peek(4) == struct.pack("<i", _MAGIC):
        return True
    head = source.peek(_OLD_HEAD.size)
    if len(head) < _OLD_HEAD.size:
        return False
    dimension, _, _, _, _, _, loss, model, buckets, shortest, longest, _, threshold, *sizes = (
        _OLD_HEAD.unpack(head)
    )
    entries, words, labels, tokens = sizes
    return bool(
        1 <= dimension <= LARGEST_DIMENSION
        and {loss, model} <= {1, 2, 3}
        and buckets >= 0
        and 0 <= shortest <= _LONGEST_NGRAM
        and 0 <= longest <= _LONGEST_NGRAM
        and 0 <= threshold <= 1
        and min(words, labels, tokens) >= 0
        and words + labels == entries > 0
    )


def read_fasttext(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read a model, supervised or not.

    A word's vector is the mean of its own row and those of its n-grams, like that of fastText's
    getWordVector; unknown words are composed of their n-grams alone.

    Raises:
        FormatError: the file is damaged, cut short or quantized, or a word has a fault and the
            policy is "strict".
    """
    head = _read_head(source, repairs)
    (quantized,) = _take(source, repairs, "<?") if head.version else (False,)
    rows, dimension = _take(source, repairs, "<qq") if not quantized else (0, 0)
    expected = len(head.words) + head.buckets
    if quantized or (rows, dimension) != (expected, head.dimension):
        problem = (
            "the model is quantized (.ftz)"
            if quantized
            else f"the matrix is {rows:,} x {dimension:,} for {counted(len(head.words), 'word')}, "
            f"{counted(head.buckets, 'bucket')} and {counted(head.dimension, 'dimension')}"
        )
        hint = _USE_BIN if quantized else _DOWNLOAD_AGAIN
        raise repairs.error(f"byte {source.position:,}", problem, hint)
    own = _read_rows(source, repairs, len(head.words), dimension)
    ngrams = _read_rows(source, repairs, head.buckets, dimension)
    # Without character n-grams, the buckets are word n-grams, which only classify texts.
    subwords = _subwords(head, ngrams)
    return _compose(head, own, subwords, repairs, limit)


def _subwords(head: _Header, rows: NDArray[np.float32]) -> Subwords | None:
    if not head.longest:
        return None
    return Subwords(rows, Ngrams(head.shortest, head.longest, head.buckets))


def _compose(
    head: _Header,
    own: NDArray[np.float32],
    subwords: Subwords | None,
    repairs: Repairs,
    limit: int | None,
) -> WordVectors:
    found = RowBuilder(head.dimension, repairs, limit, len(own))
    counts = np.array(head.counts, dtype=np.int64)
    for start in range(0, len(own), _COMPOSED_WORDS):
        block = slice(start, start + _COMPOSED_WORDS)
        words, rows = head.words[block], own[block]
        if subwords is not None:
            rows = subwords.compose(words, rows)
        # With -pretrainedVectors, fastText may write an empty word, which no text contains.
        kept = [number for number, word in enumerate(words) if word]
        starts = [head.starts[block][number] for number in kept]
        found.append(
            byte_strings([words[number] for number in kept]),
            rows[kept],
            partial(_place, starts),
            counts[block][kept],
        )
        if found.full:
            break
    return found.build(subwords)


def _place(starts: list[int], row: int) -> str:
    return f"byte {starts[row] + 1:,}"


def _take(source: ByteSource, repairs: Repairs, layout: str) -> tuple[Any, ...]:
    size = struct.calcsize(layout)
    data = source.read(size)
    if len(data) < size:
        raise _cut_short(source, repairs)
    return struct.unpack(layout, data)


def _cut_short(source: ByteSource, repairs: Repairs) -> Exception:
    return repairs.error(
        f"byte {source.position:,}", "the model is cut short here", _DOWNLOAD_AGAIN
    )


def _read_head(source: ByteSource, repairs: Repairs) -> _Header:
    old = source.peek(4) != struct.pack("<i", _MAGIC)
    version = 0 if old else _take(source, repairs, "<ii")[1]
    settings = _take(source, repairs, "<12id")
    dimension, model, buckets, shortest, longest = (settings[i] for i in (0, 7, 8, 9, 10))
    if model == _SUPERVISED and version < max(_VERSIONS):
        longest = 0  # these models store lengths of n-grams but do not use them
    entries, words, labels, _ = _take(source, repairs, "<3iq")
    pruned = 0 if old else _take(source, repairs, "<q")[0]
    plausible = (
        version in _VERSIONS
        and 1 <= dimension <= LARGEST_DIMENSION
        and buckets >= 0
        and longest <= _LONGEST_NGRAM
        and min(entries, words, labels) >= 0
        and words + labels == entries
    )
    if not plausible:
        raise repairs.error("byte 1", "the settings are not valid for fastText", _DOWNLOAD_AGAIN)
    if pruned > 0:
        raise repairs.error(
            f"byte {source.position:,}",
            "the model is pruned, so it was quantized (.ftz)",
            _USE_BIN,
        )
    if longest <= 0:
        longest, shortest = 0, 1
    head = _Header(version, dimension, buckets, max(shortest, 1), longest, [], [], [])
    for row in range(entries):
        _read_word(source, repairs, head, row)
    if len(head.words) != words:
        raise repairs.error(
            f"byte {source.position:,}",
            f"it has {counted(len(head.words), 'word')}, but {words:,} in the settings",
            _DOWNLOAD_AGAIN,
        )
    return head


def _read_word(source: ByteSource, repairs: Repairs, head: _Header, row: int) -> None:
    start = source.position
    ahead = source.peek(1 << 8)
    if b"\0" not in ahead:
        ahead = source.peek(_LONGEST_WORD)
    end = ahead.find(b"\0")
    if end < 0:
        raise repairs.error(
            f"byte {start + 1:,}", f"word {row + 1:,} does not end", _DOWNLOAD_AGAIN
        )
    word = source.read(end + 1)[:-1]
    count, kind = _take(source, repairs, "<qb")
    if kind != _LABEL:
        head.words.append(word)
        head.counts.append(max(count, 0))
        head.starts.append(start)


def _read_rows(
    source: ByteSource, repairs: Repairs, count: int, dimension: int
) -> NDArray[np.float32]:
    """Read a matrix, (count, dimension); memory is allocated as its bytes arrive."""
    width = 4 * dimension
    possible = 0 if source.plain_size is None else (source.plain_size - source.position) // width
    if source.plain_size is not None and possible < count:
        raise repairs.error(
            f"byte {source.plain_size:,}",
            f"the model is cut short: {count - possible:,} of {counted(count, 'row')} "
            f"{plural(count - possible, 'is', 'are')} missing",
            _DOWNLOAD_AGAIN,
        )
    matrix = np.empty((min(count, possible), dimension), dtype=np.float32)
    for start in range(0, count, _ROWS):
        size = min(_ROWS, count - start)
        data = source.read(size * width)
        if len(data) < size * width:
            raise _cut_short(source, repairs)
        if start + size > len(matrix):
            grown = min(count, start + size + len(matrix) // 8)
            matrix.resize((grown, dimension), refcheck=False)
        matrix[start : start + size] = np.frombuffer(data, "<f4").reshape(size, dimension)
    return matrix
