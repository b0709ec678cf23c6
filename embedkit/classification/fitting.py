"""Fit a linear model of texts with L-BFGS.

The score of term t for output k is

    s[t, k] e[t, k] + c[t] . q[:, k] + v[t] . u[:, k]

where c and v are the character n-grams and the vector of a word (0 for an n-gram of words), and e,
q and u are trained with an L2 penalty. s = sqrt(1 + r^2) with the naive-Bayes log-count ratio r
(Wang and Manning 2012, P12-2018) gives more freedom to a term that occurs much more often with a
label than without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedkit.classification.objectives import Objective
from embedkit.classification.word_views import WordViews

__all__ = ["Parameters", "Problem", "TextExamples"]

Matrix = NDArray[np.float32]

_VECTOR_SHARE = np.float32(0.5)  # length of a word's vector beside its n-grams, of length 1
_MAX_STEPS = 200
_TOLERANCE = 1e-5  # training ends when a step reduces the loss by a smaller share
_PAST_STEPS = 6  # that L-BFGS keeps


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
    """Trained weights in one vector, float64.

    Attributes:
        values: e (T, K), q (B, K), u (d, K) and the bias (K,), one after the other.
        rows: T, B and d.
        outputs: K.
    """

    values: NDArray[np.float64]
    rows: tuple[int, int, int]
    outputs: int

    @classmethod
    def zeros(cls, rows: tuple[int, int, int], outputs: int) -> Parameters:
        """Return parameters that are all 0."""
        return cls(np.zeros((sum(rows) + 1) * outputs), rows, outputs)

    def split(self, values: NDArray[Any] | None = None) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Return e, q, u and the bias, float32, of these or other *values*."""
        table = (self.values if values is None else values).astype(np.float32)
        terms, ngrams, vectors, bias = np.split(
            table.reshape(-1, self.outputs), np.cumsum(self.rows)
        )
        return terms, ngrams, vectors, bias[0]


class Problem:
    """What is minimized: the mean loss of some examples, and a penalty.

    Args:
        examples: the examples.
        ngrams: the character n-grams of the words, float32 CSR (W, B).
        vectors: the vectors of the words, float32 (W, d).
        objective: the loss.
        ratios: use naive-Bayes ratios; the targets must be 0 or 1.
    """

    def __init__(
        self, examples: TextExamples, views: WordViews, objective: Objective, *, ratios: bool
    ) -> None:
        self._examples = examples
        self._objective = objective
        self._ngrams, self._vectors = views.ngrams, views.vectors * _VECTOR_SHARE
        self._by_term = examples.texts.T.tocsr()
        self._by_ngram = self._ngrams.T.tocsr()
        self._shares = examples.weights[:, np.newaxis] / examples.weights.sum()
        self.scales = self._scales() if ratios else np.ones((1, 1), dtype=np.float32)

    @property
    def rows(self) -> tuple[int, int, int]:
        """T, B and d."""
        return self._examples.texts.shape[1], self._ngrams.shape[1], self._vectors.shape[1]

    def term_scores(self, parameters: Parameters) -> Matrix:
        """Return the scores of the terms, float32 (T, K)."""
        return self._term_scores(*parameters.split()[:3])

    def word_weights(self, parameters: Parameters) -> tuple[Matrix, Matrix]:
        """Return q (B, K) and u (d, K), as weights of the n-grams and unit vectors of a word."""
        _, ngrams, vectors, _ = parameters.split()
        return ngrams, vectors * _VECTOR_SHARE

    def solve(
        self, strength: float, start: Parameters, step: Callable[[], object] | None = None
    ) -> Parameters:
        """Return the parameters with the lowest loss.

        Args:
            strength: inverse strength of the penalty, as C of scikit-learn's logistic regression.
            start: the initial parameters.
            step: called after each step.
        """
        from scipy.optimize import minimize

        penalty = 1 / (strength * len(self._examples))
        found = minimize(
            self._loss_and_gradient,
            start.values,
            args=(start, penalty),
            jac=True,
            method="L-BFGS-B",
            callback=None if step is None else lambda _: step(),
            options={"maxiter": _MAX_STEPS, "maxcor": _PAST_STEPS, "ftol": _TOLERANCE},
        )
        return Parameters(found.x, start.rows, start.outputs)

    def _loss_and_gradient(
        self, values: NDArray[np.float64], like: Parameters, penalty: float
    ) -> tuple[float, NDArray[np.float64]]:
        terms, ngrams, vectors, bias = like.split(values)
        examples = self._examples
        scores = examples.texts @ self._term_scores(terms, ngrams, vectors) + bias
        losses = self._objective.losses(scores, examples.targets)
        errors = (self._objective.predictions(scores) - examples.targets) * self._shares
        by_term = self._by_term @ errors
        by_word = by_term[: self._ngrams.shape[0]]
        gradient = np.concatenate(
            [
                (self.scales * by_term).ravel(),
                (self._by_ngram @ by_word).ravel(),
                (self._vectors.T @ by_word).ravel(),
                errors.sum(axis=0),
            ]
        ).astype(np.float64)
        gradient[: -like.outputs] += penalty * values[: -like.outputs]
        squares = float(np.square(values[: -like.outputs]).sum())
        return float((losses * self._shares[:, 0]).sum()) + penalty / 2 * squares, gradient

    def _term_scores(self, terms: Matrix, ngrams: Matrix, vectors: Matrix) -> Matrix:
        scores = self.scales * terms
        scores[: self._ngrams.shape[0]] += self._ngrams @ ngrams + self._vectors @ vectors
        return scores

    def _scales(self) -> Matrix:
        """Return sqrt(1 + r^2) for each term and label, float32 (T, K)."""
        occurs = self._by_term.copy()
        occurs.data = np.ones_like(occurs.data)
        inside = occurs @ self._examples.targets + 1
        outside = occurs @ (1 - self._examples.targets) + 1
        ratios = np.log((inside / inside.sum(axis=0)) / (outside / outside.sum(axis=0)))
        return np.asarray(np.sqrt(1 + ratios * ratios), dtype=np.float32)
