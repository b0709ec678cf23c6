"""Vectors as an immutable value: rows, errors, files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, OutputExistsError, UnknownWordError
from embedkit.vectors.word_vectors import WordVectors
from tests.vectors.samples import (
    DENSE,
    DIMENSION,
    KINDS,
    MATRIX,
    ONE_HOT,
    SIZE,
    SPARSE,
    WORDS,
)


@pytest.mark.parametrize("vectors", [DENSE, SPARSE], ids=["dense", "csr"])
def test_distances_match_scipy(vectors: WordVectors) -> None:
    wide = (MATRIX if vectors is DENSE else vectors.matrix.toarray())[:8].astype(np.float64)
    np.testing.assert_allclose(vectors.distance(WORDS[:8]), cdist(wide, wide), atol=1e-12)


def test_a_row_number_is_not_a_key() -> None:
    with pytest.raises(TypeError, match="expected a word, a list of words or a slice, got 5"):
        DENSE[5]  # type: ignore[index]


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda vectors: vectors["quen"],
        lambda vectors: vectors.encode(["king", "quen"]),
        lambda vectors: vectors.encode(["king", "queen"] * 200 + ["quen"]),
        lambda vectors: vectors.neighbors("quen"),
        lambda vectors: vectors.query("king + quen"),
        lambda vectors: vectors.analogy("king", "quen", "queen"),
        lambda vectors: vectors.distance(["king", "quen"]),
    ],
    ids=["[]", "encode", "encode many", "neighbors", "query", "analogy", "distance"],
)
def test_unknown_words_are_named_and_spellings_suggested(
    kind: type, ask: Callable[[WordVectors], object]
) -> None:
    vectors = WordVectors(Vocabulary(["king", "queen"]), kind(np.eye(2, dtype=np.float32)))
    with pytest.raises(UnknownWordError, match=r"'quen' is not .* Did you mean queen") as raised:
        ask(vectors)
    assert raised.value.word == "quen"
    assert raised.value.suggestions == ("queen",)


@KINDS
def test_encode_returns_rows_in_the_given_order(vectors: WordVectors) -> None:
    words = ["w9", "w2", "w9", "w299", "w0"]
    for repeat in (1, 100):
        rows = vectors.encode(words * repeat)
        expected = vectors.matrix[[9, 2, 9, 299, 0] * repeat]
        assert rows.dtype == np.float32
        assert abs(rows - expected).max() == 0
    assert vectors.encode([]).shape == (0, vectors.dimension)


def test_vectors_cannot_be_changed() -> None:
    matrix = MATRIX.copy()
    vectors = WordVectors(Vocabulary(WORDS), matrix)
    for array in (vectors.matrix, vectors["w1"], vectors.norms, vectors.vocabulary.counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert np.shares_memory(vectors.matrix, matrix)
    assert matrix.flags.writeable


def test_sparse_vectors_cannot_be_changed() -> None:
    vectors = WordVectors(Vocabulary(["a", "b"]), sparse.csr_array(np.eye(2, dtype=np.float32)))
    with pytest.raises(ValueError, match="read-only"):
        vectors.matrix.data[0] = 7


@pytest.mark.parametrize("vectors", [DENSE, SPARSE], ids=["dense", "csr"])
def test_norms_match_numpy(vectors: WordVectors) -> None:
    wide = MATRIX if vectors is DENSE else vectors.matrix.toarray()
    np.testing.assert_allclose(vectors.norms, np.linalg.norm(wide, axis=1), rtol=1e-6)


def test_words_and_rows_must_match() -> None:
    with pytest.raises(ValueError, match="3 words but 2 rows"):
        WordVectors(Vocabulary(["a", "b", "c"]), np.eye(2, dtype=np.float32))


def test_saved_vectors_can_be_loaded(tmp_path: Path) -> None:
    vocabulary = Vocabulary(WORDS, list(range(SIZE, 0, -1)))
    saved = WordVectors(vocabulary, MATRIX, config={"source": "elsewhere"})
    saved.save(tmp_path / "model")
    loaded = embedkit.load(tmp_path / "model")
    assert isinstance(loaded.matrix, np.memmap)
    np.testing.assert_array_equal(loaded.matrix, MATRIX, strict=True)
    np.testing.assert_array_equal(loaded.norms, saved.norms, strict=True)
    assert loaded.vocabulary == saved.vocabulary
    assert loaded.config["source"] == "elsewhere"
    assert loaded.analogy("w1", "w2", "w3") == saved.analogy("w1", "w2", "w3")


def test_encoder_of_saved_vectors_knows_its_dimension(tmp_path: Path) -> None:
    DENSE.save(tmp_path / "model")
    assert embedkit.load_encoder(tmp_path / "model").dimension == DIMENSION


def test_a_loaded_model_can_be_saved_over_itself(tmp_path: Path) -> None:
    DENSE.save(tmp_path / "model")
    loaded = embedkit.load(tmp_path / "model")
    with pytest.raises(OutputExistsError):
        loaded.save(tmp_path / "model")
    loaded.save(tmp_path / "model", overwrite=True)
    np.testing.assert_array_equal(embedkit.load(tmp_path / "model").matrix, MATRIX)


def test_sparse_vectors_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be saved\. Save the encoder"):
        ONE_HOT.save(tmp_path / "model")
    assert not any(tmp_path.iterdir())
