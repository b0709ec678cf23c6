"""Rows of the input matrix: which ones a word is made of, and their initial numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embedkit.corpus.ngrams import Ngrams, word_bytes
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.training.composition import InputRows
from embedkit.training.config import TrainingConfig
from embedkit.training.initial import random_vectors
from embedkit.training.warm_start import WarmStart

WORDS = ["cat", "cats", "aaaaaa", "日本"]
VOCABULARY = Vocabulary(WORDS, [4, 3, 2, 1])
SUBWORDS = TrainingConfig(min_ngram=2, max_ngram=3, buckets=400, window=4)
WEIGHTED = TrainingConfig(
    min_ngram=2, max_ngram=3, buckets=400, window=4, architecture="cbow", position_weights=True
)


def test_words_without_n_grams_have_one_row_each() -> None:
    rows = InputRows(VOCABULARY, TrainingConfig())
    assert (rows.count, rows.words, rows.layout.composed) == (4, 4, False)
    inputs = random_vectors(4, 5, 1)
    np.testing.assert_array_equal(rows.compose(inputs), inputs)
    np.testing.assert_array_equal(rows.initial(5, 1), inputs)
    assert rows.subwords(inputs) is None


@pytest.mark.parametrize("config", [SUBWORDS, WEIGHTED])
def test_a_word_is_made_of_its_own_row_and_those_of_its_n_grams(config: TrainingConfig) -> None:
    rows = InputRows(VOCABULARY, config)
    layout = rows.layout
    inputs = np.random.default_rng(1).normal(size=(rows.count, 3)).astype(np.float32)
    composed = rows.compose(inputs)
    for word in range(4):
        members = layout.members[layout.starts[word] : layout.starts[word + 1]]
        _, buckets = Ngrams(2, 3, 400).of(word_bytes([WORDS[word]]))
        assert members[0] == word
        assert rows.ids[members[1:] - 4].tolist() == buckets.tolist()
        np.testing.assert_allclose(composed[word], inputs[members].mean(axis=0), atol=1e-6)
    subwords = rows.subwords(inputs)
    assert subwords is not None
    own = subwords.compose(word_bytes(WORDS), inputs[:4])
    np.testing.assert_allclose(own, composed, atol=1e-6)


def test_each_row_of_a_word_gets_less_of_its_change_if_the_mean_would_overshoot() -> None:
    """By hand. The n-grams of "ab" are <a, ab and b>; those of "cccc" <c, cc, cc, cc and c>."""
    config = replace(SUBWORDS, max_ngram=2, buckets=1_000_000, window=1)
    # Of two words, 1.5 are "ab", and 0.5 are "cccc", one of whose rows counts three times.
    rows = InputRows(Vocabulary(["ab", "cccc"], [75, 25]), config)
    np.testing.assert_allclose(rows.layout.shares, [1 / 1.5, 6 / (1 + 1 + 9 + 1)])
    # "ab" has four rows and "abe" five, of which <a and ab are the same.
    rows = InputRows(Vocabulary(["ab", "abe"], [50, 50]), replace(config, window=4))
    np.testing.assert_allclose(rows.layout.shares, [1 / (4 + 4 * 2 / 4), 1 / (4 + 4 * 2 / 5)])
    # With subsampling, counts of 4 to 1 become 2 to 1.
    rows = InputRows(Vocabulary(["ab", "cd"], [80, 20]), replace(config, window=4, sample=1e-9))
    np.testing.assert_allclose(rows.layout.shares, [1 / (8 * 2 / 3), 1 / (8 * 1 / 3)], rtol=1e-3)


def test_words_may_be_shorter_than_the_shortest_n_gram_but_not_all() -> None:
    config = replace(SUBWORDS, min_ngram=6, max_ngram=8)
    rows = InputRows(VOCABULARY, config)
    sizes = np.diff(rows.layout.starts)
    assert sizes.tolist() == [1, 2, 7, 1]  # "<cats>", and of "<aaaaaa>" 3 + 2 + 1
    with pytest.raises(ConfigurationError, match="no word has an n-gram of min_ngram=9 characters"):
        InputRows(VOCABULARY, replace(SUBWORDS, min_ngram=9, max_ngram=9))


def test_position_weights_begin_as_one() -> None:
    rows = InputRows(VOCABULARY, WEIGHTED)
    assert rows.layout.positions == 4 + len(rows.ids)
    assert rows.count == rows.layout.positions + 2 * 4
    initial = rows.initial(6, 1)
    assert (initial[rows.layout.positions :] == 1.0).all()
    assert np.abs(initial[: rows.layout.positions]).max() <= 1 / 6


@pytest.mark.parametrize(("window", "kept"), [(4, range(8)), (6, range(2, 10)), (2, range(4))])
def test_position_weights_keep_their_distance_from_the_center(window: int, kept: range) -> None:
    """A trained window of 4 has positions -4 to 4; a new one of 6 begins two further out."""
    config = replace(WEIGHTED, window=window)
    rows = InputRows(VOCABULARY, config)
    old = np.arange(8 * 6, dtype=np.float32).reshape(8, 6)
    zeros = np.zeros((4, 6), dtype=np.float32)
    start = WarmStart(Vocabulary(WORDS), zeros, zeros, None, old)
    weights = rows.positions(rows.continued(start, 6, 1))
    assert weights is not None
    first = 2 if window == 2 else 0
    np.testing.assert_array_equal(weights[kept], old[first : first + len(kept)])
    others = np.setdiff1d(np.arange(2 * window), kept)
    assert (weights[others] == 1).all()
    unweighted = InputRows(VOCABULARY, SUBWORDS)
    assert unweighted.positions(unweighted.continued(start, 6, 1)) is None
