"""Overlap of nearest neighbors, calculated by hand."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.errors import ConfigurationError
from embedkit.evaluation import neighbor_overlap
from embedkit.vectors.word_vectors import WordVectors

WORDS = ["ant", "bee", "cat", "dog", "oak", "elm", "fir"]
ROWS = [(5, 0, 0), (1, 0.1, 0), (2, 0, 0.1), (0, 3, 0), (9, 0, 0.3), (0, 0, 4), (0, 0.1, 1)]


def vectors(rows: list[tuple[float, ...]] = ROWS) -> WordVectors:
    return WordVectors(WORDS, np.array(rows, dtype=np.float32))


def test_overlap_of_neighbors_by_hand() -> None:
    """Of bee's nearest two, oak and ant, moving ant away leaves one."""
    moved = [(0, 0, 1.0), *ROWS[1:]]
    units = [np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ROWS, moved)]
    shared = 0
    nearest = []
    for unit in units:
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, -2)
        nearest.append(np.argsort(-cosines, axis=1)[:, :2])
    shared = sum(len({*a} & {*b}) for a, b in zip(*map(np.ndarray.tolist, nearest), strict=True))
    assert 0 < shared < 14
    assert neighbor_overlap(vectors(), vectors(moved), k=2) == shared / 14
    assert neighbor_overlap(vectors(), vectors()) == 1
    with pytest.raises(ConfigurationError, match="vectors of the same words"):
        neighbor_overlap(vectors(), vectors()[:3])
