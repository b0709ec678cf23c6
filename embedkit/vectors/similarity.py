"""Questions about given words: distances, similarity of sets, ranks, the odd one out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, quoted
from embedkit.index.metrics import distance_matrix, find_metric, nonzero, row_scores
from embedkit.system.steps import Steps, finish
from embedkit.validation import check_choice
from embedkit.vectors.formulas import Neighbor
from embedkit.vectors.lookup import Lookup, RowOrVector, word_list
from embedkit.vectors.options import OOV, SearchOptions
from embedkit.vectors.search import Search

__all__ = [
    "distance_table",
    "neighbor_rank",
    "neighbor_rank_in_steps",
    "odd_one_out",
    "set_similarity",
]

_STEP_ROWS = 4_096  # rows that are compared in one step of a rank
_FEWEST_WORDS = 3  # of two words, neither is the odd one out
_ROUNDING = 1e-6  # a mean of unit vectors below this length is what rounding in float32 left


def distance_table(
    lookup: Lookup, words: Iterable[str], metric: str, oov: str
) -> NDArray[np.float64]:
    """Return the distance between every two words, (n, n), without skipped words."""
    return distance_matrix(lookup.vectors_at(_known(lookup, words, oov)), metric)


def set_similarity(
    lookup: Lookup,
    first: str | Iterable[str],
    second: str | Iterable[str],
    metric: str,
    oov: str,
) -> float:
    """Return the similarity of two words, or of the mean vectors of two sets of words."""
    means = []
    for given in (first, second):
        words = [given] if isinstance(given, str) else list(given)
        if not words:
            raise ConfigurationError("a set of words must not be empty")
        known = _known(lookup, words, oov)
        if not known:
            return float("nan")
        means.append(lookup.dense_vectors_at(known).mean(axis=0))
    return float(distance_matrix(np.array(means), metric)[0, 1])


def odd_one_out(lookup: Lookup, words: Iterable[str], metric: str, oov: str) -> list[Neighbor]:
    """Return distinct words and the similarity of each to the mean of all, the farthest first."""
    chosen = find_metric(metric)
    words = word_list(words)
    check_choice("oov", oov, OOV)
    found = lookup.look_up(words, oov)
    known = _distinct(lookup, found)
    if len(known) < _FEWEST_WORDS:
        if None in [*found.values()] and oov != "error":
            return []
        raise ConfigurationError(
            f"the odd one out needs at least {_FEWEST_WORDS} different words, got {len(known)}: "
            f"{_as_found(lookup, found)}.",
            hint="Words that the vocabulary spells the same count as one.",
        )
    vectors = lookup.dense_vectors_at([*known.values()])
    if chosen.normalize:
        vectors = vectors / nonzero(np.linalg.norm(vectors, axis=1))[:, np.newaxis]
    mean = vectors.mean(axis=0)
    if chosen.ascending:
        scores = np.linalg.norm(vectors - mean, axis=1)
    elif chosen.normalize:
        length = np.linalg.norm(mean)
        if length <= _ROUNDING:
            raise ConfigurationError(
                "the mean of the words is the zero vector, so no word is similar to it by cosine.",
                hint="Choose the metric l2.",
            )
        scores = vectors @ (mean / length)
    else:
        scores = vectors @ mean
    order = np.argsort(-scores if chosen.ascending else scores, kind="stable")
    names = [*known]
    return [Neighbor(names[place], float(scores[place])) for place in order]


def neighbor_rank(search: Search, a: str, b: str, options: SearchOptions) -> int | None:
    """Return the rank of *b* among the neighbors of *a*, from 1; None if a word is skipped."""
    return finish(neighbor_rank_in_steps(search, a, b, options))


def neighbor_rank_in_steps(
    search: Search, a: str, b: str, options: SearchOptions
) -> Steps[int | None]:
    """Do what `neighbor_rank` does in steps of about a millisecond."""
    chosen = find_metric(options.metric)
    lookup = search.lookup
    found = lookup.look_up([a, b], options.oov)
    start, end = found[a], found[b]
    if start is None or end is None:
        return None
    if start is end or (isinstance(start, int) and isinstance(end, int) and start == end):
        raise ConfigurationError(
            f"a rank needs two different words, got {_as_found(lookup, found)}"
        )
    query, other = lookup.dense_vectors_at([start, end])
    for word, vector in ((a, query), (b, other)):
        if chosen.normalize and not vector.any():
            raise ConfigurationError(
                f"the vector of {word!r} is all zeros, so it has no rank by {chosen.name}.",
                hint="Choose the metric l2.",
            )
    [bound] = row_scores(other[np.newaxis], query, options.metric)
    left_out = [start, end, *(search.zero_rows if chosen.normalize else ())]
    excluded = np.array([row for row in left_out if isinstance(row, int)], dtype=np.int64)
    rows = lookup.matrix[: options.restrict]
    count = 0
    for first in range(0, rows.shape[0], _STEP_ROWS):
        scores = row_scores(rows[first : first + _STEP_ROWS], query, options.metric)
        nearer = scores < bound if chosen.ascending else scores > bound
        inside = excluded[(excluded >= first) & (excluded < first + len(nearer))]
        nearer[inside - first] = False
        count += int(nearer.sum())
        yield
    return 1 + count


def _known(lookup: Lookup, words: Iterable[str], oov: str) -> list[RowOrVector]:
    """Return the rows or vectors of words, without those that are skipped."""
    check_choice("oov", oov, OOV)
    words = word_list(words)
    found = lookup.look_up(words, oov)
    return [place for word in words if (place := found[word]) is not None]


def _distinct(lookup: Lookup, found: Mapping[str, RowOrVector | None]) -> dict[str, RowOrVector]:
    """Return known words as the vocabulary spells them, with their rows or vectors."""
    return {
        word if isinstance(place, np.ndarray) else lookup.vocabulary[place]: place
        for word, place in found.items()
        if place is not None
    }


def _as_found(lookup: Lookup, found: Mapping[str, RowOrVector | None]) -> str:
    """Return the words of a question for a message, with what the vocabulary has for each."""
    shown = []
    for word, place in found.items():
        known = lookup.vocabulary[place] if isinstance(place, int) else word
        shown.append(quoted(word) if known == word else f"{quoted(word)} (read as {known!r})")
    return ", ".join(shown)
