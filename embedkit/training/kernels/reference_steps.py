"""The order of steps on a GPU, in NumPy and float64: the oracle of its kernels.

`reference_layouts` defines what a step computes. A GPU takes the steps of a few centers at once,
from the rows before the step, and composes words of several rows once for a batch of centers.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embedkit.training.kernels import reference
from embedkit.training.kernels.layout import InputLayout

__all__ = ["train_batches"]


def train_batches(
    inputs: NDArray[np.float64],
    outputs: NDArray[np.float64],
    dimension: int,
    tokens: NDArray[np.int32],
    boundaries: NDArray[np.int64],
    cuts: Sequence[int],
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    aliases: NDArray[np.int32],
    rate: float,
    window: int,
    negative: int,
    key: int,
    layout: InputLayout,
    centers: int,
) -> tuple[int, float]:
    """Train on the batches tokens[cuts[0]:cuts[1]], tokens[cuts[1]:cuts[2]] and so on.

    The words of a batch are composed before it. After it, their changes are added to their rows,
    as in `reference_layouts`, except that the sum of the changes to a row is divided by their
    agreement, the squared length of the sum over the sum of the squared lengths, where that is
    above 1.

    For the other arguments, see `reference.train_range`.
    """
    inputs, outputs = inputs[:, :dimension], outputs[:, :dimension]
    pairs, loss = 0, 0.0
    train = _train_means if layout.cbow else reference.train_range
    for start, stop in itertools.pairwise(cuts):
        vectors = _composed(inputs, layout) if layout.composed else inputs
        before = vectors.copy()
        done = train(
            vectors, outputs, dimension, tokens, boundaries, start, stop, keep, noise, aliases,
            rate, window, negative, key, centers=centers,
        )  # fmt: skip
        if layout.composed:
            _scatter(inputs, layout, layout.shares[:, None] * (vectors - before))
        pairs, loss = pairs + done[0], loss + done[1]
    return pairs, loss


def _composed(inputs: NDArray[np.float64], layout: InputLayout) -> NDArray[np.float64]:
    rows = [layout.members[low:high] for low, high in itertools.pairwise(layout.starts)]
    return np.array([inputs[ids].mean(axis=0) for ids in rows])


def _scatter(
    inputs: NDArray[np.float64], layout: InputLayout, changes: NDArray[np.float64]
) -> None:
    """Add the change of each word to its rows, as often as they occur in it."""
    sums = np.zeros_like(inputs)
    squares = np.zeros(len(inputs))
    for (low, high), change in zip(itertools.pairwise(layout.starts), changes, strict=True):
        ids, times = np.unique(layout.members[low:high], return_counts=True)
        sums[ids] += np.outer(times, change)
        squares[ids] += times**2 * (change**2).sum()
    changed = squares > 0
    agreement = (sums[changed] ** 2).sum(axis=1) / squares[changed]
    inputs[changed] += sums[changed] / np.maximum(1.0, agreement)[:, None]


def _train_means(
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
    *,
    centers: int,
) -> tuple[int, float]:
    """Train CBOW, a step for every *centers* kept words; see `reference_layouts.train_range`."""
    inputs, outputs = inputs[:, :dimension], outputs[:, :dimension]
    pairs, loss = 0, 0.0
    found = reference.windows(
        tokens, boundaries, start, stop, keep, noise, aliases, window, negative, key
    )
    while taken := list(itertools.islice(found, centers)):
        taken = [(near, words) for near, words in taken if near]
        if not taken:
            continue
        contexts = [tokens[near].astype(np.int64) for near, _ in taken]
        words = [word for _, words in taken for word in words]
        live = np.zeros((len(taken), len(words)))
        for number, (_, own) in enumerate(taken):
            first = number * (negative + 1)
            live[number, first : first + len(own)] = [1.0, *(word != own[0] for word in own[1:])]
        labels = np.tile(np.eye(1, negative + 1)[0], len(taken))
        means = np.array([inputs[rows].mean(axis=0) for rows in contexts])
        before = means.copy()
        loss += reference.step(
            means, outputs, list(range(len(taken))), words, labels, live, rate, centers,
            at_once=True,
        )  # fmt: skip
        for rows, change in zip(contexts, means - before, strict=True):
            _, times = np.unique(rows, return_counts=True)
            np.add.at(inputs, rows, len(rows) / float((times**2).sum()) * change)
        pairs += int(live.sum())
    return pairs, loss
