from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from embedkit.errors import InputError
from embedkit.features import TextFeatures, WordFeatures
from embedkit.features.inputs import as_strings
from embedkit.vectors.word_vectors import WordVectors

STRINGS = ["where is", "", "café"]
COLUMNS = {
    "list": STRINGS,
    "tuple": tuple(STRINGS),
    "NumPy strings": np.array(STRINGS),
    "NumPy objects": np.array(STRINGS, dtype=object),
    "NumPy column": np.array(STRINGS).reshape(-1, 1),
    "pandas Series": pd.Series(STRINGS, index=["x", "y", "z"]),
    "pandas objects": pd.Series(STRINGS, dtype=object),
    "pandas categories": pd.Series(STRINGS, dtype="category"),
    "pandas table": pd.DataFrame({"question": STRINGS}),
    "polars Series": pl.Series(STRINGS),
    "polars table": pl.DataFrame({"question": STRINGS}),
    "Arrow": pa.array(STRINGS),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS.keys())
def test_every_kind_of_column_becomes_a_list(column: Any) -> None:
    assert as_strings(column, "text") == STRINGS


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="NumPy 1 has no StringDType")
def test_numpy_variable_width_strings() -> None:
    assert as_strings(np.array(STRINGS, dtype=np.dtypes.StringDType()), "text") == STRINGS


@pytest.mark.parametrize("transformer", [TextFeatures, WordFeatures])
def test_a_generator_is_read_once(transformer: Any, vectors: WordVectors) -> None:
    features = transformer(vectors)
    wanted = features.fit_transform(["where", "is"])
    assert np.array_equal(features.fit_transform(word for word in ["where", "is"]), wanted)
    assert np.array_equal(features.transform(word for word in ["where", "is"]), wanted)


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (["a", "b", None], "None"),
        (["a", "b", float("nan")], "nan"),
        (np.array(["a", "b", None], dtype=object), "None"),
        (pd.Series(["a", "b", None]), "nan"),
        (pd.Series(["a", "b", None], dtype="string"), "<NA>"),
        (pd.DataFrame({"text": ["a", "b", None]}), "nan"),
        (pl.Series(["a", "b", None]), "None"),
        (pl.DataFrame({"text": ["a", "b", None]}), "None"),
        (pa.array(["a", "b", None]), "None"),
        (["a", "b", 7], "7"),
        (["a", "b", b"c"], "b'c'"),
        (["a", "b", ["c"]], "['c']"),
    ],
)
def test_a_row_that_is_not_a_string_is_named(column: Any, shown: str, vectors: WordVectors) -> None:
    features = TextFeatures(vectors).fit([])
    for method in (features.fit, features.transform, features.fit_transform):
        with pytest.raises(InputError, match=r"row 2 \(counted from 0\)") as caught:
            method(column)
        assert f"is {shown}, not a text" in str(caught.value)


@pytest.mark.parametrize("transformer", [TextFeatures, WordFeatures])
def test_a_string_that_is_not_valid_unicode_is_named_with_its_row(
    transformer: Any, vectors: WordVectors
) -> None:
    with pytest.raises(InputError, match=r"row 1 .*UTF-8"):
        transformer(vectors).fit_transform(["a", "lone \ud800 surrogate"])


@pytest.mark.parametrize("column", ["one text", b"bytes", 3, None])
def test_a_single_string_is_rejected(column: Any, vectors: WordVectors) -> None:
    with pytest.raises(InputError, match="expected a column of words"):
        WordFeatures(vectors).fit(column)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": ["x"], "b": ["y"]}),
        pl.DataFrame({"a": ["x"], "b": ["y"]}),
        np.array([["x", "y"]]),
        np.array("x"),
    ],
    ids=["pandas", "polars", "NumPy", "zero-dimensional"],
)
def test_more_than_one_column_is_rejected(table: Any) -> None:
    with pytest.raises(InputError, match=r"one column of words.*ColumnTransformer"):
        as_strings(table, "word")


def test_no_rows_give_an_empty_table(vectors: WordVectors) -> None:
    assert TextFeatures(vectors).fit_transform([]).shape == (0, vectors.dimension)
    assert TextFeatures(vectors, pooling="max").fit_transform([]).shape == (0, vectors.dimension)
    assert WordFeatures(vectors).fit_transform([]).shape == (0, vectors.dimension)


def test_line_breaks_inside_a_text_do_not_split_it(vectors: WordVectors) -> None:
    features = TextFeatures(vectors).fit([])
    lines = features.transform(["where\nis\r\nthe", "bananas\n", "\n who"])
    assert np.array_equal(lines, features.transform(["where is the", "bananas", "who"]))
