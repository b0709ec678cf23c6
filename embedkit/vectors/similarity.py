"""How near words are to each other: distances, ranks, sets, and who does not belong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError
from embedkit.index.metrics import distance_matrix, find_metric, row_scores
from embedkit.validation import refuse_string
from embedkit.vectors.lookup import Place
from embedkit.vectors.nearest import Searching
from embedkit.vectors.options import Scope
from embedkit.vectors.scores import Neighbor

__all__ = ["Comparing"]


class Comparing(Searching):
    """Questions about words that are all given.

    *oov* says what becomes of unknown words, see `vectors.options.Scope`: "skip" leaves them out.
    """

    def distance(
        self, words: Sequence[str], *, metric: str = "l2", oov: str = "error"
    ) -> NDArray[np.float64]:
        """Return the table of distances between words, (n, n), exact.

        Args:
            metric: "l2" for Euclidean distances, "cosine" or "dot" for similarities.
            oov: words that are skipped have no row and no column.

        Raises:
            UnknownWordError: a word has no vector.
        """
        return distance_matrix(self.vectors_at(self._known(words, oov)), metric)

    def similarity(
        self,
        first: str | Sequence[str],
        second: str | Sequence[str],
        *,
        metric: str = "cosine",
        oov: str = "error",
    ) -> float:
        """Return how near two words are, or two sets of words: of a set counts the mean vector.

        The mean is that of vectors as they are, as in gensim's ``n_similarity``.

        Args:
            metric: "cosine" or "dot"; "l2" gives the distance of the means.
            oov: words that are skipped are left out of their set; NaN if nothing is left of one.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: a set is empty, or there is no such metric.
        """
        means = []
        for given in (first, second):
            words = [given] if isinstance(given, str) else list(given)
            if not words:
                raise ConfigurationError("a set of words is empty; at least one is needed.")
            places = self._known(words, oov)
            if not places:
                return float("nan")
            means.append(self._wide(places).mean(axis=0))
        return float(distance_matrix(np.array(means), metric)[0, 1])

    def odd_one_out(
        self, words: Sequence[str], *, metric: str = "cosine", oov: str = "error"
    ) -> list[Neighbor]:
        """Return the words and how near each is to the mean of them all, the farthest first.

        The first is the one that does not belong. A word that is given twice counts once.

        Args:
            metric: "cosine" (the mean is that of unit vectors, as in gensim's ``doesnt_match``),
                "l2" or "dot" (of vectors as they are).
            oov: words that are skipped are left out; [] if fewer than three are left.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: there are fewer than three different words.
        """
        chosen = find_metric(metric)
        refuse_string(words)
        places = self._distinct(words, oov)
        if len(places) < 3:
            if len(self._distinct(words, "skip")) < len(set(words)) and oov != "error":
                return []
            raise ConfigurationError(
                f"of {len(places)} words none is the odd one out; at least three different ones "
                "are needed."
            )
        vectors = self._wide([*places.values()])
        if chosen.normalize:
            vectors = vectors / _lengths(vectors)[:, np.newaxis]
        mean = vectors.mean(axis=0)
        if chosen.ascending:
            scores = np.linalg.norm(vectors - mean, axis=1)
        else:
            scores = vectors @ (mean / _lengths(mean[np.newaxis]) if chosen.normalize else mean)
        order = np.argsort(-scores if chosen.ascending else scores, kind="stable")
        names = [*places]
        return [Neighbor(names[place], float(scores[place])) for place in order]

    def rank(
        self,
        a: str,
        b: str,
        *,
        metric: str = "cosine",
        restrict: int | None = None,
        oov: str = "error",
    ) -> int | None:
        """Return which place *b* has among the neighbours of *a*, from 1.

        That is 1 more than the number of words that are nearer to *a* than *b* is.

        Args:
            metric: "cosine", "l2" or "dot".
            restrict: only so many of the most frequent words count.
            oov: None is returned if one of the two is skipped.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: both words are the same.
        """
        scope = Scope(restrict=restrict, oov=oov)
        chosen = find_metric(metric)
        places = self.look_up([a, b], oov)
        start, end = places[a], places[b]
        if start is None or end is None:
            return None
        if start is end or (isinstance(start, int) and start == end):
            raise ConfigurationError(f"{a!r} is no neighbour of its own; a rank is of two words.")
        query, other = self._wide([start, end])
        scores = row_scores(self.matrix[: scope.restrict], query, metric)
        [bound] = row_scores(other[np.newaxis], query, metric)
        nearer = scores < bound if chosen.ascending else scores > bound
        left_out = [start, end, *(self._without_direction if chosen.normalize else ())]
        for place in left_out:
            if isinstance(place, int) and place < len(nearer):
                nearer[place] = False
        return 1 + int(nearer.sum())

    def _known(self, words: Iterable[str], oov: str) -> list[Place]:
        """Return where the vectors of words are, without those that are skipped."""
        refuse_string(words)
        words = list(words)
        places = self.look_up(words, oov)
        return [place for word in words if (place := places[word]) is not None]

    def _distinct(self, words: Sequence[str], oov: str) -> dict[str, Place]:
        """Return words as the vocabulary has them, and where their vectors are."""
        places = self.look_up(words, oov)
        return {
            word if isinstance(place, np.ndarray) else self.vocabulary[place]: place
            for word, place in places.items()
            if place is not None
        }

    def _wide(self, places: Sequence[Place]) -> NDArray[np.float64]:
        """Return the vectors at *places*, (n, d), dense."""
        vectors = self.vectors_at(places)
        dense = vectors if isinstance(vectors, np.ndarray) else vectors.toarray()
        return np.asarray(dense, dtype=np.float64)


def _lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lengths of rows, (n,), and 1 for rows of zeros, which stay as they are so."""
    lengths = np.linalg.norm(rows, axis=1)
    return np.asarray(lengths + (lengths == 0))
