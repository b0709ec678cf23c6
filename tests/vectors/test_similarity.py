"""Ranks, sets and odd ones against gensim, and the formulas written out."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import CharCodeEncoder, OneHotEncoder
from embedkit.errors import ConfigurationError, UnknownWordError
from embedkit.index.metrics import METRICS, row_scores
from embedkit.vectors.word_vectors import WordVectors

WORDS = [f"w{number}" for number in range(150)]
MATRIX = np.random.default_rng(7).normal(size=(150, 10)).astype(np.float32)
MATRIX *= np.random.default_rng(8).uniform(0.1, 10, size=(150, 1)).astype(np.float32)
DENSE = WordVectors(Vocabulary(WORDS), MATRIX)
SPARSE = WordVectors(Vocabulary(WORDS), sparse.csr_array(MATRIX))
KEYED = KeyedVectors(10)
KEYED.add_vectors(WORDS, MATRIX)
KINDS = pytest.mark.parametrize("vectors", [DENSE, SPARSE], ids=["dense", "csr"])
SETS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)


@KINDS
def test_ranks_match_gensim(vectors: WordVectors) -> None:
    for a, b in zip(WORDS[:40], WORDS[40:80], strict=True):
        assert vectors.rank(a, b) == KEYED.rank(a, b)


@KINDS
@pytest.mark.parametrize("metric", METRICS)
def test_a_rank_is_the_place_among_the_neighbors(vectors: WordVectors, metric: str) -> None:
    neighbors = [word for word, _ in vectors.neighbors("w5", 150, metric=metric)]
    for b in ("w0", "w77", "w149"):
        assert vectors.rank("w5", b, metric=metric) == neighbors.index(b) + 1
    frequent = [word for word in neighbors if int(word[1:]) < 60]
    assert vectors.rank("w5", "w9", metric=metric, restrict=60) == frequent.index("w9") + 1


def test_words_that_are_spelled_the_same_are_named() -> None:
    vectors = WordVectors(["king", "queen", "man"], np.eye(3))
    message = r"got 2: 'king', 'queen', 'kinng' \(read as 'king'\)"
    with pytest.raises(ConfigurationError, match=message):
        vectors.odd_one_out(["king", "queen", "kinng"], oov="spell")
    assert vectors.odd_one_out(["king", "queen", "kinng", "xyzxyz"], oov="spell") == []
    assert len(vectors.odd_one_out(["king", "queen", "mann"], oov="spell")) == 3
    with pytest.raises(ConfigurationError, match=r"'kinng' \(read as 'king'\)"):
        vectors.rank("king", "kinng", oov="spell")


def test_a_vector_of_zeros_has_no_rank_by_cosine() -> None:
    vectors = WordVectors(["a", "b", "zero"], np.array([[1, 0], [1, 1], [0, 0]]))
    assert [word for word, _ in vectors.neighbors("a")] == ["b"]
    for a, b in (("a", "zero"), ("zero", "a")):
        with pytest.raises(ConfigurationError, match="the vector of 'zero' is all zeros"):
            vectors.rank(a, b)
        assert vectors.rank(a, b, metric="l2") in (1, 2)


@settings(deadline=None, max_examples=40)
@given(vectors=st.sampled_from([DENSE, SPARSE]), first=SETS, second=SETS)
def test_similarity_of_sets_matches_gensim(
    vectors: WordVectors, first: list[str], second: list[str]
) -> None:
    expected = KEYED.n_similarity(first, second)
    assert vectors.similarity(first, second) == pytest.approx(expected, abs=1e-5)


def test_similarity_of_words_matches_scipy() -> None:
    wide = MATRIX.astype(np.float64)
    [[cosine]] = 1 - cdist(wide[[3]], wide[[4]], "cosine")
    assert DENSE.similarity("w3", "w4") == pytest.approx(cosine, abs=1e-7)
    [[apart]] = cdist(wide[[3]], wide[[4, 6]].mean(axis=0, keepdims=True))
    assert DENSE.similarity("w3", ["w4", "w6"], metric="l2") == pytest.approx(apart)
    product = wide[3] @ wide[4]
    assert DENSE.similarity("w3", "w4", metric="dot") == pytest.approx(product)


@settings(deadline=None, max_examples=40)
@given(
    vectors=st.sampled_from([DENSE, SPARSE]),
    words=st.lists(st.sampled_from(WORDS), min_size=3, max_size=8, unique=True),
)
def test_odd_one_out_matches_gensim(vectors: WordVectors, words: list[str]) -> None:
    expected = KEYED.rank_by_centrality(words)[::-1]
    found = vectors.odd_one_out(words)
    np.testing.assert_allclose([n.score for n in found], [s for s, _ in expected], atol=1e-5)
    if expected[1][0] - expected[0][0] > 1e-5:
        assert found[0].word == KEYED.doesnt_match(words)
    assert sorted(word for word, _ in found) == sorted(words)


def test_odd_one_out_by_distance_and_product() -> None:
    rows = [2, 30, 4, 51]
    wide = MATRIX[rows].astype(np.float64)
    mean = wide.mean(axis=0)
    names = [WORDS[row] for row in rows]
    apart = np.linalg.norm(wide - mean, axis=1)
    found = DENSE.odd_one_out(names, metric="l2")
    assert [word for word, _ in found] == [names[place] for place in np.argsort(-apart)]
    found = DENSE.odd_one_out(names, metric="dot")
    assert [word for word, _ in found] == [names[place] for place in np.argsort(wide @ mean)]


def test_a_word_that_is_given_twice_counts_once() -> None:
    words = ["w1", "w2", "w3", "w4"]
    assert DENSE.odd_one_out([*words, "w2", "W2"]) == DENSE.odd_one_out(words)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: DENSE.odd_one_out([]), "at least 3 different words, got 0"),
        (
            lambda: DENSE.odd_one_out(["w1", "w2", "W1"]),
            "at least 3 different words, got 2",
        ),
        (lambda: DENSE.odd_one_out("w1"), "expected a list of words"),
        (
            lambda: DENSE.odd_one_out(["w1", "w2", "w3"], metric="x"),
            "unknown metric 'x'; choose",
        ),
        (lambda: DENSE.similarity([], ["w1"]), "a set of words must not be empty"),
        (lambda: DENSE.rank("w1", "W1"), "a rank needs two different words, got 'w1', 'W1'"),
        (
            lambda: DENSE.rank("w1", "w2", restrict=0),
            "restrict must be an integer of at least",
        ),
        (lambda: DENSE.rank("w1", "w2", oov="x"), "unknown oov 'x'; choose from error, skip"),
        (lambda: DENSE.distance("w1"), "expected a list of words"),
    ],
)
def test_invalid_arguments_are_rejected(ask: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ask()


def test_unknown_words_are_errors_or_left_out() -> None:
    with pytest.raises(UnknownWordError, match="'xx'"):
        DENSE.odd_one_out(["w1", "w2", "w3", "xx"])
    known = ["w1", "w2", "w3"]
    assert DENSE.odd_one_out([*known, "xx"], oov="skip") == DENSE.odd_one_out(known)
    assert DENSE.odd_one_out(["w1", "w2", "xx"], oov="skip") == []
    assert DENSE.rank("xx", "w1", oov="skip") is None
    assert math.isnan(DENSE.similarity("xx", "w1", oov="skip"))
    assert DENSE.similarity(["xx", "w1"], "w2", oov="skip") == DENSE.similarity("w1", "w2")
    assert DENSE.distance(["w1", "xx", "w2"], oov="skip").shape == (2, 2)
    assert DENSE.distance(["xx"], oov="skip").shape == (0, 0)


def test_other_encoders_answer_too() -> None:
    words = Vocabulary(["cat", "bat", "paw", "feline"])
    codes = CharCodeEncoder.from_vocabulary(words).vectors()
    assert codes.rank("cat", "bat", metric="l2") == 1
    assert codes.odd_one_out(["cat", "bat", "feline"], metric="l2")[0].word == "feline"
    one_hot = OneHotEncoder.from_vocabulary(words).vectors()
    assert one_hot.rank("cat", "paw") == 1  # all are equally far: none is nearer
    assert one_hot.similarity("cat", "bat") == 0
    assert one_hot.similarity(["cat", "bat"], ["bat", "paw"]) == pytest.approx(0.5)
    scores = [score for _, score in one_hot.odd_one_out(["cat", "bat", "paw"])]
    assert scores == pytest.approx([3**-0.5] * 3)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_zero_rows_are_similar_to_nothing(kind: type) -> None:
    matrix = -np.abs(MATRIX[:6])
    matrix[0] *= -1
    matrix[3] = 0
    vectors = WordVectors(Vocabulary(WORDS[:6]), kind(matrix))
    [nearest] = vectors.neighbors("w0", 1)
    assert nearest.word != "w3"
    assert vectors.rank("w0", nearest.word) == 1
    assert vectors.similarity("w0", "w3") == 0
    assert np.isfinite([score for _, score in vectors.odd_one_out(WORDS[:6])]).all()


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("metric", METRICS)
def test_row_scores_match_scipy(kind: type, metric: str) -> None:
    wide = MATRIX.astype(np.float64)
    expected = {
        "l2": cdist(wide, wide[[5]]).ravel(),
        "cosine": 1 - cdist(wide, wide[[5]], "cosine").ravel(),
        "dot": wide @ wide[5],
    }[metric]
    found = row_scores(kind(MATRIX), wide[5], metric)
    np.testing.assert_allclose(found, expected, atol=1e-5)
