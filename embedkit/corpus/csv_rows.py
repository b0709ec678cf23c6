"""The rows of CSV files, and the lines on which they begin."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

__all__ = ["CsvProblem", "CsvRow", "csv_rows"]

_LONGEST_CELL = 1 << 30  # characters; Python's default is 131,072
_HINT = "Close the quotation marks, or double those inside a cell."


class CsvProblem(NamedTuple):
    """Why a row cannot be read.

    Attributes:
        problem: what is wrong, without a final period.
        hint: what to do about it.
        is_last: whether it takes up the rest of the file, which may be many rows.
    """

    problem: str
    hint: str
    is_last: bool


CsvRow: TypeAlias = "tuple[int, list[str] | CsvProblem]"
"""The number of the line, from 1, on which a row begins, and its cells or what is wrong with it."""


def csv_rows(lines: Iterable[str]) -> Iterator[CsvRow]:
    """Yield the rows of a CSV file (RFC 4180); a cell in quotation marks may span several lines.

    Blank lines between rows are skipped, those inside of a cell belong to it.

    Args:
        lines: all lines, with their line ends.
    """
    is_over = False

    def followed() -> Iterator[str]:
        nonlocal is_over
        yield from lines
        is_over = True

    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(followed(), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if is_over:
                yield start, CsvProblem("a quotation mark is never closed", _HINT, True)
                return
            yield start, CsvProblem(f"invalid CSV: {error}", _HINT, False)
        else:
            if len(row) > 1 or "".join(row).strip():
                yield start, row
