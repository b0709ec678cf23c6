"""Scores of classifiers, against scikit-learn; the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from embedkit.classification.label_errors import find_errors
from embedkit.classification.report import ClassificationReport
from embedkit.classification.scoring import (
    NumberReport,
    SeveralLabelsReport,
    cross_validate,
    score,
)
from embedkit.classification.text_classifier import TextClassifier
from embedkit.errors import ConfigurationError, UnknownLabelsWarning

TEXTS = ["red apple", "green apple", "red car", "blue car", "green pear", "black car"] * 5
LABELS = ["fruit", "fruit", "car", "car", "fruit", "car"] * 5


def test_one_label() -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, None)
    texts, labels = ["apple", "car", "pear"], ["fruit", "fruit", "fruit"]
    found = score(classifier, texts, labels)
    assert isinstance(found, ClassificationReport)
    assert found.accuracy == pytest.approx(2 / 3)
    sure = classifier.predict_proba(texts).max(axis=1)
    gaps = {}  # by bin of 1 / 15
    for chance, right in zip(sure, (True, False, True), strict=True):
        gaps.setdefault(int(np.ceil(chance * 15)), []).append(chance - right)
    expected = sum(abs(sum(gap)) for gap in gaps.values()) / 3
    assert found.calibration_error == pytest.approx(expected, rel=1e-5)


def test_integer_labels_are_the_same_in_a_file() -> None:
    numbers = [7 if label == "fruit" else 3 for label in LABELS]
    classifier = TextClassifier.train(TEXTS, numbers, None)
    ours, in_a_file = (score(classifier, TEXTS, given) for given in (numbers, map_str(numbers)))
    assert ours.as_dict() == in_a_file.as_dict()
    assert find_errors(classifier, TEXTS, map_str(numbers)).mistakes == ()
    several = TextClassifier.train(TEXTS, [(n,) for n in numbers], None, task="labels")
    given = [(str(number),) for number in numbers]
    assert score(several, TEXTS, given).as_dict()["exact"] == 1


def map_str(numbers: Sequence[int]) -> list[str]:
    return [str(number) for number in numbers]


def test_several_labels() -> None:
    labels = [(label, text.split()[0]) for text, label in zip(TEXTS, LABELS, strict=True)]
    classifier = TextClassifier.train(TEXTS, labels, None, task="labels")
    texts, right = ["red apple", "blue car", "pear"], [("fruit", "red"), ("car",), ("fruit",)]
    found = score(classifier, texts, right)
    assert isinstance(found, SeveralLabelsReport)
    names = classifier.labels.tolist()
    given = classifier.predict(texts)
    true, predicted = (
        np.array([[name in one for name in names] for one in rows]) for rows in (right, given)
    )
    kept = (true | predicted).any(axis=0)
    assert found.micro_f1 == pytest.approx(metrics.f1_score(true, predicted, average="micro"))
    macro = metrics.f1_score(true[:, kept], predicted[:, kept], average="macro", zero_division=0)
    assert found.macro_f1 == pytest.approx(macro)
    assert found.exact == pytest.approx(metrics.accuracy_score(true, predicted))


def test_numbers() -> None:
    sizes = [float(len(text)) for text in TEXTS]
    classifier = TextClassifier.train(TEXTS, sizes, None, task="number")
    right = [9.0, 12.0, 7.0]
    texts = ["red apple", "green apple", "red car"]
    found = score(classifier, texts, right)
    assert isinstance(found, NumberReport)
    predicted = classifier.predict(texts)
    assert found.r2 == pytest.approx(metrics.r2_score(right, predicted), rel=1e-5)
    error = metrics.root_mean_squared_error(right, predicted)
    assert found.root_mean_squared_error == pytest.approx(error, rel=1e-5)
    error = metrics.mean_absolute_error(right, predicted)
    assert found.mean_absolute_error == pytest.approx(error, rel=1e-5)
    assert score(classifier, ["apple", "car"], [3.0, 3.0]).as_dict()["r2"] is None


def test_every_text_is_scored_by_a_classifier_that_has_not_seen_it() -> None:
    seen: list[set[str]] = []
    texts = [f"{text} {number}" for number, text in enumerate(TEXTS)]

    def train(given: Sequence[str], labels: Sequence[Any]) -> TextClassifier:
        seen.append(set(given))
        return TextClassifier.train(given, labels, None, C=3.0)

    asked: list[tuple[int, int]] = []
    found = cross_validate(train, texts, LABELS, 5, progress=lambda *step: asked.append(step))
    assert asked == [(fold, 5) for fold in range(1, 6)]
    held_out = [set(texts) - inside for inside in seen]
    assert sorted(text for texts in held_out for text in texts) == sorted(texts)
    assert {len(texts) for texts in held_out} == {6}
    assert len(found.folds) == 5
    assert isinstance(found.report, ClassificationReport)
    assert found.report.confusion.sum() == 30
    assert np.mean(found.folds) == pytest.approx(found.report.accuracy)  # folds of equal size
    before = list(seen)
    cross_validate(train, texts, LABELS, 5)
    assert seen[5:] == before


def test_numbers_with_one_text_in_each_fold() -> None:
    texts, numbers = ["small flat", "large flat", "small house"], [3.0, 7.0, 8.0]

    def train(texts: Sequence[str], labels: Sequence[Any]) -> TextClassifier:
        return TextClassifier.train(texts, labels, None, task="number")

    found = cross_validate(train, texts, numbers, 3)
    assert found.as_dict()["folds"] == [None] * 3
    assert found.headline == "R2"
    assert found.as_dict()["r2"] is not None


def test_errors_name_the_fold() -> None:
    def train(texts: Sequence[str], labels: Sequence[Any]) -> TextClassifier:
        return TextClassifier.train(texts, labels, None)

    with pytest.raises(
        ConfigurationError, match=r"without fold [12] of 2: there is only one class"
    ):
        cross_validate(train, ["a", "b", "c"], ["x", "x", "y"], 2)


def test_scores_that_are_impossible() -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, None)
    with pytest.raises(ConfigurationError, match="at least one of each, got 1 and 2"):
        score(classifier, ["a"], ["fruit", "car"])
    with pytest.raises(
        ConfigurationError, match="with 31 folds needs at least 31 different texts, got 6"
    ):
        cross_validate(lambda *_: classifier, TEXTS, LABELS, 31)
    with pytest.raises(ConfigurationError, match="needs 2 texts or more, got 1"):
        cross_validate(lambda *_: classifier, ["a"], ["b"], 2)


def test_labels_that_the_classifier_does_not_know_are_named() -> None:
    one = TextClassifier.train(TEXTS, LABELS, None)
    with pytest.warns(UnknownLabelsWarning, match="2 of 3 texts have a label .*: 'x', 'y'"):
        score(one, ["apple", "car", "pear"], ["x", "car", "y"])
    several = TextClassifier.train(TEXTS, [(label,) for label in LABELS], None, task="labels")
    with pytest.warns(UnknownLabelsWarning, match=r"1 of 2 texts has a label .*: 'x'\."):
        find_errors(several, ["apple", "car"], [("fruit", "x"), ()])
