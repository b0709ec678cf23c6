"""The training kernel for CPUs, compiled by Numba; `reference.py` defines what it computes.

It is compiled, or loaded from Numba's cache, when `prepare` or `train_range` is first called.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit, types

from embedkit.system import random
from embedkit.training.kernels import GROUP
from embedkit.training.kernels.cpu_draws import contexts_of, draw_outputs, gather, sentence_at
from embedkit.training.kernels.cpu_rows import (
    average,
    move_window,
    prefetch_members,
    share_of,
    slots_of,
    spread,
)
from embedkit.training.kernels.layout import PLAIN, InputLayout
from embedkit.training.kernels.simd import update_group
from embedkit.training.kernels.simd_builder import row_lanes
from embedkit.training.kernels.simd_rows import prefetch_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["aligned_matrix", "prepare", "train_range"]

_ROW_FLOATS = 16  # a cache line: rows are aligned to cache lines
_CACHE_LINE = 64
_LANES = 8  # floats in a row of gradients
_ROW_LANES = row_lanes()
_LARGE = 1e30


def aligned_matrix(rows: int, dimension: int) -> NDArray[np.float32]:
    """Return zeros, (rows, dimension rounded up to a multiple of 16), aligned to a cache line."""
    stride = -(-dimension // _ROW_FLOATS) * _ROW_FLOATS
    raw = np.zeros(rows * stride * 4 + _CACHE_LINE, dtype=np.uint8)
    start = -raw.ctypes.data % _CACHE_LINE
    return raw[start : start + rows * stride * 4].view(np.float32).reshape(rows, stride)


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


_WORDS = types.Array(types.int32, 1, "C", readonly=True)
_OFFSETS = types.Array(types.int64, 1, "C", readonly=True)
_THRESHOLDS = types.Array(types.uint32, 1, "C", readonly=True)
_SHARES = types.Array(types.float32, 1, "C", readonly=True)
_MATRIX = types.float32[:, ::1]
_ROWS = types.int64[::1]
_WORKSPACE = (
    _ROWS, types.uint64[::1], _ROWS, types.int64[:, ::1], _MATRIX, _MATRIX, _MATRIX,
    types.float64[::1], _MATRIX, _MATRIX, _ROWS,
)  # fmt: skip
_SIGNATURE = types.Tuple((types.int64, types.float64))(  # type: ignore[no-untyped-call]
    _MATRIX, _MATRIX, types.int64, _WORDS, _OFFSETS, types.int64, types.int64, _THRESHOLDS,
    _THRESHOLDS, _WORDS, types.float32, types.int64, types.int64, types.uint64, _OFFSETS, _WORDS,
    _SHARES, types.int64, *_WORKSPACE,
)  # fmt: skip


def _workspace(
    tokens: int, window: int, negative: int, stride: int, layout: InputLayout
) -> tuple[NDArray[Any], ...]:
    """Return the kernel's scratch arrays; made here, because Numba compiles np.empty slowly."""
    outputs = (negative + GROUP) // GROUP * GROUP
    ring = 2 * (2 * window + 1) if layout.composed else 0
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
        aligned_matrix(ring, stride),  # the composed words of the window
        aligned_matrix(2 if layout.cbow else 0, stride),  # the mean of the contexts
        np.zeros(1, dtype=np.int64),  # its row number
    )


