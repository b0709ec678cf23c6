"""The scikit-learn transformers for columns of words and of texts."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from typing_extensions import Self

from embedkit.corpus.tokenizers import tokenizer as find_tokenizer
from embedkit.encoders import Encoder
from embedkit.errors import ConfigurationError, InputError
from embedkit.features.inputs import as_strings
from embedkit.features.lookup import WordRows, check_oov, find_rows, open_vectors, warn_of_unknown
from embedkit.features.options import POOLINGS
from embedkit.features.pooling import (
    Bags,
    divide_rows,
    document_frequencies,
    first_component,
    maxima,
    weighted_sums,
)
from embedkit.features.shares import TokenShares, pooled_shares
from embedkit.features.tokens import TokenizedTexts, one_word_each, tokenize_texts
from embedkit.index.metrics import Matrix
from embedkit.validation import check_choice, number
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["TextFeatures", "Vectors", "WordFeatures"]

Vectors = str | os.PathLike[str] | WordVectors | Encoder
OOVPolicy = str | Callable[[str], ArrayLike]

_SIF_A = (1e-12, 1_000_000)


class _Features(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base class of both transformers, which turn a column of strings into rows of numbers."""

    vectors: Vectors
    vectors_: WordVectors
    _kind = "text"  # what a row is
    _lacking = "known word"  # what a row of zeros does not have

    def fit(self, X: object, y: object = None) -> Self:
        """Open the vectors, and learn the statistics that the pooling needs.

        Raises:
            InputError: a row is not a string. The message names the row.
            ConfigurationError: a setting is invalid.
            ModelError: there is no model at the path.
        """
        return self._fit(as_strings(X, self._kind))

    def transform(self, X: object) -> Any:
        """Return features, float32 (n, d), dense or CSR like the vectors.

        Raises:
            InputError: a row is not a string. The message names the row.
            UnknownWordError: a word has no vector and *oov* is "error".
            sklearn.exceptions.NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        return self._transform(as_strings(X, self._kind))

    def fit_transform(self, X: object, y: object = None) -> Any:
        """Fit to X, then transform it; X may be a generator, because it is read only once."""
        strings = as_strings(X, self._kind)
        return self._fit(strings)._transform(strings)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return a name for each dimension; for one-hot vectors, the words."""
        check_is_fitted(self)
        if self.vectors_.is_sparse:
            return np.array(self.vectors_.vocabulary.words(), dtype=object)
        names: NDArray[np.object_] = super().get_feature_names_out(input_features)
        return names

    @property
    def _n_features_out(self) -> int:
        return self.vectors_.dimension

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []  # the output is always float32
        return tags

    def _fit(self, strings: list[str]) -> Self:
        raise NotImplementedError

    def _transform(self, strings: list[str]) -> Matrix:
        raise NotImplementedError

    def _warn(self, empty: NDArray[np.bool_]) -> None:
        """Warn of rows without a known word, at the line that called `transform`."""
        # The calls between that line and the warning are this method, two other methods of the
        # transformer, and scikit-learn's wrapper.
        warn_of_unknown(empty, self._kind, self._lacking, stacklevel=6)


class WordFeatures(_Features):
    """Turn a column of words into their vectors.

    Words are looked up as in questions: as written, or else case-folded, or else with underscores
    instead of spaces.

    Args:
        vectors: the path of a model, a `WordVectors`, or an `Encoder`.
        oov: what to do with a word that is not in the vocabulary. "skip" gives zeros. "spell" uses
            the known word with the closest spelling; "subwords", "zero" and "error" compose a
            vector of character n-grams if the vectors have them. Where that is not possible,
            "error" raises `UnknownWordError`, and the others give zeros and a warning that counts
            such rows. A function is called once with each such word and returns its vector, (d,).

    Attributes:
        vectors_: the opened vectors.
    """

    _kind, _lacking = "word", "vector"

    def __init__(self, vectors: Vectors, oov: OOVPolicy = "zero") -> None:
        self.vectors = vectors
        self.oov = oov

    def _fit(self, strings: list[str]) -> Self:
        self.vectors_ = open_vectors(self.vectors)
        check_oov(self.oov, self.vectors_)
        return self

    def _transform(self, strings: list[str]) -> Matrix:
        tokens = one_word_each(strings)
        found = find_rows(self.vectors_, tokens, self.oov, folded=False)
        if self.oov != "skip":
            self._warn(tokens.count(found.known) == 0)
        bags = _bags(tokens, found, np.ones(len(found.rows)))
        return weighted_sums(self.vectors_.matrix, bags, found.extra)


