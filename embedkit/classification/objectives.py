"""What the scores of a text mean: the loss of each task, its gradient, and its probabilities.

Scores are float32 (n, K), a column for each label, or for each number to predict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["OBJECTIVES", "Objective"]

Array = NDArray[np.floating[Any]]


class Objective(Protocol):
    """A loss over scores."""

    def losses(self, scores: Array, targets: Array) -> Array:
        """Return the loss of each text, (n,); both arguments are (n, K)."""

    def predictions(self, scores: Array) -> Array:
        """Return what the scores predict, (n, K): probabilities, or the numbers themselves.

        The gradient of a text's loss by its scores is its prediction minus its target.
        """


@dataclass(frozen=True)
class _OneLabel:
    """Exactly one label is right: softmax and the negative log-likelihood."""

    # NumPy reduces the first axis much faster than the last, if that is short.

    def losses(self, scores: Array, targets: Array) -> Array:
        columns = np.ascontiguousarray(scores.T)
        highest = columns.max(axis=0)
        total = np.log(np.exp(columns - highest).sum(axis=0)) + highest
        return np.asarray(total - np.einsum("nk,nk->n", scores, targets))

    def predictions(self, scores: Array) -> Array:
        columns = np.ascontiguousarray(scores.T)
        exponentials = np.exp(columns - columns.max(axis=0))
        exponentials /= exponentials.sum(axis=0)
        return np.ascontiguousarray(exponentials.T)


@dataclass(frozen=True)
class _AnyLabels:
    """Each label is right or wrong by itself: sigmoid and the sum of binary cross-entropies."""

    def losses(self, scores: Array, targets: Array) -> Array:
        return np.asarray((np.logaddexp(0, scores) - targets * scores).sum(axis=1))

    def predictions(self, scores: Array) -> Array:
        return np.asarray(expit(scores))


@dataclass(frozen=True)
class _Numbers:
    """Numbers: half the squared error."""

    def losses(self, scores: Array, targets: Array) -> Array:
        return np.asarray(((scores - targets) ** 2).sum(axis=1) / 2)

    def predictions(self, scores: Array) -> Array:
        return scores


OBJECTIVES: Mapping[str, Objective] = {
    "label": _OneLabel(),
    "labels": _AnyLabels(),
    "number": _Numbers(),
}
"""By task: one label, any number of labels, or a number."""
