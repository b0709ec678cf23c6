"""Vectors as an immutable value: rows, errors, files."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from scipy import sparse
from scipy.spatial.distance import cdist

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, OutputExistsError, UnknownWordError
from embedkit.index.exact import DenseIndex
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


def test_a_key_is_a_word_a_list_or_a_slice(keyed: KeyedVectors) -> None:
    """As in gensim's KeyedVectors, but for row numbers."""
    np.testing.assert_array_equal(DENSE["w7"], keyed["w7"])
    np.testing.assert_array_equal(DENSE[["w7", "w2", "w7"]], keyed[["w7", "w2", "w7"]])
    np.testing.assert_array_equal(DENSE["w7", "w2"], keyed[["w7", "w2"]])
    np.testing.assert_array_equal(DENSE[np.array(["w7"])], keyed[["w7"]])
    assert DENSE["w7"].shape == (DIMENSION,)
    assert DENSE[[]].shape == (0, DIMENSION)
    assert SPARSE[["w7", "w2"]].shape == (2, DIMENSION)
    with pytest.raises(UnknownWordError):
        DENSE[["w7", "unknown"]]
    for key in (5, [5], ["w1", 5], None, 2.0):
        with pytest.raises(TypeError, match="expected a word, a list of words or a slice"):
            DENSE[key]  # type: ignore[call-overload]


def test_a_slice_goes_by_place() -> None:
    for rows in (slice("a", "b"), slice(None, "b"), slice(0, 2, "c"), slice(1.5)):
        with pytest.raises(TypeError, match=r"goes by place, as in vectors\[:100\]"):
            DENSE[rows]
    assert len(DENSE[np.int64(2) : np.int64(5)]) == 3


@KINDS
@pytest.mark.parametrize("rows", [slice(100), slice(5, 20), slice(None, None, 7), slice(-9, None)])
def test_a_slice_gives_the_vectors_of_those_words(vectors: WordVectors, rows: slice) -> None:
    part = vectors[rows]
    assert isinstance(part, WordVectors)
    assert list(part) == WORDS[rows]
    assert abs(part.matrix - vectors.matrix[rows]).max() == 0
    np.testing.assert_array_equal(part.norms, vectors.norms[rows])
    assert part.config == vectors.config
    word = WORDS[rows][3]
    allowed = {*WORDS[rows]} - {word}
    expected = [n for n in vectors.neighbors(word, SIZE) if n.word in allowed]
    assert part.neighbors(word, SIZE) == expected


def test_a_slice_keeps_units_and_subwords_and_the_order() -> None:
    norms = np.linalg.norm(MATRIX, axis=1)
    units = (MATRIX / norms[:, np.newaxis]).astype(np.float32)
    vectors = WordVectors(WORDS, MATRIX, norms=norms, units=units)
    np.testing.assert_array_equal(vectors[:9].units, units[:9])
    assert vectors[:9].neighbors("w1", 3) == DENSE[:9].neighbors("w1", 3)
    with pytest.raises(ConfigurationError, match="positive step"):
        vectors[::-1]
    assert len(vectors[:0]) == 0


def test_vectors_are_a_collection_of_words() -> None:
    assert list(DENSE) == WORDS
    assert len(DENSE) == SIZE
    assert DENSE.shape == (SIZE, DIMENSION)
    assert "w7" in DENSE
    assert "W7" not in DENSE
    assert 7 not in DENSE
    np.testing.assert_array_equal(DENSE.get("w7"), MATRIX[7])
    assert DENSE.get("unknown") is None
    assert DENSE.get("unknown", 3) == 3


def test_vectors_convert_to_arrays_as_numpy_defines_it() -> None:
    assert np.shares_memory(np.asarray(DENSE), MATRIX)
    np.testing.assert_array_equal(np.asarray(DENSE), MATRIX, strict=True)
    assert np.asarray(DENSE, dtype=np.float64).dtype == np.float64
    copied = np.array(DENSE, copy=True)
    assert not np.shares_memory(copied, MATRIX)
    assert copied.flags.writeable
    assert np.shares_memory(np.array(DENSE, copy=False), MATRIX)
    with pytest.raises(ValueError, match="copy"):
        np.array(DENSE, dtype=np.float64, copy=False)
    with pytest.raises(TypeError, match=r"sparse vectors do not convert.*vectors\.matrix"):
        np.asarray(ONE_HOT)


def test_a_data_frame_has_the_words_as_its_index(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = DENSE.to_pandas()
    assert frame.index.tolist() == WORDS
    assert frame.index.name == "word"
    np.testing.assert_array_equal(frame.to_numpy(), MATRIX)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigurationError, match=r"needs pandas.*Run pip install pandas\."):
        DENSE.to_pandas()


