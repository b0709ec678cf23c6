"""Labelled texts: files of a text and its label a line, as the usual tools write them."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from embedkit.errors import ConfigurationError, EncodingError, InputError
from embedkit.files import decompress

__all__ = ["FORMATS", "Labelled", "read_labelled"]

_FASTTEXT = "__label__"


class Labelled(NamedTuple):
    """Texts and a label for each."""

    texts: list[str]
    labels: list[str]


Row = tuple[int, str, str]  # line, text, label


def read_labelled(
    path: str | Path,
    *,
    form: str | None = None,
    encoding: str = "utf-8",
    columns: tuple[str, str] = ("text", "label"),
) -> Labelled:
    """Read a file of labelled texts, plain or compressed.

    *tsv* and *csv*: if the first line names the *columns*, these are read; otherwise every line has
    two, a text and its label. *jsonl*: a JSON object a line with these keys. *fasttext*: a line is
    ``__label__LABEL`` and the text. Empty lines are skipped.

    Args:
        path: the file, or "-" for standard input.
        form: a name of `FORMATS`; by default what the file's name ends in (.tsv, .csv, .jsonl), or
            else what its first line looks like.
        encoding: of the bytes, as Python calls it.
        columns: the names of the text's column and of the label's.

    Raises:
        InputError: the file is missing or empty, or a line cannot be read. The message names it.
        EncodingError: the bytes are not of this encoding.
        ConfigurationError: there is no such format or encoding.
    """
    name = "standard input" if str(path) == "-" else str(path)
    text = _decode(_read(path, name), encoding, name)
    form = form or _form_of(name, text)
    if form not in FORMATS:
        raise ConfigurationError(f"no format {form!r}; there are {', '.join(FORMATS)}")
    texts, labels = [], []
    try:
        for line, sentence, label in FORMATS[form](text, columns):
            for what, value in zip(columns, (sentence, label), strict=True):
                if not value.strip():
                    raise _LineError(line, f"the {what} is empty", "fill it in or remove the line")
            texts.append(sentence)
            labels.append(label.strip())
    except _LineError as error:
        place = f"{name}, line {error.line}"
        raise InputError(f"{place}: {error.problem}. Remedy: {error.remedy}.") from error
    if not texts:
        raise InputError(f"{name} holds no labelled text.")
    return Labelled(texts, labels)


class _LineError(Exception):
    def __init__(self, line: int, problem: str, remedy: str) -> None:
        self.line, self.problem, self.remedy = line, problem, remedy
        super().__init__(problem)


def _read(path: str | Path, name: str) -> bytes:
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read()
        with Path(path).open("rb") as file:
            return decompress(file).read()
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}.") from error


def _decode(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise ConfigurationError(
            f"no encoding {encoding!r}. Remedy: utf-8, latin-1, cp1252 and utf-16 are usual."
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise EncodingError(
            f"{name}, line {line}: byte 0x{data[error.start]:02x} is not {encoding}. Remedy: "
            'say what it is with --encoding (encoding="latin-1", say).'
        ) from error
    return text.removeprefix("\ufeff")


def _form_of(name: str, text: str) -> str:
    endings = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    for ending in Path(name).suffixes[::-1]:
        if ending in endings:
            return endings[ending]
    first = text.lstrip().partition("\n")[0]
    if first.startswith(_FASTTEXT):
        return "fasttext"
    if first.startswith("{"):
        return "jsonl"
    return "tsv" if "\t" in first else "csv"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def _tsv(text: str, columns: tuple[str, str]) -> Iterator[Row]:
    return _table(((number, line.split("\t")) for number, line in _lines(text)), columns)


def _csv(text: str, columns: tuple[str, str]) -> Iterator[Row]:
    return _table(_csv_rows(text), columns)


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        start = reader.line_num + 1  # a quoted text may go over several lines
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _LineError(
                start, f"no CSV: {error}", "close the quotes, or double them"
            ) from None
        if row:
            yield start, row


def _table(rows: Iterator[tuple[int, list[str]]], columns: tuple[str, str]) -> Iterator[Row]:
    """Yield the rows of a table whose first line may name its columns."""
    first = next(rows, None)
    if first is None:
        return
    names = [name.strip() for name in first[1]]
    if all(column in names for column in columns):
        text, label = map(names.index, columns)
    elif len(names) == 2:
        text, label = 0, 1
        rows = chain([first], rows)
    else:
        raise _LineError(
            first[0],
            f"{_columns(names)}, and none called {columns[0]!r} and {columns[1]!r}",
            "name the columns in the first line, or keep a text and its label a line",
        )
    for line, cells in rows:
        if len(cells) != len(names):
            raise _LineError(
                line,
                f"{_columns(cells)}, but line {first[0]} has {len(names)}",
                "look for a separator that is missing or stands in a text",
            )
        yield line, cells[text], cells[label]


def _columns(cells: list[str]) -> str:
    return "1 column" if len(cells) == 1 else f"{len(cells)} columns"


def _jsonl(text: str, columns: tuple[str, str]) -> Iterator[Row]:
    for number, line in _lines(text):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _LineError(number, f"no JSON: {error}", "write one object a line") from None
        found = [row.get(column) if isinstance(row, dict) else None for column in columns]
        sentence, label = found
        if not isinstance(sentence, str) or not isinstance(label, str | int):
            raise _LineError(
                number,
                f"no object with a text under {columns[0]!r} and a label under {columns[1]!r}",
                "name the keys with --text and --label (columns)",
            )
        yield number, sentence, str(label)


def _fasttext(text: str, columns: tuple[str, str]) -> Iterator[Row]:
    for number, line in _lines(text):
        label, _, sentence = line.strip().partition(" ")
        if not label.startswith(_FASTTEXT) or sentence.lstrip().startswith(_FASTTEXT):
            raise _LineError(
                number, "not one label and a text", f"begin each line with one {_FASTTEXT}LABEL"
            )
        yield number, sentence.strip(), label.removeprefix(_FASTTEXT)


FORMATS: Mapping[str, Callable[[str, tuple[str, str]], Iterator[Row]]] = {
    "tsv": _tsv,
    "csv": _csv,
    "jsonl": _jsonl,
    "fasttext": _fasttext,
}
