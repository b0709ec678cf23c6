"""Questions with example pairs of a relation: 3CosAvg, LRCos, transfer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from embedkit.errors import ConfigurationError
from embedkit.index.metrics import unit_rows
from embedkit.validation import check_choice, refuse_string
from embedkit.vectors.analogies import require_cosines
from embedkit.vectors.formulas import (
    Neighbor,
    class_probabilities,
    contrast_rows,
    lrcos_scores,
    mean_difference,
)
from embedkit.vectors.lookup import RowOrVector, word_list
from embedkit.vectors.options import PAIR_METHODS, SearchOptions
from embedkit.vectors.search import Search, WeightedSum, rows_of

__all__ = ["solve_from_pairs", "transfer_words"]

ExamplePair: TypeAlias = "tuple[RowOrVector, RowOrVector]"
"""Rows or vectors of the two words of a pair: the one to start from, and the one to reach."""


def solve_from_pairs(
    search: Search,
    pairs: Iterable[Sequence[str]],
    words: Iterable[str],
    method: str,
    options: SearchOptions,
) -> list[list[Neighbor]]:
    """Return the words that are to each word as the second word of each pair is to its first.

    The words of the question, including those of the pairs, are not answers.
    """
    check_choice("analogy method for pairs", method, PAIR_METHODS)
    if method == "lrcos":
        require_cosines(search, method, "3cosavg", options)
    examples, starts = _look_up(search, pairs, words, options)
    of_pairs = rows_of([(place, 1.0) for pair in examples for place in pair])
    own = [
        [] if start is None or options.include_question else [*of_pairs, *rows_of([(start, 1.0)])]
        for start in starts
    ]
    if method == "lrcos":
        return _solve_by_class(search, examples, starts, own, options)
    return search.nearest_excluding(_moved(examples, starts, 1.0), own, options)


def transfer_words(
    search: Search,
    pairs: Iterable[Sequence[str]],
    words: Iterable[str],
    strength: float,
    options: SearchOptions,
) -> list[list[Neighbor]]:
    """Return the words nearest to each word moved by *strength* times the mean difference of pairs.

    The word that is moved is never an answer; the words of the pairs may be.
    """
    if not np.isfinite(strength) or strength == 0:
        raise ConfigurationError(f"strength must be a finite number other than 0, got {strength!r}")
    examples, starts = _look_up(search, pairs, words, options)
    own = [
        [] if start is None or options.include_question else rows_of([(start, 1.0)])
        for start in starts
    ]
    return search.nearest_excluding(_moved(examples, starts, strength), own, options)


def _look_up(
    search: Search, pairs: Iterable[Sequence[str]], words: Iterable[str], options: SearchOptions
) -> tuple[list[ExamplePair], list[RowOrVector | None]]:
    """Return the example pairs that are not skipped, and the rows or vectors of *words*.

    Raises:
        ConfigurationError: no pair is left, or the mean difference of the pairs is 0.
    """
    words, pairs = word_list(words), list(pairs)
    for pair in pairs:
        refuse_string(pair)
        if len(pair) != 2:
            raise ConfigurationError(f"a pair needs two words, got {pair!r:.60}")
    if not pairs:
        raise ConfigurationError("expected at least one example pair, got none")
    found = search.lookup.look_up([*(word for pair in pairs for word in pair), *words], options.oov)
    examples = [
        (start, end)
        for start, end in ((found[first], found[second]) for first, second in pairs)
        if start is not None and end is not None
    ]
    if not examples:
        raise ConfigurationError("none of the example pairs has two known words")
    difference = mean_difference(examples)
    search.refuse_cancelled(difference, [word for pair in pairs for word in pair])
    search.queries([difference], options.metric)  # raises for equal vectors
    return examples, [found[word] for word in words]


def _moved(
    examples: Sequence[ExamplePair], starts: Sequence[RowOrVector | None], strength: float
) -> list[WeightedSum]:
    offset = mean_difference(examples, strength)
    return [[] if start is None else [(start, 1.0), *offset] for start in starts]


def _solve_by_class(
    search: Search,
    examples: Sequence[ExamplePair],
    starts: Sequence[RowOrVector | None],
    own: Sequence[list[int]],
    options: SearchOptions,
) -> list[list[Neighbor]]:
    """Answer by LRCos."""
    units = search.units[: options.restrict]
    excluded = search.excluded_rows(options)
    ends = [end for _, end in examples]
    others: list[RowOrVector] = [start for start, _ in examples]
    others += contrast_rows(len(examples), len(units), rows_of([(end, 1.0) for end in ends]))
    probabilities = class_probabilities(
        units,
        unit_rows(search.lookup.vectors_at(ends)),
        unit_rows(search.lookup.vectors_at(others)),
    )
    answers: list[list[Neighbor]] = []
    for start, rows in zip(starts, own, strict=True):
        if start is None:
            answers.append([])
            continue
        similarities = units @ unit_rows(search.queries([[(start, 1.0)]], "cosine"))[0]
        scores = lrcos_scores(probabilities, similarities)
        answers.append(search.highest(scores, options.k, [*excluded, *rows]))
    return answers
