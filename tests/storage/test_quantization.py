"""float16 and int8 against their formulas."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, ModelError
from embedkit.storage.model_directory import read_model
from embedkit.storage.quantization import pack, unpack
from embedkit.vectors.word_vectors import WordVectors

TENSORS = "vectors.safetensors"
finite = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 6), st.integers(1, 9)),
    elements=st.floats(-(2.0**100), 2.0**100, width=32),
)  # fmt: skip


def some_vectors(words: int = 9_000, dimension: int = 7) -> WordVectors:
    matrix = np.random.default_rng(1).normal(size=(words, dimension)).astype(np.float32)
    matrix[3] = 0
    return WordVectors(Vocabulary([f"word{number}" for number in range(words)]), matrix)


@given(matrix=finite)
def test_int8_error_is_at_most_half_a_step(matrix: np.ndarray) -> None:
    tensors = pack(matrix, "int8")
    step = np.abs(matrix).max(axis=1, keepdims=True).astype(np.float64) / 127
    error = np.abs(unpack(tensors).astype(np.float64) - matrix)
    assert (error <= step * 0.5001 + 1e-42).all()
    assert tensors["vectors"].dtype == np.int8
    assert tensors["scales"].shape == (len(matrix),)


@given(matrix=finite)
def test_rounding_twice_changes_nothing(matrix: np.ndarray) -> None:
    once = pack(matrix, "int8")
    again = pack(unpack(once), "int8")
    normal = (
        once["scales"] > np.finfo(np.float32).tiny
    )  # smaller numbers have fewer digits in float32
    np.testing.assert_array_equal(again["vectors"][normal], once["vectors"][normal])


def test_int8_by_hand() -> None:
    matrix = np.array([[1, -2, 0.5, 0.004], [0, 0, 0, 0]], dtype=np.float32)
    tensors = pack(matrix, "int8")
    np.testing.assert_array_equal(tensors["vectors"], [[64, -127, 32, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(tensors["scales"], [2 / 127, 0])
    expected = np.array([[64, -127, 32, 0], [0, 0, 0, 0]]) * [[2 / 127], [0]]
    np.testing.assert_allclose(unpack(tensors), expected, rtol=1e-6)


def test_float16_rounds_as_numpy() -> None:
    matrix = some_vectors().matrix
    expected = matrix.astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(unpack(pack(matrix, "float16")), expected)


def test_float32_is_not_copied() -> None:
    matrix = some_vectors().matrix
    assert unpack(pack(matrix, "float32")) is matrix


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e6])
def test_number_outside_float16_is_an_error(bad: float) -> None:
    matrix = some_vectors(5_000).matrix.copy()
    matrix[4_500, 2] = bad
    with pytest.raises(ConfigurationError, match=r"row 4500 .* which float16 cannot"):
        pack(matrix, "float16")
    with pytest.raises(ConfigurationError, match="unknown storage 'int4'"):
        pack(matrix, "int4")


@pytest.mark.parametrize(("storage", "size"), [("float16", 2), ("int8", 1)])
def test_saved_model_opens_everywhere(tmp_path: Path, storage: str, size: int) -> None:
    vectors = some_vectors()
    vectors.save(tmp_path / "m", storage=storage)
    model = read_model(tmp_path / "m")
    assert model.storage == storage
    assert model.tensors["vectors"].nbytes == size * vectors.matrix.size
    assert isinstance(model.tensors["vectors"], np.memmap)
    opened = embedkit.load(tmp_path / "m")
    expected = unpack(pack(vectors.matrix, storage))
    np.testing.assert_array_equal(opened.matrix, expected)
    np.testing.assert_allclose(opened.norms, np.linalg.norm(expected, axis=1), rtol=1e-6)
    assert not opened.matrix.flags.writeable
    assert json.loads((tmp_path / "m" / "config.json").read_text())["format"] == 2
    # The safetensors package reads the same numbers.
    loaded = safetensors.numpy.load_file(tmp_path / "m" / TENSORS)
    scale = loaded.get("scales", np.float32([1]))[:, np.newaxis]
    np.testing.assert_array_equal(loaded["vectors"].astype(np.float32) * scale, expected)


def test_float32_models_keep_the_older_format(tmp_path: Path) -> None:
    some_vectors(5).save(tmp_path / "m")
    assert json.loads((tmp_path / "m" / "config.json").read_text())["format"] == 1
    assert isinstance(embedkit.load(tmp_path / "m").matrix.base, np.memmap)


def damaged(path: Path, name: str, dtype: str) -> None:
    """Change the type of a tensor in the header, or remove the tensor."""
    content = (path / TENSORS).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    if dtype:
        header[name]["dtype"] = dtype
    else:
        del header[name]
    text = json.dumps(header).encode()
    text += b" " * (length - len(text))
    (path / TENSORS).write_bytes(content[:8] + text + content[8 + length :])


@pytest.mark.parametrize(
    ("name", "dtype", "message"),
    [
        ("scales", "", "scales is missing"),
        ("scales", "F16", "the header of 'scales' is wrong"),
        ("vectors", "F16", "the header of 'vectors' is wrong"),
        ("vectors", "U8", "the header of 'vectors' is wrong"),
    ],
)
def test_damaged_header_is_an_error(tmp_path: Path, name: str, dtype: str, message: str) -> None:
    some_vectors(50).save(tmp_path / "m", storage="int8")
    damaged(tmp_path / "m", name, dtype)
    with pytest.raises(ModelError, match=message):
        embedkit.load(tmp_path / "m")


def test_scales_of_another_shape_are_an_error(tmp_path: Path) -> None:
    some_vectors(50).save(tmp_path / "m", storage="int8")
    tensors = safetensors.numpy.load_file(tmp_path / "m" / TENSORS)
    tensors["scales"] = np.ones((50, 2), dtype=np.float32)
    safetensors.numpy.save_file(tensors, tmp_path / "m" / TENSORS)
    with pytest.raises(ModelError, match="inconsistent"):
        embedkit.load(tmp_path / "m")
