"""Initial vectors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from embedkit.system.memory import processors

__all__ = ["random_vectors"]

_BLOCK = 8  # float32 numbers from each value of Philox's counter
_PART = 1 << 18  # numbers, a multiple of _BLOCK; they fit into the cache of a processor


def random_vectors(
    words: int, dimension: int, seed: int, *, composed: bool = False
) -> NDArray[np.float32]:
    """Return initial input vectors, uniform in [-0.5 / dimension, 0.5 / dimension).

    If words are *composed* of several rows, whose mean is shorter, the range is twice as wide, as
    in fastText. They are drawn on several threads, but do not depend on how many there are.
    """
    vectors = np.empty((words, dimension), dtype=np.float32)
    numbers = vectors.reshape(-1)

    def draw(start: int) -> None:
        part = numbers[start : start + _PART]
        generator = np.random.Generator(np.random.Philox(seed).advance(start // _BLOCK))
        generator.random(out=part, dtype=np.float32)
        part -= np.float32(0.5)
        part /= np.float32(dimension / 2 if composed else dimension)

    with ThreadPoolExecutor(processors()) as pool:
        for _ in pool.map(draw, range(0, numbers.size, _PART)):
            pass
    return vectors
