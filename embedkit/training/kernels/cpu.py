"""The training kernel for CPUs, compiled by Numba; `reference.py` defines what it computes.

The kernel is compiled, or loaded from Numba's cache, when this module is imported. Only training
imports this module.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit, types

from embedkit.system import random
from embedkit.system.random import FIRST_MULTIPLIER, GOLDEN_GAMMA, SECOND_MULTIPLIER
from embedkit.training.kernels import GROUP
from embedkit.training.kernels.simd import prefetch_row, row_lanes, update_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["aligned_matrix", "train_range"]

_ROW_FLOATS = 16  # a cache line: rows are aligned to cache lines
_CACHE_LINE = 64
_LANES = 8  # floats in a row of gradients
_ROW_LANES = row_lanes()
_LARGE = 1e30
_GAMMA, _FIRST, _SECOND = map(np.uint64, (GOLDEN_GAMMA, FIRST_MULTIPLIER, SECOND_MULTIPLIER))


def aligned_matrix(rows: int, dimension: int) -> NDArray[np.float32]:
    """Return zeros, (rows, dimension rounded up to a multiple of 16), aligned to a cache line."""
    stride = -(-dimension // _ROW_FLOATS) * _ROW_FLOATS
    raw = np.zeros(rows * stride * 4 + _CACHE_LINE, dtype=np.uint8)
    start = -raw.ctypes.data % _CACHE_LINE
    return raw[start : start + rows * stride * 4].view(np.float32).reshape(rows, stride)


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
    if np.uint32(bits & np.uint64(0xFFFFFFFF)) > thresholds[word]:
        word = np.int64(aliases[word])
    return word


@njit
def _gather(tokens, low, high, start, stop, window, key, keep, words, draws):  # type: ignore[no-untyped-def]
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
        if _is_kept(tokens[position], bits, keep):
            words[slot] = tokens[position]
            draws[slot] = bits
            slot += 1
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
def _draw_outputs(center, first, negative, thresholds, aliases, rows, rates, rate, unused):  # type: ignore[no-untyped-def]
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
def _contexts(words, slot, begin, end, reach, contexts):  # type: ignore[no-untyped-def]
    """Write the words up to *reach* slots from a center; return their number."""
    count = 0
    for other in range(max(begin, slot - reach), min(end, slot + reach + 1)):
        if other != slot:
            contexts[count] = words[other]
            count += 1
    return count


@njit
def _train_center(  # type: ignore[no-untyped-def]
    inputs, outputs, width, contexts, count, rows, rates, labels, gradients, losses, loss, product
):  # fmt: skip
    """Take the steps of one center, one per group of output rows; return pairs and loss so far.

    The loss is *loss* + log(*product*): multiplying the factors instead of adding their logarithms
    costs only one logarithm every few centers.
    """
    pairs = 0
    for first in range(0, len(rows), GROUP):
        labels[0, 0] = np.float32(first == 0)
        for lane in range(GROUP):
            labels[1, lane] = rates[first + lane]
            if rates[first + lane] > 0:
                pairs += count
        update_group(
            inputs, outputs, contexts, count, rows[first : first + GROUP], inputs.shape[1], width,
            labels, gradients, losses,
        )  # fmt: skip
        loss += losses[0]
        product *= losses[1]
        if product > _LARGE:
            loss += np.log(product)
            product = 1.0
    return pairs, loss, product


@njit
def _sentence_at(boundaries, position):  # type: ignore[no-untyped-def]
    """Return the number of the sentence at a position; np.searchsorted compiles slowly."""
    low, high = 0, len(boundaries) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if boundaries[middle] <= position:
            low = middle
        else:
            high = middle
    return low


_WORDS = types.Array(types.int32, 1, "C", readonly=True)
_OFFSETS = types.Array(types.int64, 1, "C", readonly=True)
_THRESHOLDS = types.Array(types.uint32, 1, "C", readonly=True)
_MATRIX = types.float32[:, ::1]
_ROWS = types.int64[::1]
_WORKSPACE = (
    _ROWS, types.uint64[::1], _ROWS, types.int64[:, ::1], _MATRIX, _MATRIX, _MATRIX,
    types.float64[::1],
)  # fmt: skip
_SIGNATURE = types.Tuple((types.int64, types.float64))(  # type: ignore[no-untyped-call]
    _MATRIX, _MATRIX, types.int64, _WORDS, _OFFSETS, types.int64, types.int64, _THRESHOLDS,
    _THRESHOLDS, _WORDS, types.float32, types.int64, types.int64, types.uint64, *_WORKSPACE,
)  # fmt: skip


def _workspace(tokens: int, window: int, negative: int) -> tuple[NDArray[Any], ...]:
    """Return the kernel's scratch arrays. They are made here: Numba compiles np.empty slowly."""
    outputs = (negative + GROUP) // GROUP * GROUP
    return (
        np.empty(tokens + 2 * window, dtype=np.int64),  # words
        np.empty(tokens + 2 * window, dtype=np.uint64),  # draws
        np.empty(2 * window, dtype=np.int64),  # contexts
        # The output rows of a center and of the next one, which are drawn and prefetched ahead.
        np.empty((2, outputs), dtype=np.int64),  # rows
        np.empty((2, outputs), dtype=np.float32),  # rates
        np.zeros((2, _LANES), dtype=np.float32),  # labels
        np.empty((2 * window, _LANES), dtype=np.float32),  # gradients
        np.empty(2, dtype=np.float64),  # losses
    )