def test_vectors_are_made_and_saved_without_pandas(tmp_path: Path) -> None:
    """Arrow imports pandas in many conversions, which takes longer than saving."""
    script = (
        "import sys, numpy as np; from embedkit import Vocabulary, WordVectors; "
        "words = Vocabulary(['a', 'b'], [2, 1]); "
        f"WordVectors(words, np.eye(2)).save({str(tmp_path / 'saved.embedkit')!r}); "
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_words_may_be_a_list_and_numbers_a_list_of_lists() -> None:
    vectors = WordVectors(["a", "b"], [[1, 2], [3, 4]])
    assert vectors["b"].tolist() == [3, 4]
    assert vectors.matrix.dtype == np.float32
    with pytest.raises(ConfigurationError, match="the word 'b' is listed twice"):
        WordVectors(["a", "b", "b"], np.eye(3))
    with pytest.raises(ConfigurationError, match="expected a list of words"):
        WordVectors("ab", np.eye(2))
    with pytest.raises(ConfigurationError, match="a matrix with two axes, got 1"):
        WordVectors(["a"], [1])
    with pytest.raises(ConfigurationError, match="expected a word, got 3"):
        WordVectors(["a", 3], np.eye(2))  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="expected a matrix of numbers"):
        WordVectors(["a", "b"], [["x"], ["y"]])
    with pytest.raises(ConfigurationError, match="expected a matrix of numbers"):
        WordVectors(["a", "b"], [[1], [2, 3]])


def test_arguments_of_other_types_are_named() -> None:
    with pytest.raises(ConfigurationError, match="expected a word, got 3"):
        DENSE.encode(["w1", 3])  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match=r"expected a word, got \['w1'\]"):
        DENSE.query(["w1"])  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="neighbors_of takes several words"):
        DENSE.neighbors(["w1"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"unknown option 'topn'; did you mean k\?"):
        DENSE.neighbors("w1", topn=5)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "name", ["vocabulary", "matrix", "norms", "units", "config", "subwords", "opener", "search"]
)
def test_attributes_cannot_be_replaced(name: str) -> None:
    vectors = WordVectors(["a"], [[1]], config={"encoder": "x"})
    before = {key: getattr(vectors, key, None) for key in ("matrix", "config", "subwords")}
    with pytest.raises(AttributeError):
        setattr(vectors, name, 5)
    with pytest.raises(TypeError, match="item assignment"):
        vectors.config["encoder"] = "y"  # type: ignore[index]
    assert {key: getattr(vectors, key) for key in before} == before


def test_variants_share_the_numbers() -> None:
    norms = np.linalg.norm(MATRIX, axis=1).astype(np.float32)
    asked: list[str] = []

    def no_index(exact: DenseIndex) -> None:
        asked.append(exact.metric.name)

    vectors = WordVectors(WORDS, MATRIX, norms=norms, approximate=no_index)
    opened = vectors.with_opener(partial(WordVectors, ["a"], [[1.0]]))
    assert list(pickle.loads(pickle.dumps(opened))) == ["a"]
    for variant in (opened, opened.with_exact_search()):
        assert np.shares_memory(variant.matrix, MATRIX)
        assert variant.norms is norms
        assert variant.neighbors("w1") == DENSE.neighbors("w1")
    assert asked == ["cosine"]
    assert list(pickle.loads(pickle.dumps(opened.with_exact_search()))) == ["a"]


@KINDS
def test_pickled_vectors_are_the_same(vectors: WordVectors) -> None:
    again = pickle.loads(pickle.dumps(vectors))
    assert list(again) == WORDS
    assert abs(again.matrix - vectors.matrix).max() == 0
    assert again.config == vectors.config
    assert copy.deepcopy(vectors) is vectors


def test_dir_lists_what_is_meant_to_be_used() -> None:
    names = dir(DENSE)
    assert {"neighbors", "analogy", "query", "get", "save", "shape", "to_pandas"} <= set(names)
    assert not [name for name in names if name.startswith("_")]
    assert not {"most_similar", "keys", "opener", "look_up"} & set(names)
    assert all(hasattr(DENSE, name) for name in names if name != "subwords")
    assert repr(DENSE) == "WordVectors(300 words x 20)"
    assert repr(WordVectors([f"w{n}" for n in range(3811)], np.zeros((3811, 2)))) == (
        "WordVectors(3,811 words x 2)"
    )


def test_complex_numbers_are_rejected() -> None:
    with pytest.raises(ConfigurationError, match="got complex numbers"):
        WordVectors(["a", "b"], np.array([[1, 2], [3, 4j]]))


def test_pickled_vectors_keep_their_output_matrix() -> None:
    vectors = WordVectors(["a", "b"], np.eye(2), context=np.full((2, 2), 3, dtype=np.float32))
    again = pickle.loads(pickle.dumps(vectors))
    np.testing.assert_array_equal(again.context, vectors.context)
