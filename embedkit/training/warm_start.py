"""Training that goes on from a model with new text, and adds the new words of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.training.config import TrainingConfig
from embedkit.training.engine import random_vectors

__all__ = ["Start", "start_from"]


@dataclass(frozen=True)
class Start:
    """Words and matrices to begin with.

    Attributes:
        vocabulary: V words, most frequent first, with their counts.
        vectors, context: the input and the output matrix, float32 (V, dimension).
    """

    vocabulary: Vocabulary
    vectors: NDArray[np.float32]
    context: NDArray[np.float32]


def start_from(old: Start, corpus: Corpus, config: TrainingConfig) -> Start:
    """Return what training on *corpus* begins with after training that ended with *old*.

    All old words stay. New ones are those that occur `min_count` times in the corpus; they begin
    as in training from nothing. Counts are added up, so that frequencies are those of all text.
    """
    fresh = corpus.vocabulary.at_least(config.min_count)
    added = fresh.words(np.flatnonzero(old.vocabulary.ids(fresh.words()) < 0))
    words = [*old.vocabulary, *added]
    here = corpus.vocabulary.ids(words)
    counts = np.where(here < 0, 0, corpus.vocabulary.counts[here])
    counts[: len(old.vocabulary)] += old.vocabulary.counts
    order = np.argsort(-counts, kind="stable")
    vectors = random_vectors(len(words), config.dimension, config.seed)
    vectors[: len(old.vocabulary)] = old.vectors
    context = np.zeros_like(vectors)
    context[: len(old.vocabulary)] = old.context
    vocabulary = Vocabulary([words[place] for place in order], counts[order])
    return Start(vocabulary, vectors[order], context[order])
