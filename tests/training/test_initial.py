"""Initial vectors."""

from __future__ import annotations

import numpy as np

from embedkit.training.initial import random_vectors


def test_vectors_are_the_draws_of_one_generator_whatever_the_number_of_threads() -> None:
    words, dimension = 9_001, 61  # more than two parts
    draws = np.random.Generator(np.random.Philox(3)).random((words, dimension), dtype=np.float32)
    expected = (draws - np.float32(0.5)) / np.float32(dimension)
    np.testing.assert_array_equal(random_vectors(words, dimension, 3), expected)
