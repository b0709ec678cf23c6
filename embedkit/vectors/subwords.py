"""Vectors composed of character n-grams, as in fastText.

Bojanowski et al. 2017 (Q17-1010): the vector of a word is the mean of the rows of its n-grams, and
of its own row if it has one. Means follow affine maps: if vectors are mapped to x A + b, so are
those composed of the rows r A, with b added to each; see `Subwords.mapped`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.ngrams import Ngrams, word_bytes
from embedkit.errors import ModelError
from embedkit.index.metrics import all_finite, row_norms
from embedkit.storage.config_file import RESTORE_HINT
from embedkit.storage.quantization import PackedRows, pack

__all__ = ["Subwords", "stored_subwords"]

_SIZES = ("shortest", "longest", "buckets")
_BATCH = 1 << 8  # words
_ROWS = 1 << 14
_RETRAIN = "Train the model again."


@dataclass(frozen=True)
class Subwords:
    """Rows of character n-grams.

    Attributes:
        rows: float32 (R, d), or `PackedRows`, may be memory-mapped.
        ngrams: the lengths of n-grams, and the number of buckets.
        ids: int32 (R,), the bucket of each row, ascending; empty if there is a row for each bucket.
            The rows of all other buckets are zero.
        pruned: whether n-grams without a row are left out of the mean, as in fastText's pruned
            models, instead of counting as zero.
        offset: float32 (d,), added to each vector that is composed; None for zeros.
    """

    rows: NDArray[np.float32] | PackedRows
    ngrams: Ngrams
    ids: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    pruned: bool = False
    offset: NDArray[np.float32] | None = None

    @property
    def config(self) -> dict[str, int]:
        """The entry in the settings of a model directory."""
        sizes = {name: getattr(self.ngrams, name) for name in _SIZES}
        return {**sizes, "pruned": True} if self.pruned else sizes

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The arrays of a model directory."""
        tensors: dict[str, NDArray[Any] | None] = {
            "buckets": self.ids if len(self.ids) else None,
            "offset": self.offset,
        }
        if isinstance(self.rows, PackedRows):
            tensors |= {"ngrams": self.rows.packed, "ngram_scales": self.rows.scales}
        else:
            tensors["ngrams"] = self.rows
        return {name: tensor for name, tensor in tensors.items() if tensor is not None}

    @property
    def storage(self) -> str:
        """The type of the rows: "float32", "float16" or "int8"."""
        return str((self.rows.packed if isinstance(self.rows, PackedRows) else self.rows).dtype)

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
        if not 1 <= ngrams.shortest <= ngrams.longest or ngrams.buckets < 1:
            raise ValueError("the settings give no valid lengths of n-grams")
        if rows.ndim != 2 or len(rows) != (len(ids) or ngrams.buckets):
            raise ValueError(f"there are {len(rows):,} rows for {ngrams.buckets:,} buckets")
        if len(ids) and (ids[0] < 0 or ids[-1] >= ngrams.buckets or (np.diff(ids) <= 0).any()):
            raise ValueError("the buckets of the n-grams are not ascending numbers in their range")
        pruned = sizes.get("pruned") is True
        scales, offset = tensors.get("ngram_scales"), tensors.get("offset")
        if rows.dtype == np.int8 and scales is None:
            raise ValueError("the scales of the rows of n-grams are missing")
        if offset is not None and offset.shape != rows.shape[1:]:
            raise ValueError(f"the offset has the shape {offset.shape}")
        if rows.dtype != np.float32:
            return cls(PackedRows(rows, scales), ngrams, ids, pruned, offset)
        return cls(rows, ngrams, ids, pruned, offset)

    def mapped(
        self, linear: NDArray[np.floating] | None, constant: NDArray[np.floating]
    ) -> Subwords:
        """Return the n-grams of vectors that are mapped to x A + b.

        Args:
            linear: A, (d, k), or None for the identity.
            constant: b, (k,).
        """
        rows, offset = (
            self.rows,
            np.zeros(self.rows.shape[1]) if self.offset is None else self.offset,
        )
        if linear is not None:
            rows = np.empty((len(self.rows), linear.shape[1]), dtype=np.float32)
            for start in range(0, len(rows), _ROWS):
                rows[start : start + _ROWS] = self.rows[start : start + _ROWS] @ linear
            offset = offset @ linear
        return replace(self, rows=rows, offset=(offset + constant).astype(np.float32))

    def packed(self, storage: str) -> Subwords:
        """Return the n-grams with rows that are stored as float16 or int8.

        Raises:
            ConfigurationError: *storage* cannot represent a number.
        """
        if storage in ("float32", self.storage):
            return self
        packed = pack(np.asarray(self.rows), storage)
        return replace(self, rows=PackedRows(packed["vectors"], packed.get("scales")))

    def norms(self) -> NDArray[np.float32]:
        """Return the Euclidean lengths of the rows, float32 (R,)."""
        starts = range(0, len(self.rows), _ROWS)
        blocks = [row_norms(self.rows[start : start + _ROWS]) for start in starts]
        return np.concatenate([np.zeros(0, dtype=np.float32), *blocks])

    def require_finite(self) -> None:
        """Check all numbers, block by block.

        Raises:
            ModelError: one is NaN or infinite.
        """
        if self.offset is not None and not all_finite(self.offset):
            raise ModelError("the offset of the n-grams contains NaN or infinity.", hint=_RETRAIN)
        for start in range(0, len(self.rows), _ROWS):
            rows = self.rows[start : start + _ROWS]
            if not all_finite(rows):
                row = start + int(np.argmin(np.isfinite(rows).all(axis=1)))
                bucket = self.ids[row] if len(self.ids) else row
                raise ModelError(
                    f"the n-grams' row of bucket {bucket:,} contains NaN or infinity.",
                    hint=_RETRAIN,
                )

    def most_useful(self, count: int, words: Sequence[bytes]) -> Subwords:
        """Return the *count* n-grams that matter most; the rows of all others become zero.

        The weight of a row is its length times the number of times that *words* contain an n-gram
        of its bucket.
        """
        if count >= len(self.rows):
            return self
        uses = np.zeros(len(self.rows), dtype=np.int64)
        for _, which, buckets in self.ngrams.batches(words):
            np.add.at(uses, self._places(which, buckets)[1], 1)
        kept = np.sort(np.argsort(-(uses * self.norms()), kind="stable")[:count])
        ids = self.ids if len(self.ids) else np.arange(len(self.rows), dtype=np.int32)
        if isinstance(self.rows, PackedRows):
            scales = self.rows.scales
            rows: NDArray[np.float32] | PackedRows = PackedRows(
                self.rows.packed[kept], None if scales is None else scales[kept]
            )
        else:
            rows = self.rows[kept]
        return replace(self, rows=rows, ids=ids[kept])

    def encode(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean rows of the n-grams of each word, float32 (len(words), d).

        The result for a word without n-grams, or without any that has a row, is zeros.
        """
        return self.compose(word_bytes(words))

    def compose(
        self, words: Sequence[bytes], own: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the vectors of words in UTF-8, float32 (len(words), d).

        Args:
            words: the bytes of words.
            own: the words' own rows, (len(words), d), each of which counts as one more n-gram.
                Without it, the vector of a word none of whose n-grams has a row is zeros.
        """
        result = np.zeros((len(words), self.rows.shape[1]), dtype=np.float32)
        for start in range(0, len(words), _BATCH):
            block = slice(start, start + _BATCH)
            which, buckets = self.ngrams.of(words[block])
            sums, sizes, known = self._sums(which, buckets, len(words[block]))
            if own is not None:
                sums += own[block]
                sizes += 1
                known[:] = True
            result[block] = sums / np.maximum(sizes, 1).astype(np.float32)[:, None]
            if self.offset is not None:
                result[block] += known[:, None] * self.offset
        return result

    def own_rows(self, words: Sequence[bytes], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the words' own rows, which compose *vectors* together with the n-grams' rows."""
        result = np.empty(vectors.shape, dtype=np.float32)
        for block, which, buckets in self.ngrams.batches(words):
            sums, sizes, _ = self._sums(which, buckets, len(words[block]))
            means = vectors[block] if self.offset is None else vectors[block] - self.offset
            result[block] = means * (sizes + 1).astype(np.float32)[:, None] - sums
        return result

    def _sums(
        self, which: NDArray[np.int64], buckets: NDArray[np.int64], words: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
        """Return what means of n-grams need, for each of some words.

        Returns:
            The sums of the rows of their n-grams, float32 (words, d), the numbers by which to
            divide them, and whether any of their n-grams has a row.
        """
        sums = np.zeros((words, self.rows.shape[1]), dtype=np.float32)
        sizes = np.bincount(which, minlength=words)
        which, places = self._places(which, buckets)
        if self.pruned:
            sizes = np.bincount(which, minlength=words)
        known = np.zeros(words, dtype=np.bool_)
        if len(which):
            starts = np.flatnonzero(np.diff(which, prepend=-1))
            sums[which[starts]] = np.add.reduceat(self.rows[places], starts, axis=0)
            known[which] = True
        return sums, sizes, known

    def _places(
        self, which: NDArray[np.int64], buckets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the words and the row numbers of those n-grams that have a row."""
        if not len(self.ids):
            return which, buckets
        places = np.minimum(np.searchsorted(self.ids, buckets), len(self.ids) - 1)
        present = self.ids[places] == buckets
        return which[present], places[present]


def stored_subwords(
    path: Path, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
) -> Subwords | None:
    """Return the n-grams of a directory, or None if it has none.

    Raises:
        ModelError: they are damaged.
    """
    try:
        return Subwords.of_model(config, tensors)
    except ValueError as error:
        raise ModelError(f"{path} is damaged: {error}.", hint=RESTORE_HINT) from error
