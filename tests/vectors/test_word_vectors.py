"""Questions to vectors against gensim and SciPy; vectors as an immutable pair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import OneHotEncoder
from embedkit.errors import ConfigurationError, ModelError, OutputExistsError, UnknownWordError
from embedkit.index.metrics import METRICS
from embedkit.vectors.scores import Neighbor
from embedkit.vectors.word_vectors import WordVectors

SIZE, DIMENSION = 300, 20
WORDS = [f"w{number}" for number in range(SIZE)]
MATRIX = np.random.default_rng(1).normal(size=(SIZE, DIMENSION)).astype(np.float32)
MATRIX *= np.random.default_rng(2).uniform(0.1, 10, size=(SIZE, 1)).astype(np.float32)
QUESTIONS = [("w0", "w1", "w2"), ("w7", "w99", "w299"), ("w5", "w5", "w6"), ("w8", "w9", "w8")]

DENSE = WordVectors(Vocabulary(WORDS), MATRIX)
SPARSE = WordVectors(
    Vocabulary(WORDS), sparse.csr_array(np.where(abs(MATRIX) > 4, MATRIX, np.float32(0)))
)
ONE_HOT = OneHotEncoder.from_vocabulary(Vocabulary(WORDS)).vectors()
KINDS = pytest.mark.parametrize("vectors", [DENSE, SPARSE, ONE_HOT], ids=["dense", "csr", "onehot"])
ASKING: dict[str, Callable[..., list[Neighbor]]] = {
    "neighbors": lambda vectors, **how: vectors.neighbors("w3", **how),
    "query": lambda vectors, **how: vectors.query("w3 - w4 + 2 w5", **how),
    "analogy": lambda vectors, **how: vectors.analogy("w3", "w4", "w5", **how),
}


@pytest.fixture(scope="module")
def keyed() -> KeyedVectors:
    keyed = KeyedVectors(DIMENSION)
    keyed.add_vectors(WORDS, MATRIX)
    return keyed


def assert_same_answers(
    found: list[Neighbor], expected: list[tuple[str, float]], tolerance: float = 1e-5
) -> None:
    assert [word for word, _ in found] == [word for word, _ in expected]
    scores = [score for _, score in expected]
    np.testing.assert_allclose([score for _, score in found], scores, atol=tolerance)


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    ("method", "peer"), [("3cosadd", "most_similar"), ("3cosmul", "most_similar_cosmul")]
)
def test_analogy_is_gensims(
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


def test_pair_direction_needs_two_words() -> None:
    with pytest.raises(ConfigurationError, match="w5 add up to 0"):
        DENSE.analogy("w5", "w5", "w6", method="pairdirection")


@pytest.mark.parametrize("size", [1, 40, SIZE, 10 * SIZE])
def test_restricted_answers_are_gensims(keyed: KeyedVectors, size: int) -> None:
    """The words of the question need not be among those that may answer."""
    expected = keyed.most_similar(
        positive=["w250", "w3"], negative=["w290"], topn=15, restrict_vocab=size
    )
    expected = [(word, score) for word, score in expected if word != "w250"]
    found = DENSE.analogy("w250", "w290", "w3", 15, restrict=size)
    assert_same_answers(found, expected)


@KINDS
@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("metric", METRICS)
def test_who_may_answer_can_be_said(vectors: WordVectors, asking: str, metric: str) -> None:
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
        ({"restrict": 0}, "restrict must be an integer of at least 1"),
        ({"restrict": 2.5}, "restrict must be an integer of at least 1"),
        ({"exclude": "w1"}, "exclude is a list of words"),
        ({"oov": "guess"}, "oov is one of"),
    ],
)
def test_a_scope_outside_its_range_is_an_error(how: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        DENSE.neighbors("w1", **how)  # type: ignore[arg-type]
    with pytest.raises(UnknownWordError):
        DENSE.neighbors("w1", exclude=["nobody"])
    with pytest.raises(TypeError, match="restirct"):
        DENSE.neighbors("w1", restirct=5)  # type: ignore[call-arg]


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_a_weight_is_a_finite_number(weight: float) -> None:
    with pytest.raises(ConfigurationError, match="the weight of 'w1' is"):
        DENSE.terms([("w1", weight), ("w2", 1.0)])


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul", "pairdirection"])
def test_rows_of_zeros_do_not_win(method: str) -> None:
    """Next to words that all point away, the 0 of a row without direction would come first."""
    matrix = -np.abs(MATRIX)
    matrix[:3] = np.abs(MATRIX[:3])
    matrix[50] = 0
    vectors = WordVectors(Vocabulary(WORDS), matrix)
    found = vectors.analogy("w0", "w200", "w2", SIZE, method=method)
    assert "w50" not in {word for word, _ in found}
    assert len(found) == SIZE - 4


def test_analogies_by_product_are_those_of_one_by_one() -> None:
    asked = [(WORDS[n], WORDS[(n + 1) % SIZE], WORDS[(n * 3 + 2) % SIZE]) for n in range(SIZE)]
    asked *= 70 // SIZE + 1  # more than are scored at a time
    found = DENSE.analogies(asked, 5, method="3cosmul")
    assert len(found) == len(asked)
    for question, neighbors in zip(asked, found, strict=True):
        alone = DENSE.analogy(*question, 5, method="3cosmul")
        assert_same_answers(neighbors, [tuple(neighbor) for neighbor in alone])
    assert DENSE.analogies([], 5, method="3cosmul") == []


def test_neighbors_are_gensims(keyed: KeyedVectors) -> None:
    for word, found in zip(WORDS, DENSE.neighbors_of(WORDS, 5), strict=True):
        assert_same_answers(found, keyed.most_similar(word, topn=5))


def test_weighted_query_is_gensims(keyed: KeyedVectors) -> None:
    expected = keyed.most_similar(positive=[("w1", 2.0), ("w2", -0.5), ("w3", 1.5)], topn=10)
    assert_same_answers(DENSE.query("2 w1 - 0.5 w2 + 3 * w3 / 2"), expected)


def test_l2_neighbors_are_scipys() -> None:
    distances = cdist(MATRIX.astype(np.float64), MATRIX.astype(np.float64))
    for row, found in enumerate(DENSE.neighbors_of(WORDS, 6, metric="l2")):
        nearest = np.argsort(distances[row])[1:7]
        expected = [(WORDS[near], distances[row, near]) for near in nearest]
        assert_same_answers(found, expected, tolerance=1e-4)


@pytest.mark.parametrize("question", QUESTIONS)
def test_l2_analogy_is_scipys(question: tuple[str, str, str]) -> None:
    wide = MATRIX.astype(np.float64)
    a, b, c = (WORDS.index(word) for word in question)
    [distances] = cdist([wide[a] - wide[b] + wide[c]], wide)
    nearest = [row for row in np.argsort(distances) if row not in (a, b, c)][:9]
    expected = [(WORDS[row], distances[row]) for row in nearest]
    assert_same_answers(DENSE.analogy(*question, 9, metric="l2"), expected, tolerance=1e-4)


@pytest.mark.parametrize("vectors", [DENSE, SPARSE], ids=["dense", "csr"])
def test_table_of_distances_is_scipys(vectors: WordVectors) -> None:
    wide = (MATRIX if vectors is DENSE else vectors.matrix.toarray())[:8].astype(np.float64)
    np.testing.assert_allclose(vectors.distance(WORDS[:8]), cdist(wide, wide), atol=1e-12)


@KINDS
@pytest.mark.parametrize("metric", METRICS)
def test_many_questions_get_the_answers_of_single_ones(vectors: WordVectors, metric: str) -> None:
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
def test_words_of_the_question_are_no_answers(
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


@KINDS
@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("metric", METRICS)
def test_nearest_words_come_first(vectors: WordVectors, asking: str, metric: str) -> None:
    scores = [score for _, score in ASKING[asking](vectors, k=SIZE, metric=metric)]
    assert scores == sorted(scores, reverse=metric != "l2")


def test_words_and_vectors_of_ones_own_are_summed() -> None:
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
        (lambda d: np.ones(d + 1, np.float32), r"has the shape \(\d+,\) here, not"),
        (lambda d: np.ones((1, d), np.float32), r"has the shape \(\d+,\) here, not"),
        (lambda d: np.full(d, np.nan, np.float32), "not finite"),
    ],
    ids=["too long", "two axes", "NaN"],
)
def test_vectors_that_cannot_be_compared_are_errors(
    vectors: WordVectors, bad: Callable[[int], np.ndarray], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        vectors.nearest([[(bad(vectors.dimension), 1.0)]])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("large", [3e38, 1e19])
def test_vectors_too_long_for_float32_are_no_answers_but_an_error(
    metric: str, large: float
) -> None:
    matrix = np.array([[1, 2], [large, -large], [3, 4]], dtype=np.float32)
    vectors = WordVectors(Vocabulary(["a", "long", "b"]), matrix)
    with pytest.raises(ModelError, match="the vector of 'long' is longer than 1e"):
        vectors.neighbors("a", metric=metric)


def test_a_row_number_is_no_word() -> None:
    with pytest.raises(TypeError, match="a word is a string, not 5"):
        DENSE[5]  # type: ignore[index]


@KINDS
@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("k", [0, -1])
def test_fewer_than_one_answer_is_an_error(vectors: WordVectors, asking: str, k: int) -> None:
    with pytest.raises(ConfigurationError, match=f"k must be an integer of at least 1, got {k}"):
        ASKING[asking](vectors, k=k)


@pytest.mark.parametrize(
    "how", [{"method": "x"}, {"metric": "x"}, {"method": "3cosmul", "metric": "x"}], ids=str
)
def test_unknown_method_or_metric_is_an_error(how: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="'x'"):
        DENSE.analogy("w1", "w2", "w3", **how)  # type: ignore[arg-type]


def test_multiplicative_analogy_of_sparse_vectors_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="3cosadd"):
        ONE_HOT.analogy("w1", "w2", "w3", method="3cosmul")


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
def test_unknown_word_is_named_and_known_ones_suggested(
    kind: type, ask: Callable[[WordVectors], object]
) -> None:
    vectors = WordVectors(Vocabulary(["king", "queen"]), kind(np.eye(2, dtype=np.float32)))
    with pytest.raises(UnknownWordError, match=r"'quen' is not .* Did you mean queen") as raised:
        ask(vectors)
    assert raised.value.word == "quen"
    assert raised.value.suggestions == ("queen",)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("ROME", "rome"),
        ("US", "US"),
        ("Us", "us"),
        ("new york", "new_york"),
        (" New   York ", "new_york"),
        ("New Delhi", "New_Delhi"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("ﬁne", "fine"),
    ],
)
def test_questions_may_spell_words_another_way(asked: str, meant: str) -> None:
    words = ["rome", "Paris", "US", "us", "new_york", "New_Delhi", "strasse", "fine"]
    vectors = WordVectors(Vocabulary(words), np.eye(len(words), dtype=np.float32))
    assert vectors.resolve(asked) == meant
    assert vectors.query(f'"{asked}"', 10) == vectors.neighbors(meant, 10)
    assert vectors.distance([asked, meant]).tolist() == [[0, 0], [0, 0]]


@KINDS
def test_encode_gives_rows_in_the_order_asked(vectors: WordVectors) -> None:
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
def test_norms_are_numpys(vectors: WordVectors) -> None:
    wide = MATRIX if vectors is DENSE else vectors.matrix.toarray()
    np.testing.assert_allclose(vectors.norms, np.linalg.norm(wide, axis=1), rtol=1e-6)


def test_words_and_rows_must_agree() -> None:
    with pytest.raises(ValueError, match="3 words but 2 rows"):
        WordVectors(Vocabulary(["a", "b", "c"]), np.eye(2, dtype=np.float32))


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("metric", METRICS)
def test_zero_rows_have_finite_answers(kind: type, metric: str) -> None:
    matrix = MATRIX[:6].copy()
    matrix[[1, 4]] = 0
    vectors = WordVectors(Vocabulary(WORDS[:6]), kind(matrix))
    for found in (
        vectors.neighbors("w1", metric=metric),
        vectors.analogy("w0", "w1", "w4", metric=metric),
        vectors.query("w1 + w4", metric=metric),
        WordVectors(vectors.vocabulary, matrix).analogy("w0", "w1", "w2", method="3cosmul"),
    ):
        assert np.isfinite([score for _, score in found]).all()
    # Zeros lie somewhere, but in no direction.
    answers = [word for word, _ in vectors.neighbors("w1", metric=metric)]
    assert ("w4" in answers) == (metric != "cosine")
    assert {"w0", "w2", "w3", "w5"} <= set(answers)


def test_saved_vectors_come_back(tmp_path: Path) -> None:
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


def test_model_can_be_saved_over_itself(tmp_path: Path) -> None:
    DENSE.save(tmp_path / "model")
    loaded = embedkit.load(tmp_path / "model")
    with pytest.raises(OutputExistsError):
        loaded.save(tmp_path / "model")
    loaded.save(tmp_path / "model", overwrite=True)
    np.testing.assert_array_equal(embedkit.load(tmp_path / "model").matrix, MATRIX)


def test_sparse_vectors_are_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="save the encoder"):
        ONE_HOT.save(tmp_path / "model")
    assert not any(tmp_path.iterdir())
