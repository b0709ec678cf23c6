"""Read files of labeled texts, one text and label per line, in four common formats."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

from embedkit.classification.labeled_lines import COLUMNS, PARSERS, LineError, detect_format
from embedkit.classification.options import LABELED_FORMATS, TASKS
from embedkit.corpus.encodings import likely_encoding, read_whole, text_encoding
from embedkit.errors import ConfigurationError, EncodingError, InputError
from embedkit.validation import check_choice

__all__ = ["LabeledTexts", "NumberedTexts", "read_labeled", "read_numbered"]

_EMPTY_HINT = "Fill it in or remove the line."
_NUMBER_HINT = "Write it with a decimal point, such as 2.5, or remove the line."


class LabeledTexts(NamedTuple):
    """Texts, and the label of each: a string, a tuple of strings, or a number, by task."""

    texts: list[str]
    labels: list[Any]


class NumberedTexts(NamedTuple):
    """Labeled texts, and the number of the line, from 1, on which each begins."""

    texts: list[str]
    labels: list[Any]
    lines: list[int]


def read_labeled(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the standard name
    encoding: str = "utf-8",
    columns: tuple[str, str] = COLUMNS,
    task: str = "label",
) -> LabeledTexts:
    """Read a file of labeled texts, plain or compressed.

    *tsv* and *csv*: if the first line contains the names of the *columns*, in any case, it is a
    header; otherwise every line has two cells, a text and its label. Quotation marks are ordinary
    characters in TSV and enclose a cell in CSV. *jsonl*: one JSON object with these keys per line.
    *fasttext*: each line is ``__label__LABEL`` followed by the text. Empty lines are skipped.

    Several labels of a text are separated by commas in TSV and CSV, are a list of strings or
    integers in JSON, and are several ``__label__LABEL`` at the beginning of a line in fastText's
    format; a text may also have none.

    Args:
        path: the file, or "-" for standard input.
        format: one of `LABELED_FORMATS`; by default, it is detected from the file's extension
            (.tsv, .csv, .jsonl) or else from its first line.
        encoding: Python's name of the file's encoding.
        columns: the names of the text column and the label column.
        task: "label": each text has one label; "labels": it has any number of labels; "number": its
            label is a finite number.

    Raises:
        InputError: the file is missing or empty, or a line cannot be read. The message names the
            line.
        EncodingError: the bytes are not valid in this encoding.
        ConfigurationError: the format, the encoding or the task is unknown, or both columns are the
            same.
    """
    found = read_numbered(path, format=format, encoding=encoding, columns=columns, task=task)
    return LabeledTexts(found.texts, found.labels)


def read_numbered(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - as above
    encoding: str = "utf-8",
    columns: tuple[str, str] = COLUMNS,
    task: str = "label",
) -> NumberedTexts:
    """Read a file of labeled texts, and the numbers of its lines; see `read_labeled`."""
    check_choice("task", task, TASKS)
    if columns[0].casefold() == columns[1].casefold():
        raise ConfigurationError(
            f"the texts and the labels are in the same column, {columns[0]!r}.",
            hint="Choose two columns with --text and --label (columns).",
        )
    name = "standard input" if str(path) == "-" else str(path)
    text = _decode(_read(path, name), encoding, name)
    format = format or detect_format(name, text)  # noqa: A001
    check_choice("format", format, LABELED_FORMATS)
    texts: list[str] = []
    labels: list[Any] = []
    lines: list[int] = []
    try:
        for line, sentence, label in PARSERS[format](text, columns, task):
            if not sentence.strip():
                raise LineError(line, f"the {columns[0]} is empty", _EMPTY_HINT)
            texts.append(sentence)
            labels.append(_target(label, task, line, columns[1]))
            lines.append(line)
    except LineError as error:
        raise InputError(f"{name}, line {error.line}: {error.problem}.", hint=error.hint) from error
    if not texts:
        raise InputError(f"{name} contains no labeled texts.")
    return NumberedTexts(texts, labels, lines)


def _target(label: str | list[str], task: str, line: int, column: str) -> object:
    """Return a label, or a list of them, as the task needs it."""
    if isinstance(label, list):
        return tuple(dict.fromkeys(part.strip() for part in label if part.strip()))
    label = label.strip()
    if not label:
        raise LineError(line, f"the {column} is empty", _EMPTY_HINT)
    if task == "label":
        return label
    try:
        number = math.nan if "_" in label else float(label)  # Python reads 1_000
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise LineError(line, f"the {column} {label!r:.60} is not a finite number", _NUMBER_HINT)
    return number


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
        return "The file contains zero bytes and is not text. Pass a file of labeled texts."
    if encoding != "latin1":
        return (
            f'It looks like {encoding.upper()}. Pass --encoding {encoding} (encoding="{encoding}").'
        )
    return 'Pass the right encoding, such as --encoding latin-1 (encoding="latin-1").'
