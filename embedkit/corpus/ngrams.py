"""Character n-grams of words, and the buckets that a hash puts them in, as in fastText.

Bojanowski et al. 2017 (Q17-1010): a word is enclosed in < and >, and its n-grams are substrings of
a few characters. The hash is FNV-1a over UTF-8, with bytes extended as signed numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ngrams", "word_bytes"]

_FNV_OFFSET, _FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)
_END_OF_LINE = b"</s>"  # a word without n-grams
_BATCH = 1 << 12  # words
_LONGEST_CHARACTER = 4  # bytes


def word_bytes(words: Sequence[str]) -> list[bytes]:
    """Return words in UTF-8; lone surrogates are encoded as if they were characters."""
    return [word.encode("utf-8", "surrogatepass") for word in words]


@dataclass(frozen=True)
class Ngrams:
    """Which n-grams words have, and in which bucket each is.

    Attributes:
        shortest, longest: lengths of n-grams in code points, including < and >.
        buckets: number of buckets.
    """

    shortest: int
    longest: int
    buckets: int

    def batches(
        self, words: Sequence[bytes]
    ) -> Iterator[tuple[slice, NDArray[np.int64], NDArray[np.int64]]]:
        """Yield for consecutive slices of *words* what `of` returns for them."""
        for start in range(0, len(words), _BATCH):
            block = slice(start, min(start + _BATCH, len(words)))
            yield block, *self.of(words[block])

    def of(self, words: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the number of the word and the bucket of each n-gram, int64 (n-grams,) each.

        They are in fastText's order: by word, by the start of the n-gram, by its length.
        """
        marked = [b"" if word == _END_OF_LINE else b"<%s>" % word for word in words]
        lengths = np.array([len(word) for word in marked], dtype=np.int64)
        text = np.frombuffer(b"".join(marked) + bytes(4), dtype=np.uint8)
        if not lengths.any():
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        starts = np.flatnonzero((text[: lengths.sum()] & 0xC0) != 0x80)  # first bytes of characters
        ends = np.append(starts[1:], lengths.sum())
        word_ends = np.repeat(np.cumsum(lengths), lengths)[starts]
        word_starts = word_ends - np.repeat(lengths, lengths)[starts]
        which = np.repeat(np.arange(len(words)), lengths)[starts]
        signed = text.astype(np.int8).astype(np.uint32)  # fastText hashes signed characters
        hashes = np.full(len(starts), _FNV_OFFSET, dtype=np.uint32)
        found: list[NDArray[np.int64]] = []
        for size in range(1, self.longest + 1):
            number = np.arange(len(starts)) + size - 1
            whole = number < len(starts)
            number = np.minimum(number, len(starts) - 1)
            whole &= ends[number] <= word_ends
            for byte in range(_LONGEST_CHARACTER):
                place = starts[number] + byte
                more = whole & (place < ends[number])
                mixed = (hashes ^ signed[np.minimum(place, len(text) - 1)]) * _FNV_PRIME
                hashes = np.where(more, mixed, hashes)
            if size >= self.shortest:
                if size == 1:  # < and > alone do not count
                    whole &= (starts > word_starts) & (ends < word_ends)
                begin = np.flatnonzero(whole)
                found.append(np.stack([begin, which[begin], hashes[begin] % self.buckets]))
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        joined = np.concatenate(found, axis=1)
        joined = joined[:, np.argsort(joined[0], kind="stable")]
        return joined[1], joined[2]
