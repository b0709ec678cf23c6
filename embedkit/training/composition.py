"""Which rows of the input matrix a word is made of, by the settings of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.ngrams import Ngrams, word_bytes
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.training.config import TrainingConfig
from embedkit.training.initial import random_vectors
from embedkit.training.kernels.layout import InputLayout
from embedkit.training.sampling import keep_probabilities
from embedkit.vectors.subwords import Subwords

if TYPE_CHECKING:
    from embedkit.training.warm_start import WarmStart

__all__ = ["InputRows"]

_BATCH = 1 << 8  # words


class InputRows:
    """The rows of the input matrix: words, then n-grams, then position weights.

    Attributes:
        words: number of words, whose own rows come first.
        ids: int32, the bucket of each row of n-grams, ascending.
        ngrams: the n-grams that words are composed of, or None.
        layout: as kernels need it.
        count: number of all rows.

    Raises:
        ConfigurationError: no word is long enough to have an n-gram.
    """

    def __init__(self, vocabulary: Vocabulary, config: TrainingConfig) -> None:
        words = vocabulary.words()
        self.words = len(words)
        self.ngrams = config.ngrams
        self.ids = np.zeros(0, dtype=np.int32)
        self.layout = InputLayout(config.architecture == "cbow")
        if self.ngrams is not None:
            self.ids, starts, members = _members(words, self.ngrams)
            if not len(self.ids):
                raise ConfigurationError(
                    f"no word has an n-gram of min_ngram={self.ngrams.shortest} characters, "
                    "including the < and > that enclose it.",
                    hint="Lower --min-ngram (min_ngram), or use --encoder skipgram.",
                )
            self.layout = replace(self.layout, starts=starts, members=members)
            self.layout = replace(self.layout, shares=_shares(self.layout, vocabulary, config))
        self.count = self.words + len(self.ids)
        if config.position_weights:
            self.layout = replace(self.layout, positions=self.count)
            self.count += 2 * config.window

    @property
    def of_ngrams(self) -> slice:
        """The rows of n-grams."""
        return slice(self.words, self.words + len(self.ids))

    def beside(self, words: int) -> NDArray[np.int64]:
        """Return the rows, besides their own, that the first *words* words are trained with.

        These are the rows of their n-grams, and all position weights.
        """
        starts, members = self.layout.starts, self.layout.members
        rows = np.unique(members[: starts[words]]) if self.layout.composed else members
        own = np.searchsorted(rows, self.words)
        positions = np.arange(self.words + len(self.ids), self.count)
        return np.concatenate([rows[own:].astype(np.int64), positions])

    def initial(self, dimension: int, seed: int) -> NDArray[np.float32]:
        """Return initial input rows, float32 (count, dimension).

        They are those of `random_vectors`; position weights are 1.
        """
        rows = random_vectors(self.count, dimension, seed, composed=self.layout.composed)
        if self.layout.positions >= 0:
            rows[self.layout.positions :] = 1.0
        return rows

    def continued(self, start: WarmStart, dimension: int, seed: int) -> NDArray[np.float32]:
        """Return input rows that continue from a model; those that it lacks are as in `initial`.

        If the window has changed, positions keep their weights by their distance from the center.
        """
        rows = self.initial(dimension, seed)
        rows[: self.words] = start.vectors
        if start.subwords is not None and len(self.ids):
            old = start.subwords
            buckets = old.ids if len(old.ids) else np.arange(len(old.rows), dtype=np.int32)
            places = np.minimum(np.searchsorted(buckets, self.ids), len(buckets) - 1)
            known = np.flatnonzero(buckets[places] == self.ids)
            rows[self.words + known] = old.rows[places[known]]
        if start.positions is not None and self.layout.positions >= 0:
            old_weights, weights = start.positions, rows[self.layout.positions :]
            shared = min(len(old_weights), len(weights)) // 2  # positions on either side
            middle, old_middle = len(weights) // 2, len(old_weights) // 2
            weights[middle - shared : middle + shared] = old_weights[
                old_middle - shared : old_middle + shared
            ]
        return rows

    def subwords(self, inputs: NDArray[np.float32]) -> Subwords | None:
        """Return the n-grams of input rows, a view, or None."""
        if self.ngrams is None:
            return None
        return Subwords(inputs[self.of_ngrams], self.ngrams, self.ids)

    def positions(self, inputs: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Return the position weights of input rows, a view, or None."""
        first = self.layout.positions
        return inputs[first:] if first >= 0 else None

    def compose(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the vectors of the words, made of input rows: float32 (words, dimension).

        They are read-only, as input rows are.
        """
        starts, members = self.layout.starts, self.layout.members
        if not self.layout.composed:
            return inputs[: self.words]
        vectors = np.empty((self.words, inputs.shape[1]), dtype=np.float32)
        for first in range(0, self.words, _BATCH):
            last = min(first + _BATCH, self.words)
            rows = members[starts[first] : starts[last]]
            places = starts[first:last] - starts[first]
            vectors[first:last] = np.add.reduceat(inputs[rows], places, axis=0)
        vectors /= np.diff(starts).astype(np.float32)[:, None]
        vectors.flags.writeable = False
        return vectors


def _members(
    words: Sequence[str], ngrams: Ngrams
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Return the buckets of the rows of n-grams, and the rows that each word is made of."""
    sizes = np.ones(len(words), dtype=np.int64)
    found = []
    for block, which, buckets in ngrams.batches(word_bytes(words)):
        sizes[block] += np.bincount(which, minlength=block.stop - block.start)
        found.append(buckets.astype(np.int32))
    buckets = np.concatenate(found) if found else np.zeros(0, dtype=np.int32)
    ids, places = np.unique(buckets, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    members = np.empty(starts[-1], dtype=np.int32)
    of_ngrams = np.ones(len(members), dtype=np.bool_)
    of_ngrams[starts[:-1]] = False
    members[starts[:-1]] = np.arange(len(words), dtype=np.int32)
    members[of_ngrams] = places + len(words)
    return ids.astype(np.int32), starts, members


def _shares(
    layout: InputLayout, vocabulary: Vocabulary, config: TrainingConfig
) -> NDArray[np.float32]:
    """Return the part of a word's change that each of its rows gets; see `InputLayout.shares`."""
    starts, _, times = layout.distinct()
    sizes = np.diff(layout.starts)
    shares = sizes / np.add.reduceat(times.astype(np.float64) ** 2, starts[:-1])
    kept = vocabulary.counts * keep_probabilities(
        vocabulary.counts, int(vocabulary.counts.sum()), config.sample or 0.0
    )
    # What part of its change a random word of the text adds to each row, and so to each mean.
    chances = kept / (kept.sum() or 1.0)
    rows = np.bincount(layout.members, np.repeat(chances * shares, sizes))
    means = np.add.reduceat(rows[layout.members], layout.starts[:-1]) / sizes
    return (shares / np.maximum(2 * config.window * means, 1.0)).astype(np.float32)
