"""Finding the vectors of words as people write them, even of words outside the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.spelling import normal_forms, respellings
from embedkit.corpus.tokenizers import normalize
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, UnknownWordError
from embedkit.index.metrics import Matrix, require_finite
from embedkit.validation import refuse_string

__all__ = [
    "Composer",
    "Lookup",
    "RowOrVector",
    "compose",
    "word_list",
]

RowOrVector: TypeAlias = "int | NDArray[np.float32]"
"""The row number of a word or, if it has no row, its vector, float32 (d,)."""


_FREQUENT = 1_000  # words that show whether a vocabulary is case-folded


class Composer(Protocol):
    """Makes vectors for words that are not in the vocabulary."""

    def encode(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors, float32 (len(words), d); zeros for a word that cannot be composed."""


def compose(
    subwords: Composer, words: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return vectors of words, float32 (n, d), and which words could be composed, (n,).

    Raises:
        ModelError: a vector contains NaN or infinity. Memory-mapped rows of n-grams are not checked
            when they are opened, only when they are used, as those of words.
    """
    vectors = np.asarray(subwords.encode(words), dtype=np.float32)
    require_finite(vectors, words.__getitem__)
    return vectors, np.asarray(vectors.any(axis=1))


class Lookup:
    """Finds the rows of words.

    Args:
        vocabulary: V words.
        matrix: float32 (V, d), dense or CSR.
        subwords: makes vectors for words that are not in the vocabulary.
        folds: whether unknown words may be case-folded before they are composed; see
            `composed_form`.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        matrix: Matrix,
        subwords: Composer | None = None,
        *,
        folds: bool = False,
    ) -> None:
        self._folds = folds
        self.vocabulary = vocabulary
        self.matrix = matrix
        self.subwords = subwords

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.matrix.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Whether vectors are scipy.sparse rows."""
        return not isinstance(self.matrix, np.ndarray)

    def find(self, word: str) -> int:
        """Return the row of *word*, or -1.

        The word is looked up as written, then in its other Unicode normal forms, then case-folded,
        then with underscores for spaces.
        """
        row = self.vocabulary.find(word)
        return row if row >= 0 else self._first_known(respellings(word))

    def _first_known(self, spellings: Iterable[str]) -> int:
        return next((row for word in spellings if (row := self.vocabulary.find(word)) >= 0), -1)

    def rows(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of words as written, in any Unicode normal form, (len(words),).

        Raises:
            UnknownWordError: a word is not in the vocabulary.
        """
        words = word_list(words)
        rows = self.vocabulary.ids(words)
        for place in np.flatnonzero(rows < 0):
            rows[place] = self._first_known(normal_forms(words[place]))
        if len(rows) and rows.min() < 0:
            raise UnknownWordError(words[int(np.argmin(rows))], self.vocabulary.suggest)
        return rows

    def unknown(self, word: str, place: str = "", advice: str = "") -> UnknownWordError:
        """Return the error for a word that has no vector; see `UnknownWordError`."""
        return UnknownWordError(
            word,
            self.vocabulary.suggest,
            place,
            advice,
            has_ngrams=self.subwords is not None,
        )

    def encode(self, words: Iterable[str]) -> Matrix:
        """Return the vectors of words as written, (len(words), d), dense or CSR.

        With subwords, words that are not in the vocabulary are looked up in the form from which
        they would be composed, and otherwise composed.

        Raises:
            UnknownWordError: a word has no vector.
        """
        words = word_list(words)
        if self.subwords is None:
            return self.matrix[self.rows(words)]
        rows = self.vocabulary.ids(words).tolist()
        for place, word in enumerate(words):
            if rows[place] < 0:
                rows[place] = self._first_known([*normal_forms(word), self.composed_form(word)])
        unknown = [word for word, row in zip(words, rows, strict=True) if row < 0]
        composed = self._composed([*dict.fromkeys(unknown)]) if unknown else {}
        places: list[RowOrVector] = []
        for word, row in zip(words, rows, strict=True):
            vector = row if row >= 0 else composed[word]
            if vector is None:
                raise self.unknown(word)
            places.append(vector)
        return self.vectors_at(places)

    @cached_property
    def _folds_case(self) -> bool:
        """Whether the most frequent words are case-folded, as after most tokenizers."""
        if not self._folds:
            return False
        first = self.vocabulary.words(range(min(_FREQUENT, len(self.vocabulary))))
        return all(word == normalize(word) for word in first)

    def composed_form(self, word: str) -> str:
        """Return the spelling of an unknown word whose n-grams make up its vector.

        It is case-folded if embedkit trained the vectors and the most frequent words of the
        vocabulary are case-folded: their text had no capitals, so no n-gram with one was trained.
        Words of fastText's files are composed as they are written, as by fastText.
        """
        return normalize(word) if self._folds_case else word

    def knows(self, word: str) -> bool:
        """Tell whether `find` finds *word*."""
        return self.find(word) >= 0

    def row(self, word: str) -> int:
        """Return the row of *word*, looked up as by `find`.

        Raises:
            UnknownWordError: the word is not in the vocabulary.
        """
        row = self.find(word)
        if row < 0:
            raise UnknownWordError(word, self.vocabulary.suggest)
        return row

    def complete(self, prefix: str, limit: int = 10, start: int = 0) -> NDArray[np.int64]:
        """Return the rows of words that begin with *prefix*, most frequent first.

        If there are none, other spellings of the prefix are tried, as in `find`.
        """
        for spelling in (prefix, *respellings(prefix)):
            found = self.vocabulary.complete(spelling, limit, start)
            if len(found) or self.vocabulary.complete(spelling, 1).size:
                break
        return found

    def look_up(self, words: Iterable[str], oov: str = "error") -> dict[str, RowOrVector | None]:
        """Return the row or the vector of each word; None for a word that is skipped.

        Args:
            words: words in any spelling that `find` knows.
            oov: see `embedkit.vectors.options.SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector and *oov* is "error".
            ConfigurationError: *oov* is "subwords" and these vectors have no subwords.
        """
        found: dict[str, RowOrVector | None] = {}
        unknown = []
        for word in words:
            if not isinstance(word, str):
                raise ConfigurationError(f"expected a word, got {word!r:.60}")
            if word not in found:
                row = self.find(word)
                found[word] = row if row >= 0 else None
                if row < 0:
                    unknown.append(word)
        return found | self._substitutes(unknown, oov) if unknown else found

    def _substitutes(self, words: Sequence[str], oov: str) -> dict[str, RowOrVector | None]:
        """Return what stands for words that are not in the vocabulary."""
        if oov == "spell":
            rows = self.vocabulary.nearest_spellings(words)
            return {w: row if row >= 0 else None for w, row in zip(words, rows, strict=True)}
        composed: dict[str, RowOrVector | None] = {}
        if oov == "subwords" or (oov == "error" and self.subwords is not None):
            composed = self._composed(words)
        if oov == "error":
            for word in words:
                if composed.get(word) is None:
                    raise self.unknown(word)
        return composed

    def _composed(self, words: Sequence[str]) -> dict[str, RowOrVector | None]:
        if self.subwords is None:
            raise ConfigurationError(
                f"{words[0]!r} is not in the vocabulary, and these vectors have no character "
                "n-grams to compose it from.",
                hint='Choose oov="spell" or "skip" (--oov).',
            )
        vectors, known = self.compose(words)
        return {
            word: vector if composed else None
            for word, vector, composed in zip(words, vectors, known, strict=True)
        }

    def compose(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of unknown words, float32 (n, d), and which ones have one, (n,).

        They are composed of n-grams of their `composed_form`; without subwords, none has a vector.

        Raises:
            ModelError: as for `compose`.
        """
        if self.subwords is None or not words:
            zeros = np.zeros((len(words), self.dimension), dtype=np.float32)
            return zeros, np.zeros(len(words), dtype=np.bool_)
        return compose(self.subwords, [self.composed_form(word) for word in words])

    def vectors_at(self, found: Sequence[RowOrVector]) -> Matrix:
        """Return the vectors that `look_up` found, float32 (len(found), d), dense or CSR."""
        rows = [place for place in found if not isinstance(place, np.ndarray)]
        known = self.matrix[rows]
        if len(rows) == len(found):
            return known
        vectors = np.empty((len(found), self.dimension), dtype=np.float32)
        composed = np.array([isinstance(place, np.ndarray) for place in found])
        vectors[~composed] = known.toarray() if self.is_sparse else known
        vectors[composed] = [place for place in found if isinstance(place, np.ndarray)]
        return type(self.matrix)(vectors) if self.is_sparse else vectors

    def dense_vectors_at(self, found: Sequence[RowOrVector]) -> NDArray[np.float64]:
        """Return the vectors that `look_up` found, float64 (len(found), d), dense."""
        vectors = self.vectors_at(found)
        dense = vectors if isinstance(vectors, np.ndarray) else vectors.toarray()
        return np.asarray(dense, dtype=np.float64)


def word_list(words: Iterable[str]) -> list[str]:
    """Return words as a list.

    Raises:
        ConfigurationError: *words* is a single string, or contains something other than strings.
    """
    refuse_string(words)
    listed = list(words)
    for word in listed:
        if not isinstance(word, str):
            raise ConfigurationError(f"expected a word, got {word!r:.60}")
    return listed
