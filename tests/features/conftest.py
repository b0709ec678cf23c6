"""Vectors of a few words, in memory and in a model directory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.vectors.word_vectors import WordVectors

WORDS = ["the", "a", "where", "who", "is", "bananas", "president", "new_york", "rare", "café"]
COUNTS = [400, 300, 90, 80, 70, 30, 20, 6, 3, 1]


@pytest.fixture(scope="session")
def vectors() -> WordVectors:
    matrix = np.random.default_rng(1).normal(size=(len(WORDS), 6)).astype(np.float32)
    return WordVectors(Vocabulary(WORDS, COUNTS), matrix)


@pytest.fixture(scope="session")
def saved(vectors: WordVectors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("features") / "small.embedkit"
    vectors.save(path)
    return path
