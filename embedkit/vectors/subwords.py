"""Vectors composed of character n-grams, as in fastText.

Bojanowski et al. 2017 (Q17-1010): the vector of a word is the mean of the rows of its n-grams, and
of its own row if it has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.ngrams import Ngrams, word_bytes

__all__ = ["Subwords"]

_SIZES = ("shortest", "longest", "buckets")
_BATCH = 1 << 8  # words


@dataclass(frozen=True)
class Subwords:
    """Rows of character n-grams.

    Attributes:
        rows: float32 (R, d), may be memory-mapped.
        ngrams: the lengths of n-grams, and the number of buckets.
        ids: int32 (R,), the bucket of each row, ascending; empty if there is a row for each bucket.
            The rows of all other buckets are zero.
        pruned: whether n-grams without a row are left out of the mean, as in fastText's pruned
            models, instead of counting as zero.
    """

    rows: NDArray[np.float32]
    ngrams: Ngrams
    ids: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    pruned: bool = False

    @property
    def config(self) -> dict[str, int]:
        """The entry in the settings of a model directory."""
        sizes = {name: getattr(self.ngrams, name) for name in _SIZES}
        return {**sizes, "pruned": True} if self.pruned else sizes

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The arrays of a model directory."""
        return {"ngrams": self.rows, **({"buckets": self.ids} if len(self.ids) else {})}

    @classmethod
    def of_model(
        cls, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
    ) -> Subwords | None:
        """Return the n-grams of a model directory, or None if it has none.

        Raises:
            ValueError: the settings do not describe the n-grams.
        """
        if "ngrams" not in tensors:
            return None
        sizes = config.get("subwords")
        if not isinstance(sizes, dict) or not all(type(sizes.get(name)) is int for name in _SIZES):
            raise ValueError("the settings do not give the lengths of n-grams and their buckets")
        rows, ids = tensors["ngrams"], tensors.get("buckets", np.zeros(0, dtype=np.int32))
        ngrams = Ngrams(*(sizes[name] for name in _SIZES))
        if len(rows) != (len(ids) or ngrams.buckets):
            raise ValueError(f"there are {len(rows):,} rows for {ngrams.buckets:,} buckets")
        return cls(rows, ngrams, ids, sizes.get("pruned") is True)

    def encode(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean rows of the n-grams of each word, float32 (len(words), d).

        The result for a word without n-grams is zeros.
        """
        return self.compose(word_bytes(words))

    def compose(
        self, words: Sequence[bytes], own: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the vectors of words in UTF-8, float32 (len(words), d).

        Args:
            words: the bytes of words.
            own: the words' own rows, (len(words), d), each of which counts as one more n-gram.
        """
        result = np.zeros((len(words), self.rows.shape[1]), dtype=np.float32)
        for start in range(0, len(words), _BATCH):
            block = slice(start, start + _BATCH)
            which, buckets = self.ngrams.of(words[block])
            sums, sizes = self._sums(which, buckets, len(words[block]))
            if own is not None:
                sums += own[block]
                sizes += 1
            result[block] = sums / np.maximum(sizes, 1).astype(np.float32)[:, None]
        return result

    def own_rows(self, words: Sequence[bytes], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the words' own rows, which compose *vectors* together with the n-grams' rows."""
        result = np.empty(vectors.shape, dtype=np.float32)
        for block, which, buckets in self.ngrams.batches(words):
            sums, sizes = self._sums(which, buckets, len(words[block]))
            result[block] = vectors[block] * (sizes + 1).astype(np.float32)[:, None] - sums
        return result

    def _sums(
        self, which: NDArray[np.int64], buckets: NDArray[np.int64], words: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the sums of the rows of words' n-grams, float32 (words, d), and their sizes."""
        sums = np.zeros((words, self.rows.shape[1]), dtype=np.float32)
        sizes = np.bincount(which, minlength=words)
        if len(self.ids):
            places = np.minimum(np.searchsorted(self.ids, buckets), len(self.ids) - 1)
            present = self.ids[places] == buckets
            which, buckets = which[present], places[present]
            if self.pruned:
                sizes = np.bincount(which, minlength=words)
        if len(which):
            starts = np.flatnonzero(np.diff(which, prepend=-1))
            sums[which[starts]] = np.add.reduceat(self.rows[buckets], starts, axis=0)
        return sums, sizes
