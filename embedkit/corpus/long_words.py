"""Where blocks of text can end, and words that are too long to be kept in a block."""

from __future__ import annotations

from embedkit.corpus.tokenizers import separators_in

__all__ = ["LongWords", "end_of_words"]

_LONGEST_WORD = 1 << 20  # bytes; far more than the largest limit of the length of words


def end_of_words(data: bytes) -> int:
    """Return where to end a block: after its last line, or after the last token of a long line."""
    newline = data.rfind(b"\n") + 1
    return newline or max(data.rfind(space) for space in b" \t\r\v\f") + 1


class LongWords:
    """Removes words of more than `_LONGEST_WORD` bytes, so that no block becomes much longer.

    Args:
        tokenizer: tells where words end; None means that no words are removed.
    """

    def __init__(self, tokenizer: str | None) -> None:
        self._tokenizer = tokenizer
        self._within = False
        self._removed = 0

    def remove(self, data: bytes) -> bytes:
        """Return *data* without the rest, or the beginning, of a word that is too long."""
        if self._tokenizer is None:
            return data
        if self._within:
            found = separators_in(data, self._tokenizer)
            self._within = found is None
            return data[found[0] :] if found else b""
        if len(data) <= _LONGEST_WORD or end_of_words(data) or self.end(data):
            return data
        self._within = True
        self._removed += 1
        return b""

    def end(self, data: bytes) -> int:
        """Return where to end a block of more than `_LONGEST_WORD` bytes without white space."""
        if self._tokenizer is None or len(data) <= _LONGEST_WORD:
            return 0
        found = separators_in(data, self._tokenizer)
        return found[1] if found else 0

    def taken(self) -> int:
        """Return how many words were removed since the last call."""
        removed, self._removed = self._removed, 0
        return removed
