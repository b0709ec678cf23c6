"""Rows of CSV files, compared with those of pandas, and rows that cannot be read."""

from __future__ import annotations

import io

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from embedkit.corpus.csv_rows import CsvProblem, csv_rows

CELLS = st.text(st.sampled_from('ab ,"\n'), max_size=6)


def read(text: str) -> list[object]:
    return [
        (line, row.problem) if isinstance(row, CsvProblem) else (line, row)
        for line, row in csv_rows(io.StringIO(text, newline=""))
    ]


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_what_pandas_writes_is_read_with_its_lines(cells: list[tuple[str, str]]) -> None:
    written, expected = "", []
    for row in cells:
        expected.append((written.count("\n") + 1, list(row)))
        written += pd.DataFrame([row]).to_csv(index=False, header=False, quoting=1)
    assert read(written) == expected


def test_rows_that_cannot_be_read_are_named() -> None:
    assert read('a,b\n\n"c"d,e\nf,g\n"h\ni,j\n') == [
        (1, ["a", "b"]),
        (3, "invalid CSV: ',' expected after '\"'"),
        (4, ["f", "g"]),
        (5, "a quotation mark is never closed"),
    ]


def test_a_cell_may_be_long() -> None:
    assert read("x" * 200_000) == [(1, ["x" * 200_000])]
