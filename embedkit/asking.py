"""What words and their vectors answer: analogies, expressions, neighbours."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.algebra import ANALOGY_METHODS, Neighbor, combine, multiplicative_scores
from embedkit.errors import ConfigurationError
from embedkit.expressions import parse
from embedkit.index import Hits
from embedkit.metrics import find_metric
from embedkit.vocabulary import Vocabulary, refuse_string

__all__ = ["Asking", "Terms"]

Terms: TypeAlias = "list[tuple[int, float]]"
"""A weighted sum of words: row numbers and weights."""

_BATCH = 512
_SCORED = 32  # questions of 3cosmul at a time: each has a score for every word of the vocabulary


class Asking(ABC):
    """Questions whose answers are the nearest words.

    Attributes:
        vocabulary: V words.
        matrix: (V, d), dense or CSR.
    """

    vocabulary: Vocabulary
    matrix: Any

    @property
    @abstractmethod
    def units(self) -> Any:
        """The vectors brought to length 1, (V, d)."""

    @property
    @abstractmethod
    def is_sparse(self) -> bool:
        """Whether the vectors are CSR rows."""

    @abstractmethod
    def row(self, word: str) -> int:
        """Return the row of the word that a question means.

        Raises:
            UnknownWordError: it has none.
        """

    @abstractmethod
    def _index(self, metric: str) -> Any:
        """Return the index of the vectors for *metric*."""

    def terms(self, weighted: Iterable[tuple[str, float]]) -> Terms:
        """Return a weighted sum of words as `nearest` takes it.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: the weights cancel out, so that no direction is left.
        """
        terms = [(self.row(word), weight) for word, weight in weighted]
        _refuse_nothing(terms, self.vocabulary)
        return terms

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        k: int = 10,
        *,
        method: str = "3cosadd",
        metric: str = "cosine",
    ) -> list[Neighbor]:
        """Return the *k* words nearest to a - b + c, without a, b and c themselves.

        Args:
            method: "3cosadd" (Mikolov et al. 2013, N13-1090) or "3cosmul" (Levy and Goldberg 2014).
            metric: "cosine" (unit vectors are summed), "l2" or "dot" (vectors as they are).

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: no such method or metric, or *k* is not at least 1.
        """
        return self.analogies([(a, b, c)], k, method=method, metric=metric)[0]

    def analogies(
        self,
        questions: Iterable[Sequence[str]],
        k: int = 10,
        *,
        method: str = "3cosadd",
        metric: str = "cosine",
    ) -> list[list[Neighbor]]:
        """Answer many analogies, three words each, in one go; see `analogy`."""
        if method not in ANALOGY_METHODS:
            raise ConfigurationError(
                f"no analogy method {method!r}; there are {', '.join(ANALOGY_METHODS)}"
            )
        sums = []
        for question in questions:
            refuse_string(question)
            if len(question) != 3:
                raise ConfigurationError(f"an analogy has three words, not {question!r:.60}")
            sums.append(self.terms(zip(question, (1.0, -1.0, 1.0), strict=True)))
        if method == "3cosmul" and find_metric(metric).name != "cosine":
            raise ConfigurationError(
                f"3cosmul is a product of cosines; it has no metric {metric!r}."
            )
        if method == "3cosmul":
            return self._multiplicative(sums, self._checked(k))
        return self.nearest(sums, k, metric=metric)

    def query(self, expression: str, k: int = 10, *, metric: str = "cosine") -> list[Neighbor]:
        """Return the *k* words nearest to an expression such as ``king - man + woman``.

        The words of the expression are not among the answers. See `embedkit.expressions`.

        Raises:
            ExpressionError: it does not parse.
            UnknownWordError: a word has no vector.
        """
        return self.queries([expression], k, metric=metric)[0]

    def queries(
        self, expressions: Iterable[str], k: int = 10, *, metric: str = "cosine"
    ) -> list[list[Neighbor]]:
        """Answer many expressions in one go; see `query`."""
        sums = [
            self.terms((term.word, term.weight) for term in parse(expression))
            for expression in expressions
        ]
        return self.nearest(sums, k, metric=metric)

    def neighbors(self, word: str, k: int = 10, *, metric: str = "cosine") -> list[Neighbor]:
        """Return the *k* words nearest to *word*, without itself.

        Raises:
            UnknownWordError: it has no vector.
        """
        return self.neighbors_of([word], k, metric=metric)[0]

    def neighbors_of(
        self, words: Iterable[str], k: int = 10, *, metric: str = "cosine"
    ) -> list[list[Neighbor]]:
        """Return the neighbours of many words in one go; see `neighbors`."""
        if isinstance(words, str):
            refuse_string(words)
        return self.nearest([self.terms([(word, 1.0)]) for word in words], k, metric=metric)

    def nearest(
        self, sums: Sequence[Terms], k: int = 10, *, metric: str = "cosine"
    ) -> list[list[Neighbor]]:
        """Answer many sums of `terms` in one go: the *k* words nearest to each, without its own."""
        k = self._checked(k)
        index = self._index(find_metric(metric).name)
        answers: list[list[Neighbor]] = []
        for start in range(0, len(sums), _BATCH):
            batch = sums[start : start + _BATCH]
            rows = sorted({row for terms in batch for row, _ in terms})
            place = {row: number for number, row in enumerate(rows)}
            weights = [[(place[row], weight) for row, weight in terms] for terms in batch]
            queries = combine(self.matrix[rows], weights, index.metric)
            exclude = [sorted({row for row, _ in terms}) for terms in batch]
            answers += self._named(index.search(queries, k, exclude))
        return answers

    def _checked(self, k: int) -> int:
        try:
            number = operator.index(k)
        except TypeError:
            number = 0
        if number < 1:
            raise ConfigurationError(f"k is a whole number from 1, not {k!r}")
        return min(number, len(self.vocabulary))

    def _multiplicative(self, sums: Sequence[Terms], k: int) -> list[list[Neighbor]]:
        if self.is_sparse:
            raise ConfigurationError("3cosmul needs dense vectors; use 3cosadd.")
        units = self.units
        answers: list[list[Neighbor]] = []
        for start in range(0, len(sums), _SCORED):
            batch = sums[start : start + _SCORED]
            rows = np.array([[row for row, _ in terms] for terms in batch])  # of a, b and c
            scores = multiplicative_scores(units, units[rows[:, [0, 2]]], units[rows[:, [1]]])
            np.put_along_axis(scores, rows, -np.inf, axis=1)
            answers += self._named([_best(row, k) for row in scores])
        return answers

    def _named(self, hits: Sequence[Hits]) -> list[list[Neighbor]]:
        words = iter(self.vocabulary.words(np.concatenate([ids for ids, _ in hits])))
        # The scores come first: zip takes no word that it has no score for.
        return [
            [Neighbor(word, score) for score, word in zip(scores.tolist(), words, strict=False)]
            for _, scores in hits
        ]


def _best(scores: NDArray[np.float32], k: int) -> Hits:
    """Return the places of the *k* largest scores that are finite, and these, the largest first."""
    best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
    best = best[np.lexsort((best, -scores[best]))]
    best = best[np.isfinite(scores[best])]
    return best, scores[best].astype(np.float64)


def _refuse_nothing(terms: Sequence[tuple[int, float]], vocabulary: Vocabulary) -> None:
    """Raise `ConfigurationError` if the terms of a sum cancel out: nothing is near to nothing."""
    totals: dict[int, float] = {}
    for row, weight in terms:
        totals[row] = totals.get(row, 0.0) + weight
    largest = max(abs(weight) for _, weight in terms)
    if all(abs(total) <= 1e-9 * largest for total in totals.values()):
        words = ", ".join(vocabulary.words(totals))
        raise ConfigurationError(f"the weights of {words} add up to 0: there is no direction left.")
