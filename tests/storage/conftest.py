"""A small model directory to damage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ModelError
from embedkit.storage.model_directory import read_model, write_model

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


def assert_damage_is_reported(path: Path, opener: Callable[[Path], object] = read_model) -> None:
    """Check that opening is an error that names the path and has a hint."""
    with pytest.raises(ModelError) as raised:
        opener(path)
    assert str(path) in str(raised.value)
    assert raised.value.hint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "model.embedkit")
