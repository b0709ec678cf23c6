"""Probabilities that mean what they say: temperature, calibration error, and thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.objectives import Objective

__all__ = ["best_thresholds", "expected_calibration_error", "fit_temperature"]

Array = NDArray[np.floating[Any]]

_HOTTEST = 20.0
_BINS = 15


def fit_temperature(
    scores: Array, targets: Array, objective: Objective, weights: Array | None = None
) -> tuple[float, float]:
    """Return the temperature that scores should be divided by, and the mean loss with it.

    Guo et al. 2017 (arXiv 1706.04599): a single number, fitted to held-out texts, that makes
    probabilities neither too sure nor too cautious and changes no prediction. As in Platt 1999, one
    more text that could have any label keeps a few texts that are all right from making it sure.

    Args:
        scores: of held-out texts, (n, K).
        targets: (n, K).
        objective: whose loss is minimized.
        weights: how much each text counts, (n,); None counts all the same.
    """
    from scipy.optimize import minimize_scalar

    smoothing = 1 / (len(targets) + 1)
    smoothed = (1 - smoothing) * targets + smoothing / targets.shape[1]

    def loss(logarithm: float) -> float:
        losses = objective.losses(scores * np.exp(-logarithm), smoothed)
        return float(np.average(losses, weights=weights))

    limit = float(np.log(_HOTTEST))
    found = minimize_scalar(loss, bounds=(-limit, limit), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def expected_calibration_error(
    confidences: Array, correct: NDArray[np.bool_], bins: int = _BINS
) -> float:
    """Return by how much confidence and accuracy differ on average (Naeini et al. 2015).

    Predictions are put into bins of equal width by their confidence; the error is the mean of
    |accuracy - mean confidence| over the bins, weighted by their number of predictions.

    Args:
        confidences: the probability of each predicted label, between 0 and 1, (n,).
        correct: whether the prediction is right, (n,).
        bins: number of bins.
    """
    which = np.clip(np.ceil(confidences * bins).astype(np.int64) - 1, 0, bins - 1)
    surplus = np.bincount(which, weights=confidences - correct, minlength=bins)
    return float(np.abs(surplus).sum() / len(confidences))


def best_thresholds(probabilities: Array, targets: Array) -> NDArray[np.float32]:
    """Return for each label the threshold with the highest F1 on held-out texts, float32 (K,).

    A label is predicted if its probability is at least the threshold. The threshold lies midway
    between two neighboring probabilities; a label that no held-out text has gets 0.5.

    Args:
        probabilities: (n, K).
        targets: 0 or 1, (n, K).
    """
    thresholds = np.full(probabilities.shape[1], 0.5, dtype=np.float32)
    for label in range(probabilities.shape[1]):
        if not targets[:, label].any():
            continue
        order = np.argsort(-probabilities[:, label], kind="stable")
        ranked, right = probabilities[order, label], targets[order, label]
        # Equal probabilities are all above the threshold, or all below it.
        ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
        found = np.cumsum(right)[ends]
        scores = 2 * found / (ends + 1 + right.sum())
        best = ends[int(np.argmax(scores))]
        below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
        thresholds[label] = (ranked[best] + below) / 2
    return thresholds
