"""Temperature, calibration error and thresholds, against known answers and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score

from embedkit.classification.calibration import (
    best_thresholds,
    expected_calibration_error,
    fit_temperature,
)
from embedkit.classification.objectives import OBJECTIVES


def test_the_temperature_undoes_scores_that_are_too_large() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(size=(20_000, 3))
    chances = softmax(logits, axis=1)
    drawn = (random.random((len(logits), 1)) > chances.cumsum(axis=1)).sum(axis=1)
    temperature, loss = fit_temperature(4 * logits, np.eye(3)[drawn], OBJECTIVES["label"])
    assert temperature == pytest.approx(4, rel=0.05)
    assert loss == pytest.approx(-np.log(chances[np.arange(len(drawn)), drawn]).mean(), rel=1e-3)


def test_the_calibration_error_by_hand() -> None:
    # Two bins: (0, 0.5] has confidences 0.2 and 0.4, one right: |0.5 - 0.3| = 0.2.
    # (0.5, 1] has 0.6, 0.8 and 1, two right: |2 / 3 - 0.8| = 0.1333.
    error = expected_calibration_error(
        np.array([0.2, 0.4, 0.6, 0.8, 1.0]), np.array([False, True, True, False, True]), bins=2
    )
    assert error == pytest.approx((2 * 0.2 + 3 * (0.8 - 2 / 3)) / 5)
    assert expected_calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0


def test_thresholds_have_the_highest_f1() -> None:
    random = np.random.default_rng(2)
    chances = random.integers(0, 10, (60, 4)) / 10  # with ties
    targets = (random.random((60, 4)) < chances).astype(float)
    targets[:, 3] = 0
    found = best_thresholds(chances, targets)
    for label in range(3):
        scores = [
            f1_score(targets[:, label], chances[:, label] >= threshold)
            for threshold in np.linspace(0, 1, 101)
        ]
        ours = f1_score(targets[:, label], chances[:, label] >= found[label])
        assert ours == pytest.approx(max(scores))
    assert found[3] == 0.5


def test_a_weight_of_two_is_a_text_twice() -> None:
    random = np.random.default_rng(3)
    scores, targets = random.normal(size=(4, 3)), np.eye(3)[[0, 1, 2, 0]]
    rows = np.tile(np.arange(4), 5_000)  # so many that the text with any label hardly counts
    twice = np.concatenate([rows, rows[rows == 1]])
    weights = 1.0 + (rows == 1)
    objective = OBJECTIVES["label"]
    weighted = fit_temperature(scores[rows], targets[rows], objective, weights)
    repeated = fit_temperature(scores[twice], targets[twice], objective)
    assert weighted == pytest.approx(repeated, rel=1e-3)
