"""What is saved comes back, and what is damaged is told apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.datasets import load_iris

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ModelError, OutputExistsError
from embedkit.heads import DenseClassifier, DenseRegressor
from embedkit.vectors.word_vectors import WordVectors

INPUTS, CODES = load_iris(return_X_y=True)
VECTORS = WordVectors(
    Vocabulary(["where", "why", "is"]),
    np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32),
)
TEXTS = ["where is it", "why is it", "where", "why"] * 4


@pytest.mark.parametrize(
    "labels",
    [
        CODES,
        CODES - 1.0,
        CODES == 2,
        np.array(["é", "b", "c"])[CODES],
        np.array(["é", "b", "c"], dtype=object)[CODES],
    ],
    ids=["int", "float", "bool", "str", "object"],
)
def test_classifier_is_loaded(labels: Any, tmp_path: Path) -> None:
    network = DenseClassifier((4,), epochs=3, activation="tanh").fit(INPUTS, labels)
    network.save(tmp_path / "iris.head")
    again = DenseClassifier.load(tmp_path / "iris.head")
    np.testing.assert_array_equal(again.predict_proba(INPUTS), network.predict_proba(INPUTS))
    assert again.predict(INPUTS).tolist() == network.predict(INPUTS).tolist()
    assert again.classes_.dtype.kind == network.classes_.dtype.kind
    assert again.get_params()["activation"] == "tanh"
    assert again.n_features_in_ == 4


@pytest.mark.parametrize("targets", [INPUTS[:, 0], INPUTS[:, :2]], ids=["one", "two"])
def test_regressor_is_loaded(targets: Any, tmp_path: Path) -> None:
    network = DenseRegressor(epochs=3).fit(INPUTS, targets)
    network.save(tmp_path / "r")
    again = DenseRegressor.load(tmp_path / "r")
    np.testing.assert_array_equal(again.predict(INPUTS), network.predict(INPUTS))


def test_finetuned_vectors_are_loaded(tmp_path: Path) -> None:
    labels = [0, 1, 0, 1] * 4
    network = DenseClassifier((), finetune=True, vectors=VECTORS, ngrams=2, epochs=5)
    network.fit(TEXTS, labels).save(tmp_path / "f")
    again = DenseClassifier.load(tmp_path / "f")
    np.testing.assert_array_equal(again.predict_proba(TEXTS), network.predict_proba(TEXTS))
    assert again.terms_.vocabulary == network.terms_.vocabulary


def test_the_format_s_own_library_reads_it(tmp_path: Path) -> None:
    network = DenseClassifier((4,), epochs=3).fit(INPUTS, CODES)
    network.save(tmp_path / "h")
    tensors = load_file(tmp_path / "h" / "network.safetensors")
    hidden = np.maximum(INPUTS.astype(np.float32) @ tensors["weights.0"] + tensors["biases.0"], 0)
    logits = hidden @ tensors["weights.1"] + tensors["biases.1"]
    assert network.predict(INPUTS).tolist() == logits.argmax(axis=1).tolist()
    assert sorted(path.name for path in (tmp_path / "h").iterdir()) == [
        "config.json",
        "network.safetensors",
    ]


def test_existing_files_are_kept(tmp_path: Path) -> None:
    network = DenseClassifier(epochs=1).fit(INPUTS, CODES)
    network.save(tmp_path / "h")
    with pytest.raises(OutputExistsError, match="already exists and was not overwritten"):
        network.save(tmp_path / "h")
    network.save(tmp_path / "h", overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OutputExistsError, match="is not an embedkit model and was not overwritten"):
        network.save(tmp_path / "mine", overwrite=True)


def change(path: Path, **settings: Any) -> None:
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, **settings}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: (path / "config.json").unlink(), "it has no config.json"),
        (lambda path: (path / "config.json").write_text("{"), "config.json is damaged"),
        (
            lambda path: (path / "network.safetensors").unlink(),
            r"cannot read .*network\.safetensors: No such file",
        ),
        (lambda path: (path / "vocabulary.arrow").unlink(), "vocabulary.arrow is missing"),
        (
            lambda path: change(path, format=2),
            "has format 2; this version of embedkit reads up to 1",
        ),
        (lambda path: change(path, kind="DenseRegressor"), "holds a DenseRegressor, not a Dense"),
        (lambda path: change(path, layers=3), "weights.1.* is missing"),
        (lambda path: change(path, activation="gelu"), "do not match"),
        (lambda path: change(path, classes=[1, 2, 3]), "3 classes"),
        (lambda path: change(path, settings={}), "invalid settings for DenseClassifier"),
        (lambda path: Vocabulary(["a"]).save(path / "vocabulary.arrow"), "do not match"),
    ],
)
def test_damaged_directory_is_an_error(damage: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "f"
    network = DenseClassifier((), finetune=True, vectors=VECTORS, epochs=1)
    network.fit(TEXTS, [0, 1, 0, 1] * 4).save(path)
    damage(path)
    with pytest.raises(ModelError, match=message):
        DenseClassifier.load(path)


def test_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere as a DenseClassifier: it does not exist"):
        DenseClassifier.load(tmp_path / "nowhere")
