"""Terms by hand."""

from __future__ import annotations

import numpy as np

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.heads.terms import TermBags
from embedkit.vectors.word_vectors import WordVectors

VECTORS = WordVectors(
    Vocabulary(["where", "is", "milk"], [3, 2, 1]), np.arange(6, dtype=np.float32).reshape(3, 2)
)


def test_words_then_ngrams_with_the_beginning() -> None:
    terms = TermBags(VECTORS.vocabulary, 3, "words")
    assert terms.split("Where is milk?") == [
        "where", "is", "milk",
        "  where", " where is", " is milk",
        "  where is", " where is milk",
    ]  # fmt: skip
    assert terms.split("") == []
    assert TermBags(VECTORS.vocabulary, 1, "words").split("where is") == ["where", "is"]


def test_new_terms_begin_at_zero() -> None:
    terms, matrix = TermBags.of(["is new", "where is new"], VECTORS, 2, "words")
    assert terms.vocabulary.words() == [
        "where", "is", "milk", "new", "  is", " is new", "  where", " where is",
    ]  # fmt: skip
    np.testing.assert_array_equal(matrix[:3], VECTORS.matrix)
    assert not matrix[3:].any()
    assert terms.vocabulary.counts.tolist() == [3, 2, 1, 0, 0, 0, 0, 0]


def test_known_terms_have_equal_shares() -> None:
    terms = TermBags(VECTORS.vocabulary, 2, "words")
    bags = terms.bags(["where is the milk", "nothing known", "", "is is milk"])
    expected = [[1 / 3, 1 / 3, 1 / 3], [0, 0, 0], [0, 0, 0], [0, 2 / 3, 1 / 3]]
    np.testing.assert_allclose(bags.toarray(), expected, rtol=1e-6)
    assert terms.bags([]).shape == (0, 3)
