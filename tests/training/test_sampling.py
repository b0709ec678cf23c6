"""Random choices against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from embedkit.system.random import draw, epoch_key, mix
from embedkit.training.kernels.reference import noise_word
from embedkit.training.sampling import (
    keep_probabilities,
    keep_thresholds,
    noise_alias,
    noise_distribution,
)

COUNTS = np.array([50_000, 9_000, 1_000, 300, 40, 5])


def test_mix_is_the_finalizer_of_splitmix64() -> None:
    # The first outputs of SplitMix64 with seed 1234567, from its reference implementation.
    state, outputs = 1234567, []
    for _ in range(3):
        state += 0x9E3779B97F4A7C15
        outputs.append(mix(state))
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_keys_differ_by_seed_and_epoch() -> None:
    keys = {epoch_key(seed, epoch) for seed in range(50) for epoch in range(50)}
    assert len(keys) == 2_500


def test_keep_probability_is_that_of_word2vec() -> None:
    # word2vec.c: (sqrt(count / (sample * total)) + 1) * (sample * total) / count
    total, sample = int(COUNTS.sum()), 1e-3
    expected = [
        min(1.0, ((count / (sample * total)) ** 0.5 + 1) * (sample * total) / count)
        for count in COUNTS
    ]
    np.testing.assert_allclose(keep_probabilities(COUNTS, total, sample), expected)
    assert (keep_probabilities(COUNTS, total, 0) == 1).all()


@pytest.mark.parametrize("probability", [1.0, 0.75, 0.1, 0.003])
def test_kept_share_of_draws(probability: float) -> None:
    threshold = int(keep_thresholds(np.array([probability]))[0])
    key, size = epoch_key(1, 0), 40_000
    kept = sum(draw(key, position) >> 32 <= threshold for position in range(size))
    assert stats.binomtest(kept, size, probability).pvalue > 1e-4


def test_reach_of_windows_is_even() -> None:
    key, window = epoch_key(2, 3), 5
    reaches = [((draw(key, p) & 0xFFFFFFFF) * window) >> 32 for p in range(20_000)]
    assert stats.chisquare(np.bincount(reaches, minlength=window)).pvalue > 1e-4


def test_reach_is_independent_of_being_kept() -> None:
    key = epoch_key(5, 0)
    bits = [draw(key, p) for p in range(20_000)]
    table = np.zeros((2, 5))
    for value in bits:
        table[int(value >> 32 < 2**31), ((value & 0xFFFFFFFF) * 5) >> 32] += 1
    assert stats.chi2_contingency(table).pvalue > 1e-4


def test_noise_is_counts_to_the_power_three_quarters() -> None:
    expected = COUNTS**0.75 / (COUNTS**0.75).sum()
    np.testing.assert_allclose(noise_distribution(COUNTS), expected)


@pytest.mark.parametrize("size", [1, 2, 6, 1000])
def test_alias_table_holds_the_distribution_exactly(size: int) -> None:
    weights = np.random.default_rng(size).pareto(1.0, size) + 1e-3
    distribution = weights / weights.sum()
    thresholds, aliases = noise_alias(distribution)
    own = (thresholds.astype(np.float64) + 1) / 2**32
    rebuilt = own.copy()
    np.add.at(rebuilt, aliases, 1.0 - own)
    np.testing.assert_allclose(rebuilt / size, distribution, atol=1e-9)


def test_negatives_follow_the_noise_distribution() -> None:
    distribution = noise_distribution(COUNTS)
    thresholds, aliases = noise_alias(distribution)
    key = epoch_key(7, 1)
    drawn = [
        noise_word(draw(key, position, number), thresholds, aliases)
        for position in range(8_000)
        for number in range(1, 6)
    ]
    observed = np.bincount(drawn, minlength=len(COUNTS))
    assert stats.chisquare(observed, distribution * len(drawn)).pvalue > 1e-4


def test_alias_table_is_that_of_vose() -> None:
    weights = np.random.default_rng(5).pareto(1.0, 2_000) + 1e-3
    distribution = weights / weights.sum()
    scaled = (distribution * len(weights)).tolist()
    small = [word for word, share in enumerate(scaled) if share < 1.0]
    large = [word for word, share in enumerate(scaled) if share >= 1.0]
    expected = [(1.0, word) for word in range(len(scaled))]
    while small and large:
        less, more = small.pop(), large[-1]
        expected[less] = (scaled[less], more)
        scaled[more] -= 1.0 - scaled[less]
        if scaled[more] < 1.0:
            small.append(large.pop())
    thresholds, aliases = noise_alias(distribution)
    assert aliases.tolist() == [other for _, other in expected]
    np.testing.assert_array_equal(
        thresholds, keep_thresholds(np.array([share for share, _ in expected]))
    )
