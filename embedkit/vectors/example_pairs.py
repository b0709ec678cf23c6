"""What pairs of words have in common, asked of other words: 3CosAvg, LRCos, transfer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from embedkit.errors import ConfigurationError
from embedkit.index.metrics import find_metric, unit_rows
from embedkit.validation import refuse_string
from embedkit.vectors.lookup import Place
from embedkit.vectors.nearest import Searching, Terms, rows_of
from embedkit.vectors.options import PAIR_METHODS, SearchKeywords, SearchOptions
from embedkit.vectors.scores import Neighbor, class_probabilities, spread_rows

__all__ = ["Relating"]

Pair = tuple[Place, Place]


class Relating(Searching):
    """Questions that give examples: pairs of words between which a relation holds.

    All take the fields of `vectors.options.SearchOptions` by name. A pair is two words, from and to:
    ``[("man", "woman"), ("king", "queen")]``. A pair that is skipped for an unknown word is left
    out; a word that is has no answers.
    """

    def analogy_from_pairs(
        self,
        pairs: Sequence[tuple[str, str]],
        word: str,
        k: int = 10,
        *,
        method: str = "3cosavg",
        metric: str = "cosine",
        **how: Unpack[SearchKeywords],
    ) -> list[Neighbor]:
        """Return the *k* words that are to *word* as the second word of each pair to its first.

        The words of the question, those of the pairs too, are no answers. With one pair, 3CosAvg is
        3CosAdd. Both methods are in Drozd, Gladkova and Matsuoka 2016, C16-1332.

        Args:
            pairs: examples.
            method: "3cosavg", the words nearest to *word* moved by the mean difference of the
                pairs; or "lrcos", the probability of a word to be of the class of the second words,
                by a logistic regression, times its cosine with *word*. The other class are the
                first words, and as many spread evenly over all words that are searched.
            metric: "cosine" (unit vectors are summed), "l2" or "dot" with 3cosavg.
            how: see `vectors.options.SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: there is no pair, the pairs have no direction in common, or no such
                method or metric.
        """
        return self.analogies_from_pairs(pairs, [word], k, method=method, metric=metric, **how)[0]

    def analogies_from_pairs(
        self,
        pairs: Sequence[tuple[str, str]],
        words: Sequence[str],
        k: int = 10,
        *,
        method: str = "3cosavg",
        metric: str = "cosine",
        **how: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Ask many words for what is to them as in the pairs; see `analogy_from_pairs`."""
        if method not in PAIR_METHODS:
            raise ConfigurationError(
                f"no analogy method {method!r} for pairs; there are {', '.join(PAIR_METHODS)}"
            )
        scope = SearchOptions(**how)
        examples, places = self._examples(pairs, words, scope.oov)
        of_pairs = rows_of([(place, 1.0) for pair in examples for place in pair])
        own = [
            [] if place is None or scope.include_question else [*of_pairs, *rows_of([(place, 1.0)])]
            for place in places
        ]
        if method == "lrcos":
            if find_metric(metric).name != "cosine":
                raise ConfigurationError(f"lrcos has a cosine in it; it has no metric {metric!r}.")
            return self._by_class(examples, places, own, k, scope)
        return self._nearest(self._moved(examples, places, 1.0), own, k, metric, scope)

    def transfer(
        self,
        pairs: Sequence[tuple[str, str]],
        words: Sequence[str],
        k: int = 10,
        *,
        strength: float = 1.0,
        metric: str = "cosine",
        **how: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Move words along the direction that pairs have in common, and return where they come to.

        The direction is the mean difference of the pairs, as in 3CosAvg. But only the word that is
        moved is no answer to it: words of the pairs may be, and may be moved themselves.

        Args:
            pairs: examples, from and to.
            words: n words.
            k: number of answers for each.
            strength: how far; 1 is the length of the mean difference, -1 the way back.
            metric: "cosine" (unit vectors are summed), "l2" or "dot".
            how: see `vectors.options.SearchOptions`.

        Returns:
            n lists.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: there is no pair, the pairs have no direction in common, *strength*
                is 0 or no finite number, or no such metric.
        """
        if not np.isfinite(strength) or strength == 0:
            raise ConfigurationError(f"strength is a number other than 0, not {strength!r}")
        scope = SearchOptions(**how)
        examples, places = self._examples(pairs, words, scope.oov)
        own = [
            [] if place is None or scope.include_question else rows_of([(place, 1.0)])
            for place in places
        ]
        return self._nearest(self._moved(examples, places, strength), own, k, metric, scope)

    def _examples(
        self, pairs: Sequence[tuple[str, str]], words: Sequence[str], oov: str
    ) -> tuple[list[Pair], list[Place | None]]:
        """Return where the vectors of pairs are, without those skipped, and where those of words.

        Raises:
            ConfigurationError: no pair is left.
        """
        refuse_string(words)
        for pair in pairs:
            refuse_string(pair)
            if len(pair) != 2:
                raise ConfigurationError(f"a pair has two words, not {pair!r:.60}")
        if not pairs:
            raise ConfigurationError("there is no pair to learn from; at least one is needed.")
        places = self.look_up([*(word for pair in pairs for word in pair), *words], oov)
        examples = [
            (start, end)
            for start, end in ((places[first], places[second]) for first, second in pairs)
            if start is not None and end is not None
        ]
        if not examples:
            raise ConfigurationError("none of the pairs has two words that are known.")
        offset = _offset(examples, 1.0)
        self._refuse_nothing(offset, [word for pair in pairs for word in pair])
        return examples, [places[word] for word in words]

    @staticmethod
    def _moved(
        examples: Sequence[Pair], places: Sequence[Place | None], strength: float
    ) -> list[Terms]:
        offset = _offset(examples, strength)
        return [[] if place is None else [(place, 1.0), *offset] for place in places]

    def _by_class(
        self,
        examples: Sequence[Pair],
        places: Sequence[Place | None],
        own: Sequence[list[int]],
        k: int,
        scope: SearchOptions,
    ) -> list[list[Neighbor]]:
        """Answer by LRCos."""
        if self.is_sparse:
            raise ConfigurationError("lrcos needs dense vectors; use 3cosavg.")
        k = self._checked(k)
        units = self.units[: scope.restrict]
        refused = self._refused(scope, of_direction=True)
        ends = rows_of([(end, 1.0) for _, end in examples])
        spread = spread_rows(len(examples), len(units), ends)
        others = [*(start for start, _ in examples), *spread]
        probabilities = class_probabilities(
            units,
            unit_rows(self.vectors_at([end for _, end in examples])),
            unit_rows(self.vectors_at(others)),
        )
        answers: list[list[Neighbor]] = []
        for place, rows in zip(places, own, strict=True):
            if place is None:
                answers.append([])
                continue
            similarities: NDArray[np.float32] = units @ unit_rows(self.vectors_at([place]))[0]
            answers.append(self._best(probabilities * similarities, k, [*refused, *rows]))
        return answers


def _offset(examples: Sequence[Pair], strength: float) -> Terms:
    """Return *strength* times the mean difference of pairs."""
    share = strength / len(examples)
    return [term for start, end in examples for term in ((end, share), (start, -share))]
