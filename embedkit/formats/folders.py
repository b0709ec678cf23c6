"""Our own model directory, as one format among the others."""

from __future__ import annotations

from pathlib import Path

from embedkit.errors import ModelError
from embedkit.formats.repairs import Repairs
from embedkit.formats.source import Source
from embedkit.store import read_model
from embedkit.subwords import Subwords
from embedkit.vectors import WordVectors

__all__ = ["is_model", "read_model_folder", "write_model_folder"]


def is_model(source: Source) -> bool:
    """Tell whether the path is a directory that embedkit wrote."""
    return source.is_folder and (source.path / "vocabulary.arrow").is_file()


def read_model_folder(source: Source, _: Repairs, limit: int | None = None) -> WordVectors:
    """Open a model directory, memory-mapped.

    Raises:
        ModelError: it is damaged, or its encoder has no matrix of vectors.
    """
    model = read_model(source.path)
    if "vectors" not in model.tensors:
        raise ModelError(
            f"{source.path} holds no vectors: those of its encoder, "
            f"{model.config.get('encoder')!r}, are made of its words. Remedy: "
            "convert a model of trained vectors."
        )
    words = len(model.vocabulary) if limit is None else min(limit, len(model.vocabulary))
    return WordVectors(
        model.vocabulary.most_frequent(words),
        model.tensors["vectors"][:words],
        config=model.config,
        subwords=Subwords.of_model(model.config, model.tensors),
    )


def write_model_folder(vectors: WordVectors, path: Path, *, overwrite: bool) -> None:
    """Write a model directory; see `WordVectors.save`."""
    vectors.save(path, overwrite=overwrite)
