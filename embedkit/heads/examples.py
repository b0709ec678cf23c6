"""Training examples of a network: inputs, targets and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import Matrix

__all__ = ["Examples"]


@dataclass(frozen=True)
class Examples:
    """Inputs (n, features), dense or CSR, float32; targets (n, ...); weights (n,), float32."""

    inputs: Matrix
    targets: NDArray[np.generic]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: NDArray[np.int64]) -> Examples:
        """Return the examples of *rows*."""
        return Examples(self.inputs[rows], self.targets[rows], self.weights[rows])
