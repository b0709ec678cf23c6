"""Blocks of text from files, folders, standard input and Python iterables.

A block is about half a megabyte of whole lines. A longer line goes on in the next block: a sentence
ends where its line ends, not where a block does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.corpus.encodings import conversion, damaged
from embedkit.errors import ConfigurationError, CorpusError, EncodingError
from embedkit.system.compression import DAMAGE, decompress

__all__ = [
    "EncodedBlock",
    "Source",
    "TextBlock",
    "encode_sentences",
    "encode_text",
    "names_files",
    "read_blocks",
    "unify",
    "valid_utf8",
]

Source: TypeAlias = (
    "str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Iterable[Sequence[str]]"
)
"""A file, a folder, "-" for standard input, several of these, or an iterable of token lists."""

ERROR_POLICIES = ("strict", "replace", "ignore")
_BLOCK_BYTES = 1 << 19
_BATCH_TOKENS = 1 << 18
_SEPARATORS = bytes(range(33))  # ASCII white space and control characters


@dataclass(frozen=True)
class TextBlock:
    """Bytes of a file, and where they stand in it."""

    data: bytes
    name: str
    first_line: int  # counted from 1
    first_column: int  # bytes of that line which earlier blocks hold
    ends_file: bool


@dataclass(frozen=True)
class EncodedBlock:
    """The tokens of a block as indices into the block's own dictionary."""

    indices: NDArray[np.int32]
    dictionary: pa.StringArray
    sentence_ends: NDArray[np.int64]  # number of tokens before each end of a sentence


def encode_text(block: TextBlock, tokenizer: Callable[[bytes], bytes], errors: str) -> EncodedBlock:
    """Tokenise a block of text. Arrow and NumPy let other threads run meanwhile.

    Raises:
        EncodingError: the block is not UTF-8 and *errors* is "strict".
    """
    data = tokenizer(valid_utf8(block, errors))
    text = np.frombuffer(data, dtype=np.uint8)
    separator = np.ones(len(text) + 2, dtype=np.bool_)
    np.less_equal(text, 32, out=separator[1:-1])
    edges = np.flatnonzero(separator[1:] != separator[:-1])
    starts, stops = edges[::2], edges[1::2]
    # Arrow strings lie back to back: the separators between them are squeezed out.
    offsets = np.zeros(len(starts) + 1, dtype=np.int32)
    np.cumsum(stops - starts, out=offsets[1:])
    squeezed = data.translate(None, _SEPARATORS)
    tokens = pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(squeezed))
    ends = np.searchsorted(starts, np.flatnonzero(text == ord("\n")))
    if block.ends_file:
        ends = np.append(ends, len(starts))
    return _dictionary_encode(tokens, ends)


def encode_sentences(sentences: list[Sequence[str]]) -> EncodedBlock:
    """Encode sentences that are lists of tokens already."""
    try:
        tokens = pa.array([token for sentence in sentences for token in sentence], type=pa.string())
    except UnicodeEncodeError as error:
        raise CorpusError(f"the token {error.object!r} cannot be written in UTF-8.") from error
    return _dictionary_encode(tokens, np.cumsum([len(sentence) for sentence in sentences]))


def _dictionary_encode(tokens: pa.StringArray, ends: NDArray[np.int64]) -> EncodedBlock:
    encoded = tokens.dictionary_encode()
    return EncodedBlock(np.asarray(encoded.indices), encoded.dictionary, ends)


def unify(
    dictionaries: Sequence[pa.StringArray],
) -> tuple[pa.StringArray, list[NDArray[np.int32]]]:
    """Return one dictionary of all words, and for each dictionary its words' places in that one.

    Words keep the order of first sight. Arrow does this outside the interpreter's lock; a Python
    dict of all words would hold up the threads that tokenise and take several times the memory.
    """
    unified = pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(np.arange(len(words), dtype=np.int32), words)
            for words in dictionaries
        ]
    ).unify_dictionaries()
    return unified.chunk(0).dictionary, [np.asarray(chunk.indices) for chunk in unified.chunks]


def valid_utf8(block: TextBlock, errors: str) -> bytes:
    """Return the bytes of a block, or by another policy than "strict" what is UTF-8 of them.

    Raises:
        EncodingError: they are not UTF-8 and *errors* is "strict".
    """
    if block.data.isascii():
        return block.data
    try:
        block.data.decode()
    except UnicodeDecodeError as error:
        if errors != "strict":
            return block.data.decode(errors=errors).encode()
        before = block.data[: error.start]
        line = block.first_line + before.count(b"\n")
        column = error.start - (before.rfind(b"\n") + 1)
        if line == block.first_line:
            column += block.first_column
        raise EncodingError(
            f"{block.name}, line {line}, byte {column + 1}: 0x{block.data[error.start]:02x} is not "
            "UTF-8.",
            hint=conversion(block.data, ', or pass --errors replace (errors="replace")'),
        ) from None
    return block.data


