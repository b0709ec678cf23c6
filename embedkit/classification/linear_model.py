"""A linear model of texts: the score of a text is a weighted sum of the scores of its terms.

The score of a word has three parts, which are trained together: one of its own, one from its
character n-grams and one from its vector. So words that no training text contains have scores, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedkit.classification.terms import TextTerms
from embedkit.classification.word_views import WordViews, unit_vectors
from embedkit.system.steps import Steps, finish
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["LinearModel", "TextScores"]

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class TextScores:
    """How the scores of n texts are made up.

    Attributes:
        weights: of each term in each text, float32 CSR (n, T + k).
        terms: the scores of the terms, float32 (T + k, K); the last k are of new words.
        bias: the scores of an empty text, float32 (K,).
        new_words: the k words that no training text contains.
        has_vector: which of these have a word vector, bool (k,).
    """

    weights: sparse.csr_array
    terms: Matrix
    bias: Matrix
    new_words: list[str]
    has_vector: NDArray[np.bool_]

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Which texts have neither a term of the training texts nor a word with a vector, (n,)."""
        known = np.ones(self.weights.shape[1], dtype=np.float32)
        known[len(known) - len(self.new_words) :] = self.has_vector
        return np.asarray(self.weights @ known == 0)

    def total(self) -> Matrix:
        """Return the scores of the texts, float32 (n, K)."""
        return np.asarray(self.weights @ self.terms + self.bias)


@dataclass(frozen=True)
class LinearModel:
    """A fitted linear model with T terms and K outputs.

    Attributes:
        terms: the terms.
        term_scores: the score of each term, all parts together, float32 (T, K).
        buckets: the buckets of character n-grams that occur in training texts, int32 (B,), sorted.
        ngram_scores: the score of each of these buckets, float32 (B, K).
        vector_scores: the score of each dimension of a word's vector, float32 (d, K).
        bias: float32 (K,).
        vectors: the word vectors, or None.
    """

    terms: TextTerms
    term_scores: Matrix
    buckets: NDArray[np.int32]
    ngram_scores: Matrix
    vector_scores: Matrix
    bias: Matrix
    vectors: WordVectors | None

    def explain(self, texts: Sequence[str]) -> TextScores:
        """Return the scores of texts, term by term."""
        return finish(self.explain_in_steps(texts))

    def explain_in_steps(self, texts: Sequence[str]) -> Steps[TextScores]:
        """Do what `explain` does; for a text of 10,000 characters, a step takes milliseconds."""
        bags = self.terms.bags(texts)
        yield
        scores, has_vector = self.term_scores, np.zeros(0, dtype=np.bool_)
        if bags.new_words:
            new, has_vector = yield from self._word_scores(bags.new_words)
            scores = np.concatenate([scores, new])
            yield
        weights = self.terms.weights(bags)
        yield
        return TextScores(weights, scores, self.bias, bags.new_words, has_vector)

    def known_words(self, texts: Sequence[str]) -> float:
        """Return the share of the words of texts that a training text contains or that have a
        vector; NaN if there are no words.
        """
        bags = self.terms.bags(texts)
        counts = np.asarray(bags.counts.sum(axis=0))
        old, new = counts[: len(self.terms.words)].sum(), counts[len(self.terms) :]
        has_vector = unit_vectors(bags.new_words, self.vectors).any(axis=1)
        total = float(old + new.sum())
        return float(old + new[has_vector].sum()) / total if total else float("nan")

    def word_scores(self, words: Sequence[str]) -> tuple[Matrix, NDArray[np.bool_]]:
        """Return the scores that words have by their letters and vectors, float32 (w, K), and which
        words have a vector, (w,).
        """
        return finish(self._word_scores(words))

    def _word_scores(self, words: Sequence[str]) -> Steps[tuple[Matrix, NDArray[np.bool_]]]:
        views = yield from WordViews.in_steps(words, self.vectors)
        yield
        views = views.of_buckets(self.buckets)
        scores = views.ngrams @ self.ngram_scores + views.vectors @ self.vector_scores
        return np.asarray(scores, dtype=np.float32), np.asarray(views.vectors.any(axis=1))

    def scaled(self, factor: float) -> LinearModel:
        """Return the model whose scores are multiplied by *factor*."""
        return replace(
            self,
            term_scores=self.term_scores * np.float32(factor),
            ngram_scores=self.ngram_scores * np.float32(factor),
            vector_scores=self.vector_scores * np.float32(factor),
            bias=self.bias * np.float32(factor),
        )
