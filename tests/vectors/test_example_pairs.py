"""Questions by example pairs against the formulas written out, and scikit-learn's regression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, UnknownWordError
from embedkit.vectors.word_vectors import WordVectors

WORDS = [f"w{number}" for number in range(200)]
MATRIX = np.random.default_rng(5).normal(size=(200, 12)).astype(np.float32)
MATRIX *= np.random.default_rng(6).uniform(0.1, 10, size=(200, 1)).astype(np.float32)
WIDE = MATRIX.astype(np.float64)
UNITS = WIDE / np.linalg.norm(WIDE, axis=1, keepdims=True)
VECTORS = WordVectors(Vocabulary(WORDS), MATRIX)
SPARSE = WordVectors(Vocabulary(WORDS), sparse.csr_array(MATRIX))
PAIRS = [("w1", "w2"), ("w3", "w4"), ("w5", "w60")]
STARTS, ENDS = [1, 3, 5], [2, 4, 60]


def ranked(scores: np.ndarray, left_out: list[int], k: int) -> list[str]:
    return [WORDS[row] for row in np.argsort(-scores) if row not in left_out][:k]


@pytest.mark.parametrize("vectors", [VECTORS, SPARSE], ids=["dense", "csr"])
@pytest.mark.parametrize("metric", ["cosine", "l2", "dot"])
def test_3cosavg_matches_its_formula(vectors: WordVectors, metric: str) -> None:
    rows = UNITS if metric == "cosine" else WIDE
    target = rows[9] + rows[ENDS].mean(axis=0) - rows[STARTS].mean(axis=0)
    if metric == "cosine":
        scores = UNITS @ target / np.linalg.norm(target)
    else:
        scores = WIDE @ target if metric == "dot" else -np.linalg.norm(WIDE - target, axis=1)
    found = vectors.analogy_from_pairs(PAIRS, "w9", 8, metric=metric)
    expected = ranked(scores, [9, *STARTS, *ENDS], 8)
    assert [word for word, _ in found] == expected
    values = [abs(scores[WORDS.index(word)]) for word in expected]
    np.testing.assert_allclose([abs(score) for _, score in found], values, rtol=1e-4)


def test_lrcos_is_a_class_probability_times_a_cosine() -> None:
    spread = [0, 99, 199]  # as many words as there are pairs, evenly spread
    rows = UNITS[[*ENDS, *STARTS, *spread]].astype(np.float32)
    model = LogisticRegression().fit(rows, [1] * 3 + [0] * 6)
    scores = model.predict_proba(UNITS.astype(np.float32))[:, 1] * (UNITS @ UNITS[9])
    found = VECTORS.analogy_from_pairs(PAIRS, "w9", 8, method="lrcos")
    expected = ranked(scores, [9, *STARTS, *ENDS], 8)
    assert [word for word, _ in found] == expected
    values = [scores[WORDS.index(word)] for word in expected]
    np.testing.assert_allclose([score for _, score in found], values, rtol=1e-4)


@settings(deadline=None, max_examples=40)
@given(question=st.tuples(*[st.sampled_from(WORDS)] * 3).filter(lambda q: q[0] != q[1]))
def test_one_pair_gives_the_answers_of_an_analogy(question: tuple[str, str, str]) -> None:
    a, b, c = question
    found = VECTORS.analogy_from_pairs([(b, a)], c, 6)
    expected = VECTORS.analogy(a, b, c, 6)
    assert [word for word, _ in found] == [word for word, _ in expected]


@pytest.mark.parametrize("strength", [1.0, 0.25, -2.0])
def test_transfer_moves_along_the_mean_difference(strength: float) -> None:
    offset = UNITS[ENDS].mean(axis=0) - UNITS[STARTS].mean(axis=0)
    asked = ["w9", "w1", "w2"]  # words of the pairs may be moved, and be answers
    for word, found in zip(
        asked, VECTORS.transfer(PAIRS, asked, 7, strength=strength), strict=True
    ):
        row = WORDS.index(word)
        scores = UNITS @ (UNITS[row] + strength * offset)
        assert [word for word, _ in found] == ranked(scores, [row], 7)


def test_answers_can_be_restricted_and_excluded() -> None:
    everyone = VECTORS.analogy_from_pairs(PAIRS, "w9", 200, include_question=True)
    assert len(everyone) == 200
    found = VECTORS.analogy_from_pairs(PAIRS, "w9", 200, restrict=50, exclude=["w7", "w20"])
    words = {word for word, _ in found}
    assert words == set(WORDS[:50]) - {"w7", "w20", "w9", "w1", "w2", "w3", "w4", "w5"}
    lrcos = VECTORS.analogy_from_pairs(PAIRS, "w9", 200, method="lrcos", restrict=5)
    assert {word for word, _ in lrcos} == {"w0"}


def test_a_batch_of_words_equals_single_questions() -> None:
    for method in ("3cosavg", "lrcos"):
        together = VECTORS.analogies_from_pairs(PAIRS, WORDS[100:120], 3, method=method)
        for word, found in zip(WORDS[100:120], together, strict=True):
            alone = VECTORS.analogy_from_pairs(PAIRS, word, 3, method=method)
            assert [word for word, _ in found] == [word for word, _ in alone]


def test_unknown_words_of_pairs_and_questions_are_errors_or_skipped() -> None:
    pairs = [*PAIRS, ("w7", "nowhere")]
    with pytest.raises(UnknownWordError, match="'nowhere'"):
        VECTORS.transfer(pairs, ["w9"])
    for method in ("3cosavg", "lrcos"):
        found = VECTORS.analogies_from_pairs(pairs, ["xx", "w9"], 3, method=method, oov="skip")
        expected = VECTORS.analogy_from_pairs(PAIRS, "w9", 3, method=method)
        assert found == [[], expected]
    with pytest.raises(ConfigurationError, match="none of the example pairs has two known words"):
        VECTORS.transfer([("w7", "nowhere")], ["w9"], oov="skip")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda v: v.transfer([], ["w1"]), "expected at least one example pair, got none"),
        (lambda v: v.transfer([("w1", "w1")], ["w9"]), "add up to 0"),
        (lambda v: v.transfer([("w1", "w2"), ("w2", "w1")], ["w9"]), "w2, w1 add up to 0"),
        (lambda v: v.transfer([("w1", "w2", "w3")], ["w9"]), "a pair needs two words, got"),
        (lambda v: v.transfer(["w1:w2"], ["w9"]), "expected a list of words"),
        (lambda v: v.transfer(PAIRS, "w9"), "expected a list of words"),
        (
            lambda v: v.transfer(PAIRS, ["w9"], strength=0),
            "number other than 0, got 0",
        ),
        (
            lambda v: v.transfer(PAIRS, ["w9"], strength=float("nan")),
            "other than 0, got nan",
        ),
        (lambda v: v.transfer(PAIRS, ["w9"], 0), "k must be an integer of at least 1, got 0"),
        (
            lambda v: v.transfer(PAIRS, ["w9"], metric="x"),
            "unknown metric 'x'; choose",
        ),
        (
            lambda v: v.analogy_from_pairs(PAIRS, "w9", method="3cosadd"),
            "unknown analogy method",
        ),
        (
            lambda v: v.analogy_from_pairs(PAIRS, "w9", method="lrcos", metric="l2"),
            "lrcos is defined for the metric cosine only, got 'l2'. Choose",
        ),
    ],
)
def test_invalid_arguments_are_rejected(ask: Callable[[WordVectors], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ask(VECTORS)


def test_lrcos_needs_dense_vectors() -> None:
    with pytest.raises(
        ConfigurationError, match=r"needs dense vectors\. Choose the method 3cosavg"
    ):
        SPARSE.analogy_from_pairs(PAIRS, "w9", method="lrcos")


def test_zero_rows_are_not_answers() -> None:
    matrix = -np.abs(MATRIX)
    matrix[:3] = np.abs(MATRIX[:3])
    matrix[50] = 0
    vectors = WordVectors(Vocabulary(WORDS), matrix)
    for method in ("3cosavg", "lrcos"):
        found = vectors.analogy_from_pairs([("w100", "w1")], "w0", 200, method=method)
        assert "w50" not in {word for word, _ in found}
        assert np.isfinite([score for _, score in found]).all()
