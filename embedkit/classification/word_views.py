"""What a classifier knows about a word besides its identity: its letters and its vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedkit.corpus.ngrams import Ngrams, word_bytes
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.index.metrics import nonzero
from embedkit.system.steps import Steps, finish
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["CHARACTER_NGRAMS", "WordViews", "unit_vectors"]

CHARACTER_NGRAMS = Ngrams(3, 6, 1 << 20)
"""The character n-grams of words, and the number of buckets that they are hashed into."""

_COMPOSED = 512  # words in one step
_FEW = 1 << 14  # buckets for which a table of all would take longer than a search


@dataclass(frozen=True)
class WordViews:
    """Two views of w words.

    Attributes:
        ngrams: character n-grams, float32 CSR (w, buckets); rows have length 1 or 0.
        vectors: float32 (w, d); rows have length 1, or 0 for a word without a vector.
    """

    ngrams: sparse.csr_array
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, words: Sequence[str], vectors: WordVectors | None) -> WordViews:
        """Return the views of *words*; without dense *vectors*, d is 0."""
        return finish(cls.in_steps(words, vectors))

    @classmethod
    def in_steps(cls, words: Sequence[str], vectors: WordVectors | None) -> Steps[WordViews]:
        """Do what `of` does; for a thousand words, a step takes milliseconds."""
        dense = yield from _unit_vectors(words, vectors)
        yield
        numbers, buckets = CHARACTER_NGRAMS.of(word_bytes(words))
        bounds = np.searchsorted(numbers, np.arange(len(words) + 1))
        sizes = np.diff(bounds)
        data = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
        shape = (len(words), CHARACTER_NGRAMS.buckets)
        return cls(sparse.csr_array((data, buckets, bounds), shape=shape), dense)

    def of_buckets(self, buckets: NDArray[np.int32]) -> WordViews:
        """Return the views with only the n-grams in these B buckets, sorted, in (w, B) columns."""
        found = _places(buckets, self.ngrams.indices)
        bounds = np.concatenate([[0], np.cumsum(found >= 0)])[self.ngrams.indptr]
        kept = found >= 0
        ngrams = sparse.csr_array(
            (self.ngrams.data[kept], found[kept], bounds),
            shape=(self.ngrams.shape[0], len(buckets)),
        )
        return WordViews(ngrams, self.vectors)


def _places(buckets: NDArray[np.int32], asked: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the place of each asked bucket among the sorted *buckets*, -1 if it is missing."""
    if len(asked) < _FEW:
        found = np.searchsorted(buckets, asked)
        found[found == len(buckets)] = -1
        if len(buckets):
            found[buckets[found] != asked] = -1
        return found
    places = np.full(CHARACTER_NGRAMS.buckets, -1, dtype=np.int64)
    places[buckets] = np.arange(len(buckets))
    return places[asked]


def unit_vectors(words: Sequence[str], vectors: WordVectors | None) -> NDArray[np.float32]:
    """Return the vectors of words, float32 (w, d), divided by their length.

    A word is looked up as written and in its other spellings; if the model has vectors of character
    n-grams, those of unknown words are composed. A word without a vector has zeros. One-hot vectors
    say nothing that the word itself does not, so they have no columns.
    """
    return finish(_unit_vectors(words, vectors))


def _unit_vectors(words: Sequence[str], vectors: WordVectors | None) -> Steps[NDArray[np.float32]]:
    if vectors is None or vectors.is_sparse:
        return np.zeros((len(words), 0), dtype=np.float32)
    found = np.zeros((len(words), vectors.dimension), dtype=np.float32)
    vocabulary: Vocabulary = vectors.vocabulary
    rows = yield from vocabulary.resolved_ids_in_steps(words)
    known = rows >= 0
    found[known] = vectors.matrix[rows[known]]
    unknown = np.flatnonzero(~known)
    if vectors.subwords is not None and len(unknown):
        for start in range(0, len(unknown), _COMPOSED):
            some = unknown[start : start + _COMPOSED]
            yield
            found[some] = vectors.compose([words[number] for number in some.tolist()])[0]
    found /= nonzero(np.linalg.norm(found, axis=1, keepdims=True))
    return found
