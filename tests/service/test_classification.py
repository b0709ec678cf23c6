"""Text classifiers over HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
import numpy as np
import pytest

from embedkit.classification import TextClassifier
from embedkit.errors import UnknownWordsWarning
from embedkit.vectors.word_vectors import WordVectors
from tests.service.servers import Start

TEXTS = ["red apple", "sweet apple", "sweet pear", "fast car", "red car", "fast bus"]
LABELS = ["fruit"] * 3 + ["vehicle"] * 3


@pytest.fixture
def classifier(tmp_path: Path) -> TextClassifier:
    words = ["apple", "pear", "sweet", "car", "bus", "fast", "red"]
    rows = np.random.default_rng(1).normal(size=(len(words), 8))
    found = TextClassifier.train(TEXTS, LABELS, WordVectors(words, rows))
    found.save(tmp_path / "things.embedkit")
    return found


def test_texts_get_the_labels_of_the_library(
    start: Start, model: Path, classifier: TextClassifier, tmp_path: Path
) -> None:
    server = start(model, "--classifier", f"things={tmp_path / 'things.embedkit'}")
    asked = [*TEXTS, "unknown words only"]
    with pytest.warns(UnknownWordsWarning):
        expected = classifier.predict_proba(asked)
    with httpx.Client(base_url=server.url) as client:
        answers = client.post("/v1/classify", json=[{"text": text} for text in asked]).json()
        single = client.post("/v1/classify", json={"text": asked[0], "classifier": "things"})
        other = client.post("/v1/classify", json={"text": "x", "classifier": "other"})
    assert single.json() == answers[0]
    for text, answer, row in zip(asked, answers, expected, strict=True):
        assert (answer["text"], answer["classifier"]) == (text, "things")
        assert answer["label"] == classifier.labels[row.argmax()]
        np.testing.assert_allclose([*answer["probabilities"].values()], row, atol=1e-6)
        assert [*answer["probabilities"]] == classifier.labels.tolist()
    assert other.status_code == 404
    assert other.json()["error"]["message"] == "There is no classifier 'other'."


def test_several_labels_and_numbers(start: Start, model: Path, tmp_path: Path) -> None:
    colors = [[text.split()[0]] for text in TEXTS]
    several = TextClassifier.train(TEXTS, colors, None, task="labels")
    lengths = TextClassifier.train(TEXTS, [len(text) for text in TEXTS], None, task="number")
    several.save(tmp_path / "several")
    lengths.save(tmp_path / "lengths")
    server = start(
        model, "--classifier", f"several={tmp_path / 'several'}",
        "--classifier", f"lengths={tmp_path / 'lengths'}",
    )  # fmt: skip
    asked = [{"text": "red apple", "classifier": name} for name in ("several", "lengths")]
    with httpx.Client(base_url=server.url) as client:
        first, second = client.post("/v1/classify", json=asked).json()
    assert tuple(first["labels"]) == several.predict(["red apple"])[0]
    assert second["number"] == pytest.approx(float(lengths.predict(["red apple"])[0]), rel=1e-5)
    assert "label" not in second


def test_a_service_without_classifiers_says_so(client: httpx.Client) -> None:
    answer = client.post("/v1/classify", json={"text": "x"})
    assert answer.status_code == 404
    assert "--classifier PATH" in answer.json()["error"]["hint"]
