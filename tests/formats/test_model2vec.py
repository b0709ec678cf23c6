"""Static models against model2vec and the layout of tokenizers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import embedkit
from embedkit.formats import read, write
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
