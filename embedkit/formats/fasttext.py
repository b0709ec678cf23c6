"""Read fastText's model files (.bin, and quantized .ftz): words, counts, and rows of n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import byte_strings
from embedkit.corpus.ngrams import Ngrams
from embedkit.errors import counted
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.fasttext_layout import (
    CBOW,
    DOWNLOAD_AGAIN,
    LOSSES,
    NEGATIVE_SAMPLING,
    SKIPGRAM,
    SUPERVISED,
    Arguments,
    Header,
    read_header,
    take,
)
from embedkit.formats.fasttext_matrix import read_nonzero_rows, read_rows
from embedkit.formats.fasttext_quantized import read_quantized
from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import RowBuilder
from embedkit.training.config import RANGES
from embedkit.validation import within
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["TrainedModel", "read_fasttext", "read_trained"]

_COMPOSED_WORDS = 1 << 12  # words composed at a time
_ARCHITECTURES = {CBOW: "cbow", SKIPGRAM: "skipgram"}


@dataclass(frozen=True)
class TrainedModel:
    """Another program's model, with what training needs to continue from it.

    Attributes:
        vectors: of the words, with the output matrix if training can use it.
        problem: why training cannot continue from the model, as a sentence; "" if it can.
        settings: the settings of its training, under embedkit's names.
        own: the words' own rows of the input matrix, float32 (V, d); None if there is a problem.
    """

    vectors: WordVectors
    problem: str
    settings: dict[str, Any] = field(default_factory=dict)
    own: NDArray[np.float32] | None = None


def read_fasttext(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read a model, supervised or not, quantized or not, without its output matrix.

    A word's vector is the mean of its own row and those of its n-grams, like that of fastText's
    getWordVector; unknown words are composed of their n-grams alone.

    Raises:
        FormatError: the file is damaged or cut short, or a word has a fault and the policy is
            "strict".
    """
    head = read_header(source, repairs)
    own, subwords, _ = _read_input(source, repairs, head)
    return _build(head, own, subwords, None, repairs, limit)[0]


def read_trained(source: ByteSource, repairs: Repairs, limit: int | None = None) -> TrainedModel:
    """Read a model with its output matrix, if training can continue with it.

    Raises:
        FormatError: as for `read_fasttext`.
    """
    head = read_header(source, repairs)
    own, subwords, quantized = _read_input(source, repairs, head)
    problem = _problem(head.arguments, quantized=quantized)
    context = None
    if not problem:
        context = _read_output(source, repairs, head)
        if not context.any():
            context, problem = None, "Its output matrix contains only zeros."
    vectors, rows = _build(head, own, subwords, context, repairs, limit)
    return TrainedModel(vectors, problem, _settings(head.arguments), rows)


def _problem(arguments: Arguments, *, quantized: bool) -> str:
    """Return why training cannot continue with the output matrix, or ""."""
    if arguments.model == SUPERVISED:
        return "It is a supervised model: its output matrix belongs to labels, not to words."
    if quantized:
        return "It is quantized (.ftz)."
    if arguments.loss != NEGATIVE_SAMPLING:
        loss = LOSSES.get(arguments.loss, "an unknown loss")
        return f"It was trained with {loss}, and its output matrix only works with that."
    return ""


def _settings(arguments: Arguments) -> dict[str, Any]:
    """Return the settings under embedkit's names, without those outside embedkit's ranges."""
    settings: dict[str, Any] = {
        "dimension": arguments.dim,
        "window": arguments.ws,
        "negative": arguments.neg,
        "epochs": arguments.epoch,
        "min_count": arguments.min_count,
        "sample": arguments.t,
    }
    if arguments.model in _ARCHITECTURES:
        settings["architecture"] = _ARCHITECTURES[arguments.model]
    return within(RANGES, settings)


