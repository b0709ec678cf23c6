"""Read files of labelled texts, one text and label per line, in four common formats."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from embedkit.classification.options import LABELLED_FORMATS
from embedkit.corpus.encodings import likely_encoding, read_whole, text_encoding
from embedkit.corpus.tokenizers import split_words
from embedkit.errors import EncodingError, InputError, counted
from embedkit.validation import check_choice

__all__ = ["LabelledTexts", "read_labelled"]

_FASTTEXT = "__label__"
_COLUMNS = ("text", "label")
_ONE_OBJECT = "Write one JSON object per line."


class LabelledTexts(NamedTuple):
    """Texts and the label of each."""

    texts: list[str]
    labels: list[str]


_Example = tuple[int, str, str]  # line number, text, label


def read_labelled(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the standard name
    encoding: str = "utf-8",
    columns: tuple[str, str] = _COLUMNS,
) -> LabelledTexts:
    """Read a file of labelled texts, plain or compressed.

    *tsv* and *csv*: if the first line contains the names of the *columns*, in any case, it is a
    header; otherwise every line has two cells, a text and its label. Quotation marks are ordinary
    characters in TSV and enclose a cell in CSV. *jsonl*: one JSON object with these keys per line.
    *fasttext*: each line is ``__label__LABEL`` followed by the text. Empty lines are skipped.

    Args:
        path: the file, or "-" for standard input.
        format: one of `LABELLED_FORMATS`; by default, it is detected from the file's extension
            (.tsv, .csv, .jsonl) or else from its first line.
        encoding: Python's name of the file's encoding.
        columns: the names of the text column and the label column.

    Raises:
        InputError: the file is missing or empty, or a line cannot be read. The message names the
            line.
        EncodingError: the bytes are not valid in this encoding.
        ConfigurationError: the format or encoding is unknown.
    """
    name = "standard input" if str(path) == "-" else str(path)
    text = _decode(_read(path, name), encoding, name)
    format = format or _detect_format(name, text)  # noqa: A001
    check_choice("format", format, LABELLED_FORMATS)
    texts, labels = [], []
    try:
        for line, sentence, label in _PARSERS[format](text, columns):
            for column, value in zip(columns, (sentence, label), strict=True):
                if not value.strip():
                    raise _LineError(
                        line, f"the {column} is empty", "Fill it in or remove the line."
                    )
            texts.append(sentence)
            labels.append(label.strip())
    except _LineError as error:
        raise InputError(f"{name}, line {error.line}: {error.problem}.", hint=error.hint) from error
    if not texts:
        raise InputError(f"{name} contains no labelled texts.")
    return LabelledTexts(texts, labels)


class _LineError(Exception):
    def __init__(self, line: int, problem: str, hint: str) -> None:
        self.line, self.problem, self.hint = line, problem, hint
        super().__init__(problem)


def _read(path: str | Path, name: str) -> bytes:
    try:
        if str(path) == "-":
            if sys.stdin is None:
                raise InputError("standard input is closed.", hint="Pass the name of a file.")
            return read_whole(sys.stdin.buffer, name, InputError)
        with Path(path).open("rb") as file:
            return read_whole(file, name, InputError)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}.") from error


def _decode(data: bytes, encoding: str, name: str) -> str:
    text_encoding(encoding)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise EncodingError(
            f"{name}, line {line}: byte 0x{data[error.start]:02x} is not valid {encoding}.",
            hint=_encoding_hint(data),
        ) from error
    return text.removeprefix("\ufeff")


def _encoding_hint(data: bytes) -> str:
    encoding = likely_encoding(data)
    if encoding is None:
        return "The file contains zero bytes and is not text. Pass a file of labelled texts."
    if encoding != "latin1":
        return (
            f'It looks like {encoding.upper()}. Pass --encoding {encoding} (encoding="{encoding}").'
        )
    return 'Pass the right encoding, such as --encoding latin-1 (encoding="latin-1").'


def _detect_format(name: str, text: str) -> str:
    endings = {
        ".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    }  # fmt: skip
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


def _tsv(text: str, columns: tuple[str, str]) -> Iterator[_Example]:
    return _table(((number, line.split("\t")) for number, line in _lines(text)), columns)


def _csv(text: str, columns: tuple[str, str]) -> Iterator[_Example]:
    return _table(_csv_rows(text), columns)


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        start = reader.line_num + 1  # a quoted cell may span several lines
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "Close the quotation marks, or double those inside a cell."
            if "field limit" in str(error):
                hint += " If a text really is that long, write it as TSV or JSON lines."
            raise _LineError(start, f"invalid CSV: {error}", hint) from None
        if row:
            yield start, row


def _table(rows: Iterator[tuple[int, list[str]]], columns: tuple[str, str]) -> Iterator[_Example]:
    """Yield the examples of a table whose first line may be a header."""
    first = next(rows, None)
    if first is None:
        return
    names = [name.strip().casefold() for name in first[1]]
    wanted = [column.casefold() for column in columns]
    if all(column in names for column in wanted):
        text, label = map(names.index, wanted)
    elif len(names) == 2 and columns == _COLUMNS and not {*names} & {*wanted}:
        text, label = 0, 1
        rows = chain([first], rows)
    else:
        raise _LineError(
            first[0],
            f"{counted(len(names), 'column')}, but no column named "
            + " or ".join(repr(column) for column in columns if column.casefold() not in names),
            "Separate each text and its label by a tab (TSV) or a comma (CSV)."
            if len(names) == 1
            else "Name the columns in the first line, pass their names with --text and --label "
            "(columns), or write only a text and its label on each line.",
        )
    for line, cells in rows:
        if len(cells) != len(names):
            raise _LineError(
                line,
                f"{counted(len(cells), 'column')}, but line {first[0]} has {len(names)}",
                "Look for a missing separator, or for a separator inside a text.",
            )
        yield line, cells[text], cells[label]


def _jsonl(text: str, columns: tuple[str, str]) -> Iterator[_Example]:
    for number, line in _lines(text):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            problem = f"invalid JSON: {error.msg} at column {error.colno}"
            raise _LineError(number, problem, _ONE_OBJECT) from None
        except (ValueError, RecursionError) as error:  # a number with too many digits, deep nesting
            raise _LineError(number, f"invalid JSON: {error}", _ONE_OBJECT) from None
        if not isinstance(row, dict):
            raise _LineError(number, "not a JSON object", 'Write {"text": ..., "label": ...}.')
        text, label = columns
        if isinstance(row.get(label), int):  # a class number, true or false
            row[label] = json.dumps(row[label])
        yield number, _string(row, text, number), _string(row, label, number)


def _string(row: dict[str, Any], column: str, line: int) -> str:
    if column not in row:
        hint = "Pass the names of the keys with --text and --label (columns)."
        raise _LineError(line, f"no key {column!r}", hint)
    value = row[column]
    if not isinstance(value, str):
        shown = json.dumps(value)
        hint = "Put it in quotation marks."
        raise _LineError(line, f"{column!r} is {shown:.60}, not a string", hint)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _LineError(
            line,
            f"{column!r} is {value!r:.60}, which is not valid Unicode: {error.reason}",
            "Write both halves of the surrogate pair, or remove the half.",
        ) from None
    return value


def _fasttext(text: str, columns: tuple[str, str]) -> Iterator[_Example]:
    for number, line in _lines(text):
        label, *rest = split_words(line, 2)
        sentence = "".join(rest)
        labels = [word for word in (label, *split_words(sentence)) if word.startswith(_FASTTEXT)]
        if len(labels) != 1 or label != labels[0]:
            found = f"{len(labels)} labels" if labels[1:] else f"no {_FASTTEXT} at the beginning"
            raise _LineError(number, found, f"Begin each line with one {_FASTTEXT}LABEL.")
        yield number, sentence, label.removeprefix(_FASTTEXT)


_PARSERS: Mapping[str, Callable[[str, tuple[str, str]], Iterator[_Example]]] = {
    "tsv": _tsv,
    "csv": _csv,
    "jsonl": _jsonl,
    "fasttext": _fasttext,
}
