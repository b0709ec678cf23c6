"""A classifier is trained, saved, and opened without the model that its vectors came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedkit
from embedkit.classification.network_classifier import NetworkClassifier
from embedkit.classification.text_classifier import TextClassifier
from embedkit.errors import ConfigurationError, ModelError, OutputExistsError

TEXTS = ["mayor0 paris", "border1 france", "mayor1 rome", "border0 italy", "mayor2 berlin"] * 4
LABELS = ["capital", "country", "capital", "country", "capital"] * 4
SETTINGS: dict[str, Any] = {
    "head": "network",
    "hidden": (),
    "epochs": 60,
    "dropout": 0,
    "learning_rate": 0.01,
}


@pytest.mark.parametrize("pooling", [None, "mean", "max", "sum", "tfidf", "sif"])
def test_train_save_and_load(pooling: str | None, model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.embedkit"
    shutil.copytree(model, copy)
    classifier = TextClassifier.train(TEXTS, LABELS, str(copy), pooling=pooling, **SETTINGS)
    assert classifier.predict(TEXTS).tolist() == LABELS
    assert classifier.predict(["mayor1 paris", "border0 france"]).tolist() == ["capital", "country"]
    classifier.save(tmp_path / "c")
    shutil.rmtree(copy)
    again = TextClassifier.load(tmp_path / "c")
    np.testing.assert_allclose(
        again.predict_proba(TEXTS), classifier.predict_proba(TEXTS), rtol=1e-5
    )
    assert again.labels.tolist() == ["capital", "country"]


def test_words_that_no_example_contains(model: Path) -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, str(model), pooling="mean", **SETTINGS)
    assert classifier.predict(["mayor1 madrid", "border2 spain"]).tolist() == ["capital", "country"]


@pytest.mark.parametrize("encoder", ["charcode", "onehot"])
def test_other_encoders(encoder: str, model: Path, tmp_path: Path) -> None:
    vectors = embedkit.load(model, encoder=encoder)
    classifier = TextClassifier.train(TEXTS, LABELS, vectors, pooling="mean", **SETTINGS)
    classifier.save(tmp_path / "c")
    again = TextClassifier.load(tmp_path / "c")
    assert isinstance(again.head, NetworkClassifier)
    assert again.head.features is not None
    assert again.head.features.vectors_.is_sparse == (encoder == "onehot")
    np.testing.assert_allclose(
        again.predict_proba(TEXTS), classifier.predict_proba(TEXTS), rtol=1e-5
    )


def test_an_existing_classifier_is_kept(model: Path, tmp_path: Path) -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, str(model), pooling="mean", **SETTINGS)
    classifier.save(tmp_path / "c")
    with pytest.raises(OutputExistsError, match="already exists and was not overwritten"):
        classifier.save(tmp_path / "c")
    classifier.save(tmp_path / "c", overwrite=True)


def test_a_classifier_cannot_be_loaded_as_vectors(model: Path, tmp_path: Path) -> None:
    TextClassifier.train(TEXTS, LABELS, str(model), **SETTINGS).save(tmp_path / "c")
    with pytest.raises(ModelError, match="holds a classifier, not vectors"):
        embedkit.load(tmp_path / "c")


def change(path: Path, **settings: Any) -> None:
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, **settings}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path, _: shutil.rmtree(path / "vectors"), "its vectors are missing. Train"),
        (lambda path, _: shutil.rmtree(path / "network"), "network as a DenseClassifier"),
        (lambda path, _: change(path, kind="x"), "holds a x, not a classifier"),
        (lambda path, _: change(path, pooling="median"), "unknown pooling 'median'"),
        (lambda path, _: change(path, vectors="0"), "does not contain the vectors that"),
        (lambda path, model: (
            shutil.rmtree(path / "vectors"), shutil.copytree(model, path / "vectors")
         ), "does not contain the vectors that"),
        (lambda path, _: (path / "pooling.safetensors").unlink(), "'component_' is missing"),
    ],
)  # fmt: skip
def test_damage_is_detected(damage: Any, message: str, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "c"
    TextClassifier.train(TEXTS, LABELS, str(model), pooling="sif", **SETTINGS).save(path)
    damage(path, model)
    with pytest.raises(ModelError, match=message):
        TextClassifier.load(path)


def test_anything_else_than_a_classifier_is_rejected(model: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"there is no classifier at .*nowhere\. Train one",
    ):
        TextClassifier.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="as a classifier: File name too long"):
        TextClassifier.load(tmp_path / ("x" * 300))
    with pytest.raises(ModelError, match="holds a skipgram, not a classifier"):
        TextClassifier.load(model)
    with pytest.raises(ModelError, match="is not a classifier"):
        TextClassifier.load(tmp_path)
    with pytest.raises(ConfigurationError, match="unknown pooling 'median'"):
        TextClassifier.train(TEXTS, LABELS, str(model), head="network", pooling="median")
    with pytest.raises(ConfigurationError, match="one-hot vectors cannot be fine-tuned"):
        TextClassifier.train(TEXTS, LABELS, embedkit.load(model, encoder="onehot"), head="network")
