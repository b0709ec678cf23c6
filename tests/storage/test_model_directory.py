"""Model directories: written in one step, read, and damaged."""

from __future__ import annotations

import pickle
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import load
from embedkit.errors import ModelError, OutputExistsError, StorageError
from embedkit.storage.model_directory import check_output, read_model
from tests.storage.conftest import (
    CONFIG,
    TENSORS,
    VOCABULARY,
    WORDS,
    assert_damage_is_reported,
    some_tensors,
    write,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("store") / "model.embedkit")


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
    for output, why in (
        (folder, "is not an embedkit model"),
        (file, "is a file and was not"),
    ):
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


def test_missing_model_is_reported(tmp_path: Path) -> None:
    assert_damage_is_reported(tmp_path / "nothing")


def test_file_in_place_of_a_model_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("cat 1 2 3")
    assert_damage_is_reported(tmp_path / "file")


def test_folder_without_config_is_reported(path: Path) -> None:
    (path / "config.json").unlink()
    assert_damage_is_reported(path)


def test_missing_vocabulary_is_reported(path: Path) -> None:
    (path / VOCABULARY).unlink()
    assert_damage_is_reported(path)


def test_missing_vectors_are_reported(path: Path) -> None:
    (path / TENSORS).unlink()
    assert_damage_is_reported(path, load)


@pytest.mark.parametrize("name", [VOCABULARY, TENSORS])
def test_file_cut_short_anywhere_is_reported(path: Path, name: str) -> None:
    whole = (path / name).read_bytes()
    for length in range(len(whole)):
        (path / name).write_bytes(whole[:length])
        assert_damage_is_reported(path)


@settings(deadline=None, max_examples=100)
@given(noise=st.binary(max_size=400), name=st.sampled_from([VOCABULARY, TENSORS]))
def test_random_bytes_are_reported(shared: Path, noise: bytes, name: str) -> None:
    whole = (shared / name).read_bytes()
    try:
        (shared / name).write_bytes(noise)
        assert_damage_is_reported(shared)
    finally:
        (shared / name).write_bytes(whole)


@pytest.mark.parametrize(
    "columns",
    [
        {"word": WORDS},
        {"word": WORDS, "count": [7, 5, 5]},
        {"word": [1, 2, 3], "count": [7, 5, 5], "order": [0, 1, 2]},
        {"word": WORDS, "count": ["a", "b", "c"], "order": [0, 1, 2]},
    ],
    ids=["words alone", "no order", "numbers for words", "words for counts"],
)
def test_vocabulary_of_other_columns_is_reported(path: Path, columns: dict[str, list]) -> None:
    table = pa.table(columns)
    with pa.ipc.new_file(str(path / VOCABULARY), table.schema) as writer:
        writer.write_table(table)
    assert_damage_is_reported(path)


@pytest.mark.parametrize("rows", [0, 2, 4])
def test_other_number_of_rows_than_words_is_reported(path: Path, rows: int) -> None:
    safetensors.numpy.save_file(some_tensors(rows), path / TENSORS)
    assert_damage_is_reported(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"vectors": np.ones(3, dtype=np.float32)},
        {"vectors": np.ones((3, 2, 2), dtype=np.float32)},
        {"norms": np.ones((3, 4), dtype=np.float32)},
        {"context": np.ones((3, 2), dtype=np.float32)},
    ],
    ids=["vectors of 1 axis", "vectors of 3 axes", "norms of 2 axes", "context of another width"],
)
def test_tensors_of_wrong_shape_are_reported(path: Path, changed: dict[str, np.ndarray]) -> None:
    safetensors.numpy.save_file({**some_tensors(), **changed}, path / TENSORS)
    assert_damage_is_reported(path, load)


@pytest.mark.parametrize("offset", [-1, 2**31 - 1])
def test_vocabulary_that_points_outside_its_text_is_reported(path: Path, offset: int) -> None:
    whole = (path / VOCABULARY).read_bytes()
    ends, damaged = struct.pack("<3i", 3, 9, 12), struct.pack("<3i", 3, offset, 12)
    assert whole.count(ends) == 1
    (path / VOCABULARY).write_bytes(whole.replace(ends, damaged))
    # In a process of its own, which a wild pointer may take down.
    program = "import sys, embedkit; embedkit.load(sys.argv[1]).vocabulary.words()"
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=False
    )
    assert "embedkit.errors.ModelError: " in done.stderr, done.returncode


@pytest.mark.parametrize("position", range(0, 600, 29))
def test_flipped_bit_of_the_vocabulary_is_found(position: int, model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.embedkit"
    shutil.copytree(model, copy)
    path = copy / "vocabulary.arrow"
    data = bytearray(path.read_bytes())
    data[position] ^= 4
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"vocabulary\.arrow is damaged"):
        read_model(copy)
