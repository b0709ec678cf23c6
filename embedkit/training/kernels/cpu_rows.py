"""Means of rows in the CPU kernel: words composed of n-grams, and the contexts of CBOW."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from embedkit.training.kernels.simd_rows import add_change, mean_of_rows, prefetch_row

__all__ = ["average", "move_window", "prefetch_members", "share_of", "slots_of", "spread"]


@njit
def prefetch_members(inputs: Any, starts: Any, members: Any, word: Any) -> None:
    """Prefetch the rows that a word is composed of."""
    for place in range(starts[word], starts[word + 1]):
        prefetch_row(inputs, members[place], inputs.shape[1])


@njit
def _enter(inputs, starts, members, word, ring, slot, width):  # type: ignore[no-untyped-def]
    """Compose a word that enters the window, in two rows: one to train, one to remember."""
    first, last = starts[word], starts[word + 1]
    scale = np.float32(1.0) / np.float32(last - first)
    mean_of_rows(inputs, members, first, last, width, scale, ring[2 * slot : 2 * slot + 2])


@njit
def _leave(inputs, starts, members, shares, word, ring, slot, width):  # type: ignore[no-untyped-def]
    """Add the change of a word that leaves the window to each of its rows, as fastText does."""
    first, last = starts[word], starts[word + 1]
    pair = ring[2 * slot : 2 * slot + 2]
    add_change(inputs, members, first, last, width, shares[word], pair)


@njit
def move_window(  # type: ignore[no-untyped-def]
    inputs, starts, members, shares, words, ring, left, leave_to, entered, enter_to, width
):  # fmt: skip
    """Let the words of slots [left, leave_to) leave, and those of [entered, enter_to) enter.

    A slot has two rows in the ring, so the last words of a window share theirs with the first ones
    of the next, which must have left. Returns the new *left* and *entered*.
    """
    size = len(ring) // 2
    while left < leave_to:
        _leave(inputs, starts, members, shares, words[left], ring, left % size, width)
        left += 1
    while entered < enter_to:
        _enter(inputs, starts, members, words[entered], ring, entered % size, width)
        entered += 1
    return left, entered


@njit
def slots_of(slot, begin, end, reach, size, contexts):  # type: ignore[no-untyped-def]
    """Write the rows of the ring that hold the words up to *reach* slots from a center."""
    count = 0
    for other in range(max(begin, slot - reach), min(end, slot + reach + 1)):
        if other != slot:
            contexts[count] = 2 * (other % size)
            count += 1


@njit
def average(source, contexts, count, mean, width, weights, position):  # type: ignore[no-untyped-def]
    """Write the mean of the context rows, in two rows: one to train, one to remember.

    If *position* is not negative, it is the number of the first of *count* rows of *weights*, by
    which the contexts are multiplied.
    """
    scale = np.float32(1.0) / np.float32(count)
    if position < 0:
        mean_of_rows(source, contexts, 0, count, width, scale, mean)
        return
    for column in range(width):
        mean[1, column] = np.float32(0.0)
    for number in range(count):
        for column in range(width):
            weight = weights[position + number, column]
            mean[1, column] += weight * source[contexts[number], column]
    for column in range(width):
        mean[1, column] *= scale
        mean[0, column] = mean[1, column]


@njit
def share_of(contexts, count):  # type: ignore[no-untyped-def]
    """Return count / sum(m ** 2), where m is how often each context occurs: 1 without repetition.

    That part of the change of the mean, added to each context, moves the mean by the change.
    """
    pairs = 0  # of equal contexts
    for first in range(count):
        for second in range(first):
            pairs += contexts[first] == contexts[second]
    return np.float32(max(count, 1)) / np.float32(max(count, 1) + 2 * pairs)


@njit
def spread(source, contexts, count, mean, width, share, weights, position):  # type: ignore[no-untyped-def]
    """Add *share* times the change of the mean to each context row, as word2vec does.

    With position weights, it is multiplied by the weight; the weight changes by the product of the
    context row and its part of the change.
    """
    if position < 0:
        add_change(source, contexts, 0, count, width, share, mean)
        return
    scale = np.float32(1.0) / np.float32(count)
    for number in range(count):
        for column in range(width):
            old = source[contexts[number], column]
            change = share * (mean[0, column] - mean[1, column])
            source[contexts[number], column] = old + weights[position + number, column] * change
            weights[position + number, column] += scale * old * change
