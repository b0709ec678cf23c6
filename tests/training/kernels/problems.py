"""Small training problems for the tests of kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from embedkit.system.random import epoch_key
from embedkit.training.kernels import cpu
from embedkit.training.sampling import (
    keep_probabilities,
    keep_thresholds,
    noise_alias,
    noise_distribution,
)

__all__ = ["Problem"]


@dataclass
class Problem:
    """A small random text with repeated words and rare ones outside the vocabulary."""

    dimension: int
    window: int = 5
    negative: int = 5
    words: int = 40
    sample: float = 0.05
    scale: float = 0.3
    seed: int = 0
    tokens: np.ndarray = field(init=False)
    boundaries: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self.tokens = (random.zipf(1.3, 500) - 1).clip(0, self.words + 3).astype(np.int32)
        self.boundaries = np.array([0, 1, 4, 5, 150, 500])
        counts = np.bincount(self.tokens, minlength=self.words)[: self.words].clip(1)
        self.keep = keep_thresholds(keep_probabilities(counts, counts.sum(), self.sample))
        self.noise, self.aliases = noise_alias(noise_distribution(counts))
        self.inputs = cpu.aligned_matrix(self.words, self.dimension)
        self.outputs = cpu.aligned_matrix(self.words + 1, self.dimension)
        shape = (self.words, self.dimension)
        self.inputs[:, : self.dimension] = random.normal(0, self.scale, shape)
        self.outputs[:-1, : self.dimension] = random.normal(0, self.scale, shape)

    def run(self, kernel: Any, inputs: Any, outputs: Any, start: int, stop: int) -> Any:
        key = epoch_key(seed=3, epoch=1)
        compiled = kernel is cpu
        return kernel.train_range(
            inputs, outputs, self.dimension, self.tokens, self.boundaries, start, stop, self.keep,
            self.noise, self.aliases, np.float32(0.05), self.window, self.negative,
            np.uint64(key) if compiled else key,
        )  # fmt: skip
