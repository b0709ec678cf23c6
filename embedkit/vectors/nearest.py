"""The words nearest to weighted sums of words: what every question comes down to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from embedkit.errors import ConfigurationError
from embedkit.index.metrics import find_metric
from embedkit.index.protocol import Hits
from embedkit.validation import whole_number
from embedkit.vectors.lookup import Place, Words
from embedkit.vectors.options import SearchKeywords, SearchOptions
from embedkit.vectors.scores import Neighbor, combine

__all__ = ["Searching", "Terms", "place_key", "rows_of"]

Terms: TypeAlias = "list[tuple[Place, float]]"
"""A weighted sum of words: where their vectors are, and weights."""

_BATCH = 512


class Searching(Words):
    """Words and vectors that can be searched."""

    norms: Any
    """Lengths of the vectors, float32 (V,)."""

    @property
    @abstractmethod
    def units(self) -> Any:
        """The vectors brought to length 1, (V, d)."""

    @abstractmethod
    def _index(self, metric: str, size: int | None = None) -> Any:
        """Return the index of the first *size* vectors, or of all, for *metric*."""

    def terms(self, weighted: Iterable[tuple[str, float]], *, oov: str = "error") -> Terms:
        """Return a weighted sum of words as `nearest` takes it; empty if it is skipped.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: a weight is no finite number, or the weights cancel out, so that no
                direction is left.
        """
        return self._sums([list(weighted)], oov)[0]

    def _sums(self, questions: Sequence[Sequence[tuple[str, float]]], oov: str) -> list[Terms]:
        places = self.look_up((word for question in questions for word, _ in question), oov)
        sums: list[Terms] = []
        for question in questions:
            terms: Terms = []
            for word, weight in question:
                if not np.isfinite(weight):
                    raise ConfigurationError(f"the weight of {word!r} is {weight}, no number")
                if (place := places[word]) is not None:
                    terms.append((place, weight))
            known = len(terms) == len(question)
            if known:
                self._refuse_nothing(terms, [word for word, _ in question])
            sums.append(terms if known else [])
        return sums

    def _refuse_nothing(self, terms: Terms, words: Sequence[str]) -> None:
        """Raise `ConfigurationError` if terms cancel out: nothing is near to nothing."""
        totals: dict[int, float] = {}
        for place, weight in terms:
            key = place_key(place)
            totals[key] = totals.get(key, 0.0) + weight
        largest = max((abs(weight) for _, weight in terms), default=0.0)
        if all(abs(total) <= 1e-9 * largest for total in totals.values()):
            known = self.vocabulary.words(row for row in totals if row >= 0)
            named = ", ".join(known or dict.fromkeys(words))
            raise ConfigurationError(
                f"the weights of {named} add up to 0: there is no direction left."
            )

    def nearest(
        self,
        sums: Sequence[Sequence[tuple[str | Place, float]]],
        k: int = 10,
        *,
        metric: str = "cosine",
        **how: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Answer many weighted sums in one go: the *k* words nearest to each, without its own.

        Args:
            sums: lists of what is summed and its weight: a word, the number of its row, as `terms`
                has it, or a vector of your own, float32 (d,).
            k: number of answers to each.
            metric: "cosine" (unit vectors are summed), "l2" or "dot".
            how: see `embedkit.vectors.options.SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: a vector has another length or holds what is no finite number.
        """
        scope = SearchOptions(**how)
        words = (term for terms in sums for term, _ in terms if isinstance(term, str))
        places = self.look_up(words, scope.oov)
        placed = [self._placed(terms, places) for terms in sums]
        own = [[] if scope.include_question else rows_of(terms) for terms in placed]
        return self._nearest(placed, own, k, metric, scope)

    def _placed(
        self,
        weighted: Sequence[tuple[str | Place, float]],
        places: Mapping[str, Place | None],
    ) -> Terms:
        """Return a weighted sum without words, and with no vector that cannot be compared."""
        terms: Terms = []
        for term, weight in weighted:
            place = places[term] if isinstance(term, str) else term
            if place is None:
                return []
            if isinstance(place, np.ndarray) and place.shape != (self.matrix.shape[1],):
                raise ConfigurationError(
                    f"a vector has the shape ({self.matrix.shape[1]},) here, not {place.shape}"
                )
            if isinstance(place, np.ndarray) and not np.isfinite(place).all():
                raise ConfigurationError("a vector holds numbers that are not finite.")
            terms.append((place, weight))
        return terms

    def _nearest(
        self,
        sums: Sequence[Terms],
        own: Sequence[list[int]],
        k: int,
        metric: str,
        scope: SearchOptions,
    ) -> list[list[Neighbor]]:
        """Like `nearest`; *own* are the rows that are no answers to each."""
        k = self._checked(k)
        index = self._index(find_metric(metric).name, scope.restrict)
        refused = self._refused(scope, index.metric.normalize)
        asked = [number for number, terms in enumerate(sums) if terms]
        answers: list[list[Neighbor]] = [[] for _ in sums]
        for start in range(0, len(asked), _BATCH):
            batch = asked[start : start + _BATCH]
            places: dict[int, Place] = {}
            for number in batch:
                places |= {place_key(place): place for place, _ in sums[number]}
            order = {key: place for place, key in enumerate(places)}
            weights = [
                [(order[place_key(place)], weight) for place, weight in sums[n]] for n in batch
            ]
            queries = combine(self.vectors_at([*places.values()]), weights, index.metric)
            exclude = [sorted({*refused, *own[number]}) for number in batch]
            found = self._named(index.search(queries, k, exclude))
            for number, neighbors in zip(batch, found, strict=True):
                answers[number] = neighbors
        return answers

    def _checked(self, k: int) -> int:
        return min(whole_number("k", k, 1), len(self.vocabulary))

    def _refused(self, scope: SearchOptions, of_direction: bool) -> list[int]:
        """Return the rows that answer nothing: those excluded, and zeros where direction counts."""
        excluded = rows_of([(place, 1.0) for place in self._excluded(scope) if place is not None])
        return [*excluded, *(self._without_direction if of_direction else ())]

    def _excluded(self, scope: SearchOptions) -> Iterable[Place | None]:
        # Composed vectors are of no use here: such a word is no answer anyway.
        oov = "skip" if scope.oov == "subwords" else scope.oov
        return self.look_up(scope.exclude, oov).values()

    @cached_property
    def _without_direction(self) -> list[int]:
        """Rows of zeros, which have no cosine: 0 in its place would win over negative ones."""
        return [int(row) for row in np.flatnonzero(np.asarray(self.norms) == 0)]

    def _best(self, scores: NDArray[np.float32], k: int, refused: list[int]) -> list[Neighbor]:
        """Return the *k* words with the largest scores, (n,), that are finite."""
        scores[[row for row in refused if row < len(scores)]] = -np.inf
        best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
        best = best[np.lexsort((best, -scores[best]))]
        best = best[np.isfinite(scores[best])]
        return self._named([Hits(best, scores[best].astype(np.float64))])[0]

    def _named(self, hits: Sequence[Hits]) -> list[list[Neighbor]]:
        words = iter(self.vocabulary.words(np.concatenate([ids for ids, _ in hits])))
        # The scores come first: zip takes no word that it has no score for.
        return [
            [Neighbor(word, score) for score, word in zip(scores.tolist(), words, strict=False)]
            for _, scores in hits
        ]


def place_key(place: Place) -> int:
    """Return what tells places apart: rows are numbered from 0, vectors below it."""
    return -1 - id(place) if isinstance(place, np.ndarray) else int(place)


def rows_of(terms: Terms) -> list[int]:
    """Return the rows among the places of *terms*."""
    return [int(place) for place, _ in terms if not isinstance(place, np.ndarray)]
