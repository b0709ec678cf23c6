"""Which vector a word has, and what happens to a word that has none."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import embedkit
from embedkit.corpus.ngrams import Ngrams
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import NotFittedError
from embedkit.errors import (
    ConfigurationError,
    ModelError,
    UnknownWordError,
    UnknownWordsWarning,
)
from embedkit.features import TextFeatures, WordFeatures
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors


def test_words_are_looked_up_as_in_questions(vectors: WordVectors) -> None:
    # Three words use the code path of a small batch, 300 that of a large one.
    for times in (1, 100):
        words = ["the", "New York", "CAFÉ"] * times + ["Where\u200d"]
        features = WordFeatures(vectors, oov="error").fit_transform(words)
        wanted = [vectors[vectors.resolve(word)] for word in words]
        assert np.array_equal(features, wanted)


def test_a_word_as_written_takes_precedence_over_its_folded_spelling() -> None:
    vectors = WordVectors(Vocabulary(["us", "US"]), np.array([[1.0], [2.0]], dtype=np.float32))
    assert WordFeatures(vectors).fit_transform(["US", "us", "Us"]).tolist() == [[2], [1], [1]]
    texts = TextFeatures(vectors, tokenizer="whitespace").fit_transform(["US", "us", "Us"])
    assert texts.tolist() == [[2], [1], [1]]
    folded = TextFeatures(vectors, tokenizer="words").fit_transform(["US", "us", "Us"])
    assert folded.tolist() == [[1], [1], [1]]


def test_texts_are_tokenized_as_in_training(vectors: WordVectors) -> None:
    text = "Where? The well-known CAFÉ's “bananas”--is"
    known = [word for word in embedkit.tokenize(text) if word in vectors]
    assert len(known) == 4
    features = TextFeatures(vectors, pooling="sum").fit_transform([text])
    np.testing.assert_allclose(features[0], vectors.encode(known).sum(axis=0), rtol=1e-5)


class TestUnknownWords:
    TEXTS = ("where xyz is", "qwerty", "the")

    def pooled(self, vectors: WordVectors, oov: Any, pooling: str = "mean") -> np.ndarray:
        return TextFeatures(vectors, oov=oov, pooling=pooling).fit(["the"]).transform(self.TEXTS)

    def test_skip_leaves_them_out(self, vectors: WordVectors) -> None:
        with pytest.warns(
            UnknownWordsWarning, match=r"1 of 3 texts has no known word.*row 1, counted from 0"
        ):
            features = self.pooled(vectors, "skip")
        wanted = (vectors["where"] + vectors["is"]) / 2
        np.testing.assert_allclose(features[0], wanted, rtol=1e-6)
        assert not features[1].any()

    def test_zero_counts_them_as_zero_vectors(self, vectors: WordVectors) -> None:
        with pytest.warns(UnknownWordsWarning, match="1 of 3 texts"):
            features = self.pooled(vectors, "zero")
        wanted = (vectors["where"] + vectors["is"] + 0) / 3
        np.testing.assert_allclose(features[0], wanted, rtol=1e-6)
        with pytest.warns(UnknownWordsWarning, match="1 of 3 texts"):
            features = self.pooled(vectors, "zero", "max")
        wanted = np.max([vectors["where"], vectors["is"], 0 * vectors["is"]], axis=0)
        assert np.array_equal(features[0], wanted)

    def test_error_names_the_word_and_the_row(self, vectors: WordVectors) -> None:
        with pytest.raises(UnknownWordError, match=r"row 0 \(counted from 0\): 'xyz' is not"):
            self.pooled(vectors, "error")
        with pytest.raises(UnknownWordError, match=r"row 2 .*'wher' .*Did you mean where"):
            WordFeatures(vectors, oov="error").fit_transform(["is", "the", "wher", "xyz"])

    def test_a_function_is_called_once_per_word(self, vectors: WordVectors) -> None:
        asked = []

        def make(word: str) -> list[float]:
            asked.append(word)
            return [float(len(word))] * vectors.dimension

        texts = TextFeatures(vectors, oov=make).fit(["xyz"])
        assert asked == []
        features = texts.transform([*self.TEXTS, "xyz xyz the"])
        assert sorted(asked) == ["qwerty", "xyz"]
        np.testing.assert_allclose(
            features[0], (vectors["where"] + vectors["is"] + 3) / 3, rtol=1e-6
        )
        assert features[1].tolist() == [6.0] * vectors.dimension
        np.testing.assert_allclose(features[3], (vectors["the"] + 6) / 3, rtol=1e-6)
        largest = TextFeatures(vectors, pooling="max", oov=make).fit_transform(self.TEXTS)
        assert np.array_equal(
            largest[0], np.maximum(np.maximum(vectors["where"], vectors["is"]), 3)
        )

    def test_vectors_from_a_function_have_frequency_zero(self, vectors: WordVectors) -> None:
        def make(word: str) -> np.ndarray:
            return np.full(vectors.dimension, 2.0)

        fitted = TextFeatures(vectors, pooling="tfidf", oov=make).fit(["the", "the is"])
        weights = {"the": 1 + np.log(3 / 3), "xyz": 1 + np.log(3 / 1)}
        wanted = (weights["the"] * vectors["the"] + weights["xyz"] * 2) / sum(weights.values())
        np.testing.assert_allclose(fitted.transform(["xyz the"])[0], wanted, rtol=1e-5)

        sif = TextFeatures(vectors, pooling="sif", sif_a=0.1, oov=make).fit(["the is"])
        rare = 0.1 / (0.1 + vectors.vocabulary.counts[0] / vectors.vocabulary.counts.sum())
        pooled = (rare * vectors["the"] + 1.0 * 2) / 2
        wanted = pooled - sif.component_ * (pooled @ sif.component_)
        np.testing.assert_allclose(sif.transform(["xyz the"])[0], wanted, rtol=1e-4, atol=1e-6)

    def test_of_a_column_of_words_are_zeros(self, vectors: WordVectors) -> None:
        words = ["xyz", "the", "xyz"]
        with pytest.warns(UnknownWordsWarning, match="2 of 3 words have no vector"):
            zeros = WordFeatures(vectors).fit_transform(words)
        assert np.array_equal(zeros, [0 * vectors["the"], vectors["the"], 0 * vectors["the"]])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            quiet = WordFeatures(vectors, oov="skip").fit_transform(words)
        assert np.array_equal(quiet, zeros)

    def test_of_one_hot_vectors_stay_sparse(self) -> None:
        encoder = embedkit.OneHotEncoder().fit([["a", "b"]])
        with pytest.warns(UnknownWordsWarning):
            words = WordFeatures(encoder).fit_transform(["b", "c"])
        assert sparse.issparse(words)
        assert words.toarray().tolist() == [[0, 1], [0, 0]]
        made = TextFeatures(encoder, oov=lambda _: [3.0, 4.0]).fit_transform(["a c", "c"])
        assert sparse.issparse(made)
        assert made.toarray().tolist() == [[2, 2], [3, 4]]
        zero = TextFeatures(encoder, oov="zero").fit_transform(["a c"])
        assert zero.toarray().tolist() == [[0.5, 0]]

    def test_spell_uses_the_closest_known_spelling(self, vectors: WordVectors) -> None:
        words = WordFeatures(vectors, oov="spell").fit_transform(["bananaz", "presidnt", "the"])
        assert np.array_equal(words, vectors.encode(["bananas", "president", "the"]))
        texts = TextFeatures(vectors, oov="spell").fit_transform(["The bananaz."])
        wanted = (vectors["the"] + vectors["bananas"]) / 2
        np.testing.assert_allclose(texts[0], wanted, rtol=1e-6)

    def test_spell_counts_words_like_the_ones_they_stand_for(self, vectors: WordVectors) -> None:
        misspelled, correct = ["the bananaz", "the the is"], ["the bananas", "the the is"]
        for pooling in ("tfidf", "sif"):
            settings = {"pooling": pooling, "sif_a": 0.1}
            ours = TextFeatures(vectors, oov="spell", **settings).fit_transform(misspelled)
            wanted = TextFeatures(vectors, **settings).fit_transform(correct)
            np.testing.assert_allclose(ours, wanted, rtol=1e-6, atol=1e-7)

    def test_a_word_without_a_close_spelling_is_skipped(self, vectors: WordVectors) -> None:
        with pytest.warns(UnknownWordsWarning, match=r"1 of 2 words has no vector.*row 1,"):
            words = WordFeatures(vectors, oov="spell").fit_transform(["bananaz", "qwertyuiop"])
        assert np.array_equal(words, [vectors["bananas"], 0 * vectors["bananas"]])
        with pytest.warns(UnknownWordsWarning, match="1 of 1 text has"):
            texts = TextFeatures(vectors, oov="spell").fit_transform(["qwertyuiop"])
        assert not texts.any()

    def test_spell_works_with_one_hot_vectors(self) -> None:
        encoder = embedkit.OneHotEncoder().fit([["apple", "banana"]])
        words = WordFeatures(encoder, oov="spell").fit_transform(["appel", "banana"])
        assert words.toarray().tolist() == [[1, 0], [0, 1]]

    def test_subwords_compose_a_vector(self, vectors: WordVectors) -> None:
        ngrams = np.random.default_rng(2).normal(size=(50, 6)).astype(np.float32)
        subwords = Subwords(ngrams, Ngrams(3, 4, 50))
        composing = WordVectors(vectors.vocabulary, vectors.matrix, subwords=subwords)
        words = WordFeatures(composing, oov="subwords").fit_transform(["xyzzy", "the"])
        wanted = subwords.encode(["xyzzy"])[0]
        assert np.array_equal(words, [wanted, vectors["the"]])
        texts = TextFeatures(composing, oov="subwords").fit_transform(["the xyzzy"])
        np.testing.assert_allclose(texts[0], (vectors["the"] + wanted) / 2, rtol=1e-5)

    def test_subwords_need_vectors_of_character_ngrams(self, vectors: WordVectors) -> None:
        with pytest.raises(ConfigurationError, match="these vectors have none") as caught:
            TextFeatures(vectors, oov="subwords").fit(["the"])
        assert caught.value.hint.startswith('Use oov="spell" or "skip"')

    @pytest.mark.parametrize("answer", [[1.0], [float("nan")] * 6, [[1.0] * 6], 2.0])
    def test_a_function_must_return_vectors(self, answer: Any, vectors: WordVectors) -> None:
        features = WordFeatures(vectors, oov=lambda _: answer).fit([])
        with pytest.raises(ConfigurationError, match=r"oov\('xyz'\) returned .* 6 finite numbers"):
            features.transform(["xyz"])

    def test_the_warning_names_the_first_few_rows(self, vectors: WordVectors) -> None:
        with pytest.warns(
            UnknownWordsWarning, match=r"7 of 8 .*rows 0, 1, 2, 3, 4, \.\.\., counted"
        ):
            WordFeatures(vectors).fit_transform(["xyz"] * 7 + ["the"])

    def test_the_warning_points_to_the_caller(self, vectors: WordVectors) -> None:
        with pytest.warns(UnknownWordsWarning) as caught:
            TextFeatures(vectors).fit([]).transform(["xyz"])
        assert caught[0].filename == __file__


class TestVectors:
    def test_may_be_a_path_vectors_or_an_encoder(self, vectors: WordVectors, saved: Path) -> None:
        wanted = vectors.encode(["the", "is"])
        for given in (vectors, saved, str(saved), embedkit.load_encoder(saved)):
            assert np.array_equal(WordFeatures(given).fit_transform(["the", "is"]), wanted)

    def test_anything_else_is_rejected(self) -> None:
        with pytest.raises(ConfigurationError, match="path of a model, a WordVectors or an Enc"):
            TextFeatures({"the": [1.0]}).fit(["the"])  # type: ignore[arg-type]
        with pytest.raises(ModelError, match=r"no model at nowhere\.embedkit"):
            TextFeatures("nowhere.embedkit").fit(["the"])
        with pytest.raises(NotFittedError, match="is not fitted"):
            TextFeatures(embedkit.OneHotEncoder()).fit(["the"])
