"""Bootstrap confidence intervals of scores (Efron 1979) and of differences between two models.

The questions are resampled with replacement many times; the interval is the middle 95% of the
scores. Two models are compared on the same resamples (paired bootstrap, Koehn 2004, W04-3250).

`scipy.stats.bootstrap` is not used. For the accuracy over Google's 19,544 questions, it takes 0.6 s
and the multinomial draw below 1 ms; and it gives NaN if a single resample has no correlation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.evaluation.similarity import rank_correlation

__all__ = [
    "Difference",
    "Interval",
    "accuracy_difference",
    "accuracy_interval",
    "correlation_difference",
    "correlation_interval",
]

_LEVEL = 0.95
_BLOCK = 1 << 19  # numbers of resamples that are ranked at a time, 4 MB

Statistic = Callable[[NDArray[np.intp]], NDArray[np.float64]]
"""Returns the score of each resample, (draws,), given the numbers of its pairs, (draws, n)."""


@dataclass(frozen=True)
class Interval:
    """The middle 95% of the scores of resamples; NaN if there is nothing to resample."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """The score of a second model minus that of the first, on questions that both were asked.

    Attributes:
        value: the difference.
        interval: the confidence interval of the difference.
        compared: number of questions.
    """

    value: float
    interval: Interval
    compared: int

    @property
    def verdict(self) -> str:
        """Either "better" or "worse" if the interval excludes 0, else "unclear"."""
        if self.interval.low > 0:
            return "better"
        return "worse" if self.interval.high < 0 else "unclear"


def accuracy_interval(
    outcomes: NDArray[np.float64], *, draws: int = 1000, seed: int = 1
) -> Interval:
    """Return the interval of the mean of *outcomes*, (n,), 0 or 1; NaN is ignored."""
    known = outcomes[~np.isnan(outcomes)]
    return _interval(_drawn_means(known, draws, seed))


def accuracy_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], *, draws: int = 1000, seed: int = 1
) -> Difference:
    """Compare the outcomes of two models on the same questions, (n,) each; NaN is ignored."""
    gains = second - first
    gains = gains[~np.isnan(gains)]
    value = float(gains.mean()) if len(gains) else float("nan")
    return Difference(value, _interval(_drawn_means(gains, draws, seed)), len(gains))


def correlation_interval(
    human: NDArray[np.float64], ours: NDArray[np.float64], *, draws: int = 1000, seed: int = 1
) -> Interval:
    """Return the interval of Spearman's correlation, (n,) each; pairs with NaN are ignored."""
    known = ~np.isnan(ours)
    human, ours = human[known], ours[known]

    def score(rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return rank_correlation(human[rows], ours[rows])

    return _interval(_drawn_scores(score, len(ours), draws, seed))


def correlation_difference(
    human: NDArray[np.float64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    draws: int = 1000,
    seed: int = 1,
) -> Difference:
    """Compare two models' correlations with human scores, (n,) each; pairs with NaN are ignored."""
    known = ~np.isnan(first + second)
    human, first, second = human[known], first[known], second[known]

    def gain(rows: NDArray[np.intp]) -> NDArray[np.float64]:
        people = human[rows]
        return rank_correlation(people, second[rows]) - rank_correlation(people, first[rows])

    count = len(human)
    value = float(gain(np.arange(count)[np.newaxis])[0]) if count else float("nan")
    return Difference(value, _interval(_drawn_scores(gain, count, draws, seed)), count)


def _drawn_means(values: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
    """Return the means of resamples of *values*, (draws,).

    There are few distinct values (0 and 1, or -1, 0 and 1), so how often each is drawn follows a
    multinomial distribution; one draw from it replaces thousands of single draws.
    """
    if not len(values):
        return np.full(draws, np.nan)
    distinct, counts = np.unique(values, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(values), counts / len(values), draws)
    return np.asarray(drawn @ distinct / len(values))


def _drawn_scores(statistic: Statistic, count: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Return the scores of resamples of *count* pairs, (draws,)."""
    random = np.random.default_rng(seed)
    scores = np.full(draws, np.nan)
    block = max(1, _BLOCK // max(1, count))
    for start in range(0, draws if count else 0, block):
        size = min(block, draws - start)
        scores[start : start + size] = statistic(random.integers(0, count, (size, count)))
    return scores


def _interval(scores: NDArray[np.float64]) -> Interval:
    known = scores[~np.isnan(scores)]  # a resample of equal pairs has no correlation
    if not len(known):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(low), float(high))
