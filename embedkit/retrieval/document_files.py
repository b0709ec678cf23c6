"""Read files of documents: JSON lines, TSV, CSV, and folders of text files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from embedkit.corpus.encodings import (
    BYTE_ORDER_MARK,
    Transcoder,
    conversion,
    damaged,
    text_encoding,
)
from embedkit.errors import EncodingError, InputError
from embedkit.retrieval.options import DOCUMENT_FORMATS
from embedkit.retrieval.tables import Found, Line, decoded, filled, read_csv, read_tsv
from embedkit.system.compression import DAMAGE, decompress, refuse_tar
from embedkit.validation import check_choice

__all__ = ["BadRow", "Row", "read_rows"]

_BLOCK_BYTES = 1 << 20
_ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".tsv": "tsv", ".csv": "csv"}


@dataclass(frozen=True)
class Row:
    """One row of the input.

    Attributes:
        place: where it is, such as "docs.jsonl, line 7".
        values: its columns by name; the reader of the rows may change it.
    """

    place: str
    values: dict[str, Any]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read.

    Attributes:
        place: where it is.
        problem: what is wrong, without a final period.
        hint: what to do about it.
    """

    place: str
    problem: str
    hint: str

    def error(self) -> InputError:
        """Return the error for this row."""
        return InputError(f"{self.place}: {self.problem}.", hint=self.hint)


def read_rows(
    path: Path,
    *,
    format: str | None = None,  # noqa: A002 - the standard name
    encoding: str = "utf-8",
    text: str = "text",
) -> Iterator[Row | BadRow]:
    """Yield the rows of a file, or one row for each file of a folder.

    *jsonl*: one JSON object per line. *tsv* and *csv*: the first line has the names of the columns.
    Quotation marks are ordinary characters in TSV and enclose a cell in CSV. *folder*: the id of a
    document is the path of its file inside the folder. Empty lines and hidden files are skipped.

    Args:
        path: the file, plain or compressed; "-" for standard input; or the folder.
        format: one of `DOCUMENT_FORMATS`; by default, it is detected from the file's extension, or
            else from its first character.
        encoding: Python's name of the encoding of the files.
        text: the name of the column of texts, which the text of a file in a folder gets.

    Raises:
        InputError: the file is missing, damaged or has no header.
        EncodingError: a byte is not valid in an encoding other than UTF-8.
        ConfigurationError: the format or encoding is unknown.
    """
    encoding = text_encoding(encoding)
    if format is not None:
        check_choice("format", format, DOCUMENT_FORMATS)
    if str(path) != "-" and path.is_dir():
        if format not in (None, "folder"):
            raise InputError(f"{path} is a folder, not a file of the format {format}.")
        yield from _folder(path, encoding, text)
        return
    if format == "folder":
        raise InputError(f"{path} is not a folder.")
    name = "standard input" if str(path) == "-" else str(path)
    lines = _numbered(_lines(path, name, encoding))
    head: list[Line] = []
    for line in lines:
        head.append(line)
        if line[1].strip():
            break
    else:
        raise InputError(f"{name} is empty.")
    chosen = format or _detected(path, head[-1][1])
    for number, found in _READERS[chosen](name, chain(head, lines), text):
        place = f"{name}, line {number}"
        if isinstance(found, dict):
            yield Row(place, found)
        else:
            yield BadRow(place, *found)


def _numbered(lines: Iterator[bytes]) -> Iterator[Line]:
    """Yield the lines, numbered from 1, without a byte order mark."""
    for number, line in enumerate(lines, start=1):
        yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def _lines(path: Path, name: str, encoding: str) -> Iterator[bytes]:
    done = 0
    try:
        with _opened(path) as file:
            for line in _split(file, name, encoding):
                yield line
                done += 1
    except EncodingError as error:
        error.hint = "Pass the encoding of the file with --encoding (encoding=...)."
        raise
    except FileNotFoundError:
        raise InputError(f"there is no file {name}.", hint="Check the path.") from None
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(
                f"cannot read {name}: {error.strerror}.", hint="Check the path and its permissions."
            ) from error
        raise damaged(InputError, name, done, error) from error


def _opened(path: Path) -> contextlib.AbstractContextManager[BinaryIO]:
    if str(path) != "-":
        return path.open("rb")
    if sys.stdin is None:
        raise InputError("standard input is closed.", hint="Pass the name of a file.")
    return contextlib.nullcontext(sys.stdin.buffer)


def _split(raw: BinaryIO, name: str, encoding: str) -> Iterator[bytes]:
    plain = decompress(raw)
    stream = plain if encoding == "utf-8" else Transcoder(plain, encoding, "strict", name)
    begun: list[bytes] = []  # pieces of a line that has not ended, which may be very long
    head = True
    while block := stream.read(_BLOCK_BYTES):
        if head:
            refuse_tar(block[:512], name, InputError)
            head = False
        first, *rest = block.split(b"\n")
        begun.append(first)
        if rest:
            yield b"".join(begun)
            yield from rest[:-1]
            begun = [rest[-1]]
    if any(begun):
        yield b"".join(begun)


def _detected(path: Path, first: bytes) -> str:
    for ending in path.suffixes[::-1]:
        if ending.lower() in _ENDINGS:
            return _ENDINGS[ending.lower()]
    if first.lstrip().startswith(b"{"):
        return "jsonl"
    return "tsv" if b"\t" in first else "csv"


def _jsonl(name: str, lines: Iterator[Line], text: str) -> Iterator[Found]:
    for number, line in filled(lines):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield number, _json_problem(line, error)
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            yield number, ("not a JSON object", 'Write {"text": ...} on each line.')


def _json_problem(line: bytes, error: orjson.JSONDecodeError) -> tuple[str, str]:
    text = decoded(line)
    if isinstance(text, tuple):
        return text
    problem = f"invalid JSON: {error.msg} at column {error.colno}"
    return problem, "Write one JSON object per line."


def _folder(folder: Path, encoding: str, text: str) -> Iterator[Row | BadRow]:
    found = False
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts) or not path.is_file():
            continue
        found = True
        try:
            with path.open("rb") as file:
                data = decompress(file).read()
            content = data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            problem = f"byte {error.start + 1} is not valid {encoding}"
            yield BadRow(str(path), problem, conversion(data))
        except DAMAGE as error:
            reason = getattr(error, "strerror", None) or error
            yield BadRow(str(path), f"cannot read it: {reason}", "Check the file.")
        else:
            yield Row(str(path), {"id": inside.as_posix(), text: content})
    if not found:
        raise InputError(f"{folder} contains no files.")


_READERS: Mapping[str, Callable[[str, Iterator[Line], str], Iterator[Found]]] = {
    "jsonl": _jsonl,
    "tsv": read_tsv,
    "csv": read_csv,
}
