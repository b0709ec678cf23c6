"""Warm start: continue training a model on a new text, and add the words that are new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.training.config import TrainingConfig
from embedkit.training.initial import random_vectors
from embedkit.vectors.subwords import Subwords

__all__ = ["WarmStart", "warm_start"]


@dataclass(frozen=True)
class WarmStart:
    """The words and matrices that training starts from.

    Attributes:
        vocabulary: V words, most frequent first, with their counts.
        vectors, context: the words' own rows of the input matrix, and the output matrix, float32
            (V, dimension).
        subwords: the rows of n-grams, if words are composed of them.
        positions: the position weights, float32 (2 * window, dimension); None if there are none.
            The window may differ from that of the training to come.
    """

    vocabulary: Vocabulary
    vectors: NDArray[np.float32]
    context: NDArray[np.float32]
    subwords: Subwords | None = None
    positions: NDArray[np.float32] | None = None


def warm_start(old: WarmStart, corpus: Corpus, config: TrainingConfig) -> WarmStart:
    """Return the words and matrices to start from when training *old* further on *corpus*.

    All old words are kept. New words that occur at least `min_count` times in the corpus are added,
    with the same initial vectors as in training from scratch. Counts are summed over both texts.
    """
    fresh = corpus.vocabulary.at_least(config.min_count)
    added = fresh.words(np.flatnonzero(old.vocabulary.ids(fresh.words()) < 0))
    words = [*old.vocabulary, *added]
    ids = corpus.vocabulary.ids(words)
    counts = np.where(ids < 0, 0, corpus.vocabulary.counts[ids])
    counts[: len(old.vocabulary)] += old.vocabulary.counts
    order = np.argsort(-counts, kind="stable")
    composed = config.ngrams is not None
    vectors = random_vectors(len(words), config.dimension, config.seed, composed=composed)
    vectors[: len(old.vocabulary)] = old.vectors
    context = np.zeros_like(vectors)
    context[: len(old.vocabulary)] = old.context
    vocabulary = Vocabulary([words[row] for row in order], counts[order])
    return WarmStart(vocabulary, vectors[order], context[order], old.subwords, old.positions)
