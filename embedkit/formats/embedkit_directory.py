"""Our own model directory, as one format among the others."""

from __future__ import annotations

import shutil
from pathlib import Path

from embedkit.errors import FormatError, ModelError
from embedkit.formats.byte_source import Source
from embedkit.formats.repairs import Repairs
from embedkit.storage.config_file import CONFIG
from embedkit.storage.model_directory import check_output, read_model, write_model
from embedkit.storage.quantization import unpack
from embedkit.system.files import atomic_directory
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["copy_model", "foreign", "is_model", "read_model_folder", "write_model_folder"]


def is_model(source: Source) -> bool:
    """Tell whether the path is a directory that embedkit wrote."""
    return source.is_folder and (source.path / "vocabulary.arrow").is_file()


def foreign(path: Path) -> ModelError:
    """Return the error that says what a directory is that holds no words and vectors."""
    try:
        read_model(path)
    except ModelError as error:  # a classifier, or a part of it, and what is damaged tells itself
        if (path / CONFIG).is_file():
            return error
    return FormatError(
        f"{path} is a directory without words and vectors: neither a model nor what model2vec "
        "writes.",
        hint="Name a model directory, or a file of vectors.",
    )


def read_model_folder(source: Source, _: Repairs, limit: int | None = None) -> WordVectors:
    """Open a model directory, memory-mapped where its numbers are float32.

    Raises:
        ModelError: it is damaged, or its encoder has no matrix of vectors.
    """
    model = read_model(source.path)
    if "vectors" not in model.tensors:
        raise ModelError(
            f"{source.path} holds no vectors: those of its encoder, "
            f"{model.config.get('encoder')!r}, are made of its words.",
            hint="Convert a model of trained vectors.",
        )
    words = len(model.vocabulary) if limit is None else min(limit, len(model.vocabulary))
    rows = {name: tensor[:words] for name, tensor in model.tensors.items()}
    return WordVectors(
        model.vocabulary.most_frequent(words),
        unpack(rows),
        config=model.config,
        subwords=Subwords.of_model(model.config, model.tensors),
    )


def write_model_folder(vectors: WordVectors, path: Path, *, overwrite: bool) -> None:
    """Write a model directory; see `WordVectors.save`."""
    vectors.save(path, overwrite=overwrite)


def copy_model(source: Path, target: Path, limit: int | None, *, overwrite: bool) -> None:
    """Write a model directory that holds all that another one does.

    Args:
        limit: no more than so many words, the first ones; then an index of all is left out.

    Raises:
        ModelError: *source* is damaged, or has become another model meanwhile.
        OutputExistsError: something is there and *overwrite* is false.
        StorageError: the place cannot be written to.
    """
    model = read_model(source)
    if limit is not None and limit < len(model.vocabulary):
        tensors = {n: rows if n == "ngrams" else rows[:limit] for n, rows in model.tensors.items()}
        words = model.vocabulary.most_frequent(limit)
        write_model(
            target, config=model.config, vocabulary=words, tensors=tensors, overwrite=overwrite
        )
        return
    check_output(target, overwrite=overwrite)
    with atomic_directory(target, overwrite=True) as folder:
        shutil.copytree(source, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
        if read_model(folder).fingerprint != model.fingerprint:
            raise ModelError(
                f"{source} has become another model meanwhile.", hint="Convert it again."
            )
