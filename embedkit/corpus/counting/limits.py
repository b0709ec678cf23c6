"""Limits of counting words, and what they leave out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from embedkit.validation import Ranges, check_ranges

__all__ = ["RANGES", "CountingLimits", "LeftOut"]

RANGES: Ranges = {
    "max_word_length": (1, 65_536),
    "max_vocabulary": (1, 2**31 - 2),
    "count_memory": (32 << 20, 1 << 50),
}
"""The lowest and highest value of each limit."""

_TABLE_SHARE = 4  # of the memory, a quarter for the table that is being filled
_BYTES_KEPT = 384  # of the memory, for each word that is kept after spilling
_LEAST_MEMORY = 256 << 20
_MOST = 2**31 - 2


@dataclass(frozen=True)
class CountingLimits:
    """Limits of counting the words of a text.

    Attributes:
        max_word_length: longer words, in characters, are left out.
        max_vocabulary: keep only this many of the most frequent words; None keeps all.
        count_memory: bytes that counting may take, in addition to what the process takes anyway.
            When a quarter is used up, the words are written to a temporary file and counted from
            there. The counts stay exact, but only the most frequent words are kept, one per 384
            bytes. It must be at least 32 MB, because one of 256 parts of all distinct words must
            fit, too. None means no limit, or with `max_vocabulary`, what that many words need, and
            at least 256 MB.

    Raises:
        ConfigurationError: a value is outside its range.
    """

    max_word_length: int = 500
    max_vocabulary: int | None = None
    count_memory: int | None = None

    def __post_init__(self) -> None:
        check_ranges(self, RANGES, optional=["max_vocabulary", "count_memory"])

    @property
    def table_bytes(self) -> float:
        """How large a table of words may become."""
        memory = self._memory()
        return math.inf if memory is None else memory / _TABLE_SHARE

    @property
    def most_words(self) -> int:
        """How many words to keep if all of them fit into memory."""
        return _MOST if self.max_vocabulary is None else self.max_vocabulary

    @property
    def most_after_spilling(self) -> int:
        """How many words to keep if not all of them fit into memory."""
        memory = self._memory()
        return self.most_words if memory is None else min(self.most_words, memory // _BYTES_KEPT)

    def _memory(self) -> int | None:
        if self.count_memory is None and self.max_vocabulary is not None:
            return max(_LEAST_MEMORY, self.max_vocabulary * _BYTES_KEPT)
        return self.count_memory


@dataclass(frozen=True)
class LeftOut:
    """What reading a text left out.

    Attributes:
        words: number of distinct words that are not in the vocabulary.
        tokens: number of their occurrences.
        too_long: number of tokens that were longer than the limit; they are not counted above.
    """

    words: int = 0
    tokens: int = 0
    too_long: int = 0
