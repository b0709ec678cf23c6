"""Limits of counting words, and what they leave out."""

from __future__ import annotations

from dataclasses import dataclass

from embedkit.validation import Ranges, check_ranges

__all__ = ["RANGES", "CountingLimits", "LeftOut"]

RANGES: Ranges = {
    "max_word_length": (1, 65_536),
    "max_vocabulary": (1, 2**31 - 2),
    "count_memory": (1 << 20, 1 << 50),
}
"""The lowest and highest value of each limit."""

_TABLE_SHARE = 4  # of the memory, a quarter for the table that is being filled
_BYTES_PER_KEPT_WORD = 384


@dataclass(frozen=True)
class CountingLimits:
    """Limits of counting the words of a text.

    Attributes:
        max_word_length: longer words, in characters, are left out.
        max_vocabulary: keep only this many of the most frequent words; None keeps all.
        count_memory: bytes that counting may take; None means no limit. When they are used up, the
            words are written to a temporary file and counted from there. The counts stay exact; if
            there are more distinct words than fit into the memory, one in 384 bytes, only the most
            frequent ones are kept.

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
        return float("inf") if self.count_memory is None else self.count_memory / _TABLE_SHARE

    @property
    def most_words(self) -> int:
        """How many words to keep if all of them fit into memory."""
        return 2**31 - 2 if self.max_vocabulary is None else self.max_vocabulary

    @property
    def most_after_spilling(self) -> int:
        """How many words to keep if not all of them fit into memory."""
        if self.count_memory is None:
            return self.most_words
        return min(self.most_words, self.count_memory // _BYTES_PER_KEPT_WORD)


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
