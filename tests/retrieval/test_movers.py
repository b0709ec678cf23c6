"""The relaxed word mover's distance, against a loop and against the exact distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from embedkit.retrieval.movers import relaxed_distances_in_steps
from embedkit.system.steps import finish


def relaxed_distances(*texts: Any) -> np.ndarray:
    return finish(relaxed_distances_in_steps(*texts))


def moves(matrix: np.ndarray) -> np.ndarray:
    units = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.linalg.norm(units[:, None] - units[None], axis=2)


def mass(rows: list[int], weights: np.ndarray) -> np.ndarray:
    chosen = weights[rows].astype(np.float64)
    return chosen / chosen.sum()


def relaxed(asked: list[int], rows: list[int], cost: np.ndarray, weights: np.ndarray) -> float:
    there = sum(
        m * min(cost[a, b] for b in rows) for a, m in zip(asked, mass(asked, weights), strict=True)
    )
    back = sum(
        m * min(cost[a, b] for a in asked) for b, m in zip(rows, mass(rows, weights), strict=True)
    )
    return float(max(there, back))


def exact(asked: list[int], rows: list[int], cost: np.ndarray, weights: np.ndarray) -> float:
    """Return the word mover's distance, by linear programming."""
    n, m = len(asked), len(rows)
    sources = np.kron(np.eye(n), np.ones(m))
    sinks = np.kron(np.ones(n), np.eye(m))
    totals = np.concatenate([mass(asked, weights), mass(rows, weights)])
    flow = linprog(cost[np.ix_(asked, rows)].ravel(), A_eq=np.vstack([sources, sinks]), b_eq=totals)
    return float(flow.fun)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_the_definition_says_and_a_lower_bound(seed: int) -> None:
    draw = np.random.default_rng(seed)
    matrix = draw.standard_normal((20, 6)).astype(np.float32)
    weights = draw.uniform(0.1, 1, 20).astype(np.float32)
    asked = draw.integers(0, 20, 4)
    passages = [draw.integers(0, 20, int(size)) for size in draw.integers(1, 8, 6)]
    found = relaxed_distances(asked, passages, matrix, weights)
    cost = moves(matrix)
    for rows, distance in zip(passages, found, strict=True):
        arguments = asked.tolist(), rows.tolist(), cost, weights
        assert distance == pytest.approx(relaxed(*arguments), abs=1e-5)
        assert distance <= exact(*arguments) + 1e-5


def test_texts_without_words_are_infinitely_far() -> None:
    matrix, weights = np.eye(3, dtype=np.float32), np.ones(3, dtype=np.float32)
    nothing = np.zeros(0, dtype=np.int32)
    found = relaxed_distances(np.array([1]), [nothing, np.array([1, 1]), nothing], matrix, weights)
    assert found.tolist() == [np.inf, 0.0, np.inf]
    assert relaxed_distances(nothing, [np.array([1])], matrix, weights).tolist() == [np.inf]
    assert relaxed_distances(np.array([1]), [], matrix, weights).tolist() == []
