"""Blocks of text from files, folders, standard input and Python iterables.

A block holds about half a megabyte of whole lines. A longer line continues in the next block:
sentences end where lines end, not where blocks end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from embedkit.corpus.encodings import (
    BYTE_ORDER_MARK,
    Transcoder,
    conversion,
    damaged,
    text_encoding,
)
from embedkit.corpus.long_words import LongWords, end_of_words
from embedkit.errors import ConfigurationError, CorpusError, EncodingError, quoted
from embedkit.system.compression import DAMAGE, decompress, refuse_tar
from embedkit.validation import CODEC_ERRORS

__all__ = [
    "TextBlock",
    "TextSource",
    "is_path",
    "no_progress",
    "read_blocks",
    "valid_utf8",
]

TextSource: TypeAlias = (
    "str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Iterable[Sequence[str]]"
)
"""A file, a folder, "-" for standard input, several of these, or an iterable of token lists.

A token list is any sequence of strings, or an array of NumPy, Arrow, pandas or polars.
"""

_OTHERWISE = (
    ', pass --encoding latin1 (encoding="latin1"), or pass --errors replace (errors="replace")'
)
_BLOCK_BYTES = 1 << 19
_BATCH_TOKENS = 1 << 18


@dataclass(frozen=True)
class TextBlock:
    """Some bytes of a file, and their position in the file.

    Attributes:
        too_long: number of words before this block that were left out because they are too long.
    """

    data: bytes
    name: str
    first_line: int  # counted from 1
    first_column: int  # bytes of that line in earlier blocks
    ends_file: bool
    too_long: int = 0


def no_progress(_: int) -> None:
    """Do nothing; the default progress callback."""


def valid_utf8(block: TextBlock, errors: str) -> bytes:
    """Return the bytes of a block as valid UTF-8, with invalid bytes treated as *errors* says.

    Raises:
        EncodingError: a byte is invalid and *errors* is "strict".
    """
    if block.data.isascii():
        return block.data
    try:
        block.data.decode()
    except UnicodeDecodeError as error:
        if errors != "strict":
            return block.data.decode(errors=CODEC_ERRORS[errors]).encode()
        before = block.data[: error.start]
        line = block.first_line + before.count(b"\n")
        column = error.start - (before.rfind(b"\n") + 1)
        if line == block.first_line:
            column += block.first_column
        raise EncodingError(
            f"{block.name}, line {line}, byte {column + 1}: 0x{block.data[error.start]:02x} is not "
            "valid UTF-8.",
            hint=conversion(block.data, _OTHERWISE),
        ) from None
    return block.data


def read_blocks(
    source: TextSource,
    progress: Callable[[int], None] = no_progress,
    encoding: str = "utf-8",
    errors: str = "strict",
    tokenizer: str | None = None,
) -> Iterator[TextBlock | list[Sequence[str]]]:
    """Yield the blocks of *source*; call *progress* with the number of (compressed) bytes read.

    With the name of a tokenizer, words of more than a megabyte are left out. Without it, a block
    may become as long as the longest run of bytes without white space.

    Args:
        encoding: the encoding of the files. Blocks of UTF-8 are not checked; see `valid_utf8`.
        errors: what to do about bytes that are not valid in an encoding other than UTF-8.

    Raises:
        ConfigurationError: the encoding is unknown.
        EncodingError: a byte is not valid in the encoding and *errors* is "strict".
        CorpusError: a file is missing, unreadable or damaged, or an item is not a list of tokens.
    """
    reading = _Reading(progress, text_encoding(encoding), errors, tokenizer)
    if isinstance(source, str | os.PathLike):
        yield from _blocks_of_files([source], reading)
    elif is_path(source):
        yield from _blocks_of_files(cast("Sequence[str]", source), reading)
    else:
        yield from _blocks_of_sentences(cast("Iterable[Sequence[str]]", source))


@dataclass(frozen=True)
class _Reading:
    """How to read files; see `read_blocks`."""

    progress: Callable[[int], None]
    encoding: str
    errors: str
    tokenizer: str | None

    def open(self, raw: BinaryIO, name: str) -> BinaryIO | Transcoder:
        """Return a stream of the text in UTF-8, decompressed."""
        stream = decompress(raw)
        if self.encoding == "utf-8":
            return stream
        return Transcoder(stream, self.encoding, self.errors, name)


def is_path(source: TextSource) -> bool:
    """Tell whether *source* is a path or several paths; otherwise it yields token lists."""
    if isinstance(source, list | tuple):
        return all(isinstance(item, str | os.PathLike) for item in source)
    return isinstance(source, str | os.PathLike)


def _blocks_of_files(
    sources: Sequence[str | os.PathLike[str]], reading: _Reading
) -> Iterator[TextBlock]:
    for source in sources:
        if os.fspath(source) == "-":
            if sys.stdin is None:
                raise CorpusError("standard input is closed.", hint="Pass the name of a file.")
            yield from _blocks_of_stream(sys.stdin.buffer, "standard input", reading)
            continue
        if not os.fspath(source):
            raise CorpusError("a file name is empty.", hint="Pass the name of a file.")
        for path in expand(Path(source)):
            try:
                with path.open("rb") as stream:
                    yield from _blocks_of_stream(stream, str(path), reading)
            except OSError as error:
                raise CorpusError(f"cannot read {path}: {error.strerror or error}.") from error


def expand(path: Path) -> list[Path]:
    """Return the files in a folder and its subfolders, sorted by name, or the file itself.

    Raises:
        CorpusError: the path does not exist, or the folder contains no file.
    """
    try:
        if path.is_dir():
            files = sorted(_walk(path))
            if not files:
                raise CorpusError(f"the folder {path} contains no file to read.")
            return files
        if path.exists():
            return [path]
    except OSError as error:
        name = str(error.filename or path)
        raise CorpusError(
            f"cannot read {quoted(name)}: {error.strerror}.", hint=_hint(path)
        ) from error
    raise CorpusError(f"{path} does not exist.", hint=f"Check the name. {_hint(path)}".strip())


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and its subfolders, except hidden files and models."""
    entries = list(folder.iterdir())
    if {"config.json", "vocabulary.arrow"} <= {entry.name for entry in entries}:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        elif entry.is_file():
            yield entry


