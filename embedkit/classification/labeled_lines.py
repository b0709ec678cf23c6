"""The lines of files of labeled texts, in four common formats."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

from embedkit.corpus.csv_rows import CsvProblem, csv_rows
from embedkit.corpus.tokenizers import SEPARATORS, split_words
from embedkit.errors import counted

__all__ = ["COLUMNS", "PARSERS", "Example", "LineError", "detect_format"]

COLUMNS = ("text", "label")
"""The names of the columns, unless others are chosen."""

_FASTTEXT = "__label__"
_ONE_OBJECT = "Write one JSON object per line."

Example: TypeAlias = tuple[int, str, "str | list[str]"]
"""The number of a line, its text, and its label, or a list of labels with the task "labels"."""


class LineError(Exception):
    """A line cannot be read."""

    def __init__(self, line: int, problem: str, hint: str) -> None:
        self.line, self.problem, self.hint = line, problem, hint
        super().__init__(problem)


def detect_format(name: str, text: str) -> str:
    """Return the format of a file, by its name or else by its first line."""
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


def _tsv(text: str, columns: tuple[str, str], task: str) -> Iterator[Example]:
    return _table(((number, line.split("\t")) for number, line in _lines(text)), columns, task)


def _csv(text: str, columns: tuple[str, str], task: str) -> Iterator[Example]:
    return _table(_csv_cells(text), columns, task)


def _csv_cells(text: str) -> Iterator[tuple[int, list[str]]]:
    for line, row in csv_rows(io.StringIO(text, newline="")):
        if isinstance(row, CsvProblem):
            raise LineError(line, row.problem, row.hint)
        yield line, row


def _table(
    rows: Iterator[tuple[int, list[str]]], columns: tuple[str, str], task: str
) -> Iterator[Example]:
    """Yield the examples of a table whose first line may be a header."""
    first = next(rows, None)
    if first is None:
        return
    text, label, is_header = _places(first, columns)
    for line, cells in rows if is_header else chain([first], rows):
        if len(cells) != len(first[1]):
            raise LineError(
                line,
                f"{counted(len(cells), 'column')}, but line {first[0]} has {len(first[1])}",
                "Look for a missing separator, or for a separator inside a text.",
            )
        found = cells[label]
        yield line, cells[text], found.split(",") if task == "labels" else found


def _places(first: tuple[int, list[str]], columns: tuple[str, str]) -> tuple[int, int, bool]:
    """Return the places of the text and the label, and whether the first line is a header."""
    names = [name.strip().casefold() for name in first[1]]
    wanted = [column.casefold() for column in columns]
    if all(column in names for column in wanted):
        for column in wanted:
            if names.count(column) > 1:
                raise LineError(
                    first[0],
                    f"{names.count(column)} columns named {column!r}",
                    "Rename the columns, or choose others with --text and --label (columns).",
                )
        return names.index(wanted[0]), names.index(wanted[1]), True
    if len(names) == 2 and columns == COLUMNS and not {*names} & {*wanted}:
        return 0, 1, False
    raise LineError(
        first[0],
        f"{counted(len(names), 'column')}, but no column named "
        + " or ".join(repr(column) for column in columns if column.casefold() not in names),
        "Separate each text and its label by a tab (TSV) or a comma (CSV)."
        if len(names) == 1
        else "Name the columns in the first line, pass their names with --text and --label "
        "(columns), or write only a text and its label on each line.",
    )


def _jsonl(text: str, columns: tuple[str, str], task: str) -> Iterator[Example]:
    for number, line in _lines(text):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            problem = f"invalid JSON: {error.msg} at column {error.colno}"
            raise LineError(number, problem, _ONE_OBJECT) from None
        except (ValueError, RecursionError) as error:  # a number with too many digits, deep nesting
            raise LineError(number, f"invalid JSON: {error}", _ONE_OBJECT) from None
        if not isinstance(row, dict):
            raise LineError(number, "not a JSON object", 'Write {"text": ..., "label": ...}.')
        text, label = columns
        if isinstance(
            row.get(label), int | float if task == "number" else int
        ):  # a class number, true or false, a number
            row[label] = json.dumps(row[label])
        if task == "labels":
            yield number, _string(row, text, number), _strings(row, label, number)
        else:
            yield number, _string(row, text, number), _string(row, label, number)


def _strings(row: dict[str, Any], column: str, line: int) -> list[str]:
    """Return the labels of a list of strings and integers, or of a single string."""
    given = row.get(column)
    if not isinstance(given, list):
        return [_string(row, column, line)]
    for value in given:
        if not isinstance(value, str | int) or isinstance(value, bool):
            shown = json.dumps(value)
            problem = f"{column!r} contains {shown:.60}, which is not a string or an integer"
            raise LineError(line, problem, "Put each label in quotation marks.")
    return [_string({column: str(value)}, column, line) for value in given]


def _string(row: dict[str, Any], column: str, line: int) -> str:
    if column not in row:
        hint = "Pass the names of the keys with --text and --label (columns)."
        raise LineError(line, f"no key {column!r}", hint)
    value = row[column]
    if not isinstance(value, str):
        shown = json.dumps(value)
        hint = "Put it in quotation marks."
        raise LineError(line, f"{column!r} is {shown:.60}, not a string", hint)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise LineError(
            line,
            f"{column!r} is {value!r:.60}, which is not valid Unicode: {error.reason}",
            "Write both halves of the surrogate pair, or remove the half.",
        ) from None
    return value


def _fasttext(text: str, columns: tuple[str, str], task: str) -> Iterator[Example]:
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
            raise LineError(number, found, hint)
        yield number, sentence, labels if task == "labels" else labels[0]


PARSERS: Mapping[str, Callable[[str, tuple[str, str], str], Iterator[Example]]] = {
    "tsv": _tsv,
    "csv": _csv,
    "jsonl": _jsonl,
    "fasttext": _fasttext,
}
"""By format: what yields the examples of a text, given the names of the columns and the task."""
