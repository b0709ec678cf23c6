"""Model directories: written, read, compared with the safetensors package, and damaged."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import OutputExistsError, StorageError
from embedkit.storage.model_directory import check_output, read_model, write_model

WORDS = ["the", "naïve", "猫"]
CONFIG = {"encoder": "vectors", "note": "Grüße", "nested": {"list": [1, 2.5, None]}}
VOCABULARY, TENSORS = "vocabulary.arrow", "vectors.safetensors"


def some_tensors(words: int = 3) -> dict[str, np.ndarray]:
    random = np.random.default_rng(words)
    return {
        "vectors": random.normal(size=(words, 4)).astype(np.float32),
        "norms": random.normal(size=words).astype(np.float32),
        "context": random.normal(size=(words, 4)).astype(np.float32),
    }


def write(path: Path, **changes: object) -> Path:
    contents = {
        "config": CONFIG,
        "vocabulary": Vocabulary(WORDS, [7, 5, 5]),
        "tensors": some_tensors(),
    }
    write_model(path, **{**contents, **changes})  # type: ignore[arg-type]
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "model.embedkit")


def test_what_is_written_is_read_back(path: Path) -> None:
    model = read_model(path)
    assert model.config == {"format": 1, **CONFIG}
    assert model.vocabulary == Vocabulary(WORDS, [7, 5, 5])
    assert model.tensors.keys() == some_tensors().keys()
    for name, tensor in some_tensors().items():
        np.testing.assert_array_equal(model.tensors[name], tensor, strict=True)


def test_model_may_have_no_tensors(tmp_path: Path) -> None:
    path = write(tmp_path / "model", tensors=None)
    assert read_model(path).tensors == {}
    assert not (path / TENSORS).exists()


@pytest.mark.parametrize("words", [0, 1, 20_000])
def test_safetensors_package_reads_what_is_written(tmp_path: Path, words: int) -> None:
    tensors = some_tensors(words)
    vocabulary = Vocabulary([f"word{number}" for number in range(words)])
    path = write(tmp_path / "model", vocabulary=vocabulary, tensors=tensors)
    loaded = safetensors.numpy.load_file(path / TENSORS)
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(loaded[name], tensor, strict=True)
        np.testing.assert_array_equal(read_model(path).tensors[name], tensor, strict=True)


def test_matrix_in_column_order_is_stored_in_rows(tmp_path: Path) -> None:
    matrix = np.asfortranarray(np.arange(12.0).reshape(4, 3).T)
    path = write(tmp_path / "model", tensors={"vectors": matrix[:, ::2]})
    expected = [[0, 6], [1, 7], [2, 8]]
    np.testing.assert_array_equal(safetensors.numpy.load_file(path / TENSORS)["vectors"], expected)


@pytest.mark.parametrize("metadata", [None, {"made by": "another tool"}])
def test_what_the_safetensors_package_writes_is_read(
    path: Path, metadata: dict[str, str] | None
) -> None:
    tensors = {name: tensor * 2 for name, tensor in some_tensors().items()}
    safetensors.numpy.save_file(tensors, path / TENSORS, metadata=metadata)
    loaded = read_model(path).tensors
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(loaded[name], tensor, strict=True)


def test_tensors_are_read_only_memory_maps(path: Path) -> None:
    for tensor in read_model(path).tensors.values():
        assert isinstance(tensor, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            tensor[0] = 0


def test_no_file_is_a_pickle(path: Path) -> None:
    assert {file.name for file in path.iterdir()} == {"config.json", VOCABULARY, TENSORS}
    for file in path.iterdir():
        with pytest.raises((pickle.UnpicklingError, ValueError, EOFError, IndexError, KeyError)):
            pickle.loads(file.read_bytes())


def test_existing_output_is_kept(path: Path) -> None:
    with pytest.raises(OutputExistsError, match="overwrite"):
        write(path, vocabulary=Vocabulary(["new", "words", "here"]))
    assert read_model(path).vocabulary.words() == WORDS


def test_overwrite_replaces_a_model(path: Path) -> None:
    write(path, vocabulary=Vocabulary(["new"]), tensors=None, overwrite=True)
    assert read_model(path).vocabulary.words() == ["new"]
    assert not (path / TENSORS).exists()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_mapped_tensors_outlive_an_overwritten_model(path: Path) -> None:
    old = read_model(path)
    write(path, tensors={"vectors": np.zeros((3, 4))}, overwrite=True)
    np.testing.assert_array_equal(old.tensors["vectors"], some_tensors()["vectors"])
    assert old.vocabulary.words() == WORDS


def test_overwrite_keeps_other_directories_and_files(tmp_path: Path) -> None:
    folder, file = tmp_path / "thesis", tmp_path / "notes.txt"
    folder.mkdir()
    for kept in (folder / "chapter1.txt", file):
        kept.write_text("years of work")
    for output, why in ((folder, "is not an embedkit model"), (file, "is a file and is kept")):
        with pytest.raises(OutputExistsError, match=why):
            write(output, overwrite=True)
    assert (folder / "chapter1.txt").read_text() == file.read_text() == "years of work"


def test_empty_directory_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert read_model(write(tmp_path / "model")).vocabulary.words() == WORDS


@pytest.mark.parametrize("writer", [check_output, write])
def test_missing_parent_is_a_storage_error(
    tmp_path: Path, writer: Callable[[Path], object]
) -> None:
    with pytest.raises(StorageError, match=r"there is no directory .*nowhere.*Create it first"):
        writer(tmp_path / "nowhere" / "model")


@pytest.mark.parametrize("old", [True, False])
def test_failed_write_leaves_nothing_behind(tmp_path: Path, old: bool) -> None:
    path = tmp_path / "model"
    if old:
        write(path)
    with pytest.raises(TypeError):
        write(path, config={"what JSON cannot hold": object()}, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == (["model"] if old else [])
    if old:
        assert read_model(path).config["note"] == "Grüße"
