"""Numbers of any size, centimetres or kilograms, to numbers that a network learns from well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.heads.network import Network, diverged

__all__ = ["Scaling"]


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each column, float64 (columns,).

    A network is trained on columns of mean 0 and deviation 1. What it has learned is then written
    in terms of the columns as they are: the first and the last layer take the scaling in.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, columns: NDArray[Any]) -> Self:
        """Measure the columns of (n, columns); one that never changes is only centred.

        Raises:
            TrainingError: a number is beyond those of float32, which networks take and give.
        """
        columns = columns.astype(np.float64)
        largest = np.abs(columns).max(initial=0)
        if largest > np.finfo(np.float32).max:
            raise diverged(f"{largest:g} is beyond float32, which ends at 3.4e+38")
        deviation = columns.std(axis=0)
        return cls(columns.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    def apply(self, columns: NDArray[Any]) -> NDArray[np.float32]:
        """Return the columns with mean 0 and deviation 1."""
        scaled: NDArray[np.float32] = ((columns - self.mean) / self.deviation).astype(np.float32)
        return scaled

    def into_first_layer(self, network: Network) -> Network:
        """Return the network that takes unscaled inputs."""
        weights = network.weights[0] / self.deviation[:, np.newaxis]
        biases = network.biases[0] - self.mean @ weights
        return replace(
            network,
            weights=(_narrow(weights), *network.weights[1:]),
            biases=(_narrow(biases), *network.biases[1:]),
        )

    def into_last_layer(self, network: Network) -> Network:
        """Return the network that gives unscaled outputs."""
        weights = network.weights[-1] * self.deviation
        biases = network.biases[-1] * self.deviation + self.mean
        return replace(
            network,
            weights=(*network.weights[:-1], _narrow(weights)),
            biases=(*network.biases[:-1], _narrow(biases)),
        )


def _narrow(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return float32; what is too large for it is infinite, which `Network.check_finite` tells."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)
