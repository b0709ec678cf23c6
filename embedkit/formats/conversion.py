"""Detect, read, write and convert files of words and vectors."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embedkit.errors import ConfigurationError, FormatError
from embedkit.formats import embedkit_directory
from embedkit.formats.byte_source import ByteSource, plain_name
from embedkit.formats.fasttext import TrainedModel, read_trained
from embedkit.formats.names import FORMATS_INFO, READABLE_FORMATS, WRITABLE_FORMATS
from embedkit.formats.options import Progress, WriteOptions, ignore_progress
from embedkit.formats.registry import VECTOR_FORMATS
from embedkit.formats.repairs import Repairs, repair_words, require_finite, warn_of_ngrams
from embedkit.formats.word_list import path_beside, write_words
from embedkit.system.compression import compress
from embedkit.system.files import (
    atomic_file,
    check_output_stream,
    is_standard_output,
    output_stream,
    resolve_output,
)
from embedkit.validation import check_choice, whole_number
from embedkit.vectors.word_vectors import WordVectors

_WITH_CONTEXT = frozenset({"embedkit", "fasttext"})  # formats that have an output matrix

__all__ = ["ConversionReport", "convert", "detect", "read", "read_model", "write"]


@dataclass(frozen=True)
class ConversionReport:
    """The result of a conversion.

    Attributes:
        source, target: the two paths.
        source_format, target_format: their formats.
        words, dimension: of the vectors that were written.
        bytes: size of the target; None for standard output.
        repairs: number of words repaired or left out, by kind of fault.
    """

    source: str
    source_format: str
    target: str
    target_format: str
    words: int
    dimension: int
    bytes: int | None
    repairs: dict[str, int]


def detect(path: str | os.PathLike[str]) -> str:
    """Return the name of a file's format.

    Raises:
        FormatError: the file does not exist, or is in none of `READABLE_FORMATS`.
    """
    with ByteSource(Path(path)) as source:
        return _detect(source)


def _detect(source: ByteSource) -> str:
    for name in READABLE_FORMATS:
        known = VECTOR_FORMATS[name]
        if source.is_folder == known.info.is_folder and known.detect and known.detect(source):
            return name
    if source.is_folder:
        raise embedkit_directory.not_vectors_error(source.path)
    raise FormatError(
        f"{source.path} is in none of the known formats: {', '.join(READABLE_FORMATS)}.",
        hint="Pass a file of words and vectors, or name its format with --format (format=).",
    )


def read(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the standard word
    limit: int | None = None,
    errors: str = "strict",
    encoding: str = "utf-8",
    progress: Progress = ignore_progress,
) -> WordVectors:
    """Read words and vectors.

    Args:
        path: a file, compressed or not, or a folder.
        format: one of `READABLE_FORMATS`; detected from the content if None.
        limit: read only the first *limit* words.
        errors: what to do with faults, one of `POLICIES`.
        encoding: of the words in a file, such as "latin-1" or "cp852".
        progress: called with the number of bytes read, before decompression.

    Raises:
        FormatError: the file is missing, damaged (at a line or byte) or in another format.
        ConfigurationError: the format or policy is unknown, or the format can only be written.
    """
    return _read(Path(path), format, limit, Repairs(str(path), errors, encoding), progress)[0]


def read_model(path: str | os.PathLike[str]) -> TrainedModel:
    """Read another program's model with what training needs to continue from it.

    Raises:
        FormatError: the file is missing, damaged or in no known format.
    """
    repairs = Repairs(str(path))
    with ByteSource(Path(path)) as source:
        name = _detect(source)
        if name == "fasttext":
            return read_trained(source, repairs)
    vectors = _read(Path(path), name, None, repairs, ignore_progress)[0]
    return TrainedModel(vectors, f"Files in the format {name} have none that embedkit can read.")


def _read(
    path: Path,
    name: str | None,
    limit: int | None,
    repairs: Repairs,
    progress: Progress,
    *,
    context: bool = False,
) -> tuple[WordVectors, str]:
    """Return vectors, with the output matrix only if *context*, and their format."""
    if name is not None:
        check_choice("format", name, FORMATS_INFO)
    if limit is not None:
        whole_number("limit", limit, 1)
    with ByteSource(path, progress) as source:
        found = name or _detect(source)
        known = VECTOR_FORMATS[found]
        if known.read is None:
            raise ConfigurationError(
                f"{found} can only be written.",
                hint=f"Choose another format: {', '.join(READABLE_FORMATS)}.",
            )
        if source.is_folder and not known.info.is_folder:
            raise FormatError(
                f"{path} is a directory, but {found} is a format of files.", hint="Pass the file."
            )
        if context and found == "fasttext":
            return read_trained(source, repairs, limit).vectors, found
        return known.read(source, repairs, limit), found


# Like pandas.read_csv, it has many parameters: each is passed by name and has a default.
def write(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the standard word
    name: str = "words",
    errors: str = "strict",
    overwrite: bool = False,
    progress: Progress = ignore_progress,
) -> None:
    """Write words and vectors; the output appears complete or not at all.

    Args:
        vectors: dense vectors.
        path: a file, or a folder for formats that are one. A suffix of ``.gz``, ``.bz2``, ``.xz``
            or ``.zst`` compresses the file; ``-`` is standard output.
        format: one of `WRITABLE_FORMATS`; chosen by the suffix of *path* if None.
        name: of the table, collection or tensor, in formats that have one.
        errors: what to do with words that the format cannot hold, one of `POLICIES`.
        overwrite: replace what exists.
        progress: called with the number of words written.

    Raises:
        ConfigurationError: the format, name or policy is invalid, the format can only be read, the
            vectors are sparse, or standard output cannot hold several files.
        FormatError: the format cannot hold a word.
        ModelError: a number is not finite.
        OutputExistsError: the output exists and *overwrite* is false.
        StorageError: the disk is full, or the path is not writable.

    Warns:
        DroppedNgramsWarning: the vectors have character n-grams, which the format cannot hold.
    """
    options = WriteOptions(progress, name, overwrite)
    _write(vectors, path, _target_format(format, path), Repairs(str(path), errors), options)


def _write(
    vectors: WordVectors,
    target: str | os.PathLike[str],
    name: str,
    repairs: Repairs,
    options: WriteOptions,
) -> WordVectors:
    """Write vectors; return those that were written, without words that were left out."""
    known, path = VECTOR_FORMATS[name], Path(target)
    warn_of_ngrams(vectors, name)
    if vectors.is_sparse:
        raise ConfigurationError(
            "one-hot vectors cannot be written: they hold nothing but the words."
        )
    if known.forbidden:
        require_finite(vectors)
        vectors = repair_words(vectors, known.forbidden, repairs)
    if known.write_folder is not None:
        known.write_folder(vectors, path, options)
    elif known.write is not None:
        if known.info.word_list:
            resolve_output(path, overwrite=options.overwrite)
            with atomic_file(path_beside(path), overwrite=options.overwrite) as file:
                write_words(vectors.vocabulary, file)
        with (
            output_stream(target, overwrite=options.overwrite) as file,
            compress(file, path) as stream,
        ):
            known.write(vectors, stream, options)
    return vectors


def _target_format(name: str | None, target: str | os.PathLike[str]) -> str:
    """Return the format to write to *target*: the one given, or the one of its suffix."""
    piped = is_standard_output(target)
    if name is None:
        suffix = plain_name(Path(target)).suffix
        for known in WRITABLE_FORMATS:
            if suffix in FORMATS_INFO[known].suffixes and not piped:
                return known
        raise ConfigurationError(
            f"cannot tell the format of {os.fspath(target)} by its name.",
            hint=f"Choose one with --to (format=): {', '.join(WRITABLE_FORMATS)}.",
        )
    check_choice("format", name, FORMATS_INFO)
    info = FORMATS_INFO[name]
    if not info.writable:
        raise ConfigurationError(
            f"{name} can only be read.",
            hint=f"Choose another format: {', '.join(WRITABLE_FORMATS)}.",
        )
    if piped and (info.is_folder or info.word_list):
        raise ConfigurationError(
            f"{name} needs more than one file, so it cannot go to standard output.",
            hint="Choose a path or another format.",
        )
    return name


# See `write` about the number of parameters.
def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    limit: int | None = None,
    errors: str = "strict",
    encoding: str = "utf-8",
    overwrite: bool = False,
    reading: Progress = ignore_progress,
    writing: Callable[[int, int], None] = lambda _, __: None,
) -> ConversionReport:
    """Read a file and write it in another format; see `read` and `write`.

    Between model directories, everything is kept; see `embedkit_directory.copy_model`.

    Args:
        reading: called with the number of bytes read, before decompression.
        writing: called with the number of words written, and the number of all words.

    Raises:
        EmbedkitError: what `read` and `write` raise.
    """
    path, piped = Path(target), is_standard_output(target)
    to = _target_format(target_format, target)
    if not FORMATS_INFO[to].is_folder:  # the writers of folders check them
        check_output_stream(target, overwrite=overwrite)
    repairs = Repairs(str(source), errors, encoding)
    vectors, found = _read(
        Path(source), source_format, limit, repairs, reading, context=to in _WITH_CONTEXT
    )
    if found == to == "embedkit":
        embedkit_directory.copy_model(Path(source), path, limit, overwrite=overwrite)
    else:
        words = len(vectors)
        options = WriteOptions(lambda count: writing(count, words), overwrite=overwrite)
        vectors = _write(vectors, target, to, repairs, options)
    return ConversionReport(
        str(source), found, str(target), to, len(vectors), vectors.dimension,
        None if piped else _size(path, word_list=FORMATS_INFO[to].word_list),
        dict(repairs.counts),
    )  # fmt: skip


def _size(path: Path, *, word_list: bool) -> int:
    """Return the number of bytes of an output."""
    files = [*path.iterdir()] if path.is_dir() else [path]
    if word_list:
        files.append(path_beside(path))
    return sum(file.stat().st_size for file in files if file.is_file())
