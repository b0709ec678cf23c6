"""How much of a model's neighbourhoods another one keeps."""

from __future__ import annotations

import numpy as np

from embedkit.errors import ConfigurationError
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["neighbor_overlap"]


def neighbor_overlap(
    before: WordVectors, after: WordVectors, *, k: int = 10, words: int = 1000, seed: int = 1
) -> float:
    """Return the mean share of a word's *k* nearest words by cosine that are so in both, 0 to 1.

    Args:
        before: vectors.
        after: other vectors of the same words.
        words: how many are looked at, chosen at random.

    Raises:
        ConfigurationError: the words are others.
    """
    if before.vocabulary != after.vocabulary:
        raise ConfigurationError("neighbourhoods are compared between vectors of the same words.")
    size = min(words, len(before))
    k = min(k, len(before) - 1)
    if k < 1:
        return 1.0
    rows = np.sort(np.random.default_rng(seed).choice(len(before), size, replace=False))
    asked = before.vocabulary.words(rows.tolist())
    kept = 0
    found = zip(before.neighbors_of(asked, k), after.neighbors_of(asked, k), strict=True)
    for first, second in found:
        kept += len({hit.word for hit in first} & {hit.word for hit in second})
    return kept / (k * size)
