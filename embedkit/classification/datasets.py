"""Labelled texts: files of a text and its label a line, as the usual tools write them."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from embedkit.corpus.encodings import likely_encoding, read_whole
from embedkit.errors import ConfigurationError, EncodingError, InputError

__all__ = ["FORMATS", "Labelled", "read_labelled"]

_FASTTEXT = "__label__"
_COLUMNS = ("text", "label")


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
    columns: tuple[str, str] = _COLUMNS,
) -> Labelled:
    """Read a file of labelled texts, plain or compressed.

    *tsv* and *csv*: if the first line names the *columns*, in upper or lower case, these are read;
    otherwise every line has two, a text and its label. Quotes are text in TSV, and hold a cell
    together in CSV. *jsonl*: a JSON object a line with these keys. *fasttext*: a line is
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
        raise InputError(f"{place}: {error.problem}.", hint=f"{error.remedy}.") from error
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
            if sys.stdin is None:
                raise InputError("standard input is closed.", hint="Name a file.")
            return read_whole(sys.stdin.buffer, name, InputError)
        with Path(path).open("rb") as file:
            return read_whole(file, name, InputError)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}.") from error


def _decode(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise ConfigurationError(
            f"no encoding {encoding!r}.",
            hint="Usual encodings are utf-8, latin-1, cp1252 and utf-16.",
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise EncodingError(
            f"{name}, line {line}: byte 0x{data[error.start]:02x} is not {encoding}.",
            hint=f"{_encoding_remedy(data)}.",
        ) from error
    return text.removeprefix("\ufeff")


def _encoding_remedy(data: bytes) -> str:
    encoding = likely_encoding(data)
    if encoding is None:
        return "it holds zero bytes, as no text does: name a file of labelled texts"
    if encoding != "latin1":
        looks = encoding.upper()
        return f'it looks like {looks}: pass --encoding {encoding} (encoding="{encoding}")'
    return 'say what it is with --encoding (encoding="latin-1", say)'


def _form_of(name: str, text: str) -> str:
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
            remedy = "close the quotes, or double them"
            if "field limit" in str(error):
                remedy += "; if a text is so long, write it as TSV or JSON lines"
            raise _LineError(start, f"no CSV: {error}", remedy) from None
        if row:
            yield start, row


def _table(rows: Iterator[tuple[int, list[str]]], columns: tuple[str, str]) -> Iterator[Row]:
    """Yield the rows of a table whose first line may name its columns."""
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
            f"{_columns(names)}, and none called "
            + " and ".join(repr(column) for column in columns if column.casefold() not in names),
            "separate a text and its label by a tab (TSV) or a comma (CSV)"
            if len(names) == 1
            else "name the columns in the first line, or say what they are called with --text and "
            "--label (columns), or keep a text and its label a line",
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
        except json.JSONDecodeError as error:
            problem = f"no JSON: {error.msg} at column {error.colno}"
            raise _LineError(number, problem, "write one object a line") from None
        except (ValueError, RecursionError) as error:  # a number of too many digits, deep nesting
            raise _LineError(number, f"no JSON: {error}", "write one object a line") from None
        if not isinstance(row, dict):
            raise _LineError(number, "no JSON object", 'write {"text": ..., "label": ...}')
        text, label = columns
        if isinstance(row.get(label), int):  # a class's number, or true and false
            row[label] = json.dumps(row[label])
        yield number, _string(row, text, number), _string(row, label, number)


def _string(row: dict[str, Any], column: str, line: int) -> str:
    if column not in row:
        remedy = "name the keys with --text and --label (columns)"
        raise _LineError(line, f"no key {column!r}", remedy)
    value = row[column]
    if not isinstance(value, str):
        shown = json.dumps(value)
        raise _LineError(line, f"{column!r} is {shown:.60}, no string", "put it into quotes")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _LineError(
            line,
            f"{column!r} is {value!r:.60}, half a character: {error.reason}",
            "write the other half",
        ) from None
    return value


def _fasttext(text: str, columns: tuple[str, str]) -> Iterator[Row]:
    for number, line in _lines(text):
        label, *rest = line.split(maxsplit=1)
        sentence = "".join(rest).strip()
        labels = [word for word in (label, *sentence.split()) if word.startswith(_FASTTEXT)]
        if len(labels) != 1 or label != labels[0]:
            found = f"{len(labels)} labels" if labels[1:] else f"no {_FASTTEXT} at its beginning"
            raise _LineError(number, found, f"begin each line with one {_FASTTEXT}LABEL")
        yield number, sentence, label.removeprefix(_FASTTEXT)


FORMATS: Mapping[str, Callable[[str, tuple[str, str]], Iterator[Row]]] = {
    "tsv": _tsv,
    "csv": _csv,
    "jsonl": _jsonl,
    "fasttext": _fasttext,
}
