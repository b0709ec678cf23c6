"""What a classifier has learned, compared with its predictions for single words and texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedkit.classification.explanation import explain
from embedkit.classification.inspection import LinearInspection, inspect_classifier
from embedkit.classification.text_classifier import TextClassifier
from embedkit.classification.unit_inspection import NetworkInspection
from embedkit.classification.unit_picture import unit_picture
from embedkit.encoders import load
from embedkit.errors import OutputExistsError
from embedkit.heads.losses import softmax

TEXTS = ["mayor0 paris", "border1 france", "mayor1 rome", "spain border0 madrid"] * 5
LABELS = ["capital", "country", "capital", "other"] * 5
NETWORK: dict[str, Any] = {"head": "network", "epochs": 20, "dropout": 0}


def test_terms_of_a_linear_classifier(model: Path) -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, str(model))
    found = inspect_classifier(classifier, k=3)
    assert isinstance(found, LinearInspection)
    assert [terms.label for terms in found.labels] == ["capital", "country", "other"]
    scores = classifier.linear.model.term_scores
    known = classifier.linear.model.terms
    names = [" ".join(known.words_of(term)) for term in range(len(known))]
    for column, terms in enumerate(found.labels):
        ranked = sorted(range(len(names)), key=lambda term: scores[term, column])
        words = [term for term in ranked if " " not in names[term]]
        ngrams = [term for term in ranked if " " in names[term]]
        for listed, expected in (
            (terms.words_for, words[::-1]), (terms.words_against, words),
            (terms.ngrams_for, ngrams[::-1]), (terms.ngrams_against, ngrams),
        ):  # fmt: skip
            values = [score.score for score in listed]
            assert values == pytest.approx([scores[t, column] for t in expected[: len(values)]])
            assert all(scores[names.index(score.term), column] == score.score for score in listed)
    assert found.labels[0].words_for[0].texts in {5, 10}


def test_terms_of_numbers_have_their_unit() -> None:
    prices = [10.0, 20.0, 10.0, 90.0] * 5
    classifier = TextClassifier.train(TEXTS, prices, None, task="number", ngrams=1)
    (terms,) = inspect_classifier(classifier, k=50).labels
    assert terms.label == "number"
    scores = {score.term: score.score for score in (*terms.words_for, *terms.words_against)}
    found = explain(classifier, "paris")  # a text of one word has the weight 1
    assert scores["paris"] == pytest.approx(found.words[0].value, rel=1e-5)


@pytest.mark.parametrize("pooling", [None, "mean", "sif"])
def test_units_of_a_network(pooling: str | None, model: Path) -> None:
    classifier = TextClassifier.train(
        TEXTS, LABELS, str(model), pooling=pooling, hidden=(7, 5), **NETWORK
    )
    found = inspect_classifier(classifier, TEXTS[:4], k=3, units=4)
    assert isinstance(found, NetworkInspection)
    assert [layer.name for layer in found.layers] == ["hidden layer 1", "hidden layer 2", "labels"]
    assert [len(layer.units) for layer in found.layers] == [4, 4, 3]
    assert [layer.weights.shape for layer in found.layers] == [(0, 4), (4, 4), (4, 3)]
    first, second, _ = found.layers
    weights = classifier.head.head.network_.weights
    assert second.weights[1, 2] == weights[1][first.units[1].number, second.units[2].number]
    # The scores of labels for texts give the probabilities of the classifier.
    everything = inspect_classifier(classifier, TEXTS[:4], k=4, units=9)
    chances = classifier.predict_proba(TEXTS[:4])
    for column, unit in enumerate(everything.layers[-1].units):
        assert unit.name == classifier.labels[column]
        values = [text.value for text in unit.texts]
        assert values == sorted(values, reverse=True)
        best = TEXTS.index(unit.texts[0].name)
        if len(values) == 4:
            assert chances[best, column] == chances[:, column].max()
    importances = [unit.importance for unit in first.units]
    assert importances == sorted(importances, reverse=True)


def test_two_labels_have_opposite_scores(model: Path) -> None:
    vectors = load(model)
    words = vectors.vocabulary.words()
    classifier = TextClassifier.train(
        TEXTS, ["yes", "no"] * 10, vectors, pooling="mean", hidden=(6,), **NETWORK
    )
    found = inspect_classifier(classifier, k=len(words))
    chances = classifier.predict_proba(words).astype(np.float64)
    for column, unit in enumerate(found.layers[-1].units):
        odds = np.log(chances[:, column] / chances[:, 1 - column])
        expected = {word: value for word, value in zip(words, odds, strict=True) if value > 0}
        assert {word.name: word.value for word in unit.words} == pytest.approx(expected, rel=1e-3)
    few = inspect_classifier(classifier, k=5, restrict=3)
    shown = {word.name for layer in few.layers for unit in layer.units for word in unit.words}
    assert shown
    assert shown <= set(words[:3])


def test_scores_of_labels_are_the_logits(model: Path) -> None:
    classifier = TextClassifier.train(
        TEXTS, LABELS, str(model), pooling="sum", hidden=(), **NETWORK
    )
    words = load(model).vocabulary.words()
    found = inspect_classifier(classifier, k=len(words))
    assert len(found.layers) == 1
    network = classifier.head.head.network_
    logits = network.outputs(classifier.head.features.transform(words))
    np.testing.assert_allclose(softmax(logits), classifier.predict_proba(words), rtol=1e-5)
    for column, unit in enumerate(found.layers[0].units):
        expected = {w: v for w, v in zip(words, logits[:, column].tolist(), strict=True) if v > 0}
        assert {word.name: word.value for word in unit.words} == pytest.approx(expected, rel=1e-4)


def test_ngrams_of_a_finetuned_network_are_terms(model: Path) -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, str(model), ngrams=2, hidden=(4,), **NETWORK)
    found = inspect_classifier(classifier, k=500)
    shown = {word.name for unit in found.layers[-1].units for word in unit.words}
    assert "<start> mayor0" in shown
    assert "mayor0 paris" in shown


def test_the_picture_has_every_unit_and_word(model: Path, tmp_path: Path) -> None:
    classifier = TextClassifier.train(
        TEXTS, LABELS, str(model), pooling="mean", hidden=(5, 4), **NETWORK
    )
    found = inspect_classifier(classifier, k=2, units=3)
    unit_picture(found, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    for layer in found.layers:
        assert f"{layer.name}" in text
        for unit in layer.units:
            assert unit.name in text
            assert not unit.words or unit.words[0].name in text
    assert "hidden layer 1 (3 of 5)" in text
    with pytest.raises(OutputExistsError):
        unit_picture(found, tmp_path / "a.svg")
    unit_picture(found, tmp_path / "b.png", dark=True)
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
