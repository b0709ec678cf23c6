"""The columns of an edge list: their separator, their number and the header."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.walks.options import SEPARATORS

__all__ = ["ColumnFormat"]

_COMMON_NAMES = {
    *("source", "target", "src", "dst", "from", "to", "fromnode", "tonode", "fromnodeid"),
    *("tonodeid", "node1", "node2", "node_1", "node_2", "id1", "id2", "id_1", "id_2"),
}


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
        """Return the format as the first line that is not a comment shows it."""
        separator = self.separator or next(
            name for name, mark in SEPARATORS.items() if mark is None or mark in line
        )
        cells = [cell.strip(" \t\r#\"'") for cell in line.strip().split(SEPARATORS[separator])]
        header = self.header
        if header is None:
            header = {cell.lower() for cell in cells[:2]} <= _COMMON_NAMES or (
                self.weighted and len(cells) == 3 and _is_name(cells[2])
            )
        return replace(
            self, separator=separator, header=header, columns=len(cells), first_line=number
        )

    def split(self, lines: pa.StringArray) -> tuple[pa.StringArray, NDArray[np.int64]]:
        """Return the cells of all lines, and the offsets of each line's cells, (lines + 1,)."""
        mark = SEPARATORS[self.separator or "space"]
        lines = pc.ascii_trim(lines, " \r")
        if mark is None:
            rows = pc.ascii_split_whitespace(pc.ascii_trim_whitespace(lines))
            return rows.flatten(), np.asarray(rows.offsets).astype(np.int64)
        rows = pc.split_pattern(lines, mark)
        cells = pc.ascii_trim_whitespace(rows.flatten())
        unquoted = pc.replace_substring_regex(cells, r'^"(.*)"$', r"\1")
        return unquoted, np.asarray(rows.offsets).astype(np.int64)


def _is_name(text: str) -> bool:
    """Tell whether a cell is a column name: not a number, nor an invalid one such as nan."""
    try:
        float(text)
    except ValueError:
        return text[:1].isalpha()
    return False
