"""Neighbors, expressions and analogies against gensim and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.index.metrics import METRICS
from embedkit.vectors.word_vectors import WordVectors
from tests.vectors.samples import (
    DENSE,
    KINDS,
    MATRIX,
    ONE_HOT,
    SIZE,
    SPARSE,
    WORDS,
    assert_same_answers,
)

QUESTIONS = [("w0", "w1", "w2"), ("w7", "w99", "w299"), ("w5", "w5", "w6"), ("w8", "w9", "w8")]


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    ("method", "peer"), [("3cosadd", "most_similar"), ("3cosmul", "most_similar_cosmul")]
)
def test_analogies_match_gensim(
    keyed: KeyedVectors, question: tuple[str, str, str], method: str, peer: str
) -> None:
    a, b, c = question
    expected = getattr(keyed, peer)(positive=[a, c], negative=[b], topn=15)
    assert_same_answers(DENSE.analogy(a, b, c, 15, method=method), expected)


@pytest.mark.parametrize("question", [*QUESTIONS[:2], QUESTIONS[3]])
def test_pair_direction_is_a_cosine_of_differences(question: tuple[str, str, str]) -> None:
    a, b, c = (WORDS.index(word) for word in question)
    wide = MATRIX.astype(np.float64)
    units = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    steps = np.delete(units, [a, b, c], axis=0) - units[c]
    [cosines] = 1 - cdist([units[a] - units[b]], steps, "cosine")
    names = np.delete(WORDS, [a, b, c])
    best = np.argsort(-cosines)[:12]
    expected = [(str(names[place]), cosines[place]) for place in best]
    found = DENSE.analogy(*question, 12, method="pairdirection")
    assert_same_answers(found, expected)


def test_pair_direction_needs_two_different_words() -> None:
    with pytest.raises(ConfigurationError, match="w5 add up to 0"):
        DENSE.analogy("w5", "w5", "w6", method="pairdirection")


@pytest.mark.parametrize("size", [1, 40, SIZE, 10 * SIZE])
def test_restricted_answers_match_gensim(keyed: KeyedVectors, size: int) -> None:
    """The words of the question need not be among those that may answer."""
    expected = keyed.most_similar(
        positive=["w250", "w3"], negative=["w290"], topn=15, restrict_vocab=size
    )
    expected = [(word, score) for word, score in expected if word != "w250"]
    found = DENSE.analogy("w250", "w290", "w3", 15, restrict=size)
    assert_same_answers(found, expected)


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul", "pairdirection"])
def test_zero_rows_are_not_answers(method: str) -> None:
    """Next to words that all point away, the 0 of a row without direction would come first."""
    matrix = -np.abs(MATRIX)
    matrix[:3] = np.abs(MATRIX[:3])
    matrix[50] = 0
    vectors = WordVectors(Vocabulary(WORDS), matrix)
    found = vectors.analogy("w0", "w200", "w2", SIZE, method=method)
    assert "w50" not in {word for word, _ in found}
    assert len(found) == SIZE - 4


def test_a_batch_of_3cosmul_equals_single_questions() -> None:
    asked = [(WORDS[n], WORDS[(n + 1) % SIZE], WORDS[(n * 3 + 2) % SIZE]) for n in range(SIZE)]
    asked *= 70 // SIZE + 1  # more than are scored at a time
    found = DENSE.analogies(asked, 5, method="3cosmul")
    assert len(found) == len(asked)
    for question, neighbors in zip(asked, found, strict=True):
        alone = DENSE.analogy(*question, 5, method="3cosmul")
        assert_same_answers(neighbors, [tuple(neighbor) for neighbor in alone])
    assert DENSE.analogies([], 5, method="3cosmul") == []


def test_neighbors_match_gensim(keyed: KeyedVectors) -> None:
    for word, found in zip(WORDS, DENSE.neighbors_of(WORDS, 5), strict=True):
        assert_same_answers(found, keyed.most_similar(word, topn=5))


def test_weighted_queries_match_gensim(keyed: KeyedVectors) -> None:
    expected = keyed.most_similar(positive=[("w1", 2.0), ("w2", -0.5), ("w3", 1.5)], topn=10)
    assert_same_answers(DENSE.query("2 w1 - 0.5 w2 + 3 * w3 / 2"), expected)


def test_l2_neighbors_match_scipy() -> None:
    distances = cdist(MATRIX.astype(np.float64), MATRIX.astype(np.float64))
    for row, found in enumerate(DENSE.neighbors_of(WORDS, 6, metric="l2")):
        nearest = np.argsort(distances[row])[1:7]
        expected = [(WORDS[near], distances[row, near]) for near in nearest]
        assert_same_answers(found, expected, tolerance=1e-4)


@pytest.mark.parametrize("question", QUESTIONS)
def test_l2_analogies_match_scipy(question: tuple[str, str, str]) -> None:
    wide = MATRIX.astype(np.float64)
    a, b, c = (WORDS.index(word) for word in question)
    [distances] = cdist([wide[a] - wide[b] + wide[c]], wide)
    nearest = [row for row in np.argsort(distances) if row not in (a, b, c)][:9]
    expected = [(WORDS[row], distances[row]) for row in nearest]
    assert_same_answers(DENSE.analogy(*question, 9, metric="l2"), expected, tolerance=1e-4)


@KINDS
@pytest.mark.parametrize("metric", METRICS)
def test_a_batch_of_analogies_equals_single_questions(vectors: WordVectors, metric: str) -> None:
    random = np.random.default_rng(3)
    questions = [random.choice(WORDS, 3).tolist() for _ in range(520)]
    together = vectors.analogies(questions, 4, metric=metric)
    assert len(together) == 520
    for number in (0, 1, 255, 511, 512, 519):
        alone = vectors.analogy(*questions[number], 4, metric=metric)
        assert_same_answers(together[number], alone, tolerance=1e-3 if metric == "dot" else 1e-4)


@settings(deadline=None, max_examples=60)
@given(
    vectors=st.sampled_from([DENSE, SPARSE, ONE_HOT]),
    question=st.tuples(*[st.sampled_from(WORDS)] * 3),
    metric=st.sampled_from(sorted(METRICS)),
    k=st.integers(1, 2 * SIZE),
)
def test_words_of_the_question_are_not_answers(
    vectors: WordVectors, question: tuple[str, str, str], metric: str, k: int
) -> None:
    a, b, c = question
    zeros = {word for word, norm in zip(WORDS, vectors.norms, strict=True) if norm == 0}
    no_answers = {a, b, c} | (zeros if metric == "cosine" else set())
    answers = [
        (vectors.analogy(a, b, c, k, metric=metric), no_answers),
        (vectors.query(f"{a} - {b} + {c}", k, metric=metric), no_answers),
        (DENSE.analogy(a, b, c, k, method="3cosmul"), {a, b, c}),
    ]
    for found, left_out in answers:
        words = [word for word, _ in found]
        assert len(words) == len(set(words)) == min(k, SIZE - len(left_out))
        assert not {a, b, c} & set(words)


@pytest.mark.parametrize(
    "how", [{"method": "x"}, {"metric": "x"}, {"method": "3cosmul", "metric": "x"}], ids=str
)
def test_unknown_methods_and_metrics_are_rejected(how: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="'x'"):
        DENSE.analogy("w1", "w2", "w3", **how)  # type: ignore[arg-type]


def test_3cosmul_needs_dense_vectors() -> None:
    with pytest.raises(ConfigurationError, match="3cosadd"):
        ONE_HOT.analogy("w1", "w2", "w3", method="3cosmul")
