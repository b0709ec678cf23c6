"""A dense network as NumPy arrays, with its forward pass.

Only training needs torch, so predictions do not spend two seconds importing it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, TrainingError, counted
from embedkit.heads.losses import sigmoid
from embedkit.index.metrics import Matrix as Inputs
from embedkit.index.metrics import all_finite

__all__ = ["ACTIVATIONS", "Network", "diverged"]

Matrix = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]

ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "relu": lambda values: np.maximum(values, 0),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
}
_ROWS = 1 << 12
_MAX_WEIGHTS = 1 << 30


@dataclass(frozen=True)
class Network:
    """Dense layers with an activation between them, on word vectors or numeric features.

    Attributes:
        weights: for each layer a matrix (inputs, outputs), float32.
        biases: for each layer a vector (outputs,), float32.
        activation: a name in `ACTIVATIONS`; the last layer has no activation.
        embeddings: word vectors (V, d), whose weighted sum is the input of the first layer; or
            None.
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
        """Return an untrained network with layers of these *sizes*, starting with the inputs.

        Weights are uniform with variance 2 / inputs for ReLU (He et al. 2015) and
        2 / (inputs + outputs) otherwise (Glorot and Bengio 2010).

        Raises:
            ConfigurationError: there would be more than 2^30 weights (4 GB).
        """
        count = sum(inputs * outputs for inputs, outputs in pairwise(sizes))
        if count > _MAX_WEIGHTS:
            raise ConfigurationError(
                f"{counted(sizes[0], 'input')} and these hidden layers need {count:,} weights; the "
                f"maximum is {_MAX_WEIGHTS:,}.",
                hint="Use smaller or fewer layers.",
            )
        random = np.random.default_rng(seed)
        weights, biases = [], []
        for inputs, outputs in pairwise(sizes):
            variance = 2 / inputs if activation == "relu" else 2 / (inputs + outputs)
            limit = (3 * variance) ** 0.5
            weights.append(random.uniform(-limit, limit, (inputs, outputs)).astype(np.float32))
            biases.append(np.zeros(outputs, dtype=np.float32))
        return cls(tuple(weights), tuple(biases), activation, embeddings)

    def outputs(self, inputs: Inputs, others: Matrix | None = None) -> Matrix:
        """Return the outputs of the last layer, (n, outputs).

        Args:
            inputs: float32 (n, features), dense or CSR; with embeddings, CSR (n, V), the weight of
                each word's vector in each row.
            others: with embeddings, vectors of k more words, (k, d); *inputs* are (n, V + k).
        """
        blocks = [self._forward(block, others) for block in _blocks(inputs)]
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.biases[-1])), np.float32)

    def check_finite(self) -> None:
        """Raise `TrainingError` if a weight is not finite."""
        embeddings = () if self.embeddings is None else (self.embeddings,)
        for matrix in (*self.weights, *self.biases, *embeddings):
            if not all_finite(matrix):
                raise diverged("the weights of the network are not finite")

    def first_inputs(self, inputs: Inputs, others: Matrix | None = None) -> Inputs:
        """Return the inputs of the first layer, (n, d); the arguments are those of `outputs`."""
        if self.embeddings is None:
            return inputs
        if others is None:
            return inputs @ self.embeddings
        words = len(self.embeddings)
        return inputs[:, :words] @ self.embeddings + inputs[:, words:] @ others

    def _forward(self, inputs: Inputs, others: Matrix | None) -> Matrix:
        values = self.first_inputs(inputs, others)
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for weights, biases in hidden:
            values = ACTIVATIONS[self.activation](values @ weights + biases)
        return np.asarray(values @ last[0] + last[1], dtype=np.float32)


def diverged(what: str) -> TrainingError:
    """Return the error for a training that diverged."""
    return TrainingError(
        f"{what}.",
        hint=(
            "Lower learning_rate, or scale inputs and targets to a moderate size, for example with "
            "scikit-learn's StandardScaler."
        ),
    )


def _blocks(inputs: Inputs) -> Iterator[Inputs]:
    for start in range(0, inputs.shape[0], _ROWS):
        yield inputs[start : start + _ROWS]