def _compiled(version: int, cbow: bool, composed: bool, *, cache: bool) -> Any:
    """Compile the kernel for a kind of layout, or load it from Numba's cache.

    Numba's cache is keyed by this file and by the bytecode and enclosed values of the function,
    so the function encloses *version*, a hash of the other files that it depends on.
    """

    @njit(_SIGNATURE, nogil=True, cache=cache)
    def train_range(  # type: ignore[no-untyped-def]
        inputs, outputs, dimension, tokens, boundaries, start, stop, keep, noise, aliases,
        rate, window, negative, key, starts, members, shares, positions,
        words, draws, contexts, rows, rates, labels, gradients, losses, ring, mean, mean_row,
    ):  # fmt: skip
        version  # noqa: B018
        width = (dimension + _ROW_LANES - 1) // _ROW_LANES * _ROW_LANES
        stride = inputs.shape[1]
        unused = len(outputs) - 1
        source = ring if composed else inputs
        pairs, loss, product = 0, 0.0, 1.0
        sentence = sentence_at(boundaries, start)
        while start < stop:
            low, high = boundaries[sentence], boundaries[sentence + 1]
            begin, end, first_center, last_center = gather(
                tokens, low, high, start, min(high, stop), window, key, keep, words, draws
            )
            left = entered = begin
            for slot in range(first_center - 1, last_center):
                ahead = slot + 1
                if ahead < last_center:
                    draw_outputs(
                        words[ahead], draws[ahead], negative, noise, aliases,
                        rows[ahead & 1], rates[ahead & 1], rate, unused,
                    )  # fmt: skip
                    for number in range(negative + 1):
                        prefetch_row(outputs, rows[ahead & 1, number], stride)
                    if ahead + window < end:
                        if composed:
                            prefetch_members(inputs, starts, members, words[ahead + window])
                        else:
                            prefetch_row(inputs, words[ahead + window], stride)
                if slot < first_center:
                    continue
                low_bits = draws[slot] & np.uint64(0xFFFFFFFF)
                reach = 1 + np.int64((low_bits * np.uint64(window)) >> np.uint64(32))
                if composed and not cbow:  # the ring has the contexts, see slots_of
                    count = min(end, slot + reach + 1) - max(begin, slot - reach) - 1
                else:
                    count = contexts_of(words, slot, begin, end, reach, contexts)
                share = share_of(contexts, count) if cbow else np.float32(1.0)
                if composed:
                    left, entered = move_window(
                        inputs, starts, members, shares, words, ring, left, slot - window, entered,
                        min(end, slot + window + 1), width,
                    )  # fmt: skip
                    slots_of(slot, begin, end, reach, len(ring) // 2, contexts)
                if not count:
                    continue
                if cbow:
                    position = positions
                    if position >= 0:
                        position += window + max(begin - slot, -reach)
                    average(source, contexts, count, mean, width, inputs, position)
                    seen, loss, product = _train_center(
                        mean, outputs, width, mean_row, 1, rows[slot & 1], rates[slot & 1],
                        labels, gradients, losses, loss, product,
                    )  # fmt: skip
                    spread(source, contexts, count, mean, width, share, inputs, position)
                else:
                    seen, loss, product = _train_center(
                        source, outputs, width, contexts, count, rows[slot & 1], rates[slot & 1],
                        labels, gradients, losses, loss, product,
                    )  # fmt: skip
                pairs += seen
            if composed:
                move_window(
                    inputs,
                    starts,
                    members,
                    shares,
                    words,
                    ring,
                    left,
                    entered,
                    entered,
                    entered,
                    width,
                )
            start = min(high, stop)
            sentence += 1
        return pairs, loss + np.log(product)

    return train_range


@functools.cache
def _load(cbow: bool, composed: bool) -> Any:
    folder = Path(__file__).parent
    names = (
        "__init__.py",
        "cpu_draws.py",
        "cpu_rows.py",
        "simd.py",
        "simd_builder.py",
        "simd_rows.py",
    )
    paths = (*(folder / name for name in names), Path(random.__file__))
    source = b"".join(path.read_bytes() for path in paths)
    version = int.from_bytes(hashlib.blake2b(source, digest_size=6).digest(), "little")
    try:
        return _compiled(version, cbow, composed, cache=True)
    except RuntimeError:  # Numba found no writable cache folder
        return _compiled(version, cbow, composed, cache=False)


def prepare(layout: InputLayout) -> None:
    """Compile the kernel for a layout, or load it. Only one thread may do so."""
    _load(layout.cbow, layout.composed)


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
    layout: InputLayout = PLAIN,
) -> tuple[int, float]:
    """Train on the centers tokens[start:stop]; return the number of pairs and their summed loss.

    The arguments are those of `reference.train_range`, except that *inputs* and *outputs* are made
    by `aligned_matrix`, and *outputs* has one extra row, which stays zero.
    """
    pairs, loss = _load(layout.cbow, layout.composed)(
        inputs, outputs, dimension, tokens, boundaries, start, stop, keep, noise, aliases,
        rate, window, negative, key, layout.starts, layout.members, layout.shares, layout.positions,
        *_workspace(stop - start, window, negative, inputs.shape[1], layout),
    )  # fmt: skip
    return int(pairs), float(loss)
