"""The random choices of the CPU kernel: kept words, window sizes, negative samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from embedkit.system.random import FIRST_MULTIPLIER, GOLDEN_GAMMA, SECOND_MULTIPLIER

__all__ = ["contexts_of", "draw_outputs", "gather", "sentence_at"]

_GAMMA, _FIRST, _SECOND = map(np.uint64, (GOLDEN_GAMMA, FIRST_MULTIPLIER, SECOND_MULTIPLIER))


@njit(inline="always")
def _mix(value: Any) -> Any:
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


@njit(inline="always")
def _first_draw(key: Any, position: Any) -> Any:
    return _mix(key + np.uint64(position + 1) * _GAMMA)


@njit(inline="always")
def _is_kept(word: Any, bits: Any, thresholds: Any) -> Any:
    return word < len(thresholds) and np.uint32(bits >> np.uint64(32)) <= thresholds[word]


@njit(inline="always")
def _negative(first: Any, number: Any, thresholds: Any, aliases: Any) -> Any:
    bits = _mix(first + np.uint64(number) * _GAMMA)
    place = ((bits >> np.uint64(32)) * np.uint64(len(aliases))) >> np.uint64(32)
    word = np.int64(place)
    alias = np.int64(aliases[word])  # read in any case: a branch would be mispredicted
    return alias if np.uint32(bits & np.uint64(0xFFFFFFFF)) > thresholds[word] else word


@njit
def gather(tokens, low, high, start, stop, window, key, keep, words, draws):  # type: ignore[no-untyped-def]
    """Collect the words of tokens[start:stop] that subsampling keeps, with their context.

    The context is up to *window* kept words on either side, in tokens[low:high].

    Returns:
        The first and last slot in use, then the first and last slot of the centers.
    """
    first = window
    position = start - 1
    while position >= low and first > 0:
        bits = _first_draw(key, position)
        if _is_kept(tokens[position], bits, keep):
            first -= 1
            words[first] = tokens[position]
        position -= 1
    slot = window
    for position in range(start, stop):
        bits = _first_draw(key, position)
        # Written in any case: a branch would be mispredicted.
        word = tokens[position]
        words[slot] = word
        draws[slot] = bits
        known = word < len(keep)
        threshold = keep[word if known else 0]
        slot += known & (np.uint32(bits >> np.uint64(32)) <= threshold)
    last_center = slot
    position = stop
    while position < high and slot < last_center + window:
        bits = _first_draw(key, position)
        if _is_kept(tokens[position], bits, keep):
            words[slot] = tokens[position]
            slot += 1
        position += 1
    return first, slot, window, last_center


@njit
def draw_outputs(center, first, negative, thresholds, aliases, rows, rates, rate, unused):  # type: ignore[no-untyped-def]
    """Write the output rows of a center and their learning rates, padded to whole groups."""
    rows[0] = center
    rates[0] = rate
    for number in range(1, negative + 1):
        word = _negative(first, number, thresholds, aliases)
        rows[number] = word
        # A negative sample equal to the center is ignored, as in word2vec.
        rates[number] = np.float32(0.0) if word == center else rate
    for number in range(negative + 1, len(rows)):
        rows[number] = unused
        rates[number] = np.float32(0.0)


@njit
def contexts_of(words, slot, begin, end, reach, contexts):  # type: ignore[no-untyped-def]
    """Write the words up to *reach* slots from a center; return their number."""
    count = 0
    for other in range(max(begin, slot - reach), min(end, slot + reach + 1)):
        if other != slot:
            contexts[count] = words[other]
            count += 1
    return count


@njit
def sentence_at(boundaries, position):  # type: ignore[no-untyped-def]
    """Return the number of the sentence at a position; np.searchsorted compiles slowly."""
    low, high = 0, len(boundaries) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if boundaries[middle] <= position:
            low = middle
        else:
            high = middle
    return low
