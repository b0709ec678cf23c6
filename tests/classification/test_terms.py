"""Terms and their weights, against scikit-learn and Python's Counter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from embedkit.classification.terms import TextTerms
from embedkit.errors import InputError

TEXTS = ["the cat sat on the mat", "the dog sat", "", "a dog ate the cat", "the cat sat on the dog"]
MANY = 1 << 20

sentences = st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join)


def names_of(terms: TextTerms) -> list[str]:
    return [" ".join(terms.words_of(term)) for term in range(len(terms))]


def runs(text: str, longest: int) -> Counter[str]:
    """Return how often each word and n-gram occurs in a text; its beginning and end are words."""
    words = text.split()
    padded = ["<start>", *words, "<end>"] if words else []
    found = Counter(words)
    for length in range(2, longest + 1):
        found.update(
            " ".join(padded[start : start + length]) for start in range(len(padded) - length + 1)
        )
    return found


@given(st.lists(sentences, min_size=1, max_size=6), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_a_counter(texts: list[str], longest: int) -> None:
    terms, bags = TextTerms.of(texts, longest=longest, tokenizer="whitespace", most=MANY)
    names = names_of(terms)
    assert len(set(names)) == len(names) == len(terms)
    for text, row in zip(texts, bags.counts.toarray(), strict=True):
        assert {names[i]: n for i, n in enumerate(row) if n} == runs(text, longest)
    again = terms.bags(texts)
    assert not again.new_words
    np.testing.assert_array_equal(again.counts.toarray(), bags.counts.toarray())


def test_weights_are_those_of_scikit_learn() -> None:
    terms, bags = TextTerms.of(TEXTS, longest=1, tokenizer="whitespace", most=MANY)
    theirs = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+", vocabulary=names_of(terms))
    np.testing.assert_allclose(
        terms.weights(bags).toarray(), theirs.fit_transform(TEXTS).toarray(), rtol=1e-6
    )


def test_new_words_are_counted_and_break_n_grams() -> None:
    terms, _ = TextTerms.of(TEXTS, longest=3, tokenizer="whitespace", most=MANY)
    found = terms.bags(["the bird sat on the mat bird"])
    assert found.new_words == ["bird"]
    counts = found.counts.toarray()[0]
    assert counts[len(terms)] == 2
    names = names_of(terms)
    known = {names[i] for i in np.flatnonzero(counts[: len(terms)])}
    assert known == {
        "the", "sat", "on", "mat", "<start> the", "sat on", "on the", "the mat", "sat on the",
        "on the mat",
    }  # fmt: skip
    weights = terms.weights(found)
    assert np.linalg.norm(weights.toarray()) == pytest.approx(1, abs=1e-6)


def test_the_rarest_n_grams_are_left_out() -> None:
    texts = ["a b c d", "a b c e", "a b f"]
    terms, _ = TextTerms.of(texts, longest=2, tokenizer="whitespace", most=10)
    kept = names_of(terms)[len(terms.words) :]
    assert sorted(kept) == ["<start> a", "a b", "b c"]  # three, three and two times; others once


def test_punctuation_is_a_word() -> None:
    terms, _ = TextTerms.of(["Why, though?"], longest=1, tokenizer="words+punctuation", most=MANY)
    assert names_of(terms) == ["why", ",", "though", "?"]


def test_a_text_that_is_not_unicode_is_named() -> None:
    with pytest.raises(InputError, match="row 1 "):
        TextTerms.of(["a", "\ud800"], longest=1, tokenizer="whitespace", most=MANY)
