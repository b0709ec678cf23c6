"""Unknown words: errors, gaps, the nearest spelling, vectors of n-grams."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, UnknownWordError
from embedkit.vectors.word_vectors import WordVectors
from tests.damage import save_unchecked
from tests.vectors import samples
from tests.vectors.samples import DENSE

WORDS = ["the", "government", "paris", "queen", "receive", "parts", "quern", "new_york", "x"]
MATRIX = np.random.default_rng(9).normal(size=(len(WORDS), 6)).astype(np.float32)
VECTORS = WordVectors(Vocabulary(WORDS), MATRIX)


class Letters:
    """Stands in for character n-grams: a vector for whatever has an a in it."""

    def encode(self, words: Sequence[str]) -> np.ndarray:
        return np.array([[word.count("a"), 0, 0, 0, 0, 0] for word in words], dtype=np.float32)


class Spelling:
    """Stands in for character n-grams: a vector that tells how a word is spelled."""

    def encode(self, words: Sequence[str]) -> np.ndarray:
        return np.array([[ord(word[0]), len(word)] for word in words], dtype=np.float32)


def with_subwords() -> WordVectors:
    return WordVectors(Vocabulary(WORDS), MATRIX, subwords=Letters())


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ("goverment", "government"),
        ("recieve", "receive"),  # a swap counts once
        ("Pariss", "paris"),
        ("quen", "queen"),  # as near as quern, and more frequent
        ("new yorc", "new_york"),
        ("pqrstuv", None),
        ("zz", None),  # two changes are another word
    ],
)
def test_the_nearest_spelling_is_taken(asked: str, taken: str | None) -> None:
    row = VECTORS.look_up([asked], "spell")[asked]
    assert (None if row is None else WORDS[row]) == taken  # type: ignore[index]
    found = VECTORS.neighbors(asked, 3, oov="spell")
    assert found == ([] if taken is None else VECTORS.neighbors(taken, 3))


def test_a_question_with_an_unknown_word_does_not_affect_others() -> None:
    asked = [("paris", "the", "queen"), ("paris", "the", "qqq"), ("queen", "the", "paris")]
    found = VECTORS.analogies(asked, 2, oov="skip")
    assert [len(answers) for answers in found] == [2, 0, 2]
    assert found[0] == VECTORS.analogy(*asked[0], 2)
    assert VECTORS.queries(["qqq + the", "paris"], 2, oov="skip") == [
        [],
        VECTORS.neighbors("paris", 2),
    ]
    for method in ("3cosmul", "pairdirection"):
        found = VECTORS.analogies(asked, 2, method=method, oov="skip")
        assert [len(answers) for answers in found] == [2, 0, 2]
    assert VECTORS.neighbors_of(["qqq", "zzz"], oov="skip") == [[], []]
    with pytest.raises(UnknownWordError, match="'qqq'"):
        VECTORS.analogies(asked)


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul", "pairdirection"])
def test_unknown_words_get_vectors_of_their_n_grams(method: str) -> None:
    vectors = with_subwords()
    together = WordVectors(
        Vocabulary([*WORDS, "banana"]), np.concatenate([MATRIX, Letters().encode(["banana"])])
    )
    question = ("banana", "the", "queen")
    found = vectors.analogy(*question, 5, method=method, oov="subwords")
    expected = together.analogy(*question, 5, method=method)
    assert [word for word, _ in found] == [word for word, _ in expected]
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], atol=1e-5)


@pytest.mark.parametrize(
    ("words", "asked", "spelling"),
    [
        (["walk", "talk"], "Talking", "talking"),  # the text was lower case ...
        (["walk", "The"], "Talking", "Talking"),  # ... or it was not
        (["walk"], "CAFÉ", "café"),
        ([f"w{number}" for number in range(1_000)] + ["The"], "Talking", "talking"),
    ],
)
def test_unknown_words_are_composed_in_the_case_of_the_vocabulary(
    words: list[str], asked: str, spelling: str
) -> None:
    rows = np.ones((len(words), 2), dtype=np.float32)
    own = {"training": {"tokenizer": "words"}}
    vectors = WordVectors(Vocabulary(words), rows, subwords=Spelling(), config=own)
    assert vectors.composed_form(asked) == spelling
    composed, known = vectors.compose([asked])
    np.testing.assert_array_equal(composed, Spelling().encode([spelling]))
    assert known.tolist() == [True]
    assert WordVectors(Vocabulary(words), rows, subwords=Spelling()).composed_form(asked) == asked
    expected = Spelling().encode([spelling])[0]
    np.testing.assert_array_equal(vectors[asked], expected)
    np.testing.assert_array_equal(vectors.look_up([asked])[asked], expected)


def test_a_word_whose_folded_form_is_known_is_not_composed() -> None:
    rows = np.full((1, 2), 9, dtype=np.float32)
    own = {"training": {"tokenizer": "words"}}
    vectors = WordVectors(["walking"], rows, subwords=Spelling(), config=own)
    np.testing.assert_array_equal(vectors["Walking"], rows[0])
    # fastText composes it as it is written.
    vectors = WordVectors(["walking"], rows, subwords=Spelling())
    np.testing.assert_array_equal(vectors["Walking"], Spelling().encode(["Walking"])[0])


def test_every_kind_of_question_composes_unknown_words() -> None:
    vectors = with_subwords()
    assert vectors.rank("banana", "the", oov="subwords") is not None
    assert vectors.similarity("banana", "anna", oov="subwords") == pytest.approx(1)
    assert vectors.odd_one_out(["banana", "anna", "the"], oov="subwords")[0].word == "the"
    assert vectors.distance(["banana", "anna"], oov="subwords")[0, 1] == 1  # 3 a's and 2
    pairs = [("banana", "paris"), ("queen", "the")]
    assert vectors.transfer(pairs, ["x"], 1, oov="subwords")
    assert vectors.analogy_from_pairs(pairs, "x", 1, method="lrcos", oov="subwords")
    assert vectors.neighbors("zzz", oov="subwords") == []  # no n-gram of it is known
    with pytest.raises(ConfigurationError, match="no character n-grams"):
        VECTORS.neighbors("banana", oov="subwords")


def test_the_nearest_spelling_is_found_in_any_case() -> None:
    words = ["the", "WHO", "who", "NATO", "TP53", "cafe\u0301"]
    vectors = WordVectors(words, np.eye(len(words)))
    asked = {"WHOO": "WHO", "whoo": "who", "NATOO": "NATO", "TP35": "TP53", "cafés": "cafe\u0301"}
    found = vectors.look_up(asked, "spell")
    assert {word: words[int(row)] for word, row in found.items() if row is not None} == asked  # type: ignore[arg-type]
    for word, meant in asked.items():
        assert vectors.vocabulary.suggest(word)[0] == meant


@pytest.mark.parametrize("known", ["caf\u00e9", "cafe\u0301"], ids=["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["caf\u00e9", "cafe\u0301"], ids=["NFC", "NFD"])
def test_unicode_normal_forms_are_the_same_word(known: str, asked: str) -> None:
    vectors = WordVectors(["tea", known], np.eye(2))
    assert asked in vectors
    assert vectors[asked].tolist() == vectors.encode([asked])[0].tolist() == [0, 1]
    assert vectors.get(asked) is not None
    assert vectors.find(asked.upper()) == vectors.row(asked) == 1
    assert vectors.complete(asked).tolist() == [1]
    assert vectors.similarity(asked, known) == pytest.approx(1)
    many = [asked, "tea"] * 200
    assert vectors.encode(many).argmax(axis=1).tolist() == [1, 0] * 200
    assert vectors.vocabulary.resolved_ids([*many, asked.upper(), "x"]).tolist()[-2:] == [1, -1]
    with pytest.raises(UnknownWordError):
        vectors.encode([*many, "cafè"])


def test_both_normal_forms_may_be_words() -> None:
    vectors = WordVectors(["caf\u00e9", "cafe\u0301"], np.eye(2))
    assert [vectors.find(word) for word in vectors] == [0, 1]


def test_a_vector_may_be_a_term() -> None:
    found = VECTORS.nearest([[(MATRIX[3], 1.0)]], 2)[0]
    assert found[0].word == "queen"
    assert found[0].score == pytest.approx(1)


def test_an_empty_vocabulary_has_no_nearest_spelling() -> None:
    assert Vocabulary([]).nearest_spellings(["paris"]) == [-1]


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
def test_words_are_found_in_other_spellings(asked: str, meant: str) -> None:
    words = ["rome", "Paris", "US", "us", "new_york", "New_Delhi", "strasse", "fine"]
    vectors = WordVectors(Vocabulary(words), np.eye(len(words), dtype=np.float32))
    assert vectors.resolve(asked) == meant
    assert vectors.query(f'"{asked}"', 10) == vectors.neighbors(meant, 10)
    assert vectors.distance([asked, meant]).tolist() == [[0, 0], [0, 0]]


def test_words_may_come_from_any_iterable() -> None:
    words = ["w5", "w9", "w5"]
    np.testing.assert_array_equal(DENSE.encode(word for word in words), samples.MATRIX[[5, 9, 5]])
    assert DENSE.neighbors_of(iter(words)) == DENSE.neighbors_of(words)
    assert DENSE.queries(iter(words)) == DENSE.queries(words)
    np.testing.assert_array_equal(DENSE.distance(iter(words)), DENSE.distance(words))
    assert DENSE.similarity(iter(words), "w1") == DENSE.similarity(words, "w1")
    pairs = [("w1", "w2"), ("w3", "w4")]
    assert DENSE.transfer(iter(pairs), iter(words)) == DENSE.transfer(pairs, words)


@pytest.mark.parametrize("ask", [DENSE.encode, DENSE.neighbors_of, DENSE.queries, DENSE.distance])
def test_a_string_is_not_a_list_of_words(ask: Callable[[str], object]) -> None:
    with pytest.raises(ConfigurationError, match="expected a list of words, got the string 'w1'"):
        ask("w1")


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    ("number", "shown"),
    [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"), (1e39, "inf")],  # float32 ends at 3.4e38
)
def test_numbers_that_are_not_finite_name_the_word_and_the_column(
    number: float, shown: str, layout: Callable[[object], object]
) -> None:
    matrix = np.array([[1, 0, 2], [0, 0, number], [number, 1, 1]])
    with pytest.raises(
        ConfigurationError, match=rf"column 2 of the vector of 'b', row 1, is {shown}; .* finite"
    ) as raised:
        WordVectors(["a", "b", "c"], layout(matrix))
    assert "counted from 0" in raised.value.hint


@pytest.mark.parametrize("listed", [list, Vocabulary])
def test_the_empty_word_is_rejected(listed: Callable[[list[str]], list[str]]) -> None:
    with pytest.raises(ConfigurationError, match="the word of row 1 is empty"):
        WordVectors(listed(["a", "", "c"]), np.eye(3))


def test_opening_a_model_reads_no_numbers(tmp_path: Path) -> None:
    path = save_unchecked(tmp_path / "model", ["a", "b", "c"], [[1, 0], [np.nan, 0], [0, 1]])
    vectors = embedkit.load(path)
    for same in (
        vectors,
        vectors[:3],
        vectors.with_exact_search(),
        pickle.loads(pickle.dumps(vectors)),
    ):
        assert same["c"].tolist() == [0, 1]
        assert np.isnan(same["b"][0])
    with pytest.raises(ConfigurationError, match="column 0 of the vector of 'b'"):
        WordVectors(vectors.vocabulary, vectors.matrix)


def test_a_list_is_not_a_word() -> None:
    with pytest.raises(ConfigurationError, match=r"expected one word, got \['w1'\].*neighbors_of"):
        DENSE.neighbors(["w1"])  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"expected a word, got \['w1'\]"):
        DENSE.analogy(["w1"], "w2", "w3")  # type: ignore[arg-type]
