"""Fixtures shared by the tests of analogies and of similarity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from embedkit.vectors.word_vectors import WordVectors
from tests.evaluation.samples import THEMES, WORDS, both, structured


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    return both(WORDS, structured())[0]


@pytest.fixture(scope="module")
def keyed() -> KeyedVectors:
    return both(WORDS, structured())[1]


@pytest.fixture
def analogies(tmp_path: Path) -> Path:
    random = np.random.default_rng(6)
    lines = []
    for left, right in [("country", "capital"), ("people", "country"), ("capital", "people")]:
        lines.append(f": {left} to {right}")
        for first, second in random.integers(0, THEMES + 3, size=(60, 2)):
            lines.append(f"{left}{first} {right}{first}\t{left.upper()}{second}  {right}{second}")
    path = tmp_path / "analogies.txt"
    path.write_text("\n".join([*lines, ": nobody knows these", "a b c d", ""]))
    return path
