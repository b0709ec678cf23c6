"""Words that a careless reader would break on, and numbers that need all their digits."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.vectors.word_vectors import WordVectors

WORDS = ["the", "naïve", "日本", "o'clock", '"', "1", "-0.5", "#", "\u00a0", "nan", "a,b", "\\"]


@pytest.fixture(scope="session")
def odd() -> WordVectors:
    """(12, 5), of every size that float32 has."""
    bits = np.random.default_rng(1).integers(0, 2**32, 1_000, dtype=np.uint32).view(np.float32)
    matrix = bits[np.isfinite(bits)][: len(WORDS) * 5].reshape(-1, 5).copy()
    matrix[0] = [0, -0.0, 1e-45, 3.4028235e38, 0.1]
    return WordVectors(Vocabulary(WORDS), matrix)
