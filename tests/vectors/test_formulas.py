"""Sums of vectors and 3CosMul against calculations by hand and in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from embedkit.index.metrics import METRICS
from embedkit.vectors.formulas import combine, multiplicative_scores, pair_direction_scores

ROWS = np.array([[3, 4], [0, 2], [0, 0]], dtype=np.float32)
LAYOUTS = pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])

weights_of_rows = st.lists(
    st.tuples(st.integers(0, 5), st.floats(-100, 100).filter(lambda weight: abs(weight) > 1e-3)),
    min_size=1,
    max_size=6,
)


def dense(rows: object) -> np.ndarray:
    return rows.toarray() if sparse.issparse(rows) else np.asarray(rows)  # type: ignore[union-attr]


def directions(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@LAYOUTS
@pytest.mark.parametrize("metric", ["l2", "dot"])
@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([(0, 1.0), (1, -1.0)], [3, 2]),
        ([(0, 2.0), (1, 0.5), (2, 7.0)], [6, 9]),
        ([(1, 1.0), (1, 1.0)], [0, 4]),
        ([(0, 0.0)], [0, 0]),
        ([], [0, 0]),
    ],
)
def test_l2_and_dot_sum_vectors_without_scaling(
    layout: type, metric: str, terms: list[tuple[int, float]], expected: list[float]
) -> None:
    [found] = dense(combine(layout(ROWS), [terms], METRICS[metric]))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@LAYOUTS
@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([(0, 1.0), (1, -1.0)], [0.6, -0.2]),  # (0.6, 0.8) - (0, 1)
        ([(0, 2.0), (1, 0.5), (2, 7.0)], [1.2, 2.1]),
        ([(1, 1.0), (1, 1.0)], [0, 1]),
        ([(0, 1e-30), (1, 1e-30)], [0.6, 1.8]),
        ([(0, 1e9), (1, -1e9)], [0.6, -0.2]),
    ],
)
def test_cosine_sums_unit_vectors(
    layout: type, terms: list[tuple[int, float]], expected: list[float]
) -> None:
    found = dense(combine(layout(ROWS), [terms], METRICS["cosine"]))
    np.testing.assert_allclose(directions(found), directions(np.array([expected])), rtol=1e-6)


@LAYOUTS
@pytest.mark.parametrize("terms", [[], [(0, 0.0)], [(2, 1.0)], [(1, 1.0), (1, -1.0)]], ids=repr)
def test_empty_and_cancelled_sums_are_zero(layout: type, terms: list[tuple[int, float]]) -> None:
    assert dense(combine(layout(ROWS), [terms], METRICS["cosine"])).tolist() == [[0, 0]]


@pytest.mark.parametrize("metric", METRICS)
def test_sparse_rows_give_sparse_sums(metric: str) -> None:
    sums = combine(sparse.csr_array(ROWS), [[(0, 1.0)], [(1, 1.0)]], METRICS[metric])
    assert sparse.issparse(sums)
    assert sums.format == "csr"
    assert sums.shape == (2, 2)


@LAYOUTS
@pytest.mark.parametrize("metric", METRICS)
def test_rows_are_not_changed(layout: type, metric: str) -> None:
    rows = layout(ROWS.copy())
    combine(rows, [[(0, 2.0), (1, -1.0)]], METRICS[metric])
    np.testing.assert_array_equal(dense(rows), ROWS)


@settings(deadline=None)
@given(sums=st.lists(weights_of_rows, max_size=5), metric=st.sampled_from(sorted(METRICS)))
def test_sums_match_double_precision(sums: list[list[tuple[int, float]]], metric: str) -> None:
    rows = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)
    wide = rows.astype(np.float64)
    wide = directions(wide) if metric == "cosine" else wide
    for layout in (np.asarray, sparse.csr_array):
        found = dense(combine(layout(rows), sums, METRICS[metric]))
        assert found.shape == (len(sums), 8)
        for terms, total in zip(sums, found, strict=True):
            largest = max(abs(weight) for _, weight in terms)
            scale = largest if metric == "cosine" else 1.0
            expected = sum(weight / scale * wide[row] for row, weight in terms)
            np.testing.assert_allclose(total, expected, atol=2e-5 * largest / scale)


def test_multiplicative_score_by_hand() -> None:
    units = np.array([[1, 0], [0, 1], [-1, 0], [0.6, 0.8]], dtype=np.float32)
    # Towards (1, 0): (1 + cos) / 2 = 1, 0.5, 0 and 0.8; away from (0, 1): 0.5, 1, 0.5 and 0.9.
    scores = multiplicative_scores(units, units[[0]], units[[1]])
    expected = [1 / 0.500001, 0.5 / 1.000001, 0, 0.8 / 0.900001]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_multiplicative_score_far_from_the_negative_term_is_finite() -> None:
    units = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    scores = multiplicative_scores(units, units[[1]], units[[0]])
    np.testing.assert_allclose(scores, [0, 1e6], rtol=1e-6)


@pytest.mark.parametrize(("positive", "negative"), [([0, 1], [2]), ([3], []), ([], [4, 5])])
def test_multiplicative_scores_match_double_precision(
    positive: list[int], negative: list[int]
) -> None:
    units = directions(np.random.default_rng(2).normal(size=(50, 9)))
    similar = (1 + units @ units.T) / 2
    expected = similar[:, positive].prod(axis=1) / (similar[:, negative].prod(axis=1) + 1e-6)
    narrow = units.astype(np.float32)
    scores = multiplicative_scores(narrow, narrow[positive], narrow[negative])
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_pair_direction_by_hand() -> None:
    units = np.array([[1, 0], [0, 1], [-1, 0], [0.6, 0.8]], dtype=np.float32)
    # From (1, 0) on: nowhere, (-1, 1), (-2, 0) and (-0.4, 0.8); the direction is up.
    [scores] = pair_direction_scores(units, units[[0]], np.array([[0, 3]], dtype=np.float32))
    expected = [0, 1 / 2**0.5, 0, 0.8 / 0.8**0.5]
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert not pair_direction_scores(units, units[[0]], np.zeros((1, 2), np.float32)).any()


def test_pair_direction_next_to_the_start_keeps_its_digits() -> None:
    generator = np.random.default_rng(4)
    start = directions(generator.normal(size=(1, 20)))
    near = directions(start + generator.normal(size=(5_000, 20)) * 1e-3)
    narrow, aim = near.astype(np.float32), generator.normal(size=(1, 20)).astype(np.float32)
    origin = start.astype(np.float32)
    steps = narrow.astype(np.float64) - origin
    expected = steps @ aim[0] / (np.linalg.norm(steps, axis=1) * np.linalg.norm(aim))
    [scores] = pair_direction_scores(narrow, origin, aim)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_batch_of_scores_equals_single_questions() -> None:
    """More rows than are scored at a time; every question has terms of its own."""
    generator = np.random.default_rng(3)
    units = directions(generator.normal(size=(9_001, 7))).astype(np.float32)
    positive, negative = generator.integers(0, 9_001, (5, 2)), generator.integers(0, 9_001, (5, 1))
    together = multiplicative_scores(units, units[positive], units[negative])
    assert together.shape == (5, 9_001)
    for scores, towards, away in zip(together, positive, negative, strict=True):
        alone = multiplicative_scores(units, units[towards], units[away])
        np.testing.assert_allclose(scores, alone, rtol=1e-4)
