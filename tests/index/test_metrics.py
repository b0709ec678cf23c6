"""Metrics against SciPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import cosine_similarity

from embedkit.encoders import CharCodeEncoder
from embedkit.errors import ConfigurationError, ModelError
from embedkit.index.metrics import (
    METRICS,
    all_finite,
    distance_matrix,
    find_metric,
    nonzero,
    require_finite,
    unit_rows,
)


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(7).normal(size=(23, 11)).astype(np.float32)


def test_l2_matches_scipy(rows: np.ndarray) -> None:
    expected = cdist(rows.astype(np.float64), rows.astype(np.float64))
    np.testing.assert_allclose(distance_matrix(rows, "l2"), expected, rtol=1e-13, atol=1e-13)


def test_cosine_matches_scikit_learn(rows: np.ndarray) -> None:
    expected = cosine_similarity(rows.astype(np.float64))
    np.testing.assert_allclose(distance_matrix(rows, "cosine"), expected, atol=1e-13)


def test_dot_matches_double_precision(rows: np.ndarray) -> None:
    wide = rows.astype(np.float64)
    np.testing.assert_allclose(distance_matrix(rows, "dot"), wide @ wide.T, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("metric", METRICS)
def test_sparse_rows_match_dense_rows(rows: np.ndarray, metric: str) -> None:
    rows[rows < 0.8] = 0
    rows[3] = 0
    table = distance_matrix(sparse.csr_array(rows), metric)
    np.testing.assert_allclose(table, distance_matrix(rows, metric), atol=1e-13)


@pytest.mark.parametrize("metric", METRICS)
def test_table_is_symmetric_double_precision(rows: np.ndarray, metric: str) -> None:
    table = distance_matrix(rows, metric)
    assert table.dtype == np.float64
    np.testing.assert_allclose(table, table.T, atol=1e-14)


@pytest.mark.parametrize("metric", METRICS)
def test_a_single_row_gives_a_table_of_one(rows: np.ndarray, metric: str) -> None:
    assert distance_matrix(rows[:1], metric).shape == (1, 1)


@pytest.mark.parametrize("metric", METRICS)
def test_zero_row_has_similarity_zero_and_no_nan(metric: str) -> None:
    table = distance_matrix(np.array([[0, 0], [3, 4]], dtype=np.float32), metric)
    assert table[0, 1] == (5 if metric == "l2" else 0)
    assert np.isfinite(table).all()


def test_l2_keeps_the_digits_of_rows_that_are_nearly_equal() -> None:
    rows = np.array([[40_000, 30_000], [40_000, 30_000]], dtype=np.float32)
    rows[1, 1] = np.nextafter(np.float32(30_000), np.float32(40_000))
    exact = float(rows[1, 1]) - 30_000.0
    assert distance_matrix(rows, "l2")[0, 1] == exact


def test_l2_of_a_row_to_itself_is_exactly_zero(rows: np.ndarray) -> None:
    assert not np.diag(distance_matrix(rows * 1e4, "l2")).any()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("cat", "bat", 1.0),
        ("cat", "paw", np.sqrt(178)),  # (99 - 112)^2 + 0 + (116 - 119)^2 = 169 + 9
        ("cat", "cat", 0.0),
    ],
)
def test_distance_of_spellings(first: str, second: str, expected: float) -> None:
    vectors = CharCodeEncoder().fit([["cat", "bat", "paw"]]).vectors()
    assert vectors.distance([first, second])[0, 1] == pytest.approx(expected, rel=1e-15)


def test_unit_rows_have_length_one_and_zero_rows_stay_zero(rows: np.ndarray) -> None:
    rows[4] = 0
    before = rows.copy()
    units = unit_rows(rows)
    lengths = np.linalg.norm(units, axis=1)
    np.testing.assert_allclose(np.delete(lengths, 4), 1, rtol=1e-6)
    assert not units[4].any()
    np.testing.assert_array_equal(rows, before)


def test_unit_rows_use_the_lengths_given(rows: np.ndarray) -> None:
    lengths = np.full(len(rows), 2, dtype=np.float32)
    np.testing.assert_array_equal(unit_rows(rows, lengths), rows / 2)


@pytest.mark.parametrize("name", METRICS)
def test_find_metric_returns_the_metric_of_that_name(name: str) -> None:
    assert find_metric(name).name == name


@pytest.mark.parametrize("name", ["", "L2", "euclid", "Cosine"])
def test_an_unknown_metric_is_rejected(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown metric .* choose from cosine, l2, dot"):
        find_metric(name)


def test_lengths_to_divide_by_are_never_0() -> None:
    assert nonzero(np.array([0.0, 2.0, 1e-300])).tolist() == [1.0, 2.0, 1e-300]


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_rejected(layout: type, number: float) -> None:
    rows = np.eye(3, dtype=np.float32)
    assert all_finite(layout(rows))
    require_finite(layout(rows))
    rows[1, 2] = number
    assert not all_finite(layout(rows))
    with pytest.raises(ModelError, match=r"contain NaN or infinity\. Train the model again\."):
        require_finite(layout(rows))
