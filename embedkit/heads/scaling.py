"""Standardizes training data, and folds the scaling into the layers of a trained network.

A network is trained on columns of mean 0 and standard deviation 1. Afterwards, the scaling is
folded into its first and last layer, so that it maps unscaled inputs to unscaled outputs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from embedkit.heads.network import Network, diverged

__all__ = ["fit_scaler", "scale", "unscale_inputs", "unscale_outputs"]


def fit_scaler(columns: NDArray[np.generic]) -> StandardScaler:
    """Return the mean and standard deviation, in float64, of the columns of (n, columns).

    Raises:
        TrainingError: a number exceeds float32, the type of a network's inputs and outputs.
    """
    columns = columns.astype(np.float64)
    largest = np.abs(columns).max(initial=0)
    if largest > np.finfo(np.float32).max:
        raise diverged(f"{largest:g} exceeds float32, whose maximum is 3.4e+38")
    return StandardScaler().fit(columns)


def scale(scaler: StandardScaler, columns: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the standardized columns; constant columns become 0 up to rounding."""
    scaled: NDArray[np.float64] = scaler.transform(columns.astype(np.float64))
    return scaled.astype(np.float32)


def unscale_inputs(network: Network, scaler: StandardScaler) -> Network:
    """Return the network with *scaler* folded into its first layer."""
    weights = network.weights[0] / scaler.scale_[:, np.newaxis]
    biases = network.biases[0] - scaler.mean_ @ weights
    return replace(
        network,
        weights=(_to_float32(weights), *network.weights[1:]),
        biases=(_to_float32(biases), *network.biases[1:]),
    )


def unscale_outputs(network: Network, scaler: StandardScaler) -> Network:
    """Return the network with the inverse of *scaler* folded into its last layer."""
    weights = network.weights[-1] * scaler.scale_
    biases = network.biases[-1] * scaler.scale_ + scaler.mean_
    return replace(
        network,
        weights=(*network.weights[:-1], _to_float32(weights)),
        biases=(*network.biases[:-1], _to_float32(biases)),
    )


def _to_float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return float32; values that are too large become infinite, see `Network.check_finite`."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)
