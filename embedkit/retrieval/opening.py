"""Check what an index was built with: its settings, and its model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedkit.errors import ConfigurationError, ModelError
from embedkit.features.lookup import open_vectors
from embedkit.retrieval.pooling import fingerprint
from embedkit.retrieval.settings import SearchIndexSettings
from embedkit.storage.config_file import RESTORE_HINT
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["VectorsSource", "model_entry", "model_of", "read_settings", "require_same_model"]

VectorsSource = str | os.PathLike[str] | WordVectors
_HINT = "Pass the model with --model (vectors=...), or build the index again."


def model_entry(source: VectorsSource, vectors: WordVectors) -> dict[str, str | None]:
    """Return what the configuration says about a model: where it is, and a hash of it."""
    path = None if isinstance(source, WordVectors) else os.path.abspath(source)
    return {"path": path, "fingerprint": fingerprint(vectors)}


def model_of(path: Path, config: Mapping[str, Any], given: VectorsSource | None) -> WordVectors:
    """Return the vectors that an index was built with.

    Args:
        path: the directory of the index.
        config: its configuration.
        given: the vectors, or the path of their model, if the user names them.

    Raises:
        ModelError: they are missing, or have changed since the index was built.
    """
    where = config["model"].get("path")
    if given is None and where is None:
        raise ModelError(
            f"{path} was built with vectors that were in memory only.",
            hint="Pass the same vectors again (vectors=...).",
        )
    try:
        vectors = open_vectors(where if given is None else given)
    except ModelError as error:
        if given is not None:
            raise
        raise ModelError(
            f"the model of {path} cannot be opened: {error.message}", hint=_HINT
        ) from error
    if fingerprint(vectors) != config["model"].get("fingerprint"):
        name = where if given is None else "this model"
        raise ModelError(
            f"{path} was built with other vectors than those of {name}: the model was changed or "
            "replaced.",
            hint=_HINT,
        )
    return vectors


def require_same_model(path: Path, now: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Raise `ModelError` if the index at *path* was replaced by one with another model."""
    if now["model"].get("fingerprint") != before["model"].get("fingerprint"):
        raise ModelError(
            f"{path} was replaced by another index in the meantime; nothing was changed.",
            hint="Open it again.",
        )


def read_settings(path: Path, config: Mapping[str, Any]) -> SearchIndexSettings:
    """Return the settings of an index.

    Raises:
        ModelError: they are damaged.
    """
    try:
        return SearchIndexSettings(**config["settings"])
    except (TypeError, ConfigurationError) as error:
        raise ModelError(f"{path} is damaged: {error}.", hint=RESTORE_HINT) from error
