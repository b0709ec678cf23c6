"""Options of questions, and the nearest words to weighted sums."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, ModelError, UnknownWordError
from embedkit.index.metrics import METRICS, UnitRows
from embedkit.vectors.word_vectors import WordVectors
from tests.vectors.samples import (
    ASKING,
    DENSE,
    DIMENSION,
    KINDS,
    MATRIX,
    SIZE,
    WORDS,
)


@KINDS
@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("metric", METRICS)
def test_answers_can_be_limited(vectors: WordVectors, asking: str, metric: str) -> None:
    everyone = [word for word, _ in ASKING[asking](vectors, k=SIZE, metric=metric)]
    excluded = [everyone[0], everyone[2], "W9"]
    found = ASKING[asking](vectors, k=SIZE, metric=metric, exclude=excluded, restrict=90)
    expected = {word for word in everyone if int(word[1:]) < 90} - {*excluded, "w9"}
    assert {word for word, _ in found} == expected
    included = ASKING[asking](vectors, k=SIZE, metric=metric, include_question=True)
    asked_first = {"w3"} if vectors.norms[3] or metric != "cosine" else set()
    assert {word for word, _ in included} >= {*everyone, *asked_first}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"restrict": 0}, "restrict must be an integer of at least 1, got 0"),
        ({"restrict": 2.5}, "restrict must be an integer of at least 1, got 2.5"),
        ({"exclude": "w1"}, "exclude must be a list of words, got the string 'w1'"),
        ({"oov": "guess"}, "unknown oov 'guess'; choose from error, skip, spell, subwords"),
    ],
)
def test_options_out_of_range_are_rejected(how: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        DENSE.neighbors("w1", **how)  # type: ignore[arg-type]
    with pytest.raises(UnknownWordError):
        DENSE.neighbors("w1", exclude=["nobody"])
    with pytest.raises(TypeError, match="restirct"):
        DENSE.neighbors("w1", restirct=5)  # type: ignore[call-arg]


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_weights_must_be_finite(weight: float) -> None:
    with pytest.raises(ConfigurationError, match="the weight of 'w1' must be a finite number, got"):
        DENSE.terms([("w1", weight), ("w2", 1.0)])


@KINDS
@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("metric", METRICS)
def test_nearest_words_come_first(vectors: WordVectors, asking: str, metric: str) -> None:
    scores = [score for _, score in ASKING[asking](vectors, k=SIZE, metric=metric)]
    assert scores == sorted(scores, reverse=metric != "l2")


def test_words_and_given_vectors_are_summed() -> None:
    w1, w2, w3 = (DENSE[word].astype(np.float64) for word in ("w1", "w2", "w3"))
    [found] = DENSE.nearest([[("w1", 1.0), ("w2", -0.5), (DENSE["w3"], 2.0)]], SIZE, metric="dot")
    for word, score in found:
        assert score == pytest.approx(DENSE[word] @ (w1 - 0.5 * w2 + 2 * w3), abs=1e-4)
    assert not {"w1", "w2"} & {word for word, _ in found}  # the vector is not known to be w3
    assert DENSE.nearest([[("w1", 1.0), ("unknown", 1.0)]], oov="skip") == [[]]
    with pytest.raises(UnknownWordError, match="unknown"):
        DENSE.nearest([[("unknown", 1.0)]])


@KINDS
@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (lambda d: np.ones(d + 1, np.float32), r"expected a vector of shape \(\d+,\), got \("),
        (lambda d: np.ones((1, d), np.float32), r"expected a vector of shape \(\d+,\), got \("),
        (lambda d: np.full(d, np.nan, np.float32), "contains NaN or infinity"),
    ],
    ids=["too long", "two axes", "NaN"],
)
def test_vectors_of_wrong_shape_or_not_finite_are_rejected(
    vectors: WordVectors, bad: Callable[[int], np.ndarray], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        vectors.nearest([[(bad(vectors.dimension), 1.0)]])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("large", [3e38, 1e19])
def test_vectors_too_long_for_float32_are_rejected(metric: str, large: float) -> None:
    matrix = np.array([[1, 2], [large, -large], [3, 4]], dtype=np.float32)
    vectors = WordVectors(Vocabulary(["a", "long", "b"]), matrix)
    with pytest.raises(ModelError, match="the vector of 'long' is longer than 1e"):
        vectors.neighbors("a", metric=metric)


@KINDS
@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("k", [0, -1])
def test_k_below_1_is_rejected(vectors: WordVectors, asking: str, k: int) -> None:
    with pytest.raises(ConfigurationError, match=f"k must be an integer of at least 1, got {k}"):
        ASKING[asking](vectors, k=k)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("metric", METRICS)
def test_zero_rows_have_finite_answers(kind: type, metric: str) -> None:
    matrix = MATRIX[:6].copy()
    matrix[[1, 4]] = 0
    vectors = WordVectors(Vocabulary(WORDS[:6]), kind(matrix))
    for found in (
        vectors.neighbors("w0", metric=metric),
        vectors.analogy("w0", "w1", "w4", metric=metric),
        vectors.query("w1 + w2", metric=metric),
        WordVectors(vectors.vocabulary, matrix).analogy("w0", "w1", "w2", method="3cosmul"),
    ):
        assert np.isfinite([score for _, score in found]).all()
    # Zeros lie somewhere, but in no direction.
    answers = [word for word, _ in vectors.neighbors("w0", metric=metric)]
    assert ("w4" in answers) == (metric != "cosine")
    assert {"w2", "w3", "w5"} <= set(answers)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_the_zero_vector_has_no_nearest_words_by_cosine(kind: type) -> None:
    matrix = MATRIX[:6].copy()
    matrix[1] = 0
    matrix[2] = 3 * matrix[0]  # the same direction: the difference is rounding at most
    vectors = WordVectors(Vocabulary(WORDS[:6]), kind(matrix))
    nothing = np.zeros(DIMENSION, np.float32)
    equal = [("w0", "w2")]
    asked: dict[Callable[..., object], str] = {
        lambda **how: vectors.neighbors("w1", **how): "vector of 'w1' is",
        lambda **how: vectors.query("2 * w1", **how): "vector of 'w1' is",
        lambda **how: vectors.query("w2 - w0", **how): "weighted sum of 'w2', 'w0' is",
        lambda **how: vectors.analogy("w0", "w2", "w1", **how): "sum of 'w0', 'w2', 'w1' is",
        lambda **how: vectors.nearest([[("w0", 0.0)]], **how): "weighted sum of 'w0' is",
        lambda **how: vectors.nearest([[(nothing, 1.0)]], **how): "vector of the question is",
        lambda **how: vectors.analogy_from_pairs(equal, "w3", **how): "sum of 'w2', 'w0' is",
        lambda **how: vectors.transfer(equal, ["w3"], **how): "sum of 'w2', 'w0' is",
    }
    for ask, message in asked.items():
        with pytest.raises(ConfigurationError, match=f"{message}.*no nearest words by cosine"):
            ask()
        ask(metric="l2")  # the zero vector lies somewhere
    unlike = WordVectors(["a", "b", "c"], np.array([[1, 0], [-1, 0], [0, 0]]))
    with pytest.raises(ConfigurationError, match="the mean of the words is the zero vector"):
        unlike.odd_one_out(["a", "b", "c"])


def test_scores_against_the_zero_vector_are_an_error() -> None:
    matrix = MATRIX[:6].copy()
    matrix[1] = matrix[2] = 0
    vectors = WordVectors(Vocabulary(WORDS[:6]), matrix)
    with pytest.raises(ConfigurationError, match="no nearest words by cosine"):
        vectors.analogy_from_pairs([("w0", "w3")], "w1", method="lrcos")
    with pytest.raises(ConfigurationError, match="no nearest words by cosine"):
        vectors.analogy("w1", "w2", "w3", method="pairdirection")


def test_unit_vectors_of_all_words_or_the_first_are_not_copied() -> None:
    search = WordVectors(WORDS, MATRIX).search
    assert search.first_units(None) is search.units
    first = search.first_units(9)
    assert isinstance(first, UnitRows)
    expected = MATRIX[:9] / np.linalg.norm(MATRIX[:9], axis=1, keepdims=True)
    np.testing.assert_allclose(first[:], expected, rtol=1e-6)