def _hint(path: Path) -> str:
    looks_like_text = " " in str(path)
    return "To train on sentences in memory, pass lists of tokens." if looks_like_text else ""


def _blocks_of_stream(raw: BinaryIO, name: str, reading: _Reading) -> Iterator[TextBlock]:
    line, column = 1, 0
    rest = b""
    position = 0
    stream = reading.open(raw, name)
    long_words = LongWords(reading.tokenizer)
    while True:
        try:
            chunk = stream.read(_BLOCK_BYTES)
        except DAMAGE as error:
            raise damaged(CorpusError, name, line - 1, error) from error
        if raw.seekable():
            reading.progress(raw.tell() - position)
            position = raw.tell()
        else:
            reading.progress(len(chunk))
        if line == 1 and not column and not rest:
            refuse_tar(chunk, name, CorpusError)
            chunk = chunk.removeprefix(BYTE_ORDER_MARK)
        read = len(rest) + len(chunk)
        data = long_words.remove(rest + chunk)
        column += read - len(data)
        cut = (end_of_words(data) or long_words.end(data)) if chunk else len(data)
        yield TextBlock(data[:cut], name, line, column, not chunk, long_words.taken())
        if not chunk:
            return
        rest = data[cut:]
        newlines = data.count(b"\n", 0, cut)
        line += newlines
        column = cut - (data.rfind(b"\n", 0, cut) + 1) + (0 if newlines else column)


def _blocks_of_sentences(sentences: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    batch: list[Sequence[str]] = []
    size = 0
    if not isinstance(sentences, Iterable):
        raise ConfigurationError(
            "expected a path, a list of paths or an iterable of token lists, "
            f"got {quoted(sentences)}"
        )
    for number, given in enumerate(sentences):
        sentence = _check_sentence(number, _token_list(given))
        batch.append(sentence)
        size += len(sentence)
        if size >= _BATCH_TOKENS:
            yield batch
            batch, size = [], 0
    yield batch


def _token_list(sentence: object) -> object:
    """Return the tokens of an array of NumPy, Arrow, pandas or polars as a list.

    Iterating over an Arrow list array yields scalars, which are themselves sequences of scalars.
    """
    if not isinstance(sentence, list | tuple | str | bytes):
        for name in ("as_py", "to_pylist", "tolist", "to_list"):
            if callable(convert := getattr(sentence, name, None)):
                return convert()
    return sentence


def _check_sentence(number: int, sentence: object) -> Sequence[str]:
    if isinstance(sentence, str | bytes) or not isinstance(sentence, Sequence):
        raise CorpusError(
            f"sentence {number} is {quoted(sentence)}, not a list of tokens.",
            hint="Split it, for example with embedkit.tokenize(text).",
        )
    for token in sentence:
        if not isinstance(token, str) or not token:
            raise CorpusError(
                f"sentence {number} contains {quoted(token)}; tokens must be non-empty strings"
            )
    return sentence
