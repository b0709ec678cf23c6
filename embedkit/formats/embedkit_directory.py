"""embedkit's own model directory, as one of the formats."""

from __future__ import annotations

import shutil
from pathlib import Path

from embedkit.errors import FormatError, ModelError, quoted
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import Repairs
from embedkit.storage.config_file import CONFIG
from embedkit.storage.model_directory import (
    NOT_OF_WORDS,
    read_model,
    replaced_directory,
    write_model,
)
from embedkit.storage.quantization import unpack
from embedkit.vectors.subwords import stored_subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "copy_model",
    "is_model",
    "not_vectors_error",
    "read_model_folder",
    "write_model_folder",
]


def is_model(source: ByteSource) -> bool:
    """Tell whether the path is a model directory."""
    return source.is_folder and (source.path / "vocabulary.arrow").is_file()


def not_vectors_error(path: Path) -> ModelError:
    """Return the error for a directory that is not in a known format."""
    try:
        read_model(path)
    except ModelError as error:  # it is more specific about classifiers and damaged models
        if (path / CONFIG).is_file():
            return error
    return FormatError(
        f"{path} is a directory without words and vectors: neither an embedkit model nor a "
        "model2vec model.",
        hint="Pass a model directory or a file of vectors.",
    )


def read_model_folder(source: ByteSource, _: Repairs, limit: int | None = None) -> WordVectors:
    """Open a model directory, memory-mapped where its numbers are float32.

    Raises:
        ModelError: it is damaged, or its encoder has no matrix of vectors.
    """
    model = read_model(source.path)
    if "vectors" not in model.tensors:
        raise ModelError(
            f"{source.path} contains no vectors: its encoder, "
            f"{quoted(model.config.get('encoder'))}, makes them from the words.",
            hint="Convert a model with trained vectors.",
        )
    words = len(model.vocabulary) if limit is None else min(limit, len(model.vocabulary))
    rows = {name: tensor[:words] for name, tensor in model.tensors.items()}
    return WordVectors.from_checked(
        model.vocabulary.most_frequent(words),
        unpack(rows),
        config=model.config,
        context=rows.get("context"),
        subwords=stored_subwords(model.path, model.config, model.tensors),
    )


def write_model_folder(vectors: WordVectors, path: Path, options: WriteOptions) -> None:
    """Write a model directory, with the output matrix if it is known; see `WordVectors.save`."""
    vectors.save(path, overwrite=options.overwrite, context=True)


def copy_model(source: Path, target: Path, limit: int | None, *, overwrite: bool) -> None:
    """Write a model directory with everything that another one contains.

    Args:
        limit: copy only the first *limit* words, without the index, which covers all words.

    Raises:
        ModelError: *source* is damaged, or was replaced by another model while it was copied.
        OutputExistsError: the target exists and *overwrite* is false.
        StorageError: the disk is full, or the path is not writable.
    """
    model = read_model(source)
    if limit is not None and limit < len(model.vocabulary):
        tensors = {
            n: rows if n in NOT_OF_WORDS else rows[:limit] for n, rows in model.tensors.items()
        }
        words = model.vocabulary.most_frequent(limit)
        write_model(
            target, config=model.config, vocabulary=words, tensors=tensors, overwrite=overwrite
        )
        return
    with replaced_directory(target, overwrite=overwrite) as folder:
        shutil.copytree(source, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
        if read_model(folder).fingerprint != model.fingerprint:
            raise ModelError(
                f"{source} was replaced by another model while it was copied.",
                hint="Convert it again.",
            )
