"""The steps of random walks, compiled by Numba.

They are compiled, or loaded from Numba's cache, when this module is imported: walking does that,
nothing else. Draws are those of `system.random.draw`, keyed by the seed, the number of the walk
and the number of the draw: a walk is the same whichever thread takes it.

In all of them *graph* is offsets, neighbors and sums: see `Graph` and `sums_of_weights`; there are
no sums if all weights are the same. *biases* are 1/p and 1/q of node2vec.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from embedkit.system.random import GOLDEN, mix

__all__ = ["sums_of_weights", "walk"]

_GOLDEN = np.uint64(GOLDEN)
_mix: Any = njit(mix)


@njit
def _fraction(first: Any, number: Any) -> Any:
    """Return a number that is evenly distributed from 0 to below 1, of 53 bits."""
    return (_mix(first + np.uint64(number) * _GOLDEN) >> np.uint64(11)) * 2.0**-53


@njit
def _first_above(numbers: Any, low: Any, high: Any, target: Any) -> Any:
    """Return the first place from low to below high whose number is above target, or high."""
    while low < high:
        middle = (low + high) // 2
        if numbers[middle] > target:
            high = middle
        else:
            low = middle + 1
    return low


@njit
def _propose(sums: Any, low: Any, high: Any, fraction: Any) -> Any:
    """Return a place from low to below high, each as likely as its weight says."""
    if len(sums) == 0:
        return low + np.int64(fraction * (high - low))
    return _first_above(sums, low, high - 1, fraction * sums[high - 1])


@njit
def _bias(graph: Any, previous: Any, node: Any, biases: Any) -> Any:
    """Return node2vec's alpha: 1/p, 1 or 1/q as node is 0, 1 or 2 edges away from the previous."""
    if node == previous:
        return biases[0]
    offsets, neighbors, _ = graph
    high = offsets[previous + 1]
    place = _first_above(neighbors, offsets[previous], high, node - 1)
    return 1.0 if place < high and neighbors[place] == node else biases[1]


@njit
def _summed_to(graph: Any, previous: Any, low: Any, high: Any, biases: Any, target: Any) -> Any:
    """Add up weight times bias until that is above target; return the last place, and the sum."""
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
    """Return a place, as likely as weight times bias says, and the number of the last draw.

    Proposals by weight are accepted by bias (rejection sampling, as in KnightKing, Yang et al.
    2019). After as many as there are neighbours, looking at all of these costs no more; what was
    rejected before does not change the odds.
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


def _sums_of_weights(offsets: Any, weights: Any) -> Any:
    """Return the running sums of the weights of each node's neighbours, (neighbours,)."""
    sums = np.empty(len(weights))
    for node in range(len(offsets) - 1):
        total = 0.0
        for place in range(offsets[node], offsets[node + 1]):
            total += weights[place]
            sums[place] = total
    return sums


def _walk(graph: Any, starts: Any, number: Any, key: Any, biases: Any, walks: Any) -> None:
    """Fill in walks; what comes after a dead end stays as it was.

    Args:
        graph, biases: see above.
        starts: the first nodes, (walks,) int32.
        number: of the first walk; the others count on from it.
        key: see `random.epoch_key`.
        walks: (walks, length) int32.
    """
    offsets, neighbors, sums = graph
    uniform = biases[0] == 1.0 and biases[1] == 1.0
    for row in range(len(starts)):
        first = _mix(key + np.uint64(number + row + 1) * _GOLDEN)
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
    except RuntimeError:  # Numba found no folder that it may write to
        return njit(signature, nogil=True)(function)


sums_of_weights = _compiled(_sums_of_weights, _SUMS)
walk = _compiled(_walk, _WALK)
