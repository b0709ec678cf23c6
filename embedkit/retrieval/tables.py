"""Read tables of documents: TSV and CSV, whose first line names the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from embedkit.corpus.csv_rows import CsvProblem, csv_rows
from embedkit.corpus.encodings import conversion
from embedkit.errors import InputError, counted, quoted

__all__ = ["Found", "Line", "decoded", "filled", "read_csv", "read_tsv"]

Line: TypeAlias = tuple[int, bytes]
"""A line, without its line feed, and its number, counted from 1."""

Found: TypeAlias = "tuple[int, dict[str, Any] | tuple[str, str]]"
"""The number of a line, and its columns by name, or a problem and a hint."""

_MOST_NAMED = 10  # columns in a message


def read_tsv(name: str, lines: Iterator[Line], text: str) -> Iterator[Found]:
    """Yield the rows of a TSV file, in which quotation marks are ordinary characters.

    Args:
        name: of the file, for messages.
        lines: its lines; blank ones are skipped.
        text: the name of the column of texts.

    Raises:
        InputError: the first line does not name the columns.
    """
    found = ((number, decoded(line)) for number, line in filled(lines))
    cells = ((n, line if isinstance(line, tuple) else line.split("\t")) for n, line in found)
    return _table(name, cells, text)


def read_csv(name: str, lines: Iterator[Line], text: str) -> Iterator[Found]:
    """Yield the rows of a CSV file, in which quotation marks enclose a cell; see `read_tsv`.

    Raises:
        InputError: the first line does not name the columns, or a quotation mark is never closed.
            No document can be left out then: the rest of the file would be one.
    """
    bad: list[tuple[int, tuple[str, str]]] = []

    def texts() -> Iterator[str]:
        for number, line in lines:
            found = decoded(line)
            if isinstance(found, tuple):
                bad.append((number, found))
                found = line.decode(errors="replace")  # keeps quotation marks where they are
            yield f"{found}\n"

    def cells() -> Iterator[tuple[int, Sequence[str] | tuple[str, str]]]:
        for number, row in csv_rows(texts()):
            if isinstance(row, CsvProblem):
                if row.is_last:
                    raise InputError(f"{name}, line {number}: {row.problem}.", hint=row.hint)
                bad.clear()
                yield number, (row.problem, row.hint)
            elif bad:
                yield bad[0]
                bad.clear()
            else:
                yield number, row

    return _table(name, cells(), text)


def filled(lines: Iterator[Line]) -> Iterator[Line]:
    """Yield the lines that are not blank, without carriage returns at their ends."""
    return ((n, line.removesuffix(b"\r")) for n, line in lines if line and not line.isspace())


def decoded(line: bytes) -> str | tuple[str, str]:
    """Return a line as text, or a problem and a hint."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} is not UTF-8", conversion(line, " or pass --encoding")


def _table(
    name: str, rows: Iterator[tuple[int, Sequence[str] | tuple[str, str]]], text: str
) -> Iterator[Found]:
    number, header = next(rows)
    if isinstance(header, tuple):
        raise InputError(f"{name}, line {number}: {header[0]}.", hint=header[1])
    names = [cell.strip() for cell in header]
    if repeated := {cell for cell in names if names.count(cell) > 1}:
        raise InputError(
            f"{name}, line {number}: the column {quoted(sorted(repeated)[0])} occurs twice.",
            hint="Write the names of the columns in the first line.",
        )
    if text not in names:
        raise InputError(
            f"{name}, line {number}: there is no column {quoted(text)}.",
            hint="The first line must name the columns. These are "
            f"{', '.join(map(quoted, names[:_MOST_NAMED]))}; choose one with --text (text=...).",
        )
    for number, cells in rows:
        if isinstance(cells, tuple):
            yield number, cells
        elif len(cells) != len(names):
            problem = f"{counted(len(cells), 'column')}, but the first line has {len(names)}"
            yield number, (problem, "Look for a missing separator, or one inside a text.")
        else:
            yield number, dict(zip(names, cells, strict=True))
