"""The words of a benchmark: their rows by normalized spelling, and vectors composed for others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.tokenizers import normalize
from embedkit.evaluation.options import EVALUATION_OOV
from embedkit.index.metrics import Matrix, require_finite, unit_rows
from embedkit.validation import check_choice
from embedkit.vectors.lookup import RowOrVector
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["BenchmarkWords"]


class BenchmarkWords:
    """The numbers of words: rows of the vectors or, from *size* on, of composed vectors.

    Args:
        vectors: where the words are looked up.
        words: all words of the benchmark.
        restrict: number of the most frequent words that are known; None for all.
        case_sensitive: distinguish Polish from polish.
        oov: one of `EVALUATION_OOV`. Words that are in the vocabulary but not among the *restrict*
            most frequent ones are never composed.

    Attributes:
        size: number of rows that are known.
    """

    def __init__(
        self,
        vectors: WordVectors,
        words: Iterable[str],
        *,
        restrict: int | None = None,
        case_sensitive: bool = False,
        oov: str = "skip",
    ) -> None:
        check_choice("oov", oov, EVALUATION_OOV)
        spell = str if case_sensitive else normalize
        self._vectors = vectors
        self.size = len(vectors) if restrict is None else min(restrict, len(vectors))
        composes = oov == "subwords" and vectors.subwords is not None
        self._spelled = {word: spell(word) for word in words}
        self._numbers: dict[str, list[int]] = {word: [] for word in self._spelled.values()}
        elsewhere = set()
        for row, word in enumerate(
            vectors.vocabulary.words(range(len(vectors) if composes else self.size))
        ):
            if (found := self._numbers.get(spelled := spell(word))) is not None:
                if row < self.size:
                    found.append(row)
                else:
                    elsewhere.add(spelled)
        self._composed: list[NDArray[np.float32]] = []
        if composes:
            self._compose(
                [w for w, rows in self._numbers.items() if not rows and w not in elsewhere]
            )

    def _compose(self, words: Sequence[str]) -> None:
        """Give a number to each word that can be composed."""
        for word, vector in self._vectors.look_up(words, "subwords").items():
            if isinstance(vector, np.ndarray):
                self._numbers[word] = [self.size + len(self._composed)]
                self._composed.append(vector)

    def spelled(self, word: str) -> str:
        """Return a word in its normalized spelling."""
        return self._spelled[word]

    def all_numbers(self, word: str) -> list[int]:
        """Return the numbers of all words that are spelled like *word*, most frequent first."""
        return self._numbers[self._spelled[word]]

    def number(self, word: str) -> int:
        """Return the first of `all_numbers`, or -1."""
        return next(iter(self.all_numbers(word)), -1)

    def units(self, numbers: Iterable[int]) -> Matrix:
        """Return the vectors of words scaled to length 1, (n, d), dense or CSR.

        Raises:
            ModelError: a vector contains NaN or infinity.
        """
        places: list[RowOrVector] = [
            int(number) if number < self.size else self._composed[number - self.size]
            for number in numbers
        ]
        units = unit_rows(self._vectors.vectors_at(places))
        require_finite(units)
        return units

    def all_units(self) -> Matrix:
        """Return the units of all numbers, (size + composed words, d), dense or CSR."""
        known = unit_rows(self._vectors.matrix[: self.size])
        require_finite(known)
        if not self._composed:
            return known
        return np.concatenate([known, unit_rows(np.array(self._composed))])
