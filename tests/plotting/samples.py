"""Vectors for tests of plotting."""

from __future__ import annotations

import numpy as np

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.vectors.word_vectors import WordVectors


def random_vectors(words: list[str], dimension: int = 8) -> WordVectors:
    matrix = np.random.default_rng(3).standard_normal((len(words), dimension)).astype(np.float32)
    return WordVectors(Vocabulary(words, range(len(words), 0, -1)), matrix)
