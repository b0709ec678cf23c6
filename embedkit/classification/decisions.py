"""What is explained: one number made of a classifier's scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.contributions import Contribution

__all__ = ["Decision", "Explainer", "HeadExplanation"]


@dataclass(frozen=True)
class Decision:
    """A weighted sum of scores.

    Attributes:
        direction: the weight of each of the K scores, float64 (K,): 1 for a label and -1 for the
            label that it is compared with.
        offset: what is added to the sum.
    """

    direction: NDArray[np.float64]
    offset: float = 0.0


@dataclass(frozen=True)
class HeadExplanation:
    """What the tokens and n-grams of a text add to a decision; see `Explanation`."""

    words: Sequence[Contribution]
    ngrams: Sequence[Contribution]
    bias: float
    total: float
    method: str


class Explainer(Protocol):
    """Explains the scores of n texts by one kind of head."""

    @property
    def scores(self) -> NDArray[np.float64]:
        """The scores of the texts, (n, K)."""

    def explain(self, row: int, decision: Decision) -> HeadExplanation:
        """Return what the terms of one text add to a decision."""
