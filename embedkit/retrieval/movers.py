"""Relaxed word mover's distance (Kusner, Sun, Kolkin and Weinberger 2015)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import nonzero
from embedkit.system.steps import Steps

__all__ = ["relaxed_distances_in_steps"]

_STEP_ROWS = 1_024  # rows that are made unit vectors in one step


def relaxed_distances_in_steps(
    question: NDArray[np.integer],
    passages: Sequence[NDArray[np.integer]],
    matrix: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> Steps[NDArray[np.float64]]:
    """Return the relaxed word mover's distance between a question and each passage, (n,).

    Each word moves to the nearest word of the other text, at the Euclidean distance of their unit
    vectors. The distance is the larger one of both directions, a lower bound of the word mover's
    distance. The mass of a word is its weight, in units of its text's total. For 100 passages, a
    step takes milliseconds.

    Args:
        question: rows of the question's words.
        passages: rows of each passage's words.
        matrix: float32 (V, d).
        weights: of each row, (V,).

    Returns:
        float64 (n,); infinite if one of the texts has no word.
    """
    distances = np.full(len(passages), np.inf)
    filled = [number for number, rows in enumerate(passages) if len(rows)]
    if not len(question) or not filled:
        return distances
    asked = np.unique(question, return_counts=True)
    words, places = np.unique(np.concatenate([passages[n] for n in filled]), return_inverse=True)
    yield
    # In float64, because the difference loses digits where two words are near.
    left = _units(matrix[asked[0]])
    right = np.empty((len(words), matrix.shape[1]))
    for start in range(0, len(words), _STEP_ROWS):
        some = slice(start, start + _STEP_ROWS)
        right[some] = _units(matrix[words[some]])
        yield
    moves = np.sqrt(np.maximum(2.0 - 2.0 * (left @ right.T), 0.0))
    yield
    mass = weights[asked[0]] * asked[1]
    mass = mass / mass.sum()
    heavy = weights[words].astype(np.float64)
    starts = np.cumsum([0, *(len(passages[n]) for n in filled)])[:-1]
    # One column per word of a passage; its minima and sums are taken passage by passage.
    columns = moves[:, places]
    there = mass @ np.minimum.reduceat(columns, starts, axis=1)
    load = heavy[places]
    back = np.add.reduceat(columns.min(axis=0) * load, starts) / np.add.reduceat(load, starts)
    distances[filled] = np.maximum(there, back)
    return distances


def _units(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = rows.astype(np.float64)
    return np.asarray(wide / nonzero(np.linalg.norm(wide, axis=1))[:, np.newaxis])
