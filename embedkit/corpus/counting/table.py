"""A hash table of words and their counts that grows with the number of words, not of tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.counting import kernels
from embedkit.corpus.counting.blocks import Words
from embedkit.system.growing import GrowingArray

__all__ = ["WordTable"]

_FEWEST = 1 << 10
_FULLEST = 0.75  # share of slots in use


class WordTable:
    """Distinct words with counts, in the order in which they were added.

    A word takes about 60 bytes: 32 for its row, 11 to 21 for its slots, and its own.
    """

    def __init__(self) -> None:
        self._slots = np.zeros(2 * _FEWEST, dtype=np.uint64)
        self._rows = GrowingArray(np.uint64, _FEWEST, 4)
        self._arena = GrowingArray(np.uint8, 8 * _FEWEST)
        self._size = 0
        self._used = 0

    def __len__(self) -> int:
        return self._size

    @property
    def memory(self) -> int:
        """The number of bytes in use."""
        return self._slots.nbytes + 4 * 8 * self._size + self._used

    def words(self) -> Words:
        """Return the words in the order in which they were added; not valid after `add`."""
        rows = self._rows.array[: self._size]
        starts = rows[:, kernels.OFFSET].view(np.int64)
        text = self._arena.array[: self._used]
        text.flags.writeable = False
        lengths = np.diff(starts, append=self._used)
        return Words(
            text, starts, lengths, rows[:, kernels.HASH], rows[:, kernels.TALLY].view(np.int64)
        )

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
        """Return the counts of the words, (words,), where each begins in the text, and the text.

        The second array ends with the length of the text.
        """
        rows = self._rows.array[: self._size]
        offsets = np.append(rows[:, kernels.OFFSET].view(np.int64), self._used)
        return rows[:, kernels.TALLY].astype(np.int64), offsets, self._arena.array[: self._used]

    def add(self, words: Words) -> NDArray[np.int32]:
        """Add distinct words and their counts; return their numbers, (words,)."""
        self._reserve(len(words), int(words.lengths.sum()))
        ids = np.empty(len(words), dtype=np.int32)
        text = (words.text, words.starts, words.lengths, words.hashes)
        self._size, self._used = kernels.insert(
            self._slots,
            self._rows.array,
            self._size,
            self._arena.array,
            self._used,
            text,
            words.counts,
            ids,
        )
        return ids

    def find(self, hashes: NDArray[np.uint64], unknown: int) -> NDArray[np.int32]:
        """Return the numbers of words by their hashes, or *unknown*, (words,)."""
        ids = np.empty(len(hashes), dtype=np.int32)
        kernels.find(self._slots, self._rows.array, hashes, unknown, ids)
        return ids

    def _reserve(self, words: int, size: int) -> None:
        """Make room for that many more words and bytes."""
        self._rows.reserve(self._size + words)
        self._arena.reserve(self._used + size)
        if self._size + words > _FULLEST * len(self._slots):
            slots = 1 << int((self._size + words) / _FULLEST).bit_length()
            self._slots = np.zeros(slots, dtype=np.uint64)
            kernels.rehash(self._slots, self._rows.array, self._size)
