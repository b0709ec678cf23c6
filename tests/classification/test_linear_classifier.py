"""Linear classifiers of every task are saved and opened; damage is noticed."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import embedkit
from embedkit.classification.text_classifier import TextClassifier
from embedkit.errors import ConfigurationError, InputError, ModelError, UnknownWordsWarning
from embedkit.storage.tensors import write_tensors

CITIES, COUNTRIES = ("paris", "rome", "berlin"), ("france", "italy", "germany")
TEXTS = [f"mayor{n} {city}" for n in range(3) for city in CITIES] + [
    f"border{n} {country}" for n in range(3) for country in COUNTRIES
]
LABELS = ["capital"] * 9 + ["country"] * 9
NEW = ["mayor1 madrid", "border2 spain", "paris or rome?"]  # madrid and spain are new


def test_one_label(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.embedkit"
    shutil.copytree(model, copy)
    classifier = TextClassifier.train(TEXTS, LABELS, str(copy))
    assert classifier.predict(TEXTS).tolist() == LABELS
    assert classifier.predict(NEW[:2]).tolist() == ["capital", "country"]
    classifier.save(tmp_path / "c")
    shutil.rmtree(copy)
    again = TextClassifier.load(tmp_path / "c")
    np.testing.assert_allclose(again.predict_proba(NEW), classifier.predict_proba(NEW), rtol=1e-5)
    np.testing.assert_allclose(again.predict_proba(NEW).sum(axis=1), 1, rtol=1e-6)
    assert again.labels.tolist() == ["capital", "country"]
    assert again.linear.validation == classifier.linear.validation


def test_several_labels(model: Path, tmp_path: Path) -> None:
    labels = [("city", label) if label == "capital" else (label,) for label in LABELS]
    classifier = TextClassifier.train(TEXTS, labels, str(model), task="labels")
    assert [set(found) for found in classifier.predict(TEXTS)] == [set(one) for one in labels]
    classifier.save(tmp_path / "c")
    again = TextClassifier.load(tmp_path / "c")
    assert again.predict(NEW) == classifier.predict(NEW)
    assert again.task == "labels"
    assert again.linear.thresholds.tolist() == classifier.linear.thresholds.tolist()


def test_numbers(tmp_path: Path) -> None:
    texts = ["cheap old car", "cheap car", "new car", "new fast car", "old car", "fast car"] * 5
    prices = [1_000, 2_000, 8_000, 12_000, 3_000, 9_000] * 5
    classifier = TextClassifier.train(texts, prices, None, task="number")
    np.testing.assert_allclose(classifier.predict(texts), prices, rtol=0.1)
    classifier.save(tmp_path / "c")
    again = TextClassifier.load(tmp_path / "c")
    np.testing.assert_allclose(again.predict(texts), classifier.predict(texts), rtol=1e-6)
    with pytest.raises(ConfigurationError, match="predicts numbers has no probabilities"):
        again.predict_proba(texts)


def test_labels_keep_their_type(tmp_path: Path) -> None:
    numbers = [3 if label == "capital" else 7 for label in LABELS]
    classifier = TextClassifier.train(TEXTS, numbers, None)
    classifier.save(tmp_path / "c")
    assert TextClassifier.load(tmp_path / "c").predict(TEXTS).tolist() == numbers


@pytest.mark.parametrize("encoder", ["charcode", "onehot"])
def test_other_encoders(encoder: str, model: Path, tmp_path: Path) -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, embedkit.load(model, encoder=encoder))
    classifier.save(tmp_path / "c")
    again = TextClassifier.load(tmp_path / "c")
    np.testing.assert_allclose(again.predict_proba(NEW), classifier.predict_proba(NEW), rtol=1e-5)


def test_the_balanced_classifier_gives_rare_labels_more_weight() -> None:
    texts = [*["apple pear"] * 30, *["apple plum"] * 3]
    labels = ["often"] * 30 + ["rare"] * 3
    plain = TextClassifier.train(texts, labels, None, C=0.1)
    balanced = TextClassifier.train(texts, labels, None, C=0.1, balanced=True)
    asked = ["apple"]
    assert balanced.predict_proba(asked)[0, 1] > plain.predict_proba(asked)[0, 1]


def test_texts_without_known_words_are_reported() -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, None)
    with pytest.warns(UnknownWordsWarning, match=r"2 of 3 texts have no known word.*rows 0, 2"):
        classifier.predict(["qqq", "paris", ""])
    with pytest.warns(UnknownWordsWarning, match=r"its features come from letters alone \("):
        classifier.predict(["qqq", "paris"])
    with pytest.warns(UnknownWordsWarning, match=r"their features are zeros \("):
        classifier.predict(["", "paris", " "])


def test_texts_without_any_word_are_refused() -> None:
    with pytest.raises(InputError, match="no text has a word"):
        TextClassifier.train(["", " "], ["x", "y"], None)


def change(**settings: Any) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps({**config, **settings}))

    return apply


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)


def tensor(name: str, value: float) -> Callable[[Path], None]:
    """Change the first value of a tensor, and the checksum with it."""

    def apply(path: Path) -> None:
        file = path / "linear.safetensors"
        tensors = {key: found.copy() for key, found in load_file(file).items()}
        tensors[name].flat[0] = value
        write_tensors(file, tensors)
        config = json.loads((path / "config.json").read_text())
        sums = {**config["checksums"], file.name: zlib.crc32(file.read_bytes())}
        change(checksums=sums)(path)

    return apply


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: shutil.rmtree(path / "vectors"), "its vectors are missing"),
        (lambda path: (path / "words.arrow").unlink(), "words.arrow is missing"),
        (lambda path: (path / "linear.safetensors").write_bytes(b"x"), "linear.safetensors"),
        (lambda path: flip(path / "linear.safetensors"), "safetensors is damaged: its checksum"),
        (lambda path: flip(path / "words.arrow"), "words.arrow is damaged: its checksum is wrong"),
        (change(checksums=None), "its checksum is wrong"),
        (tensor("bias", np.nan), "is damaged.*bias is not finite"),
        (tensor("term_scores", np.inf), "is damaged.*term_scores is not finite"),
        (tensor("ngrams.2", 9_999), r"is damaged.*ngrams\.2 is out of range"),
        (tensor("buckets", -1), "is damaged.*buckets are not sorted, or out of range"),
        (tensor("document_frequencies", 99), "is damaged.*document_frequencies is out of range"),
        (change(texts=float("inf")), "is damaged.*OverflowError"),
        (change(head="cubic"), "unknown head 'cubic'"),
        (change(labels={"task": "x"}), "is damaged"),
        (change(settings={"depth": 3}), "is damaged"),
        (change(settings={"ngrams": 3}), "is damaged: KeyError.*ngrams.3"),
        (change(texts="many"), "is damaged"),
        (change(vectors="0"), "does not contain the vectors that"),
        (change(vectors=None), "is damaged.*vector_scores has the shape"),
    ],
)
def test_damage_is_detected(
    damage: Callable[[Path], None], message: str, saved: Path, tmp_path: Path
) -> None:
    path = tmp_path / "c"
    shutil.copytree(saved, path)
    damage(path)
    with pytest.raises(ModelError, match=message):
        TextClassifier.load(path)


@pytest.fixture(scope="module")
def saved(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("linear") / "c"
    TextClassifier.train(TEXTS, LABELS, str(model)).save(path)
    return path


def test_settings_of_other_heads_are_refused(model: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'no such setting.*hidden.*head="network"'):
        TextClassifier.train(TEXTS, LABELS, None, hidden=(3,))
    with pytest.raises(ConfigurationError, match="predicts one label for each text"):
        TextClassifier.train(TEXTS, LABELS, str(model), head="network", task="number")
    with pytest.raises(ConfigurationError, match="a network needs word vectors"):
        TextClassifier.train(TEXTS, LABELS, None, head="network")
    with pytest.raises(ConfigurationError, match="unknown head 'svm'; choose from linear, network"):
        TextClassifier.train(TEXTS, LABELS, None, head="svm")
    with pytest.raises(InputError, match=r"row 1 .* is None, not a text"):
        TextClassifier.train(["a", None], ["x", "y"], None)  # type: ignore[list-item]


def test_numbers_cannot_be_balanced() -> None:
    with pytest.raises(ConfigurationError, match=r"numbers have no labels.*--balanced"):
        TextClassifier.train(["a", "b"], [1, 2], None, task="number", balanced=True)


def test_large_numbers_keep_their_digits() -> None:
    years = [20_240_101.0 + day for day in (0, 1, 2)] * 10
    classifier = TextClassifier.train(
        ["monday", "tuesday", "wednesday"] * 10, years, None, task="number"
    )
    found = classifier.predict(["monday", "tuesday", "wednesday"])
    np.testing.assert_allclose(found, years[:3], atol=0.2, rtol=0)
