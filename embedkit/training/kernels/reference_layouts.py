"""CBOW and words composed of several rows, in NumPy and float64: the oracle of the fast kernels.

`reference` defines skip-gram on words of one row. Random draws and gradient steps are the same.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from embedkit.system.random import draw
from embedkit.training.kernels import GROUP
from embedkit.training.kernels.layout import InputLayout
from embedkit.training.kernels.reference import kept, noise_word, step

__all__ = ["train_range"]


class _Window:
    """The vectors of the words around a center.

    A word is composed when it enters the window, as the mean of its rows. Training changes that
    vector. When the word leaves the window, its share of the change is added to each of its rows,
    as fastText adds a gradient to each.

    Attributes:
        vectors: the vectors of the kept words of a range, (words, dimension); those in the window
            are up to date.
    """

    def __init__(
        self, inputs: NDArray[np.float64], layout: InputLayout, words: NDArray[np.int32]
    ) -> None:
        self._inputs = inputs
        self._members = [layout.members[layout.starts[w] : layout.starts[w + 1]] for w in words]
        self._shares = layout.shares[words]
        self._first = self._last = 0
        self._composed = np.zeros((len(words), inputs.shape[1]))
        self.vectors = np.zeros_like(self._composed)

    def move_to(self, first: int, last: int) -> None:
        """Let the words before place *first* leave, then those before *last* enter."""
        for place in range(self._first, first):
            change = self._shares[place] * (self.vectors[place] - self._composed[place])
            np.add.at(self._inputs, self._members[place], change)
        for place in range(self._last, last):
            self._composed[place] = self._inputs[self._members[place]].mean(axis=0)
            self.vectors[place] = self._composed[place]
        self._first, self._last = max(first, self._first), max(last, self._last)


def train_range(
    inputs: NDArray[np.float64],
    outputs: NDArray[np.float64],
    dimension: int,
    tokens: NDArray[np.int32],
    boundaries: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    aliases: NDArray[np.int32],
    rate: float,
    window: int,
    negative: int,
    key: int,
    layout: InputLayout,
) -> tuple[int, float]:
    """Train on the centers tokens[start:stop], as `reference.train_range` does.

    With CBOW, the mean of the contexts is paired with the center and with the negative samples. The
    whole change of the mean is added to each context, as in word2vec; if words are repeated among
    the contexts, less, so that the mean moves by the change and not by a multiple of it. With
    position weights (Mikolov et al. 2018, arXiv:1712.09405), a context is multiplied by the weight
    of its position, and so is its change; the weight moves along its gradient.
    """
    inputs, outputs = inputs[:, :dimension], outputs[:, :dimension]
    pairs, loss = 0, 0.0
    for low, high in itertools.pairwise(boundaries):
        first, last = max(int(low), start), min(int(high), stop)
        before = list(kept(tokens, range(first - 1, low - 1, -1), key, keep))[:window][::-1]
        centers = list(kept(tokens, range(first, last), key, keep))
        after = list(kept(tokens, range(last, high), key, keep))[:window]
        if not centers:
            continue
        words = tokens[[*before, *centers, *after]]
        around = _Window(inputs, layout, words) if layout.composed else None
        for place, position in enumerate(centers, start=len(before)):
            if around:
                around.move_to(place - window, min(place + window + 1, len(words)))
            reach = 1 + (((draw(key, position) & 0xFFFFFFFF) * window) >> 32)
            places = range(max(place - reach, 0), min(place + reach + 1, len(words)))
            near = np.array([other for other in places if other != place], dtype=np.int64)
            samples = [
                noise_word(draw(key, position, n), noise, aliases) for n in range(1, negative + 1)
            ]
            targets = [int(words[place]), *samples]
            source, rows = (
                (around.vectors, near) if around else (inputs, words[near].astype(np.int64))
            )
            if not len(near):
                continue
            if not layout.cbow:
                done = _train(source, outputs, rows.tolist(), targets, rate)
            else:
                weights = None
                if layout.positions >= 0:
                    weights = inputs[layout.positions :]
                    weights = weights[: 2 * window]
                offsets = near - place + window - (near > place)
                _, times = np.unique(words[near], return_counts=True)
                share = len(near) / float((times**2).sum())
                done = _train_mean(source, outputs, rows, targets, rate, share, weights, offsets)
            pairs, loss = pairs + done[0], loss + done[1]
        if around:
            around.move_to(len(words), 0)
    return pairs, loss


def _train(
    source: NDArray[np.float64],
    outputs: NDArray[np.float64],
    rows: list[int],
    targets: list[int],
    rate: float,
) -> tuple[int, float]:
    """Train rows on a center and its negative samples; return the number of pairs and the loss."""
    labels = np.eye(1, len(targets))[0]
    live = np.array([1.0, *(word != targets[0] for word in targets[1:])])
    loss = 0.0
    for first in range(0, len(targets), GROUP):
        group = slice(first, first + GROUP)
        loss += step(source, outputs, rows, targets[group], labels[group], live[group], rate)
    return len(rows) * int(live.sum()), loss


def _train_mean(
    source: NDArray[np.float64],
    outputs: NDArray[np.float64],
    rows: NDArray[np.int64],
    targets: list[int],
    rate: float,
    share: float,
    weights: NDArray[np.float64] | None,
    offsets: NDArray[np.int64],
) -> tuple[int, float]:
    """Train the mean of rows, and let each row follow a share of its change."""
    factors = np.ones((len(rows), source.shape[1])) if weights is None else weights[offsets]
    mean = (factors * source[rows]).mean(axis=0)[None]
    before = mean.copy()
    done = _train(mean, outputs, [0], targets, rate)
    change = share * (mean - before)[0]
    for row, offset, factor in zip(rows, offsets, factors, strict=True):
        old = source[row].copy()
        source[row] += factor * change
        if weights is not None:
            weights[offset] += old * change / len(rows)
    return done
