"""Neighbors, expressions and analogies: questions that are weighted sums of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError
from embedkit.index.metrics import Matrix, UnitRows, unit_rows
from embedkit.validation import check_choice, refuse_string
from embedkit.vectors.expressions import parse
from embedkit.vectors.formulas import (
    ANALOGY_WEIGHTS,
    Neighbor,
    multiplicative_scores,
    pair_direction_scores,
)
from embedkit.vectors.lookup import word_list
from embedkit.vectors.options import ANALOGY_METHODS, SearchOptions
from embedkit.vectors.search import Search, WeightedSum, rows_of

__all__ = ["nearest_neighbors", "solve_analogies", "solve_expressions"]

_BATCH = 32  # questions at a time; each needs a score for every word of the vocabulary


def nearest_neighbors(
    search: Search, words: Iterable[str], options: SearchOptions
) -> list[list[Neighbor]]:
    """Return the words nearest to each word, without the word itself."""
    sums = search.weighted_sums([[(word, 1.0)] for word in word_list(words)], options.oov)
    return search.nearest(sums, options)


def solve_expressions(
    search: Search, expressions: Iterable[str], options: SearchOptions
) -> list[list[Neighbor]]:
    """Return the words nearest to each expression; see `embedkit.vectors.expressions`."""
    parsed = [
        [(term.word, term.weight) for term in parse(expression, search.lookup.knows)]
        for expression in word_list(expressions)
    ]
    return search.nearest(search.weighted_sums(parsed, options.oov), options)


def solve_analogies(
    search: Search, questions: Iterable[Sequence[str]], method: str, options: SearchOptions
) -> list[list[Neighbor]]:
    """Return the words d for each a, b, c, such that a is to b as d is to c."""
    check_choice("analogy method", method, ANALOGY_METHODS)
    weighted = []
    for question in questions:
        refuse_string(question)
        if len(question) != 3:
            raise ConfigurationError(f"an analogy needs three words, got {question!r:.60}")
        weighted.append(list(zip(question, ANALOGY_WEIGHTS, strict=True)))
    sums = search.weighted_sums(weighted, options.oov)
    if method == "3cosadd":
        return search.nearest(sums, options)
    require_cosines(search, method, "3cosadd", options)
    if method == "pairdirection":
        for terms, pair in zip(sums, weighted, strict=True):
            if terms:
                search.refuse_cancelled(terms[:2], [word for word, _ in pair[:2]])
                search.queries([terms[:2]], "cosine")  # raises for two equal vectors
    return _solve_by_scores(search, sums, method, options)


def require_cosines(search: Search, method: str, alternative: str, options: SearchOptions) -> None:
    """Raise `ConfigurationError` unless the metric is cosine and the vectors are dense."""
    if options.metric != "cosine":
        raise ConfigurationError(
            f"{method} is defined for the metric cosine only, got {options.metric!r}.",
            hint=f"Choose the metric cosine or the method {alternative}.",
        )
    if search.lookup.is_sparse:
        raise ConfigurationError(
            f"{method} needs dense vectors.", hint=f"Choose the method {alternative}."
        )


def _solve_by_scores(
    search: Search, sums: Sequence[WeightedSum], method: str, options: SearchOptions
) -> list[list[Neighbor]]:
    """Answer analogies by scoring every word."""
    units = search.first_units(options.restrict)
    excluded = search.excluded_rows(options)
    asked = [number for number, terms in enumerate(sums) if terms]
    answers: list[list[Neighbor]] = [[] for _ in sums]
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        places = [place for number in batch for place, _ in sums[number]]
        triples = unit_rows(search.lookup.vectors_at(places)).reshape(len(batch), 3, -1)
        for number, scores in zip(batch, _scores(method, units, triples), strict=True):
            own = [] if options.include_question else rows_of(sums[number])
            answers[number] = search.highest(scores, options.k, [*excluded, *own])
    return answers


def _scores(
    method: str, units: Matrix | UnitRows, triples: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the scores of all words, (m, n), for unit vectors of a, b and c, (m, 3, d)."""
    if method == "3cosmul":
        return multiplicative_scores(units, triples[:, [0, 2]], triples[:, [1]])
    return pair_direction_scores(units, triples[:, 2], triples[:, 0] - triples[:, 1])
