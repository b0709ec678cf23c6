"""Probabilities and tables for subsampling and negative sampling.

The random draws themselves come from `system.random`: each is a hash of the key, the position in
the corpus and the number of the draw, so all kernels make the same draws, in any order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "NOISE_POWER",
    "keep_probabilities",
    "keep_thresholds",
    "noise_alias",
    "noise_distribution",
    "sampling_tables",
]

NOISE_POWER = 0.75


def keep_probabilities(counts: NDArray[np.int64], total: int, sample: float) -> NDArray[np.float64]:
    """Return the probability that subsampling keeps an occurrence of each word, (words,).

    With f = count / total it is min(1, sqrt(sample / f) + sample / f), as in the word2vec program;
    the formula in its paper is slightly different.
    """
    if sample == 0:
        return np.ones(len(counts))
    share = sample * total / np.maximum(counts, 1)
    return np.minimum(np.sqrt(share) + share, 1.0)


def sampling_tables(
    counts: NDArray[np.int64], sample: float
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int32]]:
    """Return the tables of a kernel, (words,) each: see `keep_thresholds` and `noise_alias`."""
    keep = keep_thresholds(keep_probabilities(counts, int(counts.sum()), sample))
    return keep, *noise_alias(noise_distribution(counts))


def keep_thresholds(probabilities: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Return a threshold per word, which 32 random bits do not exceed with its probability."""
    scaled = np.ceil(probabilities * 2.0**32) - 1
    return np.asarray(np.clip(scaled, 0, 2**32 - 1), dtype=np.uint32)


def noise_distribution(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the noise distribution: counts to the power 0.75, normalized, (words,)."""
    weights = counts.astype(np.float64) ** NOISE_POWER
    return np.asarray(weights / weights.sum())


def noise_alias(
    probabilities: NDArray[np.float64],
) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return the alias table of a distribution (Vose 1991): thresholds and aliases, (words,) each.

    The upper half of 64 random bits selects a word, ``(upper * words) >> 32``. That word is drawn
    if the lower half is <= its threshold, and its alias otherwise.
    """
    from embedkit.training.kernels.alias import fill_alias  # imports numba

    size = len(probabilities)
    threshold = np.ones(size)
    alias = np.arange(size, dtype=np.int32)
    small, large = np.empty((2, size), dtype=np.int32)
    fill_alias(probabilities * size, small, large, threshold, alias)
    return keep_thresholds(threshold), alias
