"""Checks the words and vectors that a reader finds, and collects them in one growing matrix."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import byte_strings
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import quoted
from embedkit.formats.repairs import Repairs
from embedkit.index.metrics import all_finite
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["LARGEST_DIMENSION", "PlaceOfRow", "RowBuilder"]

LARGEST_DIMENSION = 1 << 16
"""A header that claims more is rejected."""

_GROWTH = 8  # the matrix grows by an eighth if the number of words is unknown
_MOVED = 1 << 12

PlaceOfRow: TypeAlias = Callable[[int], str]
"""Returns where a row of a block is in its file, such as "line 17"."""


class RowBuilder:
    """Collects the words and vectors of one file.

    Args:
        dimension: length of a vector.
        repairs: of the file.
        limit: maximum number of words to take.
        expected: an upper bound on the number of words, from the size of the file: memory must not
            be allocated for what only a header claims.
        matrices: arrays (n, d) with a row for each word of the file. The first one is overwritten
            with the rows that are appended. The others, such as an output matrix, are checked like
            these rows, and lose the rows of words that are left out. So a reader that has to hold
            the rows of the file needs no second copy of them.

    Attributes:
        beside: the matrices after the first one. After `build`, they have a row for each word.
    """

    def __init__(
        self,
        dimension: int,
        repairs: Repairs,
        limit: int | None = None,
        expected: int = 0,
        matrices: Sequence[NDArray[np.float32]] = (),
    ) -> None:
        self.dimension = dimension
        self.repairs = repairs
        self.limit = limit
        self._words: list[pa.StringArray] = []
        self._counts: list[NDArray[np.int64]] = []
        self._size = 0
        self._seen = 0  # rows that were appended, with those that were left out
        rows = expected if limit is None else min(expected, limit)
        self._is_own = not matrices
        self._matrix, *self.beside = matrices or [np.empty((rows, dimension), dtype=np.float32)]
        self._places: list[tuple[int, PlaceOfRow]] = []

    def __len__(self) -> int:
        return self._size

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self.limit is not None and self._size >= self.limit

    def append(
        self,
        words: pa.BinaryArray,
        rows: NDArray[np.float32],
        place: PlaceOfRow,
        counts: NDArray[np.int64] | None = None,
    ) -> None:
        """Check and take some consecutive words.

        Args:
            words: bytes of n words.
            rows: (n, d).
            place: returns where one of them is in the file.
            counts: (n,) if they are known, for all blocks or for none.

        Raises:
            FormatError: a word is empty, contains NUL or is not UTF-8, or a number is not finite,
                and the policy is "strict".
        """
        texts, good = self._checked_words(words, place)
        others = [matrix[self._seen : self._seen + len(rows)] for matrix in self.beside]
        self._seen += len(rows)
        rows, finite = self._checked_rows(np.hstack([rows, *others]) if others else rows, place)
        keep = good & finite
        if not keep.all():
            texts, rows = texts.filter(pa.array(keep)), rows[keep]
            counts = None if counts is None else counts[keep]
        left = None if self.limit is None else self.limit - self._size
        texts, rows = texts[:left], rows[:left]
        if counts is not None:
            self._counts.append(counts[:left])
        self._places.append((self._size, place))
        self._reserve(len(rows))
        taken = slice(self._size, self._size + len(rows))
        for number, matrix in enumerate([self._matrix, *self.beside]):
            first = number * self.dimension
            matrix[taken] = rows[:, first : first + self.dimension]
        self._size += len(rows)
        self._words.append(texts)

    def _reserve(self, more: int) -> None:
        rows, dimension = self._matrix.shape
        if self._size + more > rows:
            # realloc: the pages move, the numbers are not copied
            grown = max(self._size + more, rows + rows // _GROWTH)
            self._matrix.resize((grown, dimension), refcheck=False)

    def _checked_words(
        self, words: pa.BinaryArray, place: PlaceOfRow
    ) -> tuple[pa.StringArray, NDArray[np.bool_]]:
        """Return words as text, repaired, and which of them to keep."""
        good = np.ones(len(words), dtype=np.bool_)
        if self.repairs.encoding != "utf-8":
            words = self._recoded(words)
        try:
            texts = words.cast(pa.string())
            nul = pc.any(pc.match_substring(texts, "\0")).as_py()
            if not nul and pc.min(pc.binary_length(words)).as_py():
                return texts, good
        except pa.ArrowInvalid:  # not UTF-8
            pass
        repaired = []
        for number, word in enumerate(words.to_pylist()):
            text, good[number] = self._checked_word(word, place, number)
            repaired.append(text)
        return pa.array(repaired, pa.string()), good

    def _recoded(self, words: pa.BinaryArray) -> pa.BinaryArray:
        """Return words of another encoding as UTF-8; those that are not valid stay as they are."""
        encoding, recoded = self.repairs.encoding, []
        for word in words.to_pylist():
            try:
                recoded.append(word.decode(encoding).encode())
            except UnicodeDecodeError:
                recoded.append(word)
        return byte_strings(recoded)

    def _checked_word(self, word: bytes, place: PlaceOfRow, number: int) -> tuple[str, bool]:
        text = word.decode(errors="replace")
        if not text:
            self.repairs.handle("empty", place(number), "the word is empty")
            return text, False
        try:
            word.decode()
        except UnicodeDecodeError as error:
            self.repairs.handle(
                "not_utf8",
                place(number),
                f"byte {error.start + 1} of the word {quoted(text)} is 0x{word[error.start]:02x}, "
                "which is not UTF-8",
            )
            return text.replace("\0", "\ufffd"), self.repairs.replaces
        if "\0" in text:
            self.repairs.handle("nul", place(number), f"the word {quoted(text)} contains NUL")
            return text.replace("\0", "\ufffd"), self.repairs.replaces
        return text, True

    def _checked_rows(
        self, rows: NDArray[np.float32], place: PlaceOfRow
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return rows, repaired, and which of them to keep."""
        if all_finite(rows):
            return rows, np.ones(len(rows), dtype=np.bool_)
        finite = np.isfinite(rows)
        good: NDArray[np.bool_] = np.logical_and.reduce(finite, axis=1)
        first = int(np.argmin(good))
        column = int(np.argmin(finite[first]))
        self.repairs.handle(
            "not_finite",
            place(first),
            f"number {column % self.dimension + 1} is {rows[first, column]}, which is not finite",
            int((~good).sum()),
        )
        if self.repairs.replaces:
            return np.where(finite, rows, np.float32(0)), np.ones_like(good)
        return rows, good

    def build(self, subwords: Subwords | None = None) -> WordVectors:
        """Return what was read; nothing can be appended afterwards.

        Words keep the order of the file or, if counts are known, are sorted by descending count.

        Args:
            subwords: the vectors of character n-grams, if the file has any.

        Raises:
            FormatError: there are no words, or a word is duplicated and the policy is "strict".
        """
        if not self._size:
            raise self.repairs.nothing_left()
        words = pa.concat_arrays(self._words)
        counts = np.concatenate(self._counts) if self._counts else None
        kept = self._without_duplicates(words)
        if kept is not None:
            self._compact(kept)
            words = words.take(pa.array(kept))
            counts = None if counts is None else counts[kept]
        if self._is_own:
            self._matrix.resize((len(words), self.dimension), refcheck=False)
        elif len(words) < len(self._matrix):
            self._matrix, *self.beside = (
                rows[: len(words)].copy() for rows in (self._matrix, *self.beside)
            )
        if counts is not None and (np.diff(counts) > 0).any():
            order = np.argsort(-counts, kind="stable")
            words, counts = words.take(pa.array(order)), counts[order]
            self._matrix = self._matrix[order]
            self.beside = [rows[order] for rows in self.beside]
        return WordVectors.from_checked(Vocabulary(words, counts), self._matrix, subwords=subwords)

    def _without_duplicates(self, words: pa.StringArray) -> NDArray[np.int64] | None:
        """Return the first row of each word, or None if no word is duplicated."""
        ordered = words.take(pc.array_sort_indices(words))  # smaller than a table of the words
        if not pc.any(pc.equal(ordered[1:], ordered[:-1])).as_py():
            return None
        encoded = words.dictionary_encode()
        _, kept = np.unique(np.asarray(encoded.indices), return_index=True)
        kept.sort()
        second = int(np.argmin(np.append(kept, -1) == np.arange(len(kept) + 1)))
        word = words[second].as_py()
        self.repairs.handle(
            "duplicate",
            self._place(second),
            f"{quoted(word)} is already in {self._place(pc.index(words, word).as_py())}; only the "
            "first vector of a word is used",
            len(words) - len(kept),
        )
        return kept

    def _place(self, row: int) -> str:
        number = bisect_right(self._places, row, key=lambda entry: entry[0]) - 1
        start, place = self._places[number]
        return place(row - start)

    def _compact(self, kept: NDArray[np.int64]) -> None:
        """Move rows to the front, block by block: a second matrix might not fit."""
        for start in range(0, len(kept), _MOVED):
            rows = kept[start : start + _MOVED]
            for matrix in (self._matrix, *self.beside):
                matrix[start : start + len(rows)] = matrix[rows]
