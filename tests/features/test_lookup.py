"""Which vector a word has, and what becomes of one that has none."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import NotFittedError
from embedkit.errors import (
    ConfigurationError,
    ModelError,
    UnknownWordError,
    UnknownWordsWarning,
)
from embedkit.features import TextFeatures, WordFeatures
from embedkit.vectors.word_vectors import WordVectors


def test_words_resolve_as_in_questions(vectors: WordVectors) -> None:
    # 300 words take the way of a large batch, three that of a small one.
    for times in (1, 100):
        words = ["the", "New York", "CAFÉ"] * times + ["Where\u200d"]
        features = WordFeatures(vectors, oov="error").fit_transform(words)
        wanted = [vectors[vectors.resolve(word)] for word in words]
        assert np.array_equal(features, wanted)


def test_a_word_as_written_comes_before_its_folded_spelling() -> None:
    vectors = WordVectors(Vocabulary(["us", "US"]), np.array([[1.0], [2.0]], dtype=np.float32))
    assert WordFeatures(vectors).fit_transform(["US", "us", "Us"]).tolist() == [[2], [1], [1]]
    texts = TextFeatures(vectors, tokenizer="whitespace").fit_transform(["US", "us", "Us"])
    assert texts.tolist() == [[2], [1], [1]]
    folded = TextFeatures(vectors, tokenizer="words").fit_transform(["US", "us", "Us"])
    assert folded.tolist() == [[1], [1], [1]]


def test_the_tokens_of_a_text_are_those_of_training(vectors: WordVectors) -> None:
    text = "Where? The well-known CAFÉ's “bananas”--is"
    known = [word for word in embedkit.tokenize(text) if word in vectors]
    assert len(known) == 4
    features = TextFeatures(vectors, pooling="sum").fit_transform([text])
    np.testing.assert_allclose(features[0], vectors.encode(known).sum(axis=0), rtol=1e-5)


class TestUnknownWords:
    TEXTS = ("where xyz is", "qwerty", "the")

    def pooled(self, vectors: WordVectors, oov: Any, pooling: str = "mean") -> np.ndarray:
        return TextFeatures(vectors, oov=oov, pooling=pooling).fit(["the"]).transform(self.TEXTS)

    def test_are_left_out(self, vectors: WordVectors) -> None:
        with pytest.warns(
            UnknownWordsWarning, match=r"1 of 3 texts have no known word.*rows 1, from 0"
        ):
            features = self.pooled(vectors, "ignore")
        wanted = (vectors["where"] + vectors["is"]) / 2
        np.testing.assert_allclose(features[0], wanted, rtol=1e-6)
        assert not features[1].any()

    def test_count_as_zeros(self, vectors: WordVectors) -> None:
        with pytest.warns(UnknownWordsWarning, match="1 of 3 texts"):
            features = self.pooled(vectors, "zero")
        wanted = (vectors["where"] + vectors["is"] + 0) / 3
        np.testing.assert_allclose(features[0], wanted, rtol=1e-6)
        with pytest.warns(UnknownWordsWarning, match="1 of 3 texts"):
            features = self.pooled(vectors, "zero", "max")
        wanted = np.max([vectors["where"], vectors["is"], 0 * vectors["is"]], axis=0)
        assert np.array_equal(features[0], wanted)

    def test_are_an_error(self, vectors: WordVectors) -> None:
        with pytest.raises(UnknownWordError, match=r"row 0 \(counted from 0\): 'xyz' is not"):
            self.pooled(vectors, "error")
        with pytest.raises(UnknownWordError, match=r"row 2 .*'wher' .*Did you mean where"):
            WordFeatures(vectors, oov="error").fit_transform(["is", "the", "wher", "xyz"])

    def test_are_made_by_a_function(self, vectors: WordVectors) -> None:
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

    def test_weigh_as_words_never_seen(self, vectors: WordVectors) -> None:
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

    def test_of_a_column_are_zeros(self, vectors: WordVectors) -> None:
        words = ["xyz", "the", "xyz"]
        with pytest.warns(UnknownWordsWarning, match="2 of 3 words have no vector"):
            zeros = WordFeatures(vectors).fit_transform(words)
        assert np.array_equal(zeros, [0 * vectors["the"], vectors["the"], 0 * vectors["the"]])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            quiet = WordFeatures(vectors, oov="ignore").fit_transform(words)
        assert np.array_equal(quiet, zeros)

    def test_of_one_hot_vectors(self) -> None:
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

    @pytest.mark.parametrize("answer", [[1.0], [float("nan")] * 6, [[1.0] * 6], 2.0])
    def test_a_function_gives_vectors(self, answer: Any, vectors: WordVectors) -> None:
        features = WordFeatures(vectors, oov=lambda _: answer).fit([])
        with pytest.raises(ConfigurationError, match=r"oov\('xyz'\) gave .*6 finite numbers"):
            features.transform(["xyz"])

    def test_the_warning_names_the_first_few_rows(self, vectors: WordVectors) -> None:
        with pytest.warns(UnknownWordsWarning, match=r"7 of 8 .*rows 0, 1, 2, 3, 4, \.\.\., from"):
            WordFeatures(vectors).fit_transform(["xyz"] * 7 + ["the"])

    def test_the_warning_points_at_the_caller(self, vectors: WordVectors) -> None:
        with pytest.warns(UnknownWordsWarning) as caught:
            TextFeatures(vectors).fit([]).transform(["xyz"])
        assert caught[0].filename == __file__


class TestVectors:
    def test_of_all_kinds(self, vectors: WordVectors, saved: Path) -> None:
        wanted = vectors.encode(["the", "is"])
        for given in (vectors, saved, str(saved), embedkit.load_encoder(saved)):
            assert np.array_equal(WordFeatures(given).fit_transform(["the", "is"]), wanted)

    def test_of_something_else(self) -> None:
        with pytest.raises(ConfigurationError, match="path of a model, a WordVectors or an Enc"):
            TextFeatures({"the": [1.0]}).fit(["the"])  # type: ignore[arg-type]
        with pytest.raises(ModelError, match=r"no model at nowhere\.embedkit"):
            TextFeatures("nowhere.embedkit").fit(["the"])
        with pytest.raises(NotFittedError, match="has seen no text"):
            TextFeatures(embedkit.OneHotEncoder()).fit(["the"])
