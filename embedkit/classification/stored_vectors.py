"""The word vectors that a saved classifier contains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from embedkit.encoders import ENCODERS, load, untrained
from embedkit.errors import ModelError
from embedkit.storage.config_file import RESTORE_HINT
from embedkit.storage.model_directory import read_model
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["load_vectors", "save_vectors"]


def save_vectors(vectors: WordVectors, path: Path) -> str:
    """Write a model directory; return its fingerprint."""
    name = str(vectors.config.get("encoder"))
    if name in ENCODERS and vectors.is_sparse:  # one-hot: the words are enough
        untrained(name, vectors.vocabulary).save(path)
    else:
        vectors.save(path)
    return str(read_model(path).fingerprint)


def load_vectors(folder: Path, name: str, config: Mapping[str, object]) -> WordVectors:
    """Open the vectors of a classifier.

    Args:
        folder: the classifier's directory.
        name: of the model directory in it.
        config: of the classifier; "vectors" is the fingerprint that `save_vectors` returned.

    Raises:
        ModelError: they are missing, or not those that the classifier was trained on.
    """
    path = folder / name
    if not path.is_dir():
        raise ModelError(f"{folder} is incomplete: its {name} are missing.", hint=RESTORE_HINT)
    if read_model(path).fingerprint != config.get("vectors"):
        raise ModelError(
            f"{path} does not contain the vectors that the classifier was trained on.",
            hint=RESTORE_HINT,
        )
    return load(path)
