"""The columns of an edge list: the separator, the number of columns and the header."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.walks.options import SEPARATORS

__all__ = ["ColumnFormat", "QuoteError"]

_ASCII_SPACES = " \t\n\v\f\r"
_SPACE_AFTER_QUOTE = re.compile(r'"[ \t]+(?=,|$)')

_COMMON_NAMES = {
    *("source", "target", "src", "dst", "from", "to", "fromnode", "tonode", "fromnodeid"),
    *("tonodeid", "node1", "node2", "node_1", "node_2", "id1", "id2", "id_1", "id_2"),
}


class QuoteError(Exception):
    """The quotation marks of a line of CSV are not balanced.

    Attributes:
        row: the line, counted from 0 among those that were split.
    """

    def __init__(self, row: int) -> None:
        self.row = row
        super().__init__(row)


@dataclass(frozen=True)
class ColumnFormat:
    """The requested column format; `detect` fills in the rest from the first line.

    Attributes:
        weighted: whether a third column is a weight.
        separator: a key of `SEPARATORS`, or None to detect it.
        header: whether the first line names the columns, or None to detect it.
        columns: the number of columns, or 0 before detection.
        first_line: the number of the first line.
    """

    weighted: bool
    separator: str | None
    header: bool | None
    columns: int = 0
    first_line: int = 0

    def detect(self, line: str, number: int) -> ColumnFormat:
        """Return the format, with what was not given detected from the first line of data.

        Raises:
            QuoteError: the quotation marks of the line are not balanced.
        """
        separator = self.separator or next(
            name for name, mark in SEPARATORS.items() if mark is None or mark in line
        )
        found = replace(self, separator=separator, first_line=number)
        cells = [cell.strip(" \t\r#\"'") for cell in found.split(pa.array([line]))[0].to_pylist()]
        header = self.header
        if header is None:
            header = {cell.lower() for cell in cells[:2]} <= _COMMON_NAMES or (
                self.weighted and len(cells) == 3 and _is_name(cells[2])
            )
        return replace(found, header=header, columns=len(cells))

    def split(self, lines: pa.StringArray) -> tuple[pa.StringArray, NDArray[np.int64]]:
        """Return the cells of all lines, and the offsets of each line's cells, (lines + 1,).

        Raises:
            QuoteError: the quotation marks of a line of CSV are not balanced.
        """
        mark = SEPARATORS[self.separator or "space"]
        lines = pc.ascii_trim(lines, " \r")
        if mark is None:
            rows = pc.ascii_split_whitespace(pc.ascii_trim_whitespace(lines))
            return rows.flatten(), np.asarray(rows.offsets).astype(np.int64)
        if mark == "," and pc.any(pc.match_substring(lines, '"')).as_py():
            return _quoted_cells(lines.to_pylist())
        rows = pc.split_pattern(lines, mark)
        cells = pc.ascii_trim_whitespace(rows.flatten())
        unquoted = pc.replace_substring_regex(cells, r'^"(.*)"$', r"\1")
        return unquoted, np.asarray(rows.offsets).astype(np.int64)


def _quoted_cells(lines: list[str]) -> tuple[pa.StringArray, NDArray[np.int64]]:
    """Return the result of `ColumnFormat.split` for CSV with quotation marks (RFC 4180)."""
    cells: list[str] = []
    offsets = np.zeros(len(lines) + 1, dtype=np.int64)
    for number, line in enumerate(lines):
        try:
            row = _csv_row(line)
        except csv.Error:
            try:
                row = _csv_row(_SPACE_AFTER_QUOTE.sub('"', line))
            except csv.Error:
                raise QuoteError(number) from None
        cells += [cell.strip(_ASCII_SPACES) for cell in row]
        offsets[number + 1] = len(cells)
    return pa.array(cells, pa.string()), offsets


def _csv_row(line: str) -> list[str]:
    (row,) = csv.reader([line], strict=True, skipinitialspace=True)
    return row


def _is_name(text: str) -> bool:
    """Tell whether a cell is a column name: not a number, nor an invalid one such as nan."""
    try:
        float(text)
    except ValueError:
        return text[:1].isalpha()
    return False
