"""A damaged model directory: every damage is an error that names the path and a remedy."""

from __future__ import annotations

import json
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
from embedkit.errors import ModelError
from embedkit.storage.model_directory import FORMAT, read_model, write_model

WORDS = ["the", "naïve", "猫"]
CONFIG = {"encoder": "vectors"}
VOCABULARY, TENSORS = "vocabulary.arrow", "vectors.safetensors"


def some_tensors(words: int = 3) -> dict[str, np.ndarray]:
    matrix = np.arange(words * 4, dtype=np.float32).reshape(words, 4)
    return {"vectors": matrix, "norms": matrix.sum(axis=1), "context": matrix * 2}


def write(path: Path) -> Path:
    write_model(path, config=CONFIG, vocabulary=Vocabulary(WORDS), tensors=some_tensors())
    return path


def safetensors_file(header: object, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def described(
    shape: list[int], offsets: list[int], dtype: str = "F32"
) -> dict[str, dict[str, object]]:
    return {"vectors": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


def assert_damage_is_reported(path: Path, opener: Callable[[Path], object] = read_model) -> None:
    with pytest.raises(ModelError) as raised:
        opener(path)
    assert str(path) in str(raised.value)
    assert raised.value.hint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "model.embedkit")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("store") / "model.embedkit")


def test_missing_model_is_reported(tmp_path: Path) -> None:
    assert_damage_is_reported(tmp_path / "nothing")


def test_file_in_place_of_a_model_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("cat 1 2 3")
    assert_damage_is_reported(tmp_path / "file")


def test_folder_without_config_is_reported(path: Path) -> None:
    (path / "config.json").unlink()
    assert_damage_is_reported(path)


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1]",
        b"1",
        b"null",
        b"{}",
        b'{"format": "1"}',
        b'{"format": null}',
        b"[" * 100_000,
    ],
    ids=lambda config: config[:12].decode(errors="replace") or "empty",
)
def test_damaged_config_is_reported(path: Path, config: bytes) -> None:
    (path / "config.json").write_bytes(config)
    assert_damage_is_reported(path)


def test_newer_format_names_both_versions(path: Path) -> None:
    (path / "config.json").write_text(json.dumps({**CONFIG, "format": FORMAT + 1}))
    assert_damage_is_reported(path)
    with pytest.raises(ModelError, match=f"format {FORMAT + 1}.*up to {FORMAT}"):
        read_model(path)


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


@pytest.mark.parametrize("length", [0, 1, 49, 2**20, 2**31, 2**63, 2**64 - 1])
def test_wrong_header_length_is_reported(path: Path, length: int) -> None:
    whole = (path / TENSORS).read_bytes()
    (path / TENSORS).write_bytes(struct.pack("<Q", length) + whole[8:])
    assert_damage_is_reported(path)


@pytest.mark.parametrize(
    "header",
    [
        [],
        None,
        {"vectors": None},
        {"vectors": {}},
        {"vectors": {"dtype": "F32", "shape": [3, 4]}},
        described([3, 4], [0]),
        described([3, 4], [0, 48, 96]),
        described([3, 4], [0, 44]),
        described([3, 4], [48, 0]),
        described([3, 4], [-48, 0]),
        described([3, 4], [48, 96]),
        described([3, 4], [2**62, 2**62 + 48]),
        described([3, -4], [0, 48]),
        described([-3, -4], [0, 48]),
        described([3, 2**62], [0, 48]),
        described([3, 10**40, 0], [0, 0]),
        described([3, 4.0], [0, 48]),
        described(["3", "4"], [0, 48]),
        described([], [0, 4]),
        described([3, 2], [0, 48], dtype="F64"),
        described([3, 8], [0, 48], dtype="F16"),
        described([3, 4], [0, 48], dtype="I32"),
        b"[" * 100_000,
        b"\xff\xfe\xfd",
    ],
    ids=lambda header: repr(header)[:90],
)
def test_wrong_header_is_reported(path: Path, header: object) -> None:
    (path / TENSORS).write_bytes(safetensors_file(header, bytes(48)))
    assert_damage_is_reported(path)


@pytest.mark.parametrize("start", [0, 4, 44])
def test_overlapping_tensors_are_reported(path: Path, start: int) -> None:
    header = described([3, 4], [0, 48])
    header["context"] = {**header["vectors"], "data_offsets": [start, start + 48]}
    content = safetensors_file(header, bytes(96))
    with pytest.raises(safetensors.SafetensorError):
        safetensors.deserialize(content)
    (path / TENSORS).write_bytes(content)
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


@pytest.mark.parametrize(
    "config",
    [
        {"encoder": "glove"},
        {"encoder": None},
        {"encoder": "skipgram", "settings": []},
        {"encoder": "skipgram", "settings": {"window": 99}},
        {"encoder": "skipgram", "training": 5},
        {"encoder": "onehot", "settings": {"min_count": "many"}},
        {"encoder": "charcode", "settings": 1},
    ],
    ids=repr,
)
def test_settings_that_make_no_encoder_are_reported(path: Path, config: dict[str, object]) -> None:
    (path / "config.json").write_text(json.dumps({"format": FORMAT, **config}))
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
