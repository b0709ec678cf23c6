"""The choice of held-out texts and strength, and words that no training text contains."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

import embedkit
from embedkit.classification.calibration import fit_temperature
from embedkit.classification.linear_settings import LinearSettings, Step
from embedkit.classification.objectives import OBJECTIVES
from embedkit.classification.training import train_linear
from embedkit.errors import ConfigurationError


def reviews(count: int, noise: float, seed: int) -> tuple[list[str], np.ndarray]:
    """Return texts of 12 random words, one of which tells the label, and wrong labels for some."""
    random = Random(seed)
    texts, labels = [], []
    for _ in range(count):
        label = random.randrange(2)
        words = [f"w{random.randrange(200)}" for _ in range(11)]
        words.insert(random.randrange(12), f"{'good' if label else 'bad'}{random.randrange(5)}")
        texts.append(" ".join(words))
        labels.append(label if random.random() >= noise else 1 - label)
    return texts, np.eye(2, dtype=np.float32)[labels]


def test_the_strength_is_chosen_and_probabilities_are_calibrated() -> None:
    texts, targets = reviews(600, 0.2, 1)
    steps: list[Step] = []
    model, validation = train_linear(
        texts, targets, "label", None, LinearSettings(), progress=steps.append
    )
    assert validation.C <= 10  # a fifth of the labels is wrong
    assert sorted(validation.rows) == list(range(600))
    assert steps[-1].model <= steps[-1].models
    clean, right = reviews(400, 0, 2)
    found = model.explain(clean).total().argmax(axis=1)
    assert (found == right.argmax(axis=1)).mean() > 0.9
    noisy, right = reviews(4_000, 0.2, 3)
    probabilities = softmax(model.explain(noisy).total(), axis=1)
    accuracy = (probabilities.argmax(axis=1) == right.argmax(axis=1)).mean()
    assert probabilities.max(axis=1).mean() == pytest.approx(accuracy, abs=0.07)


def test_many_texts_are_held_out_once() -> None:
    texts, targets = reviews(3_100, 0, 1)
    _, validation = train_linear(texts, targets, "label", None, LinearSettings(C=3))
    assert len(validation.rows) == 620
    assert validation.C == 3


def test_few_texts_are_not_held_out() -> None:
    model, validation = train_linear(
        ["good", "bad"], np.eye(2, dtype=np.float32), "label", None, LinearSettings()
    )
    assert len(validation.rows) == 0
    assert validation.temperature == 1
    assert model.explain(["good", "bad"]).total().argmax(axis=1).tolist() == [0, 1]


def test_new_words_count_by_their_vectors_and_letters(model: Path) -> None:
    texts = ["paris", "rome", "france", "italy"] * 10
    targets = np.eye(2, dtype=np.float32)[[0, 0, 1, 1] * 10]
    vectors = embedkit.load(model)
    found, _ = train_linear(texts, targets, "label", vectors, LinearSettings())
    asked = ["berlin", "madrid", "germany", "spain"]
    explained = found.explain(asked)
    assert explained.new_words == asked
    assert explained.has_vector.all()
    scores = np.asarray(vectors.matrix[vectors.vocabulary.ids(asked)])
    scores = scores / np.linalg.norm(scores, axis=1, keepdims=True) @ found.vector_scores
    assert scores.argmax(axis=1).tolist() == [0, 0, 1, 1]  # cities and countries
    without, _ = train_linear(texts, targets, "label", None, LinearSettings())
    letters = without.explain(["romex", "italians", "§§"]).total()
    assert letters[:2].argmax(axis=1).tolist() == [0, 1]
    assert without.explain(["qqq", "rome", ""]).unknown.tolist() == [True, False, True]
    assert without.known_words(["rome berlin", "paris rome rome"]) == pytest.approx(4 / 5)
    assert found.known_words(["rome berlin qqq"]) == pytest.approx(2 / 3)
    assert np.isnan(found.known_words([""]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ngrams": 0}, "ngrams must be an integer between 1 and 10, got 0"),
        ({"C": 0}, "C must be a number between 1e-06 and 1,000,000, got 0"),
        ({"tokenizer": "letters"}, "unknown tokenizer 'letters'"),
        ({"seed": -1}, "seed must be an integer"),
    ],
)
def test_settings_outside_their_range(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        LinearSettings(**settings)


def test_too_many_labels_are_refused() -> None:
    labels = np.zeros((3, 1 << 25), dtype=np.float32)
    with pytest.raises(
        ConfigurationError,
        match=r"3 texts and 33,554,432 labels.*the maximum is 67,108,864.*rare labels",
    ):
        train_linear(["a", "b", "c"], labels, "label", None, LinearSettings())


@pytest.mark.parametrize("ngrams", [2, 3])
def test_new_texts_need_no_other_temperature_than_held_out_ones(ngrams: int) -> None:
    texts, targets = reviews(1_500, 0.2, 1)  # each new text has bigrams that no other has
    model, validation = train_linear(texts, targets, "label", None, LinearSettings(ngrams=ngrams))
    assert validation.temperature != 1
    new, right = reviews(10_000, 0.2, 2)
    scores = model.explain(new).total()
    temperature, _ = fit_temperature(scores, right, OBJECTIVES["label"])
    assert temperature == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("given", [[1, 1], [1, 0]])
def test_labels_that_all_texts_share_can_be_trained(given: list[int]) -> None:
    texts = [f"w{number} x" for number in range(25)]  # as all but one fold of rare labels may be
    targets = np.tile(np.array(given, dtype=np.float32), (25, 1))
    model, _ = train_linear(texts, targets, "labels", None, LinearSettings())
    scores = model.explain(["w1 x", "new"]).total()
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores > 0, np.tile(np.array(given) > 0, (2, 1)))