def _compiled(version: int, *, cache: bool) -> Any:
    """Compile the kernel, or load it from Numba's cache.

    Numba's cache is keyed by this file and by the bytecode and enclosed values of the function,
    so the function encloses *version*, a hash of the other files that it depends on.
    """

    @njit(_SIGNATURE, nogil=True, cache=cache)
    def train_range(  # type: ignore[no-untyped-def]
        inputs, outputs, dimension, tokens, boundaries, start, stop, keep, noise, aliases,
        rate, window, negative, key, words, draws, contexts, rows, rates, labels, gradients, losses,
    ):  # fmt: skip
        version  # noqa: B018
        width = (dimension + _ROW_LANES - 1) // _ROW_LANES * _ROW_LANES
        stride = inputs.shape[1]
        unused = len(outputs) - 1
        pairs, loss, product = 0, 0.0, 1.0
        sentence = _sentence_at(boundaries, start)
        while start < stop:
            low, high = boundaries[sentence], boundaries[sentence + 1]
            begin, end, first_center, last_center = _gather(
                tokens, low, high, start, min(high, stop), window, key, keep, words, draws
            )
            for slot in range(first_center - 1, last_center):
                ahead = slot + 1
                if ahead < last_center:
                    _draw_outputs(
                        words[ahead], draws[ahead], negative, noise, aliases,
                        rows[ahead & 1], rates[ahead & 1], rate, unused,
                    )  # fmt: skip
                    for number in range(negative + 1):
                        prefetch_row(outputs, rows[ahead & 1, number], stride)
                    if ahead + window < end:
                        prefetch_row(inputs, words[ahead + window], stride)
                if slot < first_center:
                    continue
                low_bits = draws[slot] & np.uint64(0xFFFFFFFF)
                reach = 1 + np.int64((low_bits * np.uint64(window)) >> np.uint64(32))
                count = _contexts(words, slot, begin, end, reach, contexts)
                if count:
                    seen, loss, product = _train_center(
                        inputs, outputs, width, contexts, count, rows[slot & 1], rates[slot & 1],
                        labels, gradients, losses, loss, product,
                    )  # fmt: skip
                    pairs += seen
            start = min(high, stop)
            sentence += 1
        return pairs, loss + np.log(product)

    return train_range


def _load() -> Any:
    folder = Path(__file__).parent
    paths = (folder / "__init__.py", folder / "simd.py", Path(random.__file__))
    source = b"".join(path.read_bytes() for path in paths)
    version = int.from_bytes(hashlib.blake2b(source, digest_size=6).digest(), "little")
    try:
        return _compiled(version, cache=True)
    except RuntimeError:  # Numba found no writable cache folder
        return _compiled(version, cache=False)


_train_range = _load()


def train_range(
    inputs: NDArray[np.float32],
    outputs: NDArray[np.float32],
    dimension: int,
    tokens: NDArray[np.int32],
    boundaries: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    aliases: NDArray[np.int32],
    rate: np.float32,
    window: int,
    negative: int,
    key: np.uint64,
) -> tuple[int, float]:
    """Train on the centers tokens[start:stop]; return the number of pairs and their summed loss.

    The arguments are those of `reference.train_range`, except that *inputs* and *outputs* are made
    by `aligned_matrix`, and *outputs* has one extra row, which stays zero.
    """
    pairs, loss = _train_range(
        inputs, outputs, dimension, tokens, boundaries, start, stop, keep, noise, aliases,
        rate, window, negative, key, *_workspace(stop - start, window, negative),
    )  # fmt: skip
    return int(pairs), float(loss)
