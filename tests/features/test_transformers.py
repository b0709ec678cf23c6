"""The transformers keep the conventions of scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.features import TextFeatures, WordFeatures
from embedkit.vectors.word_vectors import WordVectors

QUESTIONS = ["where is the president", "where is new york", "who is a president", "who is rare"]
LABELS = [0, 0, 1, 1]
TRANSFORMERS = [TextFeatures, WordFeatures]

DIGITS = WordVectors(
    Vocabulary([f"w{digit}" for digit in range(10)], range(20, 10, -1)),
    np.random.default_rng(3).normal(size=(10, 4)).astype(np.float32),
)


def strings(X: Any) -> Any:
    """Write each row of finite numbers as a text, and pass anything else on unchanged."""
    if hasattr(X, "__array__") or (isinstance(X, list) and isinstance(X[0], list)):
        X = np.asarray(X)
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "fiu":
        return X
    return [
        " ".join(f"w{int(abs(number)) % 10}" for number in row) if np.isfinite(row).all() else row
        for row in X
    ]


class OfNumbers:
    """Applies scikit-learn's checks, which pass tables of numbers, to a transformer of strings.

    The tags of the transformers say that they take one column of strings, so without this class
    scikit-learn would skip all checks but one.
    """

    def fit(self, X: Any, y: Any = None) -> Any:
        return super().fit(strings(X), y)  # type: ignore[misc]

    def transform(self, X: Any) -> Any:
        return super().transform(strings(X))  # type: ignore[misc]

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        return super().fit_transform(strings(X), y)  # type: ignore[misc]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = False, True
        return tags


class TextsOfNumbers(OfNumbers, TextFeatures):
    pass


class WordsOfNumbers(OfNumbers, WordFeatures):
    pass


_NO_COLUMNS = "a column of strings has no number of columns to check"
_OTHER_WORDS = "rejected as a row that is not a string; the check expects another message"
EXPECTED_FAILURES = {
    "check_complex_data": _OTHER_WORDS,
    "check_dtype_object": "numbers as objects are rejected like any row that is not a string",
    "check_estimator_sparse_array": _OTHER_WORDS,
    "check_estimator_sparse_matrix": _OTHER_WORDS,
    "check_estimator_sparse_tag": _OTHER_WORDS,
    "check_estimators_empty_data_messages": "no rows are allowed, unless fit learns from them",
    "check_estimators_nan_inf": _OTHER_WORDS,
    "check_fit2d_predict1d": _NO_COLUMNS,
    "check_n_features_in": _NO_COLUMNS,
    "check_n_features_in_after_fitting": _NO_COLUMNS,
    "check_transformer_general": _NO_COLUMNS,
    "check_transformer_general(readonly_memmap=True)": _NO_COLUMNS,
}


@parametrize_with_checks(
    [
        *(TextsOfNumbers(DIGITS, pooling=pooling) for pooling in ("mean", "max", "tfidf", "sif")),
        WordsOfNumbers(DIGITS, oov="skip"),
    ],
    expected_failed_checks=lambda _: EXPECTED_FAILURES,
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_tags_describe_the_input(transformer: Any, vectors: WordVectors) -> None:
    tags = get_tags(transformer(vectors))
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert tags.requires_fit


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_fit_is_required_first(transformer: Any, vectors: WordVectors) -> None:
    with pytest.raises(NotFittedError):
        transformer(vectors).transform(["the"])
    with pytest.raises(NotFittedError):
        transformer(vectors).get_feature_names_out()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pooling": "median"}, "unknown pooling 'median'; choose from mean, max, sum, tfidf, sif"),
        (
            {"oov": "ignore"},
            "unknown oov policy 'ignore'; choose from error, skip, spell, subwords, zero, or",
        ),
        ({"tokenizer": "characters"}, "unknown tokenizer 'characters'"),
        (
            {"pooling": "sif", "sif_a": 0},
            "sif_a must be a number between 1e-12 and 1,000,000, got 0",
        ),
        (
            {"pooling": "sif", "sif_a": "0.1"},
            "sif_a must be a number between 1e-12 and 1,000,000, got '0.1'",
        ),
        ({"pooling": "sif", "sif_a": 10**400}, "sif_a must be a number between 1e-12"),
        ({"pooling": "sif", "sif_a": float("inf")}, "sif_a must be a number between .*, got inf"),
    ],
)
def test_settings_are_checked_by_fit(
    settings: dict[str, Any], message: str, vectors: WordVectors
) -> None:
    features = TextFeatures(vectors, **settings)
    with pytest.raises(ConfigurationError, match=message):
        features.fit(["the"])


def test_sif_needs_dense_vectors_and_counts(vectors: WordVectors) -> None:
    one_hot = embedkit.OneHotEncoder().fit([["the"]])
    with pytest.raises(ConfigurationError, match="no longer be sparse"):
        TextFeatures(one_hot, pooling="sif").fit(["the"])
    uncounted = WordVectors(Vocabulary(["the"]), np.ones((1, 2), dtype=np.float32))
    with pytest.raises(ConfigurationError, match="needs word counts, and these vectors have none"):
        TextFeatures(uncounted, pooling="sif").fit(["the"])


@pytest.mark.parametrize("pooling", ["tfidf", "sif"])
def test_a_pooling_that_learns_from_texts_needs_some(pooling: str, vectors: WordVectors) -> None:
    with pytest.raises(ValueError, match="learns from the texts passed to fit; got none"):
        TextFeatures(vectors, pooling=pooling).fit([])


@pytest.mark.parametrize("pooling", ["mean", "max", "sum", "tfidf", "sif"])
def test_pipeline_and_cross_validation(pooling: str, saved: Path) -> None:
    features = TextFeatures(saved, pooling=pooling, sif_a=1.0)
    pipeline = make_pipeline(features, LogisticRegression(C=1e3))
    assert pipeline.fit(QUESTIONS, LABELS).predict(QUESTIONS).tolist() == LABELS
    assert (cross_val_score(pipeline, QUESTIONS * 3, LABELS * 3, cv=3) == 1).all()


def test_a_clone_shares_the_vectors(vectors: WordVectors, saved: Path) -> None:
    encoder = embedkit.load_encoder(saved)
    for given in (vectors, encoder, saved):
        original = TextFeatures(given, pooling="sif", sif_a=0.5).fit(QUESTIONS)
        copy = clone(original)
        assert not hasattr(copy, "vectors_")
        assert np.array_equal(copy.fit_transform(QUESTIONS), original.transform(QUESTIONS))
    assert clone(TextFeatures(vectors)).vectors is vectors
    assert np.shares_memory(
        clone(TextFeatures(encoder)).fit([]).vectors_.matrix, encoder.vectors().matrix
    )


TABLES = {
    "pandas": pd.DataFrame(
        {"text": QUESTIONS, "word": ["the", "New York", "is", "a"], "height": [1.5, 1.8, 1.6, 1.7]},
        index=[10, 20, 30, 40],
    ),
    "polars": pl.DataFrame(
        {"text": QUESTIONS, "word": ["the", "New York", "is", "a"], "height": [1.5, 1.8, 1.6, 1.7]}
    ),
}


@pytest.mark.parametrize("library", TABLES)
def test_column_transformer_over_mixed_columns(library: str, vectors: WordVectors) -> None:
    table = TABLES[library]
    columns = ColumnTransformer(
        [
            ("text", TextFeatures(vectors), "text"),
            ("word", WordFeatures(vectors), ["word"]),
            ("numbers", StandardScaler(), ["height"]),
        ]
    ).set_output(transform=library)
    found = columns.fit_transform(table)
    assert type(found) is type(table)
    size = vectors.dimension
    assert list(found.columns) == [
        *(f"text__textfeatures{number}" for number in range(size)),
        *(f"word__wordfeatures{number}" for number in range(size)),
        "numbers__height",
    ]
    if library == "pandas":
        assert found.index.tolist() == [10, 20, 30, 40]
    words = found.to_numpy()[:, size : 2 * size]
    assert np.array_equal(words, vectors.encode(["the", "new_york", "is", "a"]))
    weight = [50.0, 80.0, 60.0, 70.0]
    predicted = make_pipeline(columns, LinearRegression()).fit(table, weight).predict(table)
    np.testing.assert_allclose(predicted, weight, rtol=1e-3)


@pytest.mark.parametrize("library", TABLES)
@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_set_output(library: str, transformer: Any, vectors: WordVectors) -> None:
    features = transformer(vectors, oov="skip").set_output(transform=library)
    column = TABLES[library]["text"]
    for found in (features.fit_transform(column), features.fit(column).transform(column)):
        assert type(found) is type(TABLES[library])
        assert list(found.columns) == features.get_feature_names_out().tolist()
        if library == "pandas":
            assert found.index.tolist() == [10, 20, 30, 40]


def test_grid_search_over_pooling_and_model(saved: Path, tmp_path: Path) -> None:
    """With worker processes. Only one of the models knows the words, so the best one is certain."""
    ignorant = tmp_path / "ignorant.embedkit"
    WordVectors(Vocabulary(["is", "a"], [3, 2]), np.eye(2, dtype=np.float32)).save(ignorant)
    grid = GridSearchCV(
        make_pipeline(TextFeatures(saved), LogisticRegression(C=1e3)),
        {
            "textfeatures__vectors": [str(ignorant), str(saved)],
            "textfeatures__pooling": ["mean", "max", "tfidf", "sif"],
        },
        cv=3,
        n_jobs=2,
        error_score="raise",
    ).fit(QUESTIONS * 3, LABELS * 3)
    assert len(grid.cv_results_["params"]) == 8
    assert grid.best_params_["textfeatures__vectors"] == str(saved)
    assert grid.best_score_ == 1
    assert grid.predict(["where", "who"]).tolist() == [0, 1]
