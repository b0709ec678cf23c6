"""Write fastText's model files (.bin), which fastText and gensim open, and train further."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.ngrams import word_bytes
from embedkit.errors import FormatError, MissingMatrixWarning
from embedkit.formats.fasttext_layout import (
    CBOW,
    LONGEST_WORD,
    MAGIC,
    ROWS,
    SKIPGRAM,
    VERSION,
    WORD,
    Arguments,
)
from embedkit.formats.options import WriteOptions
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["write_fasttext"]

_NOT_PRUNED = -1


def write_fasttext(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write an unsupervised model, with a row for each bucket of n-grams.

    Raises:
        FormatError: n-grams were pruned, which such a file cannot represent, or a word is too long.

    Warns:
        MissingMatrixWarning: the output matrix is not known, so zeros are written.
    """
    subwords = vectors.subwords if isinstance(vectors.subwords, Subwords) else None
    if subwords is not None and subwords.pruned:
        raise FormatError(
            "the n-grams of these vectors were pruned, as in fastText's .ftz files, and a .bin "
            "file cannot represent that.",
            hint="Convert the .bin file that the .ftz file was made from, or write another format.",
        )
    buckets = 0 if subwords is None else subwords.ngrams.buckets
    stream.write(struct.pack("<ii", MAGIC, VERSION))
    stream.write(_arguments(vectors, subwords).packed())
    _write_dictionary(vectors, stream)
    stream.write(struct.pack("<?qq", False, len(vectors) + buckets, vectors.dimension))
    _write_words(vectors, subwords, stream, options)
    if subwords is not None:
        _write_ngrams(subwords, stream)
    stream.write(struct.pack("<?qq", False, len(vectors), vectors.dimension))
    _write_output(vectors, stream)


def _arguments(vectors: WordVectors, subwords: Subwords | None) -> Arguments:
    settings, training = (_section(vectors.config, name) for name in ("settings", "training"))
    default = Arguments()
    return Arguments(
        dim=vectors.dimension,
        ws=_whole(settings.get("window"), default.ws),
        epoch=_whole(training.get("epochs", settings.get("epochs")), default.epoch),
        min_count=_whole(settings.get("min_count"), default.min_count),
        neg=_whole(settings.get("negative"), default.neg),
        model=CBOW if settings.get("architecture") == "cbow" else SKIPGRAM,
        bucket=0 if subwords is None else subwords.ngrams.buckets,
        minn=default.minn if subwords is None else subwords.ngrams.shortest,
        maxn=default.maxn if subwords is None else subwords.ngrams.longest,
        t=_number(training.get("sample", settings.get("sample")), default.t),
    )


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 31 else default


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _write_dictionary(vectors: WordVectors, stream: BinaryIO) -> None:
    words = len(vectors)
    counts = np.maximum(vectors.vocabulary.counts, 1)  # gensim leaves out words that never occur
    labels = 0
    stream.write(struct.pack("<3i2q", words, words, labels, int(counts.sum()), _NOT_PRUNED))
    for start in range(0, words, ROWS):
        rows = range(start, min(start + ROWS, words))
        names = word_bytes(vectors.vocabulary.words(rows))
        _require_short(names, start)
        entries = zip(names, counts[rows.start : rows.stop].tolist(), strict=True)
        stream.write(
            b"".join([word + b"\0" + struct.pack("<qb", count, WORD) for word, count in entries])
        )


def _require_short(words: Sequence[bytes], start: int) -> None:
    """Check the lengths of words, of which *start* precede them in the vocabulary."""
    for number, word in enumerate(words, start=start + 1):
        if len(word) > LONGEST_WORD:
            raise FormatError(
                f"word {number:,} has {len(word):,} bytes; a .bin file that embedkit can read has "
                f"words of at most {LONGEST_WORD:,}.",
                hint="Leave the word out, or write another format.",
            )


def _write_words(
    vectors: WordVectors, subwords: Subwords | None, stream: BinaryIO, options: WriteOptions
) -> None:
    """Write the words' own rows, which together with those of n-grams make up their vectors."""
    for start in range(0, len(vectors), ROWS):
        rows = np.asarray(vectors.matrix[start : start + ROWS])
        if subwords is not None:
            words = vectors.vocabulary.words(range(start, start + len(rows)))
            rows = subwords.own_rows(word_bytes(words), rows)
            if subwords.offset is not None:
                rows += subwords.offset
        _write_rows(rows, stream)
        options.progress(len(rows))


def _write_ngrams(subwords: Subwords, stream: BinaryIO) -> None:
    """Write the row of each bucket; zeros for those that have none.

    The offset of vectors is added to every row, because that adds it to every mean of rows.
    """
    buckets = subwords.ngrams.buckets
    for start in range(0, buckets, ROWS):
        stop = min(start + ROWS, buckets)
        block = np.zeros((stop - start, subwords.rows.shape[1]), dtype=np.float32)
        if len(subwords.ids):
            first, last = np.searchsorted(subwords.ids, [start, stop])
            block[subwords.ids[first:last] - start] = subwords.rows[first:last]
        else:
            block[:] = subwords.rows[start:stop]
        if subwords.offset is not None:
            block += subwords.offset
        _write_rows(block, stream)


def _write_output(vectors: WordVectors, stream: BinaryIO) -> None:
    if vectors.context is None:
        warnings.warn(
            "the output matrix of these vectors is not known, so the file has zeros in its place: "
            "it answers questions, but training cannot continue from it.",
            MissingMatrixWarning,
            stacklevel=2,
        )
    for start in range(0, len(vectors), ROWS):
        if vectors.context is None:
            size = min(ROWS, len(vectors) - start)
            _write_rows(np.zeros((size, vectors.dimension), dtype=np.float32), stream)
        else:
            _write_rows(vectors.context[start : start + ROWS], stream)


def _write_rows(rows: NDArray[np.float32], stream: BinaryIO) -> None:
    stream.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())
