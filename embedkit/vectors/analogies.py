"""Analogies, expressions, neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from embedkit.errors import ConfigurationError
from embedkit.index.metrics import find_metric, unit_rows
from embedkit.validation import refuse_string
from embedkit.vectors.expressions import parse
from embedkit.vectors.nearest import Searching, Terms, rows_of
from embedkit.vectors.options import ANALOGY_METHODS, SearchKeywords, SearchOptions
from embedkit.vectors.scores import (
    Neighbor,
    multiplicative_scores,
    pair_direction_scores,
)

__all__ = ["Asking"]

_SCORED = 32  # questions at a time: each has a score for every word of the vocabulary
_SIGNS = (1.0, -1.0, 1.0)
_ONLY_COSINES = {"3cosmul": "a product of cosines", "pairdirection": "a cosine"}


class Asking(Searching):
    """Questions whose answers are the nearest words.

    All take the fields of `embedkit.vectors.options.SearchOptions` by name: *restrict*, *exclude*,
    *include_question*, *oov*. A question that is skipped for an unknown word has no answers: [].
    """

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        k: int = 10,
        *,
        method: str = "3cosadd",
        metric: str = "cosine",
        **how: Unpack[SearchKeywords],
    ) -> list[Neighbor]:
        """Return the *k* words d nearest to a - b + c, without a, b and c themselves.

        Args:
            method: "3cosadd" (Mikolov et al. 2013, N13-1090); "3cosmul" or "pairdirection", the
                cosine of d - c and a - b (both in Levy and Goldberg 2014, W14-1618).
            metric: "cosine" (unit vectors are summed), "l2" or "dot" (vectors as they are); the
                last two go with 3cosadd only.
            how: see `embedkit.vectors.options.SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: no such method or metric, *k* is not at least 1, or the method is
                "pairdirection" and a is b.
        """
        return self.analogies([(a, b, c)], k, method=method, metric=metric, **how)[0]

    def analogies(
        self,
        questions: Iterable[Sequence[str]],
        k: int = 10,
        *,
        method: str = "3cosadd",
        metric: str = "cosine",
        **how: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Answer many analogies, three words each, in one go; see `analogy`."""
        if method not in ANALOGY_METHODS:
            raise ConfigurationError(
                f"no analogy method {method!r}; there are {', '.join(ANALOGY_METHODS)}"
            )
        asked = []
        for question in questions:
            refuse_string(question)
            if len(question) != 3:
                raise ConfigurationError(f"an analogy has three words, not {question!r:.60}")
            asked.append(list(zip(question, _SIGNS, strict=True)))
        scope = SearchOptions(**how)
        sums = self._sums(asked, scope.oov)
        if method == "3cosadd":
            return self.nearest(sums, k, metric=metric, **how)
        if find_metric(metric).name != "cosine":
            raise ConfigurationError(
                f"{method} is {_ONLY_COSINES[method]}; it has no metric {metric!r}."
            )
        if self.is_sparse:
            raise ConfigurationError(f"{method} needs dense vectors; use 3cosadd.")
        if method == "pairdirection":
            for terms, weighted in zip(sums, asked, strict=True):
                if terms:  # a pair of the same words has no direction
                    self._refuse_nothing(terms[:2], [word for word, _ in weighted[:2]])
        return self._scored(sums, k, scope, method)

    def query(
        self, expression: str, k: int = 10, *, metric: str = "cosine", **how: Unpack[SearchKeywords]
    ) -> list[Neighbor]:
        """Return the *k* words nearest to an expression such as ``king - man + woman``.

        The words of the expression are not among the answers. See `embedkit.vectors.expressions`.

        Raises:
            ExpressionError: it does not parse.
            UnknownWordError: a word has no vector.
        """
        return self.queries([expression], k, metric=metric, **how)[0]

    def queries(
        self,
        expressions: Iterable[str],
        k: int = 10,
        *,
        metric: str = "cosine",
        **how: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Answer many expressions in one go; see `query`."""
        asked = [
            [(term.word, term.weight) for term in parse(expression)] for expression in expressions
        ]
        sums = self._sums(asked, SearchOptions(**how).oov)
        return self.nearest(sums, k, metric=metric, **how)

    def neighbors(
        self, word: str, k: int = 10, *, metric: str = "cosine", **how: Unpack[SearchKeywords]
    ) -> list[Neighbor]:
        """Return the *k* words nearest to *word*, without itself.

        Raises:
            UnknownWordError: it has no vector.
        """
        return self.neighbors_of([word], k, metric=metric, **how)[0]

    def neighbors_of(
        self,
        words: Iterable[str],
        k: int = 10,
        *,
        metric: str = "cosine",
        **how: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Return the neighbours of many words in one go; see `neighbors`."""
        if isinstance(words, str):
            refuse_string(words)
        sums = self._sums([[(word, 1.0)] for word in words], SearchOptions(**how).oov)
        return self.nearest(sums, k, metric=metric, **how)

    def _scored(
        self, sums: Sequence[Terms], k: int, scope: SearchOptions, method: str
    ) -> list[list[Neighbor]]:
        """Answer analogies by the scores of all words."""
        k = self._checked(k)
        units = self._index("cosine", scope.restrict).rows
        refused = self._refused(scope, of_direction=True)
        asked = [number for number, terms in enumerate(sums) if terms]
        answers: list[list[Neighbor]] = [[] for _ in sums]
        for start in range(0, len(asked), _SCORED):
            batch = asked[start : start + _SCORED]
            places = [place for number in batch for place, _ in sums[number]]
            triples = unit_rows(self.vectors_at(places)).reshape(len(batch), 3, -1)
            for number, row in zip(batch, _scores(method, units, triples), strict=True):
                own = [] if scope.include_question else rows_of(sums[number])
                answers[number] = self._best(row, k, [*refused, *own])
        return answers


def _scores(
    method: str, units: NDArray[np.float32], triples: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the scores of all words, (m, n), for unit vectors of a, b and c, (m, 3, d)."""
    if method == "3cosmul":
        return multiplicative_scores(units, triples[:, [0, 2]], triples[:, [1]])
    return pair_direction_scores(units, triples[:, 2], triples[:, 0] - triples[:, 1])
