"""Documents from tables and iterables, and those that cannot be indexed."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from embedkit.errors import InputError
from embedkit.retrieval.documents import Chunk, Columns, DocumentReader

NONE = pa.chunked_array([], type=pa.string())


def read(source: Any, existing: pa.ChunkedArray = NONE, **options: Any) -> Chunk:
    (chunk,) = DocumentReader(source, **options).chunks(100, 1, existing)
    return chunk


def test_texts_pairs_and_mappings() -> None:
    assert read(["one", "two"]).ids == ["1", "2"]
    found = read([("x", "one"), (7, "two"), {"text": "three", "more": [1, None]}])
    assert found.ids == ["x", "7", "3"]
    assert found.texts == ["one", "two", "three"]
    assert found.fields == [None, None, '{"more":[1,null]}']


def test_mappings_are_not_changed() -> None:
    given = {"text": "one", "id": "a"}
    read([given])
    assert given == {"text": "one", "id": "a"}


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_tables(library: Any) -> None:
    table = library({"key": ["a", "b"], "body": ["one", "two"], "n": [1, 2]})
    found = read(table, columns=Columns("body", "key"))
    assert (found.ids, found.texts) == (["a", "b"], ["one", "two"])
    assert found.fields == ['{"n":1}', '{"n":2}']


def test_values_that_json_does_not_have() -> None:
    day = dt.date(2024, 2, 29)
    table = pd.DataFrame(
        {
            "text": ["one", "two"],
            "x": [1.5, float("nan")],
            "n": pd.array([1, None], dtype="Int64"),
            "t": pd.to_datetime(["2024-02-29", None]),
            "o": [day, np.float32(0.5)],
        }
    )
    first, second = (json.loads(str(fields)) for fields in read(table).fields)
    assert first == {"x": 1.5, "n": 1, "t": "2024-02-29T00:00:00", "o": "2024-02-29"}
    assert second == {"x": None, "n": None, "t": None, "o": 0.5}


def test_integers_of_numpy_are_ids() -> None:
    assert read([(np.int64(7), "one"), {"id": np.uint8(8), "text": "two"}]).ids == ["7", "8"]


def test_a_chosen_column_of_ids_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "docs.csv"
    path.write_text("text,n\none,1\n")
    assert read(path, columns=Columns(id="n")).ids == ["1"]
    with pytest.raises(InputError, match=r"line 2: there is no column 'key'\.") as error:
        read(path, columns=Columns(id="key"))
    assert "columns 'n'; choose one with --id (id=...)" in str(error.value.hint)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["fine", ""], "row 1 (counted from 0): the text is empty"),
        (["fine", " \n"], "the text is empty"),
        (["fine", None], "the text is None, not a string"),
        (pd.DataFrame({"text": ["fine", np.nan]}), "the text is nan, not a string"),
        (["fine", 3], "the text is 3, not a string"),
        (["fine", "\ud800"], "cannot be encoded as UTF-8"),
        ([("a", "fine"), ("a", "again")], "the id 'a' occurs twice"),
        (["fine", {"id": None, "text": "x"}], "the id is None"),
        (["fine", ("\ud800", "x")], "the id is '\\ud800'"),
        (["fine", {"text": "x", "more": "\ud800"}], "a column cannot be kept as JSON"),
        (["fine", {"body": "x"}], "there is no column 'text'"),
        (["fine", {"text": "x", "o": object}], None),
    ],
)
def test_rows_that_cannot_be_indexed(rows: Any, problem: str | None) -> None:
    if problem is None:
        assert len(read(rows)) == 2
        return
    with pytest.raises(InputError) as error:
        read(rows)
    assert problem in str(error.value)
    assert "row 1 (counted from 0)" in str(error.value)
    reader = DocumentReader(rows, errors="skip")
    (chunk,) = reader.chunks(100, 1, NONE)
    assert (chunk.texts, reader.skipped, reader.read) == (["fine"], 1, 2)
    assert problem.rpartition(": ")[2] in reader.summary()


def test_ids_that_are_in_the_index() -> None:
    taken = pa.chunked_array([["a", "b"]])
    rows = [("x", "one"), ("b", "two"), ("y", "three")]
    with pytest.raises(InputError, match=r"row 1 .*'b' is already in the index"):
        read(rows, taken)
    assert read(rows, taken, errors="skip").ids == ["x", "y"]


def test_a_single_value_is_no_list_of_documents() -> None:
    for source in (3, b"bytes"):
        with pytest.raises(InputError, match="expected documents"):
            read(source)


def test_a_missing_column_is_named_with_those_that_exist(tmp_path: Path) -> None:
    path = tmp_path / "docs.tsv"
    path.write_text("body\tauthor\na text\tme\n")
    with pytest.raises(InputError, match="'body', 'author'; choose one with --text"):
        read(path)
