"""Read files of labelled texts, one text and label per line, in four common formats."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from embedkit.classification.options import LABELLED_FORMATS, TASKS
from embedkit.corpus.encodings import likely_encoding, read_whole, text_encoding
from embedkit.corpus.tokenizers import SEPARATORS, split_words
from embedkit.errors import EncodingError, InputError, counted
from embedkit.validation import check_choice

__all__ = ["LabelledTexts", "read_labelled"]

_FASTTEXT = "__label__"
_COLUMNS = ("text", "label")
_ONE_OBJECT = "Write one JSON object per line."
_EMPTY_HINT = "Fill it in or remove the line."
_NUMBER_HINT = "Write it with a decimal point, such as 2.5, or remove the line."


class LabelledTexts(NamedTuple):
    """Texts, and the label of each: a string, a tuple of strings, or a number, by task."""

    texts: list[str]
    labels: list[Any]


_Example = tuple[int, str, str]  # line number, text, label


def read_labelled(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the standard name
    encoding: str = "utf-8",
    columns: tuple[str, str] = _COLUMNS,
    task: str = "label",
) -> LabelledTexts:
    """Read a file of labelled texts, plain or compressed.

    *tsv* and *csv*: if the first line contains the names of the *columns*, in any case, it is a
    header; otherwise every line has two cells, a text and its label. Quotation marks are ordinary
    characters in TSV and enclose a cell in CSV. *jsonl*: one JSON object with these keys per line.
    *fasttext*: each line is ``__label__LABEL`` followed by the text. Empty lines are skipped.

    Several labels of a text are separated by commas, or are a list in JSON, or several
    ``__label__LABEL`` at the beginning of a line; a text may also have none.

    Args:
        path: the file, or "-" for standard input.
        format: one of `LABELLED_FORMATS`; by default, it is detected from the file's extension
            (.tsv, .csv, .jsonl) or else from its first line.
        encoding: Python's name of the file's encoding.
        columns: the names of the text column and the label column.
        task: "label": each text has one label; "labels": it has any number of labels; "number": its
            label is a finite number.

    Raises:
        InputError: the file is missing or empty, or a line cannot be read. The message names the
            line.
        EncodingError: the bytes are not valid in this encoding.
        ConfigurationError: the format, the encoding or the task is unknown.
    """
    check_choice("task", task, TASKS)
    name = "standard input" if str(path) == "-" else str(path)
    text = _decode(_read(path, name), encoding, name)
    format = format or _detect_format(name, text)  # noqa: A001
    check_choice("format", format, LABELLED_FORMATS)
    texts: list[str] = []
    labels: list[Any] = []
    try:
        for line, sentence, label in _PARSERS[format](text, columns, task):
            if not sentence.strip():
                raise _LineError(line, f"the {columns[0]} is empty", _EMPTY_HINT)
            texts.append(sentence)
            labels.append(_target(label.strip(), task, line, columns[1]))
    except _LineError as error:
        raise InputError(f"{name}, line {error.line}: {error.problem}.", hint=error.hint) from error
    if not texts:
        raise InputError(f"{name} contains no labelled texts.")
    return LabelledTexts(texts, labels)


def _target(label: str, task: str, line: int, column: str) -> object:
    """Return a label as the task needs it."""
    if task == "labels":
        return tuple(dict.fromkeys(part.strip() for part in label.split(",") if part.strip()))
    if not label:
        raise _LineError(line, f"the {column} is empty", _EMPTY_HINT)
    if task == "label":
        return label
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _LineError(line, f"the {column} {label!r:.60} is not a finite number", _NUMBER_HINT)
    return number


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


def _tsv(text: str, columns: tuple[str, str], task: str) -> Iterator[_Example]:
    return _table(((number, line.split("\t")) for number, line in _lines(text)), columns)


def _csv(text: str, columns: tuple[str, str], task: str) -> Iterator[_Example]:
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


def _jsonl(text: str, columns: tuple[str, str], task: str) -> Iterator[_Example]:
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
        if task == "labels" and isinstance(row.get(label), list):
            row[label] = ",".join(map(str, row[label]))
        elif isinstance(
            row.get(label), int | float if task == "number" else int
        ):  # a class number, true or false, a number
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


def _fasttext(text: str, columns: tuple[str, str], task: str) -> Iterator[_Example]:
    for number, line in _lines(text):
        labels = []
        sentence = line
        while sentence.lstrip(SEPARATORS).startswith(_FASTTEXT):
            label, *rest = split_words(sentence, 2)
            labels.append(label.removeprefix(_FASTTEXT))
            sentence = "".join(rest)
        later = sum(word.startswith(_FASTTEXT) for word in split_words(sentence))
        if later or (task != "labels" and len(labels) != 1):
            total = len(labels) + later
            found = (
                f"{total} labels" if labels and total > 1 else f"no {_FASTTEXT} at the beginning"
            )
            hint = f"Begin each line with one {_FASTTEXT}LABEL."
            if len(labels) > 1:
                hint += ' For several labels per text, use task="labels" (--task labels).'
            raise _LineError(number, found, hint)
        yield number, sentence, ",".join(labels)


_PARSERS: Mapping[str, Callable[[str, tuple[str, str], str], Iterator[_Example]]] = {
    "tsv": _tsv,
    "csv": _csv,
    "jsonl": _jsonl,
    "fasttext": _fasttext,
}
