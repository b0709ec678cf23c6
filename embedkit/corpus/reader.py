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

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.corpus.encodings import conversion, damaged
from embedkit.errors import ConfigurationError, CorpusError, EncodingError
from embedkit.system.compression import DAMAGE, decompress
from embedkit.validation import CODEC_ERRORS

__all__ = [
    "EncodedBlock",
    "TextBlock",
    "TextSource",
    "encode_sentences",
    "encode_text",
    "is_path",
    "no_progress",
    "read_blocks",
    "unify",
    "valid_utf8",
]

TextSource: TypeAlias = (
    "str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Iterable[Sequence[str]]"
)
"""A file, a folder, "-" for standard input, several of these, or an iterable of token lists.

A token list is any sequence of strings, or an array of NumPy, Arrow, pandas or polars.
"""

_BLOCK_BYTES = 1 << 19
_BATCH_TOKENS = 1 << 18
_SEPARATORS = bytes(range(33))  # ASCII white space and control characters


@dataclass(frozen=True)
class TextBlock:
    """Bytes of a file, and their position in it."""

    data: bytes
    name: str
    first_line: int  # counted from 1
    first_column: int  # bytes of that line in earlier blocks
    ends_file: bool


@dataclass(frozen=True)
class EncodedBlock:
    """The tokens of a block as indices into the block's own dictionary."""

    indices: NDArray[np.int32]
    dictionary: pa.StringArray
    sentence_ends: NDArray[np.int64]  # number of tokens before each end of a sentence


def no_progress(_: int) -> None:
    """Do nothing; the default progress callback."""


def encode_text(block: TextBlock, tokenizer: Callable[[bytes], bytes], errors: str) -> EncodedBlock:
    """Tokenize and dictionary-encode a block of text; Arrow and NumPy release the lock.

    Raises:
        EncodingError: the block is not UTF-8 and *errors* is "strict".
    """
    data = tokenizer(valid_utf8(block, errors))
    text = np.frombuffer(data, dtype=np.uint8)
    separator = np.ones(len(text) + 2, dtype=np.bool_)
    np.less_equal(text, 32, out=separator[1:-1])
    edges = np.flatnonzero(separator[1:] != separator[:-1])
    starts, stops = edges[::2], edges[1::2]
    # Arrow strings are contiguous, so the separators between them are removed.
    offsets = np.zeros(len(starts) + 1, dtype=np.int32)
    np.cumsum(stops - starts, out=offsets[1:])
    contiguous = data.translate(None, _SEPARATORS)
    tokens = pa.StringArray.from_buffers(
        len(starts), pa.py_buffer(offsets), pa.py_buffer(contiguous)
    )
    ends = np.searchsorted(starts, np.flatnonzero(text == ord("\n")))
    if block.ends_file:
        ends = np.append(ends, len(starts))
    return _dictionary_encode(tokens, ends)


def encode_sentences(sentences: list[Sequence[str]]) -> EncodedBlock:
    """Dictionary-encode sentences that are given as lists of tokens."""
    try:
        tokens = pa.array([token for sentence in sentences for token in sentence], type=pa.string())
    except UnicodeEncodeError as error:
        raise CorpusError(f"the token {error.object!r} cannot be encoded as UTF-8.") from error
    return _dictionary_encode(tokens, np.cumsum([len(sentence) for sentence in sentences]))


def _dictionary_encode(tokens: pa.StringArray, ends: NDArray[np.int64]) -> EncodedBlock:
    encoded = tokens.dictionary_encode()
    return EncodedBlock(np.asarray(encoded.indices), encoded.dictionary, ends)


def unify(
    dictionaries: Sequence[pa.StringArray],
) -> tuple[pa.StringArray, list[NDArray[np.int32]]]:
    """Merge dictionaries: return all words, and the index there of each dictionary's words.

    Words keep the order of their first occurrence. Arrow does this without the interpreter lock; a
    Python dict would block the tokenizer threads and take several times the memory.
    """
    unified = pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(np.arange(len(words), dtype=np.int32), words)
            for words in dictionaries
        ]
    ).unify_dictionaries()
    return unified.chunk(0).dictionary, [np.asarray(chunk.indices) for chunk in unified.chunks]


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
            hint=conversion(block.data, ', or pass --errors replace (errors="replace")'),
        ) from None
    return block.data


def read_blocks(
    source: TextSource, progress: Callable[[int], None]
) -> Iterator[TextBlock | list[Sequence[str]]]:
    """Yield the blocks of *source*; call *progress* with the number of (compressed) bytes read.

    Raises:
        CorpusError: a file is missing, unreadable or damaged, or an item is not a list of tokens.
    """
    if isinstance(source, str | os.PathLike):
        yield from _blocks_of_files([source], progress)
    elif is_path(source):
        yield from _blocks_of_files(cast("Sequence[str]", source), progress)
    else:
        yield from _blocks_of_sentences(cast("Iterable[Sequence[str]]", source))


def is_path(source: TextSource) -> bool:
    """Tell whether *source* is a path or several paths; otherwise it holds token lists."""
    if isinstance(source, list | tuple):
        return all(isinstance(item, str | os.PathLike) for item in source)
    return isinstance(source, str | os.PathLike)


def _blocks_of_files(
    sources: Sequence[str | os.PathLike[str]], progress: Callable[[int], None]
) -> Iterator[TextBlock]:
    for source in sources:
        if os.fspath(source) == "-":
            if sys.stdin is None:
                raise CorpusError("standard input is closed.", hint="Pass the name of a file.")
            yield from _blocks_of_stream(sys.stdin.buffer, "standard input", progress)
            continue
        if not os.fspath(source):
            raise CorpusError("a file name is empty.", hint="Pass the name of a file.")
        for path in expand(Path(source)):
            try:
                with path.open("rb") as stream:
                    yield from _blocks_of_stream(stream, str(path), progress)
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
            f"cannot read {name!r:.60}: {error.strerror}.", hint=_hint(path)
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
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")  # the byte-order mark of some editors
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
    """Return where to end a block: after its last line, or after the last token of a long line."""
    newline = data.rfind(b"\n") + 1
    return newline or max(data.rfind(space) for space in b" \t\r\v\f") + 1


def _blocks_of_sentences(sentences: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    batch: list[Sequence[str]] = []
    size = 0
    if not isinstance(sentences, Iterable):
        raise ConfigurationError(
            f"expected a path, a list of paths or an iterable of token lists, got {sentences!r}"
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
    """Return the tokens of an array of NumPy, Arrow, pandas or polars as a list."""
    if not isinstance(sentence, Sequence):
        for name in ("to_pylist", "tolist", "to_list"):
            if callable(convert := getattr(sentence, name, None)):
                return convert()
    return sentence


def _check_sentence(number: int, sentence: object) -> Sequence[str]:
    if isinstance(sentence, str | bytes) or not isinstance(sentence, Sequence):
        raise CorpusError(
            f"sentence {number} is {sentence!r:.60}, not a list of tokens.",
            hint="Split it, for example with embedkit.tokenize(text).",
        )
    for token in sentence:
        if not isinstance(token, str) or not token:
            raise CorpusError(
                f"sentence {number} contains {token!r}; tokens must be non-empty strings"
            )
    return sentence
