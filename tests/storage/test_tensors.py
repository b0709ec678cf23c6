"""safetensors files, compared with the safetensors package, and damaged."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.storage.model_directory import read_model
from tests.storage.conftest import TENSORS, assert_damage_is_reported, some_tensors, write


def safetensors_file(header: object, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor_header(
    shape: list[int], offsets: list[int], dtype: str = "F32"
) -> dict[str, dict[str, object]]:
    return {"vectors": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


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
        tensor_header([3, 4], [0]),
        tensor_header([3, 4], [0, 48, 96]),
        tensor_header([3, 4], [0, 44]),
        tensor_header([3, 4], [48, 0]),
        tensor_header([3, 4], [-48, 0]),
        tensor_header([3, 4], [48, 96]),
        tensor_header([3, 4], [2**62, 2**62 + 48]),
        tensor_header([3, -4], [0, 48]),
        tensor_header([-3, -4], [0, 48]),
        tensor_header([3, 2**62], [0, 48]),
        tensor_header([3, 10**40, 0], [0, 0]),
        tensor_header([3, 4.0], [0, 48]),
        tensor_header(["3", "4"], [0, 48]),
        tensor_header([], [0, 4]),
        tensor_header([3, 2], [0, 48], dtype="F64"),
        tensor_header([3, 8], [0, 48], dtype="F16"),
        tensor_header([3, 4], [0, 48], dtype="I32"),
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
    header = tensor_header([3, 4], [0, 48])
    header["context"] = {**header["vectors"], "data_offsets": [start, start + 48]}
    content = safetensors_file(header, bytes(96))
    with pytest.raises(safetensors.SafetensorError):
        safetensors.deserialize(content)
    (path / TENSORS).write_bytes(content)
    assert_damage_is_reported(path)
