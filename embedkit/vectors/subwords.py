"""Vectors composed of character n-grams, as in fastText.

Bojanowski et al. 2017 (Q17-1010): a word is enclosed in < and >; each of its n-grams has a row,
found by a hash; the vector of a word is the mean of the rows of its n-grams, and of its own row if
it has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Subwords"]

_FNV_OFFSET, _FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)
_BATCH = 1 << 8  # words
_END_OF_LINE = b"</s>"  # fastText gives this token no n-grams


@dataclass(frozen=True)
class Subwords:
    """Rows of character n-grams.

    Attributes:
        ngrams: float32 (buckets, d); may be memory-mapped.
        shortest, longest: lengths of n-grams in characters, including < and >.
    """

    ngrams: NDArray[np.float32]
    shortest: int
    longest: int

    @property
    def config(self) -> dict[str, int]:
        """The entry in the settings of a model directory."""
        return {"shortest": self.shortest, "longest": self.longest}

    @classmethod
    def of_model(
        cls, config: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float32]]
    ) -> Subwords | None:
        """Return the n-grams of a model directory, or None if it has none.

        Raises:
            ValueError: the settings do not give the lengths of n-grams.
        """
        if "ngrams" not in tensors:
            return None
        sizes = config.get("subwords")
        if not isinstance(sizes, dict) or not all(
            isinstance(sizes.get(name), int) for name in ("shortest", "longest")
        ):
            raise ValueError("the settings do not give the lengths of n-grams")
        return cls(tensors["ngrams"], sizes["shortest"], sizes["longest"])

    def encode(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean rows of the n-grams of each word, float32 (len(words), d).

        The result for a word without n-grams is zeros.
        """
        return self.compose([word.encode("utf-8", "surrogatepass") for word in words])

    def compose(
        self, words: Sequence[bytes], own: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the vectors of words in UTF-8, float32 (len(words), d).

        Args:
            words: the bytes of words.
            own: the words' own rows, (len(words), d), each of which counts as one more n-gram.
        """
        result = np.zeros((len(words), self.ngrams.shape[1]), dtype=np.float32)
        for start in range(0, len(words), _BATCH):
            block = slice(start, start + _BATCH)
            which, buckets = self._buckets(words[block])
            sizes = np.bincount(which, minlength=len(words[block])) + (own is not None)
            starts = np.cumsum(sizes) - sizes
            rows = np.empty((int(sizes.sum()), result.shape[1]), dtype=np.float32)
            of_ngrams = np.ones(len(rows), dtype=np.bool_)
            if own is not None:
                rows[starts] = own[block]
                of_ngrams[starts] = False
            rows[of_ngrams] = self.ngrams[buckets]
            some = np.flatnonzero(sizes)
            if len(some):
                means = np.add.reduceat(rows, starts[some], axis=0)
                means *= (1.0 / sizes[some]).astype(np.float32)[:, None]
                result[start + some] = means
        return result

    def _buckets(self, words: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the word number and the bucket of each n-gram, in fastText's order.

        They are sorted by word, then by the start of the n-gram, then by its length.
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
            for byte in range(4):
                place = starts[number] + byte
                more = whole & (place < ends[number])
                mixed = (hashes ^ signed[np.minimum(place, len(text) - 1)]) * _FNV_PRIME
                hashes = np.where(more, mixed, hashes)
            if size >= self.shortest:
                if size == 1:  # < and > alone do not count
                    whole &= (starts > word_starts) & (ends < word_ends)
                begin = np.flatnonzero(whole)
                found.append(np.stack([begin, which[begin], hashes[begin] % len(self.ngrams)]))
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        joined = np.concatenate(found, axis=1)
        joined = joined[:, np.argsort(joined[0], kind="stable")]
        return joined[1], joined[2]
