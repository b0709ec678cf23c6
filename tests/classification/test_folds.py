"""Folds are alike, and have no text in common."""

from __future__ import annotations

import numpy as np

from embedkit.classification.folds import distinct_texts, fold_numbers
from embedkit.classification.linear_settings import LinearSettings
from embedkit.classification.objectives import OBJECTIVES
from embedkit.classification.training import train_linear


def test_folds_have_equal_shares_of_each_stratum() -> None:
    strata = np.repeat([0, 1, 2], [50, 23, 4])
    texts = [f"text {number}" for number in range(77)]
    numbers = fold_numbers(texts, strata, 5, seed=1)
    for stratum in range(3):
        sizes = np.bincount(numbers[strata == stratum], minlength=5)
        assert sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(numbers, fold_numbers(texts, strata, 5, seed=1))
    assert (numbers != fold_numbers(texts, strata, 5, seed=2)).any()


def test_equal_texts_are_in_the_same_fold() -> None:
    random = np.random.default_rng(1)
    texts = [f"text {number}" for number in random.integers(0, 80, 200)]
    strata = random.integers(0, 2, 200)  # equal texts may have different labels
    numbers = fold_numbers(texts, strata, 4, seed=1)
    folds: dict[str, set[int]] = {}
    for text, fold in zip(texts, numbers.tolist(), strict=True):
        folds.setdefault(text, set()).add(fold)
    assert all(len(found) == 1 for found in folds.values())
    sizes = np.bincount(numbers, minlength=4)
    assert sizes.max() - sizes.min() <= 8
    assert distinct_texts(["b", "a", "b"]).tolist() == [0, 1, 0]


def test_equal_texts_do_not_make_a_classifier_sure() -> None:
    random = np.random.default_rng(2)
    words = [f"{one}" for one in random.permutation(60)]
    targets = np.eye(2, dtype=np.float32)[random.integers(0, 2, 60)]  # nothing can be learned
    _, validation = train_linear(
        words * 5, np.tile(targets, (5, 1)), "label", None, LinearSettings()
    )
    losses = OBJECTIVES["label"].losses(
        validation.scores, np.tile(targets, (5, 1))[validation.rows]
    )
    assert losses.mean() > 0.6  # log 2 is that of a guess


def test_a_text_that_never_changes_is_not_held_out() -> None:
    targets = np.eye(2, dtype=np.float32)[[0, 1] * 15]
    model, validation = train_linear(["same"] * 30, targets, "label", None, LinearSettings())
    assert len(validation.rows) == 0
    assert np.ptp(model.explain(["same"]).total()) < 1e-3
