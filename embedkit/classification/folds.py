"""Divide texts into folds that are alike and have no text in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["distinct_texts", "fold_numbers"]


def distinct_texts(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each of n texts, from 0, that equal texts share, (n,)."""
    places: dict[str, int] = {}
    return np.array([places.setdefault(text, len(places)) for text in texts], dtype=np.int64)


def fold_numbers(
    texts: Sequence[str], strata: NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.int64]:
    """Return the fold of each of n texts, (n,).

    Equal texts are in the same fold. Apart from that, every fold has the same share of each
    stratum. If there are fewer distinct texts than folds, some folds have none.

    Args:
        texts: n texts.
        strata: the stratum of each text, such as the number of its label, (n,).
        folds: number of folds.
        seed: of the random order.
    """
    groups = distinct_texts(texts)
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    single = order[sizes[groups[order]] == 1]
    numbers = np.empty(len(strata), dtype=np.int64)
    numbers[single] = np.arange(len(single)) % folds
    # What occurs several times goes where there is least of its stratum, large groups first.
    counts = np.zeros((strata.max(initial=0) + 1, folds), dtype=np.int64)
    np.add.at(counts, (strata[single], numbers[single]), 1)
    several, firsts = np.unique(groups, return_index=True)
    chosen = np.zeros(len(sizes), dtype=np.int64)
    for group in sorted(several[sizes > 1].tolist(), key=lambda group: -int(sizes[group])):
        stratum = strata[firsts[group]]
        fold = int(np.lexsort((counts.sum(axis=0), counts[stratum]))[0])
        counts[stratum, fold] += sizes[group]
        chosen[group] = fold
    repeated = sizes[groups] > 1
    numbers[repeated] = chosen[groups[repeated]]
    return numbers
