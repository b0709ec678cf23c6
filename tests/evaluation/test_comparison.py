"""Scores of several kinds, and comparisons of two models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embedkit.errors import ConfigurationError
from embedkit.evaluation.comparison import ScoreSettings, compare, facts, score
from embedkit.vectors.word_vectors import WordVectors
from tests.evaluation.samples import WORDS, structured, write


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    pairs = [f"country{n} capital{n} {n}" for n in range(10)]
    groups = [f"{word} {word.rstrip('0123456789')}" for word in WORDS]
    lines = [f"country{n} capital{n} country{n + 1} capital{n + 1}" for n in range(20)]
    return {
        "analogies": str(write(tmp_path / "a", ": s", *lines)),
        "similarity": str(write(tmp_path / "s", *pairs)),
        "categories": str(write(tmp_path / "c", *groups)),
    }


@pytest.mark.parametrize("kind", ["analogies", "similarity", "categories"])
def test_a_model_is_neither_better_nor_worse_than_itself(kind: str, files: dict[str, str]) -> None:
    found = score(WordVectors(WORDS, structured()), kind, files[kind])
    assert found.interval.low <= found.value <= found.interval.high
    json.dumps(facts(found), allow_nan=False)
    difference = compare(found, found)
    assert (difference.value, difference.verdict) == (0, "unclear")


def test_random_vectors_are_worse(files: dict[str, str]) -> None:
    noise = np.random.default_rng(1).normal(size=(len(WORDS), 12)).astype(np.float32)
    first, second = (
        score(WordVectors(WORDS, matrix), "categories", files["categories"])
        for matrix in (structured(), noise)
    )
    assert compare(first, second).verdict == "worse"


def test_invalid_kinds_and_settings_are_rejected(files: dict[str, str]) -> None:
    vectors = WordVectors(WORDS, structured())
    with pytest.raises(ConfigurationError, match="unknown kind of benchmark 'x'; choose from anal"):
        score(vectors, "x", files["analogies"])
    with pytest.raises(ConfigurationError, match="top must be an integer between 1 and"):
        ScoreSettings(top=0)
    first = score(vectors, "similarity", files["similarity"])
    second = score(vectors, "categories", files["categories"])
    with pytest.raises(ConfigurationError, match="different kinds of benchmarks"):
        compare(first, second)
