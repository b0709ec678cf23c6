"""Gradients of a network, and integrated gradients: what each input added to an output.

Sundararajan, Taly and Yan 2017 (arXiv 1703.01365): the gradient is averaged along the straight line
from a baseline, here zeros, to the input. The input times this average is what each input added,
and adds up to the difference of the outputs at both ends (completeness).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.heads.network import ACTIVATIONS, Network

__all__ = ["TOLERANCE", "Attribution", "Layers", "integrated_gradients"]

Array = NDArray[np.float64]

TOLERANCE = 1e-6
"""By how much a sum of integrated gradients may differ from the difference of the outputs, as a
share of that difference, or of 1 if it is smaller."""

_DERIVATIVES: Mapping[str, Callable[[Array], Array]] = {
    "relu": lambda values: (values > 0).astype(np.float64),
    "tanh": lambda values: 1 - values * values,
    "sigmoid": lambda values: values * (1 - values),
}
"""The derivative of each activation, given its value."""
_NODES, _SHARES = np.polynomial.legendre.leggauss(4)
_NODES, _SHARES = (_NODES + 1) / 2, _SHARES / 2  # on [0, 1]
_MOST_HALVINGS = 48


@dataclass(frozen=True)
class Layers:
    """The dense layers of a network in float64.

    Attributes:
        weights: for each layer a matrix (inputs, outputs).
        biases: for each layer a vector (outputs,).
        activation: a name in `ACTIVATIONS`; the last layer has no activation.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    activation: str

    @classmethod
    def of(cls, network: Network, columns: NDArray[np.int64] | None = None) -> Layers:
        """Return the layers of *network*; with *columns*, all other inputs are always 0."""
        first, *others = network.weights
        weights = (first if columns is None else first[columns], *others)
        return cls(
            tuple(matrix.astype(np.float64) for matrix in weights),
            tuple(vector.astype(np.float64) for vector in network.biases),
            network.activation,
        )

    def toward(self, direction: Sequence[float] | Array) -> Layers:
        """Return layers with one output: the sum of the outputs times *direction*, (outputs,)."""
        column = np.asarray(direction, dtype=np.float64)[:, np.newaxis]
        return Layers(
            (*self.weights[:-1], self.weights[-1] @ column),
            (*self.biases[:-1], self.biases[-1] @ column),
            self.activation,
        )

    def activations(self, inputs: Array) -> list[Array]:
        """Return the values of each layer, of shapes (n, units), for *inputs*, (n, features)."""
        found = []
        for number, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            inputs = inputs @ weights + biases
            if number < len(self.weights) - 1:
                inputs = np.asarray(ACTIVATIONS[self.activation](inputs), dtype=np.float64)
            found.append(inputs)
        return found

    def gradients(self, inputs: Array) -> Array:
        """Return the gradient of the sum of the outputs by the inputs, both (n, features)."""
        *hidden, last = self.activations(inputs)
        gradient = np.ones_like(last) @ self.weights[-1].T
        for weights, values in zip(self.weights[-2::-1], hidden[::-1], strict=True):
            gradient = (gradient * _DERIVATIVES[self.activation](values)) @ weights.T
        return gradient


@dataclass(frozen=True)
class Attribution:
    """The integrated gradients of one output at one input.

    Attributes:
        gradient: the average gradient, (features,); times the input it is what each input added.
        start: the output at the baseline.
        end: the output at the input.
        points: at how many points the gradient was computed.
    """

    gradient: Array
    start: float
    end: float
    points: int


def integrated_gradients(
    layers: Layers, inputs: Array, *, tolerance: float = TOLERANCE
) -> Attribution:
    """Return the integrated gradients from zeros to *inputs*, (features,).

    The line is divided into intervals, on each of which the gradient is averaged by Gauss-Legendre
    quadrature. The change of the output over an interval is known, so its error is, too: intervals
    with a large error, such as those in which a ReLU turns on, are halved until the sum of all
    errors is within the tolerance. The ReLUs of the first layer turn on at known places, which
    divide the line from the beginning.

    Args:
        layers: with one output.
        inputs: where the line ends.
        tolerance: see `TOLERANCE`.
    """
    if len(layers.weights) == 1:
        weights, bias = layers.weights[0][:, 0], float(layers.biases[0][0])
        return Attribution(weights, bias, bias + float(inputs @ weights), 1)
    line = _Line(layers, inputs)
    start, end = line.outputs(np.array([0.0, 1.0])).tolist()
    allowed = tolerance * max(1.0, abs(end - start))
    lows, widths = line.intervals()
    mean, error, points = np.zeros(len(line.slopes)), 0.0, 0
    for level in range(_MOST_HALVINGS + 1):
        places = lows[:, np.newaxis] + widths[:, np.newaxis] * _NODES
        points += places.size
        gradients = line.gradients(places.ravel()).reshape(*places.shape, -1)
        means = np.tensordot(gradients, _SHARES, axes=(1, 0))
        changes = line.outputs(lows + widths) - line.outputs(lows)
        errors = np.abs(widths * (means @ line.slopes) - changes)
        # The shares of all levels add up to less than 1: the sum of 1 / n^2 is 1.65.
        halved = errors > allowed * 0.6 / ((level + 1) ** 2 * len(errors))
        if error + errors.sum() <= allowed or level == _MOST_HALVINGS:
            halved[:] = False
        mean += widths[~halved] @ means[~halved]
        error += float(errors[~halved].sum())
        lows, widths = lows[halved], widths[halved] / 2
        if not len(lows):
            break
        lows, widths = np.concatenate([lows, lows + widths]), np.tile(widths, 2)
    return Attribution(layers.weights[0] @ mean, start, end, points)


class _Line:
    """A network along the line from zeros to an input: a place from 0 to 1 in, the output out.

    The sums that enter the first hidden layer are linear in the place, so the inputs are multiplied
    by the weights of that layer only once.

    Attributes:
        slopes: by how much these sums change from 0 to 1, (units,).
    """

    def __init__(self, layers: Layers, inputs: Array) -> None:
        self.slopes = inputs @ layers.weights[0]
        self._starts = layers.biases[0]
        self._activation = layers.activation
        self._rest = Layers(layers.weights[1:], layers.biases[1:], layers.activation)

    def intervals(self) -> tuple[Array, Array]:
        """Return where the first intervals begin, and their widths."""
        bounds = np.array([0.0, 1.0])
        if self._activation == "relu":
            with np.errstate(divide="ignore", invalid="ignore"):
                turns = -self._starts / self.slopes
            bounds = np.unique([*bounds, *turns[(turns > 0) & (turns < 1)]])
        return bounds[:-1], np.diff(bounds)

    def outputs(self, places: Array) -> Array:
        """Return the output at each place, (n,)."""
        return self._rest.activations(self._hidden(places))[-1][:, 0]

    def gradients(self, places: Array) -> Array:
        """Return the gradient at each place by the sums that enter the first layer, (n, units)."""
        hidden = self._hidden(places)
        return self._rest.gradients(hidden) * _DERIVATIVES[self._activation](hidden)

    def _hidden(self, places: Array) -> Array:
        sums = places[:, np.newaxis] * self.slopes + self._starts
        return np.asarray(ACTIVATIONS[self._activation](sums), dtype=np.float64)
