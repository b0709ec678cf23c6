"""Vectors that the tests of this folder ask, dense, sparse and one-hot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import OneHotEncoder
from embedkit.vectors.formulas import Neighbor
from embedkit.vectors.word_vectors import WordVectors

SIZE, DIMENSION = 300, 20
WORDS = [f"w{number}" for number in range(SIZE)]
MATRIX = np.random.default_rng(1).normal(size=(SIZE, DIMENSION)).astype(np.float32)
MATRIX *= np.random.default_rng(2).uniform(0.1, 10, size=(SIZE, 1)).astype(np.float32)

DENSE = WordVectors(Vocabulary(WORDS), MATRIX)
LARGE = abs(MATRIX) > np.minimum(4, 0.99 * abs(MATRIX).max(axis=1, keepdims=True))  # in each row
SPARSE = WordVectors(Vocabulary(WORDS), sparse.csr_array(np.where(LARGE, MATRIX, np.float32(0))))
ONE_HOT = OneHotEncoder.from_vocabulary(Vocabulary(WORDS)).vectors()
KINDS = pytest.mark.parametrize("vectors", [DENSE, SPARSE, ONE_HOT], ids=["dense", "csr", "onehot"])
ASKING: dict[str, Callable[..., list[Neighbor]]] = {
    "neighbors": lambda vectors, **how: vectors.neighbors("w3", **how),
    "query": lambda vectors, **how: vectors.query("w3 - w4 + 2 w5", **how),
    "analogy": lambda vectors, **how: vectors.analogy("w3", "w4", "w5", **how),
}


def assert_same_answers(
    found: list[Neighbor], expected: list[tuple[str, float]], tolerance: float = 1e-5
) -> None:
    assert [word for word, _ in found] == [word for word, _ in expected]
    scores = [score for _, score in expected]
    np.testing.assert_allclose([score for _, score in found], scores, atol=tolerance)