class TextFeatures(_Features):
    """Turn each text into one vector, pooled from the vectors of its words.

    Args:
        vectors: the path of a model, a `WordVectors`, or an `Encoder`. One-hot vectors give a
            sparse bag of words.
        pooling: "mean", "max" (of each dimension), "sum"; "tfidf", the mean weighted by scikit-
            learn's smoothed inverse document frequencies, ln((1 + n) / (1 + df)) + 1, in the texts
            passed to `fit`; "sif", smooth inverse frequency (Arora, Liang and Ma 2017): the mean of
            a / (a + p(w)) times the vector, with p(w) from the model's counts, minus its projection
            on the first singular vector of the texts passed to `fit`.
        oov: what to do with words that are not in the vocabulary. "skip" leaves them out. "spell"
            uses the known word with the closest spelling; "subwords", "zero" and "error" compose a
            vector of character n-grams if the vectors have them. Where that is not possible, "zero"
            counts a zero vector, "error" raises `UnknownWordError`, and the others leave the word
            out. None, the default, is "subwords" if the vectors have n-grams, and otherwise "skip".
            A function is called once with each such word and returns its vector, (d,). The document
            frequency and p(w) of a vector that is not the model's are 0. A text without any known
            or composed word becomes zeros; a warning counts such texts.
        tokenizer: "words", "words+emoji" or "whitespace", as for training.
        sif_a: the constant a of "sif".

    Attributes:
        vectors_: the opened vectors.
        idf_: inverse document frequency of each word of the model, float64 (V,); "tfidf" only.
        component_: the direction that is removed from every text, float64 (d,); "sif" only.
    """

    def __init__(
        self,
        vectors: Vectors,
        pooling: str = "mean",
        oov: OOVPolicy | None = None,
        tokenizer: str = "words",
        sif_a: float = 1e-3,
    ) -> None:
        self.vectors = vectors
        self.pooling = pooling
        self.oov = oov
        self.tokenizer = tokenizer
        self.sif_a = sif_a

    def _fit(self, strings: list[str]) -> Self:
        find_tokenizer(self.tokenizer)
        check_choice("pooling", self.pooling, POOLINGS)
        self.vectors_ = open_vectors(self.vectors)
        check_oov(self._policy, self.vectors_)
        if self.pooling in ("tfidf", "sif") and not strings:
            raise InputError(
                f"pooling={self.pooling!r} learns from the texts passed to fit; got none."
            )
        if self.pooling == "tfidf":
            tokens, found = self._read(strings, "spell" if self.oov == "spell" else "skip")
            bags = _bags(tokens, found, np.ones(len(found.rows)))
            frequencies = document_frequencies(bags, len(self.vectors_))
            self.idf_ = np.log((1 + len(strings)) / (1 + frequencies)) + 1
            self._idf_of_others = float(np.log(1 + len(strings)) + 1)
        if self.pooling == "sif":
            self._check_sif()
            self.component_ = first_component(self._pool(*self._read(strings, self._policy)))
        return self

    @property
    def _policy(self) -> OOVPolicy:
        if self.oov is not None:
            return self.oov
        return "skip" if self.vectors_.subwords is None else "subwords"

    def _check_sif(self) -> None:
        if self.vectors_.is_sparse:
            raise ConfigurationError(
                'pooling="sif" subtracts a direction from every text, so one-hot vectors would no '
                "longer be sparse.",
                hint='Use pooling="tfidf".',
            )
        if not self.vectors_.vocabulary.counts.any():
            raise ConfigurationError(
                'pooling="sif" needs word counts, and these vectors have none.',
                hint='Use pooling="tfidf", which counts the words of the texts passed to fit.',
            )
        number("sif_a", self.sif_a, *_SIF_A)

    def _transform(self, strings: list[str]) -> Matrix:
        tokens, found = self._read(strings, self._policy)
        self._warn(tokens.count(found.known) == 0)
        pooled = self._pool(tokens, found)
        if self.pooling == "sif":
            component = self.component_.astype(np.float32)
            pooled -= np.outer(pooled @ component, component)
        return pooled

    def shares(self, text: str) -> TokenShares:
        """Return what each token of a text adds to its features."""
        check_is_fitted(self)
        tokens, found = self._read([text], self._policy)
        weights = self._weights(found.rows)
        shares = pooled_shares(self.vectors_.matrix, tokens, found, weights, self.pooling)
        return shares.without(self.component_) if self.pooling == "sif" else shares

    def _read(self, strings: list[str], oov: OOVPolicy) -> tuple[TokenizedTexts, WordRows]:
        tokens = tokenize_texts(strings, find_tokenizer(self.tokenizer))
        return tokens, find_rows(self.vectors_, tokens, oov, folded=self.tokenizer == "words")

    def _pool(self, tokens: TokenizedTexts, found: WordRows) -> Matrix:
        bags = _bags(tokens, found, self._weights(found.rows))
        if self.pooling == "max":
            return maxima(self.vectors_.matrix, bags, found.extra)
        sums = weighted_sums(self.vectors_.matrix, bags, found.extra)
        if self.pooling != "sum":
            divide_rows(sums, bags.totals() if self.pooling == "tfidf" else bags.sizes())
        return sums

    def _weights(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weight of each word, given its row."""
        weights = np.ones(len(rows))  # in "sif", the weight of a word with p(w) = 0
        in_model = (rows >= 0) & (rows < len(self.vectors_))
        if self.pooling == "tfidf":
            weights[:] = self._idf_of_others
            weights[in_model] = self.idf_[rows[in_model]]
        if self.pooling == "sif":
            counts = self.vectors_.vocabulary.counts
            probabilities = counts[rows[in_model]] / counts.sum()
            weights[in_model] = self.sif_a / (self.sif_a + probabilities)
        return weights


def _bags(tokens: TokenizedTexts, found: WordRows, weights: NDArray[np.float64]) -> Bags:
    """Return the rows of the tokens of each text, without the words that are left out."""
    rows = found.rows[tokens.indices]
    bags = Bags(rows, weights.astype(np.float32)[tokens.indices], tokens.bounds)
    return bags if found.rows.min(initial=0) >= 0 else bags.where(rows >= 0)
