"""Intervals against SciPy's bootstrap, and against what is known of a mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from embedkit.evaluation import (
    accuracy_difference,
    accuracy_interval,
    correlation_difference,
    correlation_interval,
)

DRAWS = 4_000


def scipys(statistic: object, *samples: np.ndarray, draws: int = DRAWS) -> tuple[float, float]:
    found = stats.bootstrap(
        samples, statistic, paired=True, vectorized=False, n_resamples=draws, method="percentile",
        rng=np.random.default_rng(9),
    ).confidence_interval  # fmt: skip
    return found.low, found.high


def outcomes(share: float, seed: int, size: int = 300) -> np.ndarray:
    return (np.random.default_rng(seed).random(size) < share).astype(float)


def test_an_accuracys_interval_is_scipys() -> None:
    right = outcomes(0.7, seed=1)
    found = accuracy_interval(right, draws=DRAWS)
    assert (found.low, found.high) == pytest.approx(scipys(np.mean, right), abs=0.006)
    deviation = math.sqrt(right.mean() * (1 - right.mean()) / len(right))
    expected = right.mean() - 1.96 * deviation, right.mean() + 1.96 * deviation
    assert (found.low, found.high) == pytest.approx(expected, abs=0.006)


def test_a_difference_is_over_the_same_questions() -> None:
    first = outcomes(0.5, seed=2)
    second = np.where(outcomes(0.1, seed=3) == 1, 1, first)
    found = accuracy_difference(first, second, draws=DRAWS)
    expected = scipys(lambda a, b: b.mean() - a.mean(), first, second)
    assert (found.interval.low, found.interval.high) == pytest.approx(expected, abs=0.006)
    assert found.value == pytest.approx(second.mean() - first.mean())
    assert found.verdict == "better"
    assert accuracy_difference(second, first).verdict == "worse"
    assert accuracy_difference(first, first).verdict == "unclear"
    # As two samples the same outcomes are too few to tell.
    alone = accuracy_interval(first), accuracy_interval(second)
    assert alone[0].high > alone[1].low


def test_questions_that_only_one_model_knows_do_not_count() -> None:
    first = np.array([1, 0, np.nan, 1, 0, 0])
    second = np.array([1, 1, 1, np.nan, 0, 1])
    found = accuracy_difference(first, second)
    assert (found.compared, found.value) == (4, 0.5)


def some_pairs(noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    human = random.integers(0, 11, 150).astype(float)  # with ties
    return human, human + noise * random.normal(size=150)


def test_a_correlations_interval_is_scipys() -> None:
    human, ours = some_pairs(4, seed=5)
    found = correlation_interval(human, ours, draws=DRAWS)
    expected = scipys(lambda a, b: stats.spearmanr(a, b).statistic, human, ours, draws=1_500)
    assert (found.low, found.high) == pytest.approx(expected, abs=0.015)


def test_a_difference_of_correlations_is_scipys() -> None:
    human, worse = some_pairs(5, seed=6)
    better = human + 0.7 * (worse - human)
    found = correlation_difference(human, worse, better, draws=DRAWS)

    def gain(people: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
        return stats.spearmanr(people, other).statistic - stats.spearmanr(people, one).statistic

    expected = scipys(gain, human, worse, better, draws=1_500)
    assert (found.interval.low, found.interval.high) == pytest.approx(expected, abs=0.015)
    assert found.value == pytest.approx(gain(human, worse, better))
    assert found.verdict == "better"


def test_pairs_that_only_one_model_knows_do_not_count() -> None:
    human, ours = some_pairs(2, seed=7)
    other = ours.copy()
    ours[:5] = other[100:] = np.nan
    assert correlation_difference(human, ours, other).compared == 95


def test_the_seed_decides() -> None:
    human, ours = some_pairs(4, seed=8)
    assert correlation_interval(human, ours) == correlation_interval(human, ours)
    assert correlation_interval(human, ours) != correlation_interval(human, ours, seed=2)
    right = outcomes(0.3, seed=8)
    assert accuracy_interval(right) == accuracy_interval(right)
    assert accuracy_interval(right) != accuracy_interval(right, seed=2)


def test_nothing_known_has_no_interval() -> None:
    nothing = np.full(3, np.nan)
    assert math.isnan(accuracy_interval(nothing).low)
    assert math.isnan(accuracy_interval(nothing[:0]).high)
    assert math.isnan(correlation_interval(np.zeros(3), nothing).low)
    assert accuracy_difference(nothing, nothing).verdict == "unclear"
    assert correlation_difference(np.ones(3), nothing, nothing).verdict == "unclear"
    assert math.isnan(correlation_interval(np.ones(3), np.ones(3)).low)
