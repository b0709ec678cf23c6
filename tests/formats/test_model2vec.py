"""Static models against model2vec and the layout of tokenizers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import embedkit
from embedkit.errors import FormatError
from embedkit.formats import convert, read, write
from tests.formats.conftest import same


def test_model2vec_loads_what_is_written(model: Path, tmp_path: Path) -> None:
    model2vec = pytest.importorskip("model2vec", reason="model2vec is not installed")
    vectors = embedkit.load(model)
    write(vectors, tmp_path / "static", format="static")
    theirs = model2vec.StaticModel.from_pretrained(tmp_path / "static")
    found = theirs.encode(["Paris, rome!", "unheard paris"])
    mean = (vectors["paris"] + vectors["rome"]) / 2
    assert np.allclose(found, [mean, vectors["paris"]], atol=1e-6)


def test_folder_has_the_layout_of_tokenizers(model: Path, tmp_path: Path) -> None:
    vectors = embedkit.load(model)
    write(vectors, tmp_path / "static", format="static")
    tokenizer = json.loads((tmp_path / "static" / "tokenizer.json").read_text())
    assert tokenizer["model"]["vocab"]["paris"] == vectors.row("paris")
    assert tokenizer["model"]["vocab"][tokenizer["model"]["unk_token"]] == len(vectors)
    assert same(read(tmp_path / "static"), vectors)


@pytest.fixture(scope="module")
def static(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model2vec") / "static"
    write(embedkit.load(model), folder, format="static")
    return folder


@pytest.mark.parametrize("rows", [7, None], ids=["mapping and weights", "weights"])
def test_tokens_have_the_vectors_of_model2vec(
    rows: int | None, static: Path, tmp_path: Path
) -> None:
    """With vocabulary quantization many tokens share a row, and each has a factor."""
    model2vec = pytest.importorskip("model2vec", reason="model2vec is not installed")
    theirs = model2vec.StaticModel.from_pretrained(static)
    random = np.random.default_rng(1)
    theirs.weights = random.random(len(theirs.embedding), dtype=np.float32)
    if rows:
        theirs.token_mapping = random.integers(0, rows, len(theirs.embedding))
        theirs.embedding = theirs.embedding[:rows]
    theirs.save_pretrained(tmp_path / "x")
    ours = read(tmp_path / "x")
    words = ["paris", "rome", "france"]
    assert np.allclose(ours.encode(words), theirs.encode(words), atol=1e-6)
    assert len(ours) == len(theirs.tokens) - 1


def changed_tensors(static: Path, folder: Path, **tensors: np.ndarray) -> Path:
    write(read(static), folder, format="static")
    save_file({**load_file(folder / "model.safetensors"), **tensors}, folder / "model.safetensors")
    return folder


def test_short_mapping_is_an_error(static: Path, tmp_path: Path) -> None:
    path = changed_tensors(static, tmp_path / "x", mapping=np.zeros(3, dtype=np.int64))
    with pytest.raises(FormatError, match="its mapping has 3 numbers for"):
        read(path)


def test_unknown_tensor_is_named(static: Path, tmp_path: Path) -> None:
    path = changed_tensors(static, tmp_path / "x", bias=np.zeros(3, dtype=np.float32))
    with pytest.raises(FormatError, match="it also contains bias, which embedkit does not support"):
        read(path)
    report = convert(path, tmp_path / "y.embedkit", errors="skip")
    assert report.repairs == {"unknown_part": 1}


def test_other_modules_are_named(static: Path, tmp_path: Path) -> None:
    """A dense layer after the mean makes other vectors than those of the tokens."""
    write(read(static), tmp_path / "x", format="static")
    modules = json.loads((tmp_path / "x" / "modules.json").read_text())
    modules += [{"idx": 1, "name": "1", "type": "sentence_transformers.models.Normalize"}]
    (tmp_path / "x" / "modules.json").write_text(json.dumps(modules))
    read(tmp_path / "x")
    modules += [{"idx": 2, "name": "2", "type": "sentence_transformers.models.Dense"}]
    (tmp_path / "x" / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(FormatError, match="it also contains Dense"):
        read(tmp_path / "x")
