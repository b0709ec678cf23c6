"""Overlap of the nearest neighbors in two sets of vectors."""

from __future__ import annotations

import numpy as np

from embedkit.errors import ConfigurationError
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["neighbor_overlap"]


def neighbor_overlap(
    before: WordVectors, after: WordVectors, *, k: int = 10, words: int = 1000, seed: int = 1
) -> float:
    """Return the mean share, 0 to 1, of a word's *k* nearest words that both sets have in common.

    Neighbors are found by cosine similarity.

    Args:
        before: vectors.
        after: vectors of the same words.
        k: number of neighbors.
        words: size of the random sample of words.
        seed: seed of the sample.

    Raises:
        ConfigurationError: the vocabularies differ.
    """
    if before.vocabulary != after.vocabulary:
        raise ConfigurationError("neighbors can only be compared between vectors of the same words")
    nonzero = np.flatnonzero((before.norms > 0) & (after.norms > 0))  # others have no neighbors
    size = min(words, len(nonzero))
    k = min(k, len(nonzero) - 1)
    if k < 1:
        return 1.0
    rows = np.sort(np.random.default_rng(seed).choice(nonzero, size, replace=False))
    asked = before.vocabulary.words(rows.tolist())
    kept = 0
    found = zip(before.neighbors_of(asked, k), after.neighbors_of(asked, k), strict=True)
    for first, second in found:
        kept += len({hit.word for hit in first} & {hit.word for hit in second})
    return kept / (k * size)
