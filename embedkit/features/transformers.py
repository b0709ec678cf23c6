"""The transformers themselves."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from typing_extensions import Self

from embedkit.corpus.tokenizers import tokenizer as find_tokenizer
from embedkit.encoders import Encoder
from embedkit.errors import ConfigurationError, InputError
from embedkit.features.inputs import as_strings
from embedkit.features.lookup import Rows, check_oov, find_rows, open_vectors, warn_of_unknown
from embedkit.features.pooling import (
    Bags,
    divide_rows,
    document_frequencies,
    first_component,
    maxima,
    weighted_sums,
)
from embedkit.features.tokens import Tokens, one_word_each, tokenize_texts
from embedkit.validation import number
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["POOLINGS", "TextFeatures", "WordFeatures"]

Vectors = str | os.PathLike[str] | WordVectors | Encoder
OOV = str | Callable[[str], Any]

_SIF_A = (1e-12, 1_000_000)

POOLINGS = ("mean", "max", "sum", "tfidf", "sif")


class _Features(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What both transformers have in common: a column of strings in, a row of numbers each out."""

    vectors: Vectors
    oov: OOV
    vectors_: WordVectors
    _what, _lacking = "text", "known word"  # a string of the column, and why it is zeros

    def fit(self, X: Any, y: Any = None) -> Self:
        """Open the vectors, and learn from the column what is to be learned.

        Raises:
            InputError: a row is no string. The message names it.
            ConfigurationError: a setting lies outside what is documented.
            ModelError: there is no model at the path.
        """
        return self._fit(as_strings(X, self._what))

    def transform(self, X: Any) -> Any:
        """Return features, float32 (n, d), dense or CSR as the vectors are.

        Raises:
            InputError: a row is no string. The message names it.
            UnknownWordError: a word has no vector and *oov* is "error".
            sklearn.exceptions.NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        return self._transform(as_strings(X, self._what))

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Do both; X may be a generator, which would be used up by the first."""
        strings = as_strings(X, self._what)
        return self._fit(strings)._transform(strings)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return a name for each dimension: the words themselves if vectors are one-hot."""
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
        tags.transformer_tags.preserves_dtype = []  # float32, whatever comes in
        return tags

    def _fit(self, strings: list[str]) -> Self:
        raise NotImplementedError

    def _transform(self, strings: list[str]) -> Any:
        raise NotImplementedError

    def _warn(self, empty: NDArray[np.bool_]) -> None:
        """Say how many rows have no known word, at the line that called `transform`."""
        # It stands past this method, two of the transformer and scikit-learn's wrapper.
        warn_of_unknown(empty, self._what, self._lacking, stacklevel=6)


class WordFeatures(_Features):
    """A column of words to their vectors.

    Words resolve as in questions: as written, or else case-folded, or else with underscores for
    spaces.

    Args:
        vectors: the path of a model, a `WordVectors`, or an `Encoder`.
        oov: what becomes of a word that has no vector: "zero" gives zeros and a warning that counts
            them, "ignore" zeros without a warning, "error" raises `UnknownWordError`; a function is
            called with the word and returns its vector, (d,).

    Attributes:
        vectors_: the opened vectors.
    """

    _what, _lacking = "word", "vector"

    def __init__(self, vectors: Vectors, oov: OOV = "zero") -> None:
        self.vectors = vectors
        self.oov = oov

    def _fit(self, strings: list[str]) -> Self:
        check_oov(self.oov)
        self.vectors_ = open_vectors(self.vectors)
        return self

    def _transform(self, strings: list[str]) -> Any:
        tokens = one_word_each(strings)
        found = find_rows(self.vectors_, tokens, self.oov, folded=False)
        if self.oov != "ignore":
            self._warn(tokens.count(found.known) == 0)
        bags = _bags(tokens, found, np.ones(len(found.rows)))
        return weighted_sums(self.vectors_.matrix, bags, found.made)


class TextFeatures(_Features):
    """Texts to one vector each, pooled from the vectors of their words.

    Args:
        vectors: the path of a model, a `WordVectors`, or an `Encoder`. One-hot vectors give a
            sparse bag of words.
        pooling: "mean", "max" (of each dimension), "sum"; "tfidf", the mean weighted by scikit-
            learn's smoothed inverse document frequencies, ln((1 + n) / (1 + df)) + 1, of the texts
            seen by `fit`; "sif", smooth inverse frequency (Arora, Liang and Ma 2017): the mean of
            a / (a + p(w)) times the vector, p(w) from the model's counts, less its projection on
            the first singular vector of the texts seen by `fit`.
        oov: what becomes of words that have no vector: "ignore" leaves them out, "zero" counts them
            as zero vectors, "error" raises `UnknownWordError`; a function is called once with each
            such word and returns its vector, (d,). Their document frequency and p(w) are 0. A text
            in which no word has a vector becomes zeros; a warning counts such texts.
        tokenizer: "words" or "whitespace", as for training.
        sif_a: the a of "sif".

    Attributes:
        vectors_: the opened vectors.
        idf_: of each word of the model, float64 (V,); with "tfidf" only.
        component_: the direction that is taken away, float64 (d,); with "sif" only.
    """

    def __init__(
        self,
        vectors: Vectors,
        pooling: str = "mean",
        oov: OOV = "ignore",
        tokenizer: str = "words",
        sif_a: float = 1e-3,
    ) -> None:
        self.vectors = vectors
        self.pooling = pooling
        self.oov = oov
        self.tokenizer = tokenizer
        self.sif_a = sif_a

    def _fit(self, strings: list[str]) -> Self:
        check_oov(self.oov)
        find_tokenizer(self.tokenizer)
        if self.pooling not in POOLINGS:
            raise ConfigurationError(
                f"no pooling {self.pooling!r}; there are {', '.join(POOLINGS)}"
            )
        self.vectors_ = open_vectors(self.vectors)
        if self.pooling in ("tfidf", "sif") and not strings:
            raise InputError(f"pooling={self.pooling!r} learns from the texts of fit; it got none.")
        if self.pooling == "tfidf":
            tokens, found = self._read(strings, "ignore")
            bags = _bags(tokens, found, np.ones(len(found.rows)))
            frequencies = document_frequencies(bags, len(self.vectors_))
            self.idf_ = np.log((1 + len(strings)) / (1 + frequencies)) + 1
            self._idf_of_others = float(np.log(1 + len(strings)) + 1)
        if self.pooling == "sif":
            self._check_sif()
            self.component_ = first_component(self._pool(*self._read(strings, self.oov)))
        return self

    def _check_sif(self) -> None:
        if self.vectors_.is_sparse:
            raise ConfigurationError(
                'pooling="sif" takes a direction away from every text, so one-hot vectors would no '
                "longer be sparse.",
                hint='pooling="tfidf".',
            )
        if not self.vectors_.vocabulary.counts.any():
            raise ConfigurationError(
                'pooling="sif" needs to know how frequent words are, and these vectors come '
                "without counts.",
                hint='pooling="tfidf" counts the texts of fit.',
            )
        number("sif_a", self.sif_a, *_SIF_A)

    def _transform(self, strings: list[str]) -> Any:
        tokens, found = self._read(strings, self.oov)
        self._warn(tokens.count(found.known) == 0)
        pooled = self._pool(tokens, found)
        if self.pooling == "sif":
            component = self.component_.astype(np.float32)
            pooled -= np.outer(pooled @ component, component)
        return pooled

    def _read(self, strings: list[str], oov: OOV) -> tuple[Tokens, Rows]:
        tokens = tokenize_texts(strings, find_tokenizer(self.tokenizer))
        return tokens, find_rows(self.vectors_, tokens, oov, folded=self.tokenizer == "words")

    def _pool(self, tokens: Tokens, found: Rows) -> Any:
        bags = _bags(tokens, found, self._weights(found.rows))
        if self.pooling == "max":
            return maxima(self.vectors_.matrix, bags, found.made)
        sums = weighted_sums(self.vectors_.matrix, bags, found.made)
        if self.pooling != "sum":
            divide_rows(sums, bags.totals() if self.pooling == "tfidf" else bags.sizes())
        return sums

    def _weights(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weight of each word, given its row."""
        weights = np.ones(len(rows))  # for "sif" that of a word with p(w) = 0
        in_model = (rows >= 0) & (rows < len(self.vectors_))
        if self.pooling == "tfidf":
            weights[:] = self._idf_of_others
            weights[in_model] = self.idf_[rows[in_model]]
        if self.pooling == "sif":
            counts = self.vectors_.vocabulary.counts
            probabilities = counts[rows[in_model]] / counts.sum()
            weights[in_model] = self.sif_a / (self.sif_a + probabilities)
        return weights


def _bags(tokens: Tokens, found: Rows, weights: NDArray[np.float64]) -> Bags:
    """Return the rows of the texts' tokens, without the words that are left out."""
    rows = found.rows[tokens.indices]
    bags = Bags(rows, weights.astype(np.float32)[tokens.indices], tokens.bounds)
    return bags if found.rows.min(initial=0) >= 0 else bags.where(rows >= 0)
