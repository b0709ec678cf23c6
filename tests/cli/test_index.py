"""index build, compare and drop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.vectors.word_vectors import WordVectors
from tests.conftest import Command


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A model with enough words for an index."""
    words = [f"word{number}" for number in range(1_000)]
    matrix = np.random.default_rng(0).standard_normal((len(words), 8)).astype(np.float32)
    path = tmp_path / "model.embedkit"
    WordVectors(Vocabulary(words, range(len(words), 0, -1)), matrix).save(path)
    return path


def test_an_index_is_built_used_and_dropped(inside: Command, large: Path) -> None:
    done = inside("index", "build", "--questions", 10)
    assert done.returncode == 0, done.stderr
    assert "recall@10" in done.stdout
    assert done.stdout.endswith("searches by cosine use the index, except with --exact.\n")
    assert (large / "index.faiss").exists()
    assert inside("index", "drop").stdout == "model.embedkit: removed the index.\n"
    assert inside("index", "drop", large).stdout == f"{large}: there was no index.\n"
    assert inside("index", "drop", "--quiet").stdout == ""
    assert json.loads(inside("index", "drop", "--json").stdout)["dropped"] is False


def test_the_training_of_an_index_is_announced(inside: Command, large: Path) -> None:
    asked = ["index", "build", large, "--kind", "ivfpq", "--nlist", 4, "--questions", 10]
    assert "training the index on 1,000 words\n" in inside(*asked).stderr
    assert "training" not in inside(*asked, "--quiet").stderr
    assert "training" not in inside("index", "build", large, "--questions", 10).stderr


def test_quiet_prints_only_what_was_asked(inside: Command, large: Path) -> None:
    assert inside("index", "build", large, "--questions", 10, "--quiet").stdout == ""
    asked = ["index", "build", large, "--questions", 10, "--quiet", "--json"]
    assert [one["kind"] for one in json.loads(inside(*asked).stdout)["indexes"]] == ["flat", "hnsw"]
