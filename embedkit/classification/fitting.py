"""Fit a linear model of texts.

The score of term t for output k is

    s[t, k] e[t, k] + c[t] . q[:, k] + v[t] . u[:, k]

where c and v are the character n-grams and the vector of a word (0 for an n-gram of words), and e,
q and u are trained with an L2 penalty. s = sqrt(1 + r^2) with the naive-Bayes log-count ratio r
(Wang and Manning 2012, P12-2018) gives more freedom to a term that occurs much more often with a
label than without it.

At the minimum, e, q and u are weighted sums of the features of the n texts (the representer
theorem), so only the n x K weights of this sum are trained, which are far fewer. `minimization`
does that with the inner products of e, q and u; for these it needs the *image* of weights, which is
what the scores of the n texts would be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedkit.classification.minimization import Point, minimize
from embedkit.classification.objectives import Objective
from embedkit.classification.word_views import WordViews

__all__ = ["Parameters", "Problem", "TextExamples"]

Matrix = NDArray[np.float32]

_TOLERANCE = 1e-4
_VECTOR_SHARE = np.float32(0.5)  # length of a word's vector beside its n-grams, of length 1


@dataclass(frozen=True)
class TextExamples:
    """n texts to learn from.

    Attributes:
        texts: weights of T terms, float32 CSR (n, T); the first W terms are words.
        targets: float32 (n, K).
        weights: how much each text counts, float32 (n,).
    """

    texts: sparse.csr_array
    targets: Matrix
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.texts.shape[0])

    def take(self, rows: NDArray[np.int64]) -> TextExamples:
        """Return the examples of *rows*."""
        return TextExamples(self.texts[rows], self.targets[rows], self.weights[rows])


@dataclass(frozen=True)
class Parameters:
    """What is trained.

    Attributes:
        texts: the weight of each text in e, q and u, float32 (n, K).
        bias: float32 (K,).
    """

    texts: Matrix
    bias: Matrix

    @classmethod
    def zeros(cls, texts: int, outputs: int) -> Parameters:
        """Return parameters that are all 0."""
        return cls(np.zeros((texts, outputs), np.float32), np.zeros(outputs, np.float32))

    def spread(self, rows: NDArray[np.int64], texts: int) -> Parameters:
        """Return parameters for all *texts*, of which these belong to *rows*."""
        everything = Parameters.zeros(texts, len(self.bias))
        everything.texts[rows] = self.texts
        return Parameters(everything.texts, self.bias)


class Problem:
    """What is minimized: the mean loss of some examples, and a penalty.

    Args:
        examples: n examples.
        views: character n-grams and vectors of the words, in B and d columns.
        objective: the loss.
        ratios: use naive-Bayes ratios; the targets must be 0 or 1.
    """

    def __init__(
        self, examples: TextExamples, views: WordViews, objective: Objective, *, ratios: bool
    ) -> None:
        self.examples = examples
        self._objective = objective
        self._ngrams, self._vectors = views.ngrams, views.vectors * _VECTOR_SHARE
        self._by_term = examples.texts.T.tocsr()
        self._by_ngram = self._ngrams.T.tocsr()
        self._shares = examples.weights[:, np.newaxis] / examples.weights.sum()
        self.scales = self._scales() if ratios else np.ones((1, 1), dtype=np.float32)

    def term_scores(self, parameters: Parameters) -> Matrix:
        """Return the scores of the terms, float32 (T, K)."""
        return self._term_scores(self._by_term @ parameters.texts)

    def word_weights(self, parameters: Parameters) -> tuple[Matrix, Matrix]:
        """Return q (B, K) and u (d, K), as weights of the n-grams and unit vectors of a word."""
        words = (self._by_term @ parameters.texts)[: self._ngrams.shape[0]]
        return self._by_ngram @ words, self._vectors.T @ words * _VECTOR_SHARE

    def image(self, weights: Matrix) -> Matrix:
        """Return the scores of the texts, without the bias, for weights of texts, both (n, K)."""
        scores = self._term_scores(self._by_term @ weights)
        return np.asarray(self.examples.texts @ scores, dtype=np.float32)

    def loss(self, scores: Matrix) -> float:
        """Return the mean loss of the texts, given their scores, (n, K)."""
        losses = self._objective.losses(scores, self.examples.targets)
        return float((losses * self._shares[:, 0]).sum())

    def slopes(self, scores: Matrix) -> Matrix:
        """Return the gradient of the loss by the scores, both float32 (n, K)."""
        errors = self._objective.predictions(scores) - self.examples.targets
        return np.asarray(errors * self._shares, dtype=np.float32)

    def solve(self, inverse: float, start: Parameters, tolerance: float = _TOLERANCE) -> Parameters:
        """Return the parameters with the lowest loss.

        Args:
            inverse: C, the inverse strength of the penalty, as in scikit-learn.
            start: the initial parameters.
            tolerance: training ends when a step reduces the loss by a smaller share.
        """
        penalty = 1 / (inverse * len(self.examples))
        begin = Point(start.texts, self.image(start.texts), start.bias)
        found = minimize(self, begin, np.float32(penalty), tolerance)
        return Parameters(found.weights, found.bias)

    def _term_scores(self, sums: Matrix) -> Matrix:
        """Return the scores of the terms, given the weighted sums of the texts, both (T, K)."""
        words = sums[: self._ngrams.shape[0]]
        scores = self.scales * self.scales * sums
        scores[: len(words)] += self._ngrams @ (self._by_ngram @ words)
        scores[: len(words)] += self._vectors @ (self._vectors.T @ words)
        return np.asarray(scores)

    def _scales(self) -> Matrix:
        """Return sqrt(1 + r^2) for each term and label, float32 (T, K)."""
        occurs = self._by_term.copy()
        occurs.data = np.ones_like(occurs.data)
        inside = occurs @ self.examples.targets + 1
        outside = occurs @ (1 - self.examples.targets) + 1
        ratios = np.log((inside / inside.sum(axis=0)) / (outside / outside.sum(axis=0)))
        return np.asarray(np.sqrt(1 + ratios * ratios), dtype=np.float32)
