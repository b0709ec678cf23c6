"""A trained network: arrays, and the way from inputs to outputs, in NumPy.

torch is needed to train a network, not to ask it: a question costs no import of two seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, TrainingError
from embedkit.heads.losses import sigmoid

__all__ = ["ACTIVATIONS", "Network", "diverged"]

Matrix = NDArray[np.float32]

ACTIVATIONS: Mapping[str, Callable[[Any], Any]] = {
    "relu": lambda values: np.maximum(values, 0),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
}
_ROWS = 1 << 12
_MOST_WEIGHTS = 1 << 30


@dataclass(frozen=True)
class Network:
    """Dense layers with an activation between them, on top of word vectors or of plain numbers.

    Attributes:
        weights: a matrix (inputs, outputs) a layer, float32.
        biases: a vector (outputs,) a layer, float32.
        activation: a name of `ACTIVATIONS`; the last layer has none.
        embeddings: word vectors (V, d) that the first layer sees the weighted sum of, or None.
    """

    weights: tuple[Matrix, ...]
    biases: tuple[Matrix, ...]
    activation: str
    embeddings: Matrix | None = None

    @classmethod
    def random(
        cls,
        sizes: Sequence[int],
        activation: str,
        seed: int,
        embeddings: Matrix | None = None,
    ) -> Network:
        """Return an untrained network with layers of these *sizes*, the inputs first.

        Weights are uniform, with the variance that keeps signals alive: 2 / inputs before a ReLU
        (He et al. 2015), 2 / (inputs + outputs) elsewhere (Glorot and Bengio 2010).

        Raises:
            ConfigurationError: the layers would have more than 2^30 weights, 4 GB.
        """
        count = sum(inputs * outputs for inputs, outputs in pairwise(sizes))
        if count > _MOST_WEIGHTS:
            raise ConfigurationError(
                f"{sizes[0]:,} inputs and these hidden layers make {count:,} weights, and there "
                f"may be {_MOST_WEIGHTS:,}.",
                hint="Use smaller layers, or fewer.",
            )
        random = np.random.default_rng(seed)
        weights, biases = [], []
        for inputs, outputs in pairwise(sizes):
            variance = 2 / inputs if activation == "relu" else 2 / (inputs + outputs)
            limit = (3 * variance) ** 0.5
            weights.append(random.uniform(-limit, limit, (inputs, outputs)).astype(np.float32))
            biases.append(np.zeros(outputs, dtype=np.float32))
        return cls(tuple(weights), tuple(biases), activation, embeddings)

    def outputs(self, inputs: Any) -> Matrix:
        """Return what the last layer gives, (n, outputs).

        Args:
            inputs: float32 (n, features), dense or CSR; with embeddings, CSR (n, V): how much of
                each word's vector a row is made of.
        """
        blocks = [self._forward(block) for block in _blocks(inputs)]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.biases[-1])), np.float32)

    def check_finite(self) -> None:
        """Raise `TrainingError` if a weight is no finite number."""
        embeddings = () if self.embeddings is None else (self.embeddings,)
        for matrix in (*self.weights, *self.biases, *embeddings):
            if not np.isfinite(matrix).all():
                raise diverged("weights of the network are no longer finite numbers")

    def _forward(self, inputs: Any) -> Matrix:
        values = inputs if self.embeddings is None else inputs @ self.embeddings
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for weights, biases in hidden:
            values = ACTIVATIONS[self.activation](values @ weights + biases)
        return np.asarray(values @ last[0] + last[1], dtype=np.float32)


def diverged(what: str) -> TrainingError:
    """Return the error of a training that ran away."""
    return TrainingError(
        f"{what}.",
        hint=(
            "A lower learning_rate, or inputs and targets of moderate size "
            "(scikit-learn's StandardScaler)."
        ),
    )


def _blocks(inputs: Any) -> Iterator[Any]:
    for start in range(0, inputs.shape[0], _ROWS):
        yield inputs[start : start + _ROWS]
