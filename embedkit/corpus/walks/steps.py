"""The steps of random walks, compiled by Numba.

They are compiled, or loaded from Numba's cache, when this module is imported, so it is imported
only to make walks. Random draws come from `system.random.draw`, keyed by the seed, the number of
the walk and the number of the draw, so a walk does not depend on the thread that computes it.

In all functions, *graph* is the tuple (offsets, neighbors, sums); see `Graph` and
`cumulative_weights`. *sums* is empty if all weights are equal. *biases* is (1/p, 1/q) of node2vec.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from embedkit.system.random import GOLDEN_GAMMA, mix

__all__ = ["cumulative_weights", "walk"]

_GAMMA = np.uint64(GOLDEN_GAMMA)
_mix: Any = njit(mix)


@njit
def _fraction(first: Any, number: Any) -> Any:
    """Return a uniform number in [0, 1), with 53 bits."""
    return (_mix(first + np.uint64(number) * _GAMMA) >> np.uint64(11)) * 2.0**-53


@njit
def _first_above(numbers: Any, low: Any, high: Any, target: Any) -> Any:
    """Return the first index in [low, high) whose number is above target, or high."""
    while low < high:
        middle = (low + high) // 2
        if numbers[middle] > target:
            high = middle
        else:
            low = middle + 1
    return low


@njit
def _propose(sums: Any, low: Any, high: Any, fraction: Any) -> Any:
    """Return an index in [low, high), drawn in proportion to the weights."""
    if len(sums) == 0:
        return low + np.int64(fraction * (high - low))
    return _first_above(sums, low, high - 1, fraction * sums[high - 1])


@njit
def _bias(graph: Any, previous: Any, node: Any, biases: Any) -> Any:
    """Return alpha of node2vec: 1/p, 1 or 1/q if node is 0, 1 or 2 edges from previous."""
    if node == previous:
        return biases[0]
    offsets, neighbors, _ = graph
    high = offsets[previous + 1]
    place = _first_above(neighbors, offsets[previous], high, node - 1)
    return 1.0 if place < high and neighbors[place] == node else biases[1]


@njit
def _summed_to(graph: Any, previous: Any, low: Any, high: Any, biases: Any, target: Any) -> Any:
    """Add up weight * bias until the sum is above target; return the last index and the sum."""
    _, neighbors, sums = graph
    total = 0.0
    for place in range(low, high):
        weight = 1.0
        if len(sums) > 0:
            weight = sums[place] - (sums[place - 1] if place > low else 0.0)
        total += weight * _bias(graph, previous, neighbors[place], biases)
        if total > target:
            return place, total
    return high - 1, total


@njit
def _propose_biased(
    graph: Any, previous: Any, low: Any, high: Any, biases: Any, first: Any, number: Any
) -> Any:
    """Return an index drawn in proportion to weight * bias, and the number of the last draw.

    Rejection sampling as in KnightKing (Yang et al. 2019): propose by weight, accept by bias. After
    as many rejections as there are neighbors, sample from the exact distribution, which costs no
    more by then. The rejections do not change the probabilities.
    """
    _, neighbors, sums = graph
    largest = max(biases[0], 1.0, biases[1])
    smallest = min(biases[0], 1.0, biases[1])
    for _ in range(low, high):
        place = _propose(sums, low, high, _fraction(first, number + 1))
        height = _fraction(first, number + 2) * largest
        number += 2
        if height < smallest or height < _bias(graph, previous, neighbors[place], biases):
            return place, number
    number += 1
    total = _summed_to(graph, previous, low, high, biases, np.inf)[1]
    target = _fraction(first, number) * total
    return _summed_to(graph, previous, low, high, biases, target)[0], number


def _cumulative_weights(offsets: Any, weights: Any) -> Any:
    """Return the cumulative sums of each node's edge weights, (neighbors,)."""
    sums = np.empty(len(weights))
    for node in range(len(offsets) - 1):
        total = 0.0
        for place in range(offsets[node], offsets[node + 1]):
            total += weights[place]
            sums[place] = total
    return sums


def _walk(graph: Any, starts: Any, number: Any, key: Any, biases: Any, walks: Any) -> None:
    """Write walks; entries after a dead end are not written.

    Args:
        graph, biases: see the module docstring.
        starts: the first nodes, (walks,) int32.
        number: the number of the first walk; the others follow.
        key: see `random.epoch_key`.
        walks: output, (walks, length) int32.
    """
    offsets, neighbors, sums = graph
    uniform = biases[0] == 1.0 and biases[1] == 1.0
    for row in range(len(starts)):
        first = _mix(key + np.uint64(number + row + 1) * _GAMMA)
        node = previous = starts[row]
        drawn = 0
        walks[row, 0] = node
        for step in range(1, walks.shape[1]):
            low, high = offsets[node], offsets[node + 1]
            if low == high:
                break
            if uniform or step == 1:
                drawn += 1
                place = _propose(sums, low, high, _fraction(first, drawn))
            else:
                place, drawn = _propose_biased(graph, previous, low, high, biases, first, drawn)
            previous, node = node, neighbors[place]
            walks[row, step] = node


_OFFSETS = types.Array(types.int64, 1, "C", readonly=True)
_IDS = types.Array(types.int32, 1, "C", readonly=True)
_NUMBERS = types.Array(types.float64, 1, "C", readonly=True)
_GRAPH = types.Tuple((_OFFSETS, _IDS, _NUMBERS))  # type: ignore[no-untyped-call]
_BIASES = types.UniTuple(types.float64, 2)  # type: ignore[no-untyped-call]
_WALK = types.void(_GRAPH, _IDS, types.int64, types.uint64, _BIASES, types.int32[:, ::1])
_SUMS = types.float64[::1](_OFFSETS, _NUMBERS)


def _compiled(function: Any, signature: Any) -> Any:
    try:
        return njit(signature, nogil=True, cache=True)(function)
    except RuntimeError:  # Numba found no writable cache folder
        return njit(signature, nogil=True)(function)


cumulative_weights = _compiled(_cumulative_weights, _SUMS)
walk = _compiled(_walk, _WALK)
