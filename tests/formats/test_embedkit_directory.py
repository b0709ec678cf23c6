"""Model directories as a format: everything is kept, and other directories are rejected."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import embedkit as library
from embedkit.encoders import SkipGramEncoder
from embedkit.errors import FormatError, ModelError
from embedkit.formats import convert, embedkit_directory, read
from tests.conftest import Command, sentences


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("".join(" ".join(words) + "\n" for words in sentences(400)))
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with enough words for an index, and a file that embedkit did not write."""
    path = tmp_path_factory.mktemp("large") / "model.embedkit"
    encoder = SkipGramEncoder(dimension=8, epochs=1, min_count=1, sample=0, workers=1)
    encoder.fit([f"word{n}", f"word{n + 1}"] for n in range(1_200)).save(path)
    (path / "README.md").write_text("how it was made")
    return path


@pytest.fixture
def mine(large: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(large, tmp_path / "mine.embedkit"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("target", ["mine.embedkit", "copy.embedkit"])
def test_copy_keeps_everything(embedkit: Command, mine: Path, text: Path, target: str) -> None:
    assert embedkit("index", "build", "--kind", "hnsw", "--model", mine).returncode == 0
    before = contents(mine)
    assert {"index.faiss", "README.md"} < {*before}
    report = embedkit("convert", mine, target, "--overwrite", "--json")
    assert json.loads(report.stdout)["bytes"] == sum(map(len, before.values()))
    assert contents(mine) == contents(mine.parent / target) == before
    averaged = embedkit("postprocess", target, "--average", "-o", "averaged")
    assert averaged.returncode == 0, averaged.stderr
    onwards = embedkit("train", text, "--epochs", "1", "--continue-from", target, "-o", "onwards")
    assert onwards.returncode == 0, onwards.stderr


def test_copy_of_fewer_words_keeps_their_rows(embedkit: Command, mine: Path, text: Path) -> None:
    assert embedkit("index", "build", "--kind", "hnsw", "--model", mine).returncode == 0
    whole = load_file(mine / "vectors.safetensors")
    assert {*whole} == {"vectors", "norms", "context"}
    words = [*library.load(mine).vocabulary][:5]
    assert convert(mine, mine, limit=5, overwrite=True).words == 5
    rows = load_file(mine / "vectors.safetensors")
    assert {name: tensor.tolist() for name, tensor in rows.items()} == {
        name: tensor[:5].tolist() for name, tensor in whole.items()
    }
    assert [*library.load(mine).vocabulary] == words
    assert not (mine / "index.faiss").exists()
    onwards = embedkit("train", text, "--epochs", "1", "--continue-from", mine, "-o", "onwards")
    assert onwards.returncode == 0, onwards.stderr


@pytest.mark.parametrize("storage", ["float16", "int8"])
def test_copy_keeps_the_storage(model: Path, tmp_path: Path, storage: str) -> None:
    library.load(model).save(tmp_path / "small", storage=storage)
    expected = library.load(tmp_path / "small")
    convert(tmp_path / "small", tmp_path / "small.glove")
    assert np.array_equal(read(tmp_path / "small.glove").matrix, expected.matrix)
    assert np.array_equal(read(tmp_path / "small", limit=3).matrix, expected.matrix[:3])
    convert(tmp_path / "small", tmp_path / "copy", limit=3)
    numbers = load_file(tmp_path / "copy" / "vectors.safetensors")
    assert numbers["vectors"].dtype == storage
    assert np.array_equal(library.load(tmp_path / "copy").matrix, expected.matrix[:3])


def test_model_replaced_during_the_copy_is_an_error(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    library.load(mine).save(other)
    copy = shutil.copytree

    def copied_too_late(source: Path, target: Path, **options: Any) -> None:
        copy(other, target, **options)

    monkeypatch.setattr(embedkit_directory.shutil, "copytree", copied_too_late)
    with pytest.raises(ModelError, match="was replaced by another model"):
        convert(mine, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_directories_without_vectors_are_rejected(
    embedkit: Command, model: Path, tmp_path: Path
) -> None:
    texts = "".join(f"{word}\t{label}\n" for word in ("paris", "rome") for label in "ab") * 9
    (tmp_path / "texts.tsv").write_text(texts)
    trained = embedkit(
        "classify", "train", "texts.tsv", "--model", model, "-o", "classifier",
        "--head", "network", "--epochs", "1",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    for name in ("classifier", "classifier/network"):
        done = embedkit("convert", name, "x.glove")
        assert (done.returncode, "not vectors." in done.stderr) == (
            1, True,
        ), done.stderr  # fmt: skip
    (tmp_path / "texts").mkdir()
    with pytest.raises(FormatError, match="texts is a directory without words and vectors"):
        read(tmp_path / "texts")
    with pytest.raises(FormatError, match="is a directory, but glove is a format of files"):
        read(model, format="glove")
    (tmp_path / "texts" / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json is damaged"):
        read(tmp_path / "texts")
