"""Initial vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["random_vectors"]


def random_vectors(words: int, dimension: int, seed: int) -> NDArray[np.float32]:
    """Return initial input vectors, uniform in [-0.5 / dimension, 0.5 / dimension)."""
    random = np.random.Generator(np.random.Philox(seed))
    vectors = random.random((words, dimension), dtype=np.float32)
    vectors -= np.float32(0.5)
    vectors /= np.float32(dimension)
    return vectors
