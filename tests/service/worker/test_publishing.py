"""Publishing models: the copy that workers map, and switching between generations."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

import embedkit
from embedkit.encoders import CharCodeEncoder, load_encoder
from embedkit.errors import ModelError
from embedkit.service.worker.publishing import CURRENT, Publisher, write_serving_copy
from embedkit.storage.model_directory import read_model
from embedkit.storage.tensors import read_tensors
from embedkit.vectors.word_vectors import WordVectors
from tests.damage import save_unchecked
from tests.subwords import composed, subword_vectors


def saved(path: Path, matrix: list[list[float]], words: str = "abc") -> Path:
    return save_unchecked(path, list(words)[: len(matrix)], matrix)


def test_the_copy_has_the_vectors_and_the_rows_at_length_1(model: Path, tmp_path: Path) -> None:
    write_serving_copy(model, tmp_path / "copy")
    original = embedkit.load(model)
    tensors = read_tensors(tmp_path / "copy" / "vectors.safetensors")
    assert set(tensors) == {"vectors", "norms", "units"}  # nothing that only training needs
    np.testing.assert_array_equal(tensors["vectors"], original.matrix)
    lengths = np.linalg.norm(original.matrix.astype(np.float64), axis=1)
    np.testing.assert_allclose(tensors["norms"], lengths, rtol=1e-6)
    np.testing.assert_allclose(
        tensors["units"], original.matrix / lengths[:, np.newaxis], atol=1e-6
    )
    copy = load_encoder(tmp_path / "copy").vectors()
    assert list(copy) == list(original)
    assert copy.neighbors("paris") == original.neighbors("paris")


def test_the_copy_has_the_rows_of_n_grams(subword_model: Path, tmp_path: Path) -> None:
    write_serving_copy(subword_model, tmp_path / "copy")
    tensors = read_tensors(tmp_path / "copy" / "vectors.safetensors", {"buckets": ("I32",)})
    assert set(tensors) == {"vectors", "norms", "units", "ngrams", "buckets"}
    copy = load_encoder(tmp_path / "copy").vectors()
    np.testing.assert_allclose(copy["talking"], composed("talking"), atol=1e-6)
    assert not copy.subwords.rows.flags.owndata  # mapped, so that workers share it
    assert copy.neighbors("talking") == embedkit.load(subword_model).neighbors("talking")


def test_rows_of_n_grams_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    vectors = subword_vectors()
    rows = vectors.subwords.rows.copy()
    rows[3, 2] = np.nan
    broken = dataclasses.replace(vectors.subwords, rows=rows)
    WordVectors.from_checked(vectors.vocabulary, vectors.matrix, subwords=broken).save(
        tmp_path / "model"
    )
    with pytest.raises(ModelError, match=r"is damaged: .* NaN or infinity"):
        write_serving_copy(tmp_path / "model", tmp_path / "copy")


def test_encoders_without_training_are_copied_as_they_are(tmp_path: Path) -> None:
    encoder = CharCodeEncoder().fit([["cat", "bat"]])
    encoder.save(tmp_path / "codes")
    write_serving_copy(tmp_path / "codes", tmp_path / "copy")
    assert read_model(tmp_path / "copy").config["encoder"] == "charcode"
    assert load_encoder(tmp_path / "copy").encode(["cat"]).tolist() == [[99, 97, 116]]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2], [np.nan, 1]], r"is damaged: the vector of 'b' contains NaN or infinity"),
        ([[3e38, 3e38]], r"is damaged: the vector of 'a' contains NaN or infinity"),
    ],
)
def test_vectors_that_are_not_finite_are_refused(
    matrix: list[list[float]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        write_serving_copy(saved(tmp_path / "model", matrix), tmp_path / "copy")
    assert caught.value.hint == "Train the model again."
    assert not (tmp_path / "copy").exists()


def test_a_model_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="File name too long"):
        write_serving_copy(tmp_path / ("x" * 300), tmp_path / "copy")


def test_generations_replace_each_other(tmp_path: Path) -> None:
    model, folder = saved(tmp_path / "model", [[1, 0]]), tmp_path / "served"
    publisher = Publisher("model", model, folder)
    for generation, matrix in enumerate([[[1, 0]], [[0, 1]], [[2, 0], [0, 2]]], start=1):
        saved(model, [[float(x) for x in row] for row in matrix])
        publisher.publish()
        assert publisher.generation == generation
        assert (folder / CURRENT).readlink() == Path(str(generation))
        served = load_encoder(folder / CURRENT).vectors()
        np.testing.assert_array_equal(served.matrix, matrix)
    # A worker may still be opening the previous generation.
    assert sorted(path.name for path in folder.iterdir()) == ["2", "3", CURRENT]


def test_a_model_that_cannot_be_served_leaves_the_old_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, folder = saved(tmp_path / "model", [[1, 0]]), tmp_path / "served"
    publisher = Publisher("model", model, folder)
    publisher.publish()
    saved(model, [[np.inf, 0]])
    with pytest.raises(ModelError):
        publisher.publish()
    with caplog.at_level(logging.ERROR, logger="embedkit.service"):
        publisher._publish_or_log()
    assert "Still serving the old one" in caplog.text
    assert publisher.generation == 1
    assert load_encoder(folder / CURRENT).vectors().matrix.tolist() == [[1, 0]]


def test_a_change_of_the_model_is_noticed(tmp_path: Path) -> None:
    publisher = Publisher("model", saved(tmp_path / "model", [[1, 0]]), tmp_path)
    before = publisher._fingerprint()
    assert before == publisher._fingerprint() != []
    saved(tmp_path / "model", [[1, 1]])
    assert publisher._fingerprint() != before
    file = tmp_path / "vectors.vec"
    file.write_text("a 1 2\n")
    assert Publisher("file", file, tmp_path)._fingerprint()[0][0] == "vectors.vec"
    assert Publisher("none", tmp_path / "nowhere", tmp_path)._fingerprint() == []


def test_an_unexpected_error_does_not_end_watching(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher("mine", model, tmp_path / "published")
    monkeypatch.setattr(publisher, "publish", lambda: {}["a mistake"])
    with caplog.at_level(logging.ERROR):
        publisher._publish_or_log()
    assert "The new model mine cannot be served" in caplog.text
    assert "KeyError" in caplog.text
    assert "Traceback" in caplog.text
