"""Vectors composed of n-grams: rows for some buckets only, own rows, model directories."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embedkit import load
from embedkit.corpus.ngrams import Ngrams, word_bytes
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, ModelError
from embedkit.storage.quantization import PackedRows
from embedkit.vectors.postprocess import center, prune_ngrams
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

WORDS = ["cat", "cats", "dog", "</s>", "été"]
NGRAMS = Ngrams(2, 4, 500)


def dense() -> Subwords:
    rows = np.random.default_rng(3).normal(size=(500, 6)).astype(np.float32)
    return Subwords(rows, NGRAMS)


def reached(words: list[str]) -> Subwords:
    """Return the n-grams of some words alone; all other buckets have no rows."""
    ids = np.unique(NGRAMS.of(word_bytes(words))[1]).astype(np.int32)
    return Subwords(dense().rows[ids], NGRAMS, ids)


SOME = reached(["cat", "dog"])


def test_the_mean_of_n_grams_is_that_of_a_loop() -> None:
    subwords = dense()
    for word, vector in zip(WORDS, subwords.encode(WORDS), strict=True):
        buckets = NGRAMS.of(word_bytes([word]))[1]
        expected = subwords.rows[buckets].mean(axis=0) if len(buckets) else np.zeros(6)
        np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_buckets_without_a_row_count_as_zero() -> None:
    some = reached(["cat", "dog"])
    whole = np.zeros((500, 6), dtype=np.float32)
    whole[some.ids] = some.rows
    words = [*WORDS, "catalog", "zzz"]
    np.testing.assert_allclose(some.encode(words), Subwords(whole, NGRAMS).encode(words), atol=1e-6)
    assert not some.encode(["zzzz"]).any()


def test_pruned_buckets_are_left_out_of_the_mean() -> None:
    some = replace(reached(["cat", "dog"]), pruned=True)
    own = np.random.default_rng(5).normal(size=(3, 6)).astype(np.float32)
    words = ["catalog", "cats", "zzzz"]
    composed = some.compose(word_bytes(words), own)
    for word, vector, row in zip(words, composed, own, strict=True):
        buckets = NGRAMS.of(word_bytes([word]))[1]
        parts = [row, *(dense().rows[bucket] for bucket in buckets if bucket in some.ids)]
        np.testing.assert_allclose(vector, np.mean(parts, axis=0), atol=1e-6)
    assert not some.encode(["zzzz"]).any()


@pytest.mark.parametrize("subwords", [dense(), SOME, replace(SOME, pruned=True)])
def test_own_rows_compose_the_vectors_that_they_were_taken_from(subwords: Subwords) -> None:
    words = word_bytes(WORDS)
    vectors = np.random.default_rng(4).normal(size=(5, 6)).astype(np.float32)
    own = subwords.own_rows(words, vectors)
    np.testing.assert_allclose(subwords.compose(words, own), vectors, atol=1e-6)


@pytest.mark.parametrize("subwords", [dense(), SOME, replace(SOME, pruned=True)])
def test_a_model_directory_holds_them(subwords: Subwords) -> None:
    back = Subwords.of_model({"subwords": subwords.config}, subwords.tensors)
    assert back is not None
    assert back.pruned == subwords.pruned
    np.testing.assert_array_equal(back.encode(WORDS), subwords.encode(WORDS))
    assert Subwords.of_model({}, {}) is None


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"subwords": 5},
        {"subwords": {"shortest": 2, "longest": 4}},
        {"subwords": {"shortest": 2, "longest": "4", "buckets": 500}},
        {"subwords": {"shortest": 2, "longest": 4, "buckets": 499}},
    ],
)
def test_settings_that_do_not_describe_them_are_an_error(config: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"n-grams|buckets"):
        Subwords.of_model(config, dense().tensors)


@pytest.mark.parametrize("ids", [[2, 1], [1, 1], [-1, 3], [1, 9]])
def test_damaged_buckets_are_an_error(ids: list[int]) -> None:
    config = {"subwords": {"shortest": 3, "longest": 4, "buckets": 9}}
    tensors = {"ngrams": np.ones((2, 2), np.float32), "buckets": np.array(ids, np.int32)}
    with pytest.raises(ValueError, match="not ascending numbers in their range"):
        Subwords.of_model(config, tensors)


def not_finite(storage: str) -> tuple[Subwords, int]:
    """Return n-grams with a number of "cats" that is not finite, and the bucket of its row."""
    row = int(np.flatnonzero(np.isin(SOME.ids, NGRAMS.of(word_bytes(["cats"]))[1]))[0])
    rows = SOME.rows.copy()
    rows[row, 2] = np.inf
    bad = replace(SOME, rows=rows)
    if storage == "int8":
        packed = SOME.packed("int8").rows
        assert isinstance(packed, PackedRows)
        assert packed.scales is not None
        scales = packed.scales.copy()
        scales[row] = np.nan
        bad = replace(SOME, rows=PackedRows(packed.packed, scales))
    return bad, int(SOME.ids[row])


@pytest.mark.parametrize("storage", ["float32", "int8"])
def test_numbers_that_are_not_finite_are_refused_like_those_of_words(
    storage: str, tmp_path: Path
) -> None:
    bad, bucket = not_finite(storage)
    matrix = np.eye(2, 6, dtype=np.float32)
    problem = f"row of bucket {bucket:,} contains NaN or infinity"
    with pytest.raises(ConfigurationError, match=problem):
        WordVectors(["cat", "dog"], matrix, subwords=bad)
    # Opening a model reads no rows, so what is damaged is found when it is used.
    WordVectors.from_checked(Vocabulary(["cat", "dog"]), matrix, subwords=bad).save(tmp_path / "m")
    opened = load(tmp_path / "m")
    assert np.isfinite(opened["cat"]).all()
    for use in (
        lambda: opened["cats"],
        lambda: opened.neighbors("cats"),
        lambda: opened.similarity("cats", "cat"),
    ):
        with pytest.raises(ModelError, match="vector of 'cats' contains NaN or infinity"):
            use()
    for step in (center, lambda vectors: prune_ngrams(vectors, 2)):
        with pytest.raises(ModelError, match=problem):
            step(opened)


def test_an_offset_that_is_not_finite_is_refused() -> None:
    offset = np.full(6, np.nan, dtype=np.float32)
    with pytest.raises(ConfigurationError, match="offset of the n-grams contains NaN"):
        WordVectors(["a"], np.ones((1, 6)), subwords=replace(SOME, offset=offset))


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="n-grams have 6 dimensions, and the vectors 2"):
        WordVectors(["a"], np.ones((1, 2)), subwords=SOME)
