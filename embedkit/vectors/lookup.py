"""From words as people write them to vectors, also those of words that a vocabulary lacks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.tokenizers import RESPELLINGS
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, UnknownWordError

__all__ = ["Place", "Words"]

Place: TypeAlias = "int | NDArray[np.float32]"
"""Where the vector of a word is: the number of its row, or for a word without one the vector."""


class Words(ABC):
    """Words with a row of a matrix each.

    Attributes:
        vocabulary: V words.
        matrix: float32 (V, d), dense or scipy.sparse CSR.
    """

    vocabulary: Vocabulary
    matrix: Any
    subwords: Any = None
    """What composes vectors of unknown words, by ``encode(words)``, or None."""

    @property
    @abstractmethod
    def is_sparse(self) -> bool:
        """Whether vectors are scipy.sparse rows."""

    def resolve(self, word: str) -> str:
        """Return the word of the vocabulary that a question means.

        That is the word as written, or else case-folded, or else with underscores for spaces.

        Raises:
            UnknownWordError: none of these is known.
        """
        return self.vocabulary[self.row(word)]

    def find(self, word: str) -> int:
        """Return the row of the word that a question means, or -1; see `resolve`."""
        row = self.vocabulary.find(word)
        if row < 0:
            for respell in RESPELLINGS:
                if (row := self.vocabulary.find(respell(word))) >= 0:
                    break
        return row

    def row(self, word: str) -> int:
        """Return the row of the word that a question means; see `resolve`.

        Raises:
            UnknownWordError: it has none.
        """
        row = self.find(word)
        if row < 0:
            raise UnknownWordError(word, self.vocabulary.suggest)
        return row

    def complete(self, prefix: str, limit: int = 10, start: int = 0) -> NDArray[np.int64]:
        """Return the rows of words that begin with *prefix*, most frequent first.

        Where no word does, the prefix is folded as `resolve` folds words.
        """
        found = self.vocabulary.complete(prefix, limit, start)
        return (
            found if len(found) else self.vocabulary.complete(RESPELLINGS[-1](prefix), limit, start)
        )

    def look_up(self, words: Iterable[str], oov: str = "error") -> dict[str, Place | None]:
        """Return where the vector of each word is; None for a word that is skipped.

        Args:
            oov: "error", "skip", "spell" or "subwords"; see `embedkit.vectors.options.SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector and *oov* is "error".
            ConfigurationError: *oov* is "subwords" and these vectors have none.
        """
        places: dict[str, Place | None] = {}
        unknown = []
        for word in words:
            if word not in places:
                row = self.find(word)
                places[word] = row if row >= 0 else None
                if row < 0:
                    unknown.append(word)
        if unknown and oov == "error":
            self.row(unknown[0])  # raises
        if unknown and oov == "spell":
            rows = self.vocabulary.nearest_spellings(unknown)
            places |= {word: row for word, row in zip(unknown, rows, strict=True) if row >= 0}
        if unknown and oov == "subwords":
            places |= self._composed(unknown)
        return places

    def _composed(self, words: Sequence[str]) -> dict[str, Place | None]:
        if self.subwords is None:
            raise ConfigurationError(
                f"{words[0]!r} is not in the vocabulary, and these vectors have no character "
                "n-grams to compose it from.",
                hint='oov="spell" or "skip" (--oov).',
            )
        vectors = np.asarray(self.subwords.encode(words), dtype=np.float32)
        return {
            word: vector if vector.any() else None
            for word, vector in zip(words, vectors, strict=True)
        }

    def vectors_at(self, places: Sequence[Place]) -> Any:
        """Return the vectors at *places*, float32 (len(places), d), dense or CSR."""
        rows = [place for place in places if not isinstance(place, np.ndarray)]
        known = self.matrix[rows]
        if len(rows) == len(places):
            return known
        found = np.empty((len(places), self.matrix.shape[1]), dtype=np.float32)
        composed = np.array([isinstance(place, np.ndarray) for place in places])
        found[~composed] = known.toarray() if self.is_sparse else known
        found[composed] = [place for place in places if isinstance(place, np.ndarray)]
        return found
