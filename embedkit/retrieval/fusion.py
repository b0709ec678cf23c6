"""Reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

__all__ = ["fuse"]

Item = TypeVar("Item", bound=Hashable)

_K = 60  # the constant of the paper


def fuse(
    rankings: Mapping[str, Sequence[Item]], weights: Mapping[str, float] | None = None
) -> list[tuple[Item, float]]:
    """Return the items of several rankings with the sum of weight / (60 + rank), best first.

    Ranks are counted from 1. Items with equal sums keep the order in which they first appear.

    Args:
        rankings: distinct items, best first, by the name of the ranking.
        weights: the weight of each ranking; 1 if it is not given.
    """
    scores: dict[Item, float] = {}
    for name, ranking in rankings.items():
        weight = (weights or {}).get(name, 1.0)
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (_K + rank)
    return sorted(scores.items(), key=lambda found: -found[1])
