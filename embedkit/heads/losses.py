"""Output activations and loss functions, in NumPy.

The last layer of a classifier returns *logits*: for two classes one number, the log-odds of the
second class; for more classes one number each. Losses are per row; training takes their mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax
from scipy.special import softmax as _softmax

__all__ = [
    "LOSSES",
    "binary_cross_entropy",
    "negative_log_likelihood",
    "sigmoid",
    "softmax",
    "squared_error",
]

Array = NDArray[np.floating[Any]]


def sigmoid(logits: Array) -> Array:
    """Return 1 / (1 + exp(-logit)), the probability of the second of two classes."""
    return np.asarray(expit(logits))


def softmax(logits: Array) -> Array:
    """Return exp(logit) / sum over the last axis, the probabilities of K classes, (..., K)."""
    return np.asarray(_softmax(logits, axis=-1))


def binary_cross_entropy(logits: Array, targets: Array) -> Array:
    """Return -log of the sigmoid's probability of the true one of two classes.

    Args:
        logits: (n, 1).
        targets: 0 or 1, (n,).
    """
    logits = logits[:, 0]
    # Unlike log(sigmoid), this is always finite.
    return np.asarray(np.logaddexp(0, logits) - targets * logits)


def negative_log_likelihood(logits: Array, targets: NDArray[np.int64]) -> Array:
    """Return -log of the softmax's probability of the true class.

    Args:
        logits: (n, K).
        targets: indices of the true classes, (n,).
    """
    return -np.asarray(log_softmax(logits, axis=1))[np.arange(len(targets)), targets]


def squared_error(outputs: Array, targets: Array) -> Array:
    """Return the squared error of each row, the mean over its K outputs; both are (n, K)."""
    return np.asarray(((outputs - targets) ** 2).mean(axis=1))


LOSSES: Mapping[str, Callable[..., Array]] = {
    "binary cross-entropy": binary_cross_entropy,
    "negative log-likelihood": negative_log_likelihood,
    "squared error": squared_error,
}
