"""Files of words and vectors that other programs write and read.

A format is a file of this package and an entry of `table.FORMATS`. It is told by content, never by
name, and so is how a file is compressed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embedkit.errors import ConfigurationError, FormatError
from embedkit.formats import embedkit_directory, word_list
from embedkit.formats.byte_source import Source, plain_name
from embedkit.formats.registry import FORMATS, Format, Progress
from embedkit.formats.repairs import POLICIES, Repairs, writable
from embedkit.system.compression import compress
from embedkit.system.files import (
    atomic_file,
    check_output_stream,
    is_standard_output,
    output_stream,
    resolve_output,
)
from embedkit.validation import whole_number
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["FORMATS", "POLICIES", "Format", "Report", "convert", "detect", "read", "write"]


@dataclass(frozen=True)
class Report:
    """What a conversion did.

    Attributes:
        source, target: the files, with their formats.
        bytes: of the target; None of standard output.
        repairs: words repaired or left out, by what was wrong with them.
    """

    source: str
    source_format: str
    target: str
    target_format: str
    words: int
    dimension: int
    bytes: int | None
    repairs: dict[str, int]


def _nothing(_: int) -> None:
    return


def detect(path: str | os.PathLike[str]) -> str:
    """Return the name of a file's format.

    Raises:
        FormatError: it is none of `FORMATS`, or there is no such file.
    """
    with Source(Path(path)) as source:
        return _detect(source)


def _detect(source: Source) -> str:
    for name, known in FORMATS.items():
        if source.is_folder == (known.write_folder is not None) and known.detect(source):
            return name
    if source.is_folder:
        raise embedkit_directory.foreign(source.path)
    raise FormatError(
        f"{source.path} is in no format that is known here: {', '.join(FORMATS)}.",
        hint=("Name a file of words and vectors, or its format with --format."),
    )


def read(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the word for it
    limit: int | None = None,
    errors: str = "strict",
    progress: Progress = _nothing,
) -> WordVectors:
    """Read words and vectors.

    Args:
        path: a file, compressed or not, or a folder.
        format: a key of `FORMATS`; told by the content if it is not given.
        limit: no more than so many words, the first ones.
        errors: what becomes of faults, one of `POLICIES`.
        progress: is told the bytes that were read, as they lie on disk.

    Raises:
        FormatError: the file is missing, damaged or of another format; the line or byte is named.
        ConfigurationError: there is no such format or policy.
    """
    return _read(Path(path), format, limit, Repairs(str(path), errors), progress)[0]


def _read(
    path: Path, name: str | None, limit: int | None, repairs: Repairs, progress: Progress
) -> tuple[WordVectors, str]:
    if name is not None:
        _known(name)
    if limit is not None:
        whole_number("limit", limit, 1)
    with Source(path, progress) as source:
        found = name or _detect(source)
        if source.is_folder and FORMATS[found].write_folder is None:
            raise FormatError(f"{path} is a directory, and {found} a file.", hint="Name the file.")
        return FORMATS[found].read(source, repairs, limit), found


def write(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the word for it
    errors: str = "strict",
    overwrite: bool = False,
    progress: Progress = _nothing,
) -> None:
    """Write words and vectors, in one step.

    Args:
        vectors: dense ones.
        path: ``.gz``, ``.bz2``, ``.xz`` and ``.zst`` at the end of its name compress the file;
            ``-`` is standard output.
        format: a key of `FORMATS`; told by the name if it is not given.
        errors: what becomes of words that the format has no way to write, one of `POLICIES`.
        overwrite: replace what is there.
        progress: is told the words that were written.

    Raises:
        ConfigurationError: there is no such format or policy, it is only read, or it takes more
            than the one file that standard output is.
        FormatError: a word cannot be written in this format, or a number is not finite.
        OutputExistsError: something is there and *overwrite* is false.
        StorageError: the disk is full or the place cannot be written to.
    """
    name = _writable(format, path)
    _write(vectors, path, name, Repairs(str(path), errors), progress, overwrite=overwrite)


def _write(
    vectors: WordVectors,
    target: str | os.PathLike[str],
    name: str,
    repairs: Repairs,
    progress: Progress,
    *,
    overwrite: bool,
) -> WordVectors:
    known, path = FORMATS[name], Path(target)
    if vectors.is_sparse:
        raise ConfigurationError("one-hot vectors are not written: their words say it all.")
    if known.unwritable:
        vectors = writable(vectors, known.unwritable, repairs)
    if known.write_folder is not None:
        known.write_folder(vectors, path, overwrite=overwrite)
    elif known.write is not None:
        if known.beside:
            words = word_list.beside(path)
            resolve_output(path, overwrite=overwrite)
            with atomic_file(words, overwrite=overwrite) as file:
                word_list.write_words(vectors.vocabulary, file)
        with output_stream(target, overwrite=overwrite) as file, compress(file, path) as stream:
            known.write(vectors, stream, progress)
    return vectors


def _known(name: str) -> Format:
    if name not in FORMATS:
        raise ConfigurationError(f"no format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name]


def _writable(name: str | None, target: str | os.PathLike[str]) -> str:
    """Return the name of the format that is written to *target*, the one given if there is one."""
    piped = is_standard_output(target)
    if name is None:
        suffix = plain_name(Path(target)).suffix
        named = [name for name, known in FORMATS.items() if suffix in known.suffixes and not piped]
        if not named:
            raise ConfigurationError(
                f"the name {os.fspath(target)} tells no format.",
                hint=(f"Name one with --to: {', '.join(FORMATS)}."),
            )
        return named[0]
    known = _known(name)
    if known.write is None and known.write_folder is None:
        raise ConfigurationError(f"{name} is only read.", hint="Name another format with --to.")
    if piped and (known.write is None or known.beside):
        raise ConfigurationError(
            f"{name} is more than one file, and cannot go to standard output.",
            hint=("Name a file, or another format with --to."),
        )
    return name


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    limit: int | None = None,
    errors: str = "strict",
    overwrite: bool = False,
    reading: Progress = _nothing,
    writing: Callable[[int, int], None] = lambda _, __: None,
) -> Report:
    """Read a file and write it in another format; see `read` and `write`.

    From model directory to model directory all is kept; see `embedkit_directory.copy_model`.

    Args:
        reading: is told the bytes that were read, as they lie on disk.
        writing: is told the words that were written, and how many there are.

    Raises:
        EmbedkitError: what `read` and `write` raise.
    """
    path, piped = Path(target), is_standard_output(target)
    to = _writable(target_format, target)
    if FORMATS[to].write_folder is None:  # what writes a folder looks at it itself
        check_output_stream(target, overwrite=overwrite)
    repairs = Repairs(str(source), errors)
    vectors, found = _read(Path(source), source_format, limit, repairs, reading)
    if found == to == "embedkit":
        embedkit_directory.copy_model(Path(source), path, limit, overwrite=overwrite)
    else:
        vectors = _write(
            vectors,
            target,
            to,
            repairs,
            lambda count: writing(count, len(vectors)),
            overwrite=overwrite,
        )
    files = [*path.iterdir()] if path.is_dir() else [path]
    if FORMATS[to].beside:
        files.append(word_list.beside(path))
    return Report(
        str(source), found, str(target), to, len(vectors), vectors.dimension,
        None if piped else sum(file.stat().st_size for file in files if file.is_file()),
        dict(repairs.counts),
    )  # fmt: skip
