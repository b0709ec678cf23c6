"""How a file of edges is written: what stands between its columns, and whether it names them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["SEPARATORS", "Form"]

SEPARATORS = {"tab": "\t", "comma": ",", "space": None}
"""What stands between columns; *space* is any run of spaces and tabs."""

_USUAL_HEADS = {
    *("source", "target", "src", "dst", "from", "to", "fromnode", "tonode", "fromnodeid"),
    *("tonodeid", "node1", "node2", "node_1", "node_2", "id1", "id2", "id_1", "id_2"),
}


@dataclass(frozen=True)
class Form:
    """What was asked for, and after `known_from` what the first line says.

    Attributes:
        weighted: a third column is a weight.
        separator: a key of `SEPARATORS`, or None for whichever the first line has.
        header: the first line names the columns; None: if it looks like it.
        columns: their number, or 0 as long as no line was seen.
        first_line: its number.
    """

    weighted: bool
    separator: str | None
    header: bool | None
    columns: int = 0
    first_line: int = 0

    def known_from(self, line: str, number: int) -> Form:
        """Return the form as the first line that is no comment shows it."""
        separator = self.separator or next(
            name for name, mark in SEPARATORS.items() if mark is None or mark in line
        )
        cells = [cell.strip(" \t\r#\"'") for cell in line.strip().split(SEPARATORS[separator])]
        header = self.header
        if header is None:
            header = {cell.lower() for cell in cells[:2]} <= _USUAL_HEADS or (
                self.weighted and len(cells) == 3 and _is_name(cells[2])
            )
        return replace(
            self, separator=separator, header=header, columns=len(cells), first_line=number
        )

    def split(self, lines: pa.StringArray) -> tuple[pa.StringArray, NDArray[np.int64]]:
        """Return the cells of all lines, and where each line's begin and the last one's end."""
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
    """Tell a column's name from a number, which may be a wrong one, such as nan."""
    try:
        float(text)
    except ValueError:
        return text[:1].isalpha()
    return False
