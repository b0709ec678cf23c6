"""The words nearest to weighted sums of vectors, which every question comes down to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, ModelError, quoted
from embedkit.index.exact import DenseIndex, make_index
from embedkit.index.metrics import Matrix, UnitRows, all_finite, find_metric, row_norms, unit_rows
from embedkit.index.protocol import Hits, Index
from embedkit.vectors.formulas import Neighbor, combine
from embedkit.vectors.lookup import Lookup, RowOrVector, word_list
from embedkit.vectors.options import SearchOptions

__all__ = ["Approximate", "Search", "WeightedSum", "rows_of"]

WeightedSum: TypeAlias = "list[tuple[RowOrVector, float]]"
"""Rows or vectors with their weights. An empty one stands for a question that is skipped."""

Approximate: TypeAlias = "Callable[[DenseIndex], Index | None]"
"""Given the exact index of a metric, returns the approximate index that replaces it, or None."""

_BATCH = 512  # queries of a search
_LONGEST = 1e18  # the square of the distance between two such vectors is in the range of float32
_CANCELLED = 1e-9  # total weights below this share of the largest weight count as 0
_ROUNDING = 1e-6  # a sum below this share of its parts is what rounding in float32 left


class Search:
    """Finds the nearest words to weighted sums of vectors.

    Args:
        lookup: words and their rows.
        norms: lengths of the rows, float32 (V,), if they are known.
        units: the rows scaled to length 1, float32 (V, d), if they are known; dense only.
        approximate: chooses an approximate index.
    """

    def __init__(
        self,
        lookup: Lookup,
        *,
        norms: NDArray[np.float32] | None = None,
        units: NDArray[np.float32] | None = None,
        approximate: Approximate | None = None,
    ) -> None:
        self.lookup = lookup
        self._norms = norms
        self._units: Matrix | None = units
        self._approximate = approximate
        self._indexes: dict[str, Index] = {}

    @property
    def norms(self) -> NDArray[np.float32]:
        """Euclidean lengths of the vectors, float32 (V,)."""
        if self._norms is None:
            self._norms = row_norms(self.lookup.matrix)
        return self._norms

    @property
    def units(self) -> Matrix | UnitRows:
        """The vectors scaled to length 1, (V, d): CSR, or `UnitRows`, computed when used."""
        if self._units is None:
            self._refuse_overflow()
            matrix = self.lookup.matrix
            if self.lookup.is_sparse:
                self._units = unit_rows(matrix)
            else:
                self._units = UnitRows(np.asarray(matrix), self.norms)
        return self._units

    def first_units(self, size: int | None) -> Matrix | UnitRows:
        """Return the first *size* unit vectors, or all of them."""
        units = self.units
        if size is None:
            return units
        return units.first(size) if isinstance(units, UnitRows) else units[:size]

    def index(self, metric: str, size: int | None = None) -> Index:
        """Return the index of the first *size* vectors, or of all, for *metric*.

        Raises:
            ModelError: a vector is too long to be compared in float32.
        """
        if metric not in self._indexes:
            self._indexes[metric] = self._new_index(metric)
        index = self._indexes[metric]
        return index if size is None or size >= len(self.lookup.vocabulary) else index.first(size)

    def _new_index(self, metric: str) -> Index:
        self._refuse_overflow()
        is_dense = not self.lookup.is_sparse
        exact = make_index(
            self.lookup.matrix,
            metric,
            norms=self.norms if is_dense and metric != "l2" else None,
            rows=self.units if is_dense and metric == "cosine" else None,
        )
        if self._approximate is None or not isinstance(exact, DenseIndex):
            return exact
        return self._approximate(exact) or exact

    def _refuse_overflow(self) -> None:
        longest = int(np.argmax(self.norms)) if len(self.norms) else -1
        if longest >= 0 and self.norms[longest] > _LONGEST:
            raise ModelError(
                f"the vector of {self.lookup.vocabulary[longest]!r} is longer than {_LONGEST:g}, "
                "too long to be compared in float32.",
                hint="Divide all vectors by the same number.",
            )

    def weighted_sums(
        self, questions: Sequence[Sequence[tuple[str, float]]], oov: str = "error"
    ) -> list[WeightedSum]:
        """Look up the words of weighted sums; a sum with a skipped word becomes empty.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: a weight is not finite, or the weights cancel out.
        """
        found = self.lookup.look_up((word for question in questions for word, _ in question), oov)
        sums: list[WeightedSum] = []
        for question in questions:
            terms: WeightedSum = []
            for word, weight in question:
                if not np.isfinite(weight):
                    raise ConfigurationError(
                        f"the weight of {word!r} must be a finite number, got {weight}"
                    )
                if (place := found[word]) is not None:
                    terms.append((place, weight))
            is_known = len(terms) == len(question)
            if is_known:
                self.refuse_cancelled(terms, [word for word, _ in question])
            sums.append(terms if is_known else [])
        return sums

    def refuse_cancelled(self, terms: WeightedSum, words: Iterable[str]) -> None:
        """Raise `ConfigurationError` if the weights of each word add up to 0."""
        totals: dict[int, float] = {}
        for place, weight in terms:
            key = _key(place)
            totals[key] = totals.get(key, 0.0) + weight
        largest = max((abs(weight) for _, weight in terms), default=0.0)
        if all(abs(total) <= _CANCELLED * largest for total in totals.values()):
            known = self.lookup.vocabulary.words(row for row in totals if row >= 0)
            named = ", ".join(known or dict.fromkeys(words))
            raise ConfigurationError(
                f"the weights of {named} add up to 0: the weighted sum is the zero vector, which "
                "has no nearest words"
            )

    def nearest(
        self, sums: Sequence[Sequence[tuple[str | RowOrVector, float]]], options: SearchOptions
    ) -> list[list[Neighbor]]:
        """Return the nearest words to each weighted sum, without the words of the sum itself.

        Args:
            sums: lists of a term and its weight: a word, a row number, or a vector, float32 (d,).
            options: see `SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: a vector has the wrong shape or is not finite, or by cosine a sum is
                the zero vector.
        """
        words = (term for terms in sums for term, _ in terms if isinstance(term, str))
        found = self.lookup.look_up(words, options.oov)
        resolved = [self._resolved(terms, found) for terms in sums]
        own = [[] if options.include_question else rows_of(terms) for terms in resolved]
        return self.nearest_excluding(resolved, own, options)

    def _resolved(
        self,
        terms: Sequence[tuple[str | RowOrVector, float]],
        found: Mapping[str, RowOrVector | None],
    ) -> WeightedSum:
        """Return a weighted sum with rows in place of words, its vectors checked."""
        resolved: WeightedSum = []
        for term, weight in terms:
            place = found[term] if isinstance(term, str) else term
            if place is None:
                return []
            if isinstance(place, np.ndarray):
                if place.shape != (self.lookup.dimension,):
                    raise ConfigurationError(
                        f"expected a vector of shape ({self.lookup.dimension},), got {place.shape}"
                    )
                if not all_finite(place):
                    raise ConfigurationError("a vector of the question contains NaN or infinity")
            resolved.append((place, weight))
        return resolved

    def nearest_excluding(
        self, sums: Sequence[WeightedSum], own: Sequence[list[int]], options: SearchOptions
    ) -> list[list[Neighbor]]:
        """Return the nearest words to each weighted sum, without the rows *own* of each."""
        index = self.index(options.metric, options.restrict)
        k = min(options.k, len(self.lookup.vocabulary))
        excluded = self.excluded_rows(options)
        asked = [number for number, terms in enumerate(sums) if terms]
        answers: list[list[Neighbor]] = [[] for _ in sums]
        for start in range(0, len(asked), _BATCH):
            batch = asked[start : start + _BATCH]
            queries = self.queries([sums[number] for number in batch], options.metric)
            exclude = [sorted({*excluded, *own[number]}) for number in batch]
            found = self._named(index.search(queries, k, exclude))
            for number, neighbors in zip(batch, found, strict=True):
                answers[number] = neighbors
        return answers

    def queries(self, sums: Sequence[WeightedSum], metric: str) -> Matrix:
        """Return the vectors of weighted sums, (len(sums), d), dense or CSR.

        Raises:
            ConfigurationError: by cosine, a sum is the zero vector, which has no direction.
        """
        chosen = find_metric(metric)
        places: dict[int, RowOrVector] = {}
        for terms in sums:
            places |= {_key(place): place for place, _ in terms}
        order = {key: number for number, key in enumerate(places)}
        weights = [[(order[_key(place)], weight) for place, weight in terms] for terms in sums]
        vectors = combine(self.lookup.vectors_at([*places.values()]), weights, chosen)
        if chosen.normalize:
            for terms, length in zip(sums, row_norms(vectors).tolist(), strict=True):
                # `combine` divides all weights by the largest one.
                parts = [abs(weight) for _, weight in terms]
                if length * max(parts, default=0.0) <= _ROUNDING * sum(parts):
                    raise self._zero_error(terms)
        return vectors

    def _zero_error(self, terms: WeightedSum) -> ConfigurationError:
        """Return the error for a weighted sum that is the zero vector."""
        known = dict.fromkeys(self.lookup.vocabulary.words(rows_of(terms)))
        named = ", ".join(map(quoted, known)) or "the question"
        is_word = len(terms) == 1 and terms[0][1] != 0
        what = f"the vector of {named}" if is_word else f"the weighted sum of {named}"
        return ConfigurationError(
            f"{what} is all zeros, so it has no nearest words by cosine.",
            hint="Choose the metric l2.",
        )

    def excluded_rows(self, options: SearchOptions) -> list[int]:
        """Return the rows that are never answers: those excluded, and zeros for cosine."""
        if options.oov == "error":  # a word without a row is never an answer
            excluded = [self.lookup.row(word) for word in word_list(options.exclude)]
        else:
            oov = "skip" if options.oov == "subwords" else options.oov
            found = self.lookup.look_up(options.exclude, oov).values()
            excluded = [int(row) for row in found if isinstance(row, int)]
        return [*excluded, *(self.zero_rows if options.metric == "cosine" else ())]

    @cached_property
    def zero_rows(self) -> list[int]:
        """Rows of zeros, which have no cosine: a 0 in its place would beat negative cosines."""
        return [int(row) for row in np.flatnonzero(self.norms == 0)]

    def highest(self, scores: NDArray[np.float32], k: int, excluded: list[int]) -> list[Neighbor]:
        """Return the *k* words with the highest finite scores, (n,), except for some rows."""
        k = min(k, len(scores))
        scores[[row for row in excluded if row < len(scores)]] = -np.inf
        best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
        best = best[np.lexsort((best, -scores[best]))]
        best = best[np.isfinite(scores[best])]
        return self._named([Hits(best, scores[best].astype(np.float64))])[0]

    def _named(self, hits: Sequence[Hits]) -> list[list[Neighbor]]:
        words = iter(self.lookup.vocabulary.words(np.concatenate([found.rows for found in hits])))
        # The scores come first: zip takes no word beyond them from the shared iterator.
        return [
            [Neighbor(word, score) for score, word in zip(scores.tolist(), words, strict=False)]
            for _, scores in hits
        ]


def _key(place: RowOrVector) -> int:
    """Return a key of a row or a vector: rows are numbered from 0, vectors get negative keys."""
    return -1 - id(place) if isinstance(place, np.ndarray) else int(place)


def rows_of(terms: Sequence[tuple[RowOrVector, float]]) -> list[int]:
    """Return the row numbers among the terms of a weighted sum."""
    return [int(place) for place, _ in terms if not isinstance(place, np.ndarray)]
