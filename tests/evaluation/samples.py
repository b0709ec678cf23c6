"""Vectors and files for the tests of this folder, with the same vectors in gensim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.vectors.word_vectors import WordVectors

ROLES = ["country", "capital", "people"]
THEMES = 30
WORDS = [f"{role}{theme}" for theme in range(THEMES) for role in ROLES]


def structured(seed: int = 5) -> np.ndarray:
    """Rows that are a theme plus a role plus noise: some analogies hold and some do not."""
    random = np.random.default_rng(seed)
    themes, roles = random.normal(size=(THEMES, 1, 12)), random.normal(size=(1, 3, 12))
    noise = random.normal(size=(THEMES, 3, 12))
    rows = (themes + 2 * roles + 0.6 * noise).reshape(len(WORDS), 12)
    return (rows * random.uniform(0.5, 5, size=(len(WORDS), 1))).astype(np.float32)


def both(words: list[str], matrix: np.ndarray) -> tuple[WordVectors, KeyedVectors]:
    keyed = KeyedVectors(matrix.shape[1])
    keyed.add_vectors(words, matrix)
    return WordVectors(Vocabulary(words), matrix), keyed


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