def _read_input(
    source: ByteSource, repairs: Repairs, head: Header
) -> tuple[NDArray[np.float32], Subwords | None, bool]:
    """Return the words' own rows, the n-grams, and whether the matrix is quantized."""
    words, dimension = len(head.words), head.arguments.dim
    (quantized,) = take(source, repairs, "<?") if head.version else (False,)
    if quantized:
        matrix = read_quantized(source, repairs, (words + head.ngram_rows, dimension))
        own, ngrams = matrix[:words], matrix[words:]
        return own, _subwords(head, ngrams, np.arange(len(ngrams), dtype=np.int32)), quantized
    if head.kept is not None:
        raise repairs.error(
            f"byte {source.position:,}",
            "the model is pruned but not quantized, which fastText rejects, too",
            "Use the original .bin file, or quantize it again.",
        )
    _check_size(source, repairs, head, words + head.ngram_rows)
    own = read_rows(source, repairs, words, dimension)
    ngrams, ids = read_nonzero_rows(source, repairs, head.ngram_rows, dimension)
    return own, _subwords(head, ngrams, ids), quantized


def _check_size(source: ByteSource, repairs: Repairs, head: Header, expected: int) -> None:
    rows, dimension = take(source, repairs, "<qq")
    if (rows, dimension) != (expected, head.arguments.dim):
        raise repairs.error(
            f"byte {source.position:,}",
            f"the matrix is {rows:,} x {dimension:,} for {counted(len(head.words), 'word')}, "
            f"{counted(head.arguments.bucket, 'bucket')} and "
            f"{counted(head.arguments.dim, 'dimension')}",
            DOWNLOAD_AGAIN,
        )


def _read_output(source: ByteSource, repairs: Repairs, head: Header) -> NDArray[np.float32]:
    if head.version:
        take(source, repairs, "<?")  # whether it is quantized, which it is only if the input is
    _check_size(source, repairs, head, len(head.words))
    return read_rows(source, repairs, len(head.words), head.arguments.dim)


def _subwords(head: Header, rows: NDArray[np.float32], ids: NDArray[np.int32]) -> Subwords | None:
    """Return the n-grams; *ids* are the numbers of their rows, and all other rows are zero."""
    # Without character n-grams, the buckets are word n-grams, which only classify texts.
    if head.lengths is None or not head.ngram_rows:
        return None
    ngrams = Ngrams(*head.lengths, head.arguments.bucket)
    if head.kept is not None:
        buckets, places = head.kept[np.argsort(head.kept[:, 0])].T
        return Subwords(rows[places], ngrams, buckets.copy(), pruned=True)
    if len(rows) == ngrams.buckets:
        return Subwords(rows, ngrams)
    if not len(rows):  # a row of zeros, since n-grams count even so
        rows, ids = np.zeros((1, head.arguments.dim), np.float32), np.zeros(1, np.int32)
    return Subwords(rows, ngrams, ids)


def _build(
    head: Header,
    own: NDArray[np.float32],
    subwords: Subwords | None,
    context: NDArray[np.float32] | None,
    repairs: Repairs,
    limit: int | None,
) -> tuple[WordVectors, NDArray[np.float32] | None]:
    """Return the checked vectors, and with an output matrix also the words' own rows.

    Without an output matrix, the vectors take the place of the words' own rows in memory.
    """
    # With -pretrainedVectors, fastText may write an empty word, which no text contains.
    if not all(head.words):
        kept = [number for number, word in enumerate(head.words) if word]
        head, own = _chosen(head, kept), own[kept]
        context = None if context is None else context[kept]
    matrices = [own] if context is None else [np.empty_like(own), own, context]
    found = RowBuilder(head.arguments.dim, repairs, limit, matrices=matrices)
    counts = np.array(head.counts, dtype=np.int64)
    for start in range(0, len(own), _COMPOSED_WORDS):
        block = slice(start, start + _COMPOSED_WORDS)
        words, rows = head.words[block], own[block]
        if subwords is not None:
            rows = subwords.compose(words, rows)
        place = partial(_place, head.starts[block])
        found.append(byte_strings(words), rows, place, counts[block])
        if found.full:
            break
    checked = found.build(subwords)
    kept_own, context = found.beside or (None, None)
    vectors = WordVectors.from_checked(
        checked.vocabulary,
        checked.matrix,
        subwords=subwords,
        context=context,
        config={"settings": _settings(head.arguments)},
    )
    return vectors, kept_own


def _chosen(head: Header, rows: Sequence[int]) -> Header:
    """Return a header with some of the words."""
    return replace(
        head,
        words=[head.words[row] for row in rows],
        counts=[head.counts[row] for row in rows],
        starts=[head.starts[row] for row in rows],
    )


def _place(starts: list[int], row: int) -> str:
    return f"byte {starts[row] + 1:,}"