def read_blocks(
    source: Source, progress: Callable[[int], None]
) -> Iterator[TextBlock | list[Sequence[str]]]:
    """Yield the blocks of *source* in order; *progress* is told the bytes read, compressed ones
    as they lie on disk.

    Raises:
        CorpusError: a file is missing, unreadable or damaged, or an item is no list of tokens.
    """
    if isinstance(source, str | os.PathLike):
        yield from _blocks_of_files([source], progress)
    elif names_files(source):
        yield from _blocks_of_files(cast("Sequence[str]", source), progress)
    else:
        yield from _blocks_of_sentences(cast("Iterable[Sequence[str]]", source))


def names_files(source: Source) -> bool:
    """Tell whether *source* is a path or several; otherwise it holds tokens already."""
    if isinstance(source, list | tuple):
        return all(isinstance(item, str | os.PathLike) for item in source)
    return isinstance(source, str | os.PathLike)


def _blocks_of_files(
    sources: Sequence[str | os.PathLike[str]], progress: Callable[[int], None]
) -> Iterator[TextBlock]:
    for source in sources:
        if os.fspath(source) == "-":
            if sys.stdin is None:
                raise CorpusError("standard input is closed.", hint="Name a file.")
            yield from _blocks_of_stream(sys.stdin.buffer, "standard input", progress)
            continue
        if not os.fspath(source):
            raise CorpusError("the name of a file is empty.")
        for path in expand(Path(source)):
            try:
                with path.open("rb") as stream:
                    yield from _blocks_of_stream(stream, str(path), progress)
            except OSError as error:
                raise CorpusError(f"cannot read {path}: {error.strerror or error}.") from error


def expand(path: Path) -> list[Path]:
    """Return the files below a folder in order of their names, or the file itself.

    Raises:
        CorpusError: nothing is there, or the folder holds no file.
    """
    try:
        return _files_at(path)
    except OSError as error:
        place = error.filename or path
        raise CorpusError(
            f"cannot read {str(place)!r:.60}: {error.strerror}.{_hint(path)}"
        ) from error


def _files_at(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(_walk(path))
        if not found:
            raise CorpusError(f"the folder {path} holds no file to read.")
        return found
    if not path.exists():
        raise CorpusError(f"there is no file {path}.", hint=f"Check the name.{_hint(path)}")
    return [path]


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, without hidden ones and without models."""
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
    return (
        " To train on sentences in memory pass lists of tokens, not strings."
        if looks_like_text
        else ""
    )


def _blocks_of_stream(
    raw: BinaryIO, name: str, progress: Callable[[int], None]
) -> Iterator[TextBlock]:
    line, column = 1, 0
    rest = b""
    position = 0
    stream = decompress(raw)
    while True:
        try:
            chunk = stream.read(_BLOCK_BYTES)
        except DAMAGE as error:
            raise damaged(CorpusError, name, line - 1, error) from error
        if raw.seekable():
            progress(raw.tell() - position)
            position = raw.tell()
        else:
            progress(len(chunk))
        if line == 1 and not column and not rest:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")  # a mark that some editors put there
        data = rest + chunk
        cut = _cut(data) if chunk else len(data)
        yield TextBlock(data[:cut], name, line, column, ends_file=not chunk)
        if not chunk:
            return
        rest = data[cut:]
        newlines = data.count(b"\n", 0, cut)
        line += newlines
        column = cut - (data.rfind(b"\n", 0, cut) + 1) + (0 if newlines else column)


def _cut(data: bytes) -> int:
    """Return where to end a block: after its last line, or after the last token of a long one."""
    newline = data.rfind(b"\n") + 1
    return newline or max(data.rfind(space) for space in b" \t\r\v\f") + 1


def _blocks_of_sentences(sentences: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    batch: list[Sequence[str]] = []
    size = 0
    if not isinstance(sentences, Iterable):
        raise ConfigurationError(
            f"a corpus is a path, several paths or an iterable of token lists, not {sentences!r}"
        )
    for number, sentence in enumerate(sentences):
        _check_sentence(number, sentence)
        batch.append(sentence)
        size += len(sentence)
        if size >= _BATCH_TOKENS:
            yield batch
            batch, size = [], 0
    yield batch


def _check_sentence(number: int, sentence: Sequence[str]) -> None:
    if isinstance(sentence, str | bytes) or not isinstance(sentence, Sequence):
        raise CorpusError(
            f"sentence {number} is {sentence!r:.60}, not a list of tokens.",
            hint="Split it, for example with embedkit.tokenize(text).",
        )
    for token in sentence:
        if not isinstance(token, str) or not token:
            raise CorpusError(f"sentence {number} has the token {token!r}, not a word.")
