"""Vectors of texts: the mean of the vectors of their words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, UnknownWordError
from embedkit.text import tokenize
from embedkit.vectors import WordVectors

__all__ = ["text_vectors"]


def text_vectors(
    vectors: WordVectors, texts: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return a vector for each text, float32 (n, d), and the number of its words, (n,).

    A text that is a word of the vocabulary, or a phrase of it, has that word's vector; any other
    has the mean of the words it is made of, as far as they are known.

    Raises:
        UnknownWordError: no word of a text is known.
        ConfigurationError: the vectors are sparse.
    """
    if vectors.is_sparse:
        raise ConfigurationError(
            "one-hot vectors have as many numbers as there are words, nearly all of them 0. "
            "Remedy: a model that was trained."
        )
    table = np.empty((len(texts), vectors.dimension), dtype=np.float32)
    counts = np.empty(len(texts), dtype=np.int64)
    for number, text in enumerate(texts):
        row = vectors.find(text)
        words = [text] if row >= 0 else tokenize(text, _tokenizer(vectors))
        rows = [row] if row >= 0 else [vectors.find(word) for word in words]
        known = [row for row in rows if row >= 0]
        if not known:
            raise UnknownWordError(words[0] if words else text, vectors.vocabulary.suggest)
        table[number] = vectors.matrix[known].mean(axis=0, dtype=np.float64)
        counts[number] = len(words)
    return table, counts


def _tokenizer(vectors: WordVectors) -> str:
    training = vectors.config.get("training")
    name = training.get("tokenizer") if isinstance(training, dict) else None
    return name or "words"
