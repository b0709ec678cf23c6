"""The training kernel for GPUs, in Triton; `reference.py` defines what it computes.

Each program processes a run of consecutive centers sequentially, like one CPU thread. Hundreds of
programs share both matrices without locks (Hogwild, Recht et al. 2011). The rows of a center stay
in registers: its context rows as one tile, its output rows beside it, each loaded and stored once.
With a single program the result is that of the reference kernel.

Rows are loaded from the L2 cache, never from L1, which is not coherent: a multiprocessor would keep
using its own stale copy of a frequent word, and undo the updates of others by storing it.

It runs on CPU tensors if ``TRITON_INTERPRET=1`` is in the environment when Triton is imported.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from embedkit.errors import ConfigurationError
from embedkit.training.kernels import GROUP, LARGEST_ERROR, LARGEST_WEIGHT
from embedkit.training.kernels.draws import KeptWords

__all__ = ["launch_shape", "train_kept"]

_FLOATS_PER_WARP = 1024  # of a tile: 32 registers per thread; 64 are too many on sm_90
_MAX_WARPS = 16
_MAX_TILE_FLOATS = 1 << 15  # larger tiles exceed the registers and take minutes to compile


@triton.jit
def _stored(value, word, column, slot, kind: tl.constexpr):  # type: ignore[no-untyped-def]
    """Convert to the type of the matrix, with stochastic rounding to bfloat16.

    Most updates are smaller than half a unit of bfloat16 (2^-8 of the value), so rounding to
    nearest would lose them. The random bits depend on the row, the column and the center only, so
    that lanes with the same row round alike.
    """
    if kind == tl.float32:
        return value
    random = word.to(tl.uint32) * 0x9E3779B1 + (column + slot * 65599).to(tl.uint32) * 0x85EBCA77
    random = (random ^ (random >> 16)) * 0x7FEB352D
    random = (random ^ (random >> 15)) * 0x846CA68B
    bits = value.to(tl.uint32, bitcast=True) + (random >> 16)
    return (bits & 0xFFFF0000).to(tl.float32, bitcast=True).to(kind)


@triton.jit
def _weights(  # type: ignore[no-untyped-def]
    context, row, live, rate, IS_CENTER: tl.constexpr
):
    """Return for each context the gradient of its logit with an output row, times the learning
    rate; the logit; and exp(-|logit|).
    """
    logit = tl.sum(context * row[None, :], axis=1)
    small = tl.exp(-tl.abs(logit))
    half = 1.0 / (1.0 + small)
    chance = tl.where(logit >= 0, half, small * half)
    weight = -rate * chance
    if IS_CENTER:
        weight = rate * (1.0 - chance)
    return tl.where(live, weight, 0.0), logit, small


@triton.jit(do_not_specialize=["first", "last", "slots"])
def _train(  # type: ignore[no-untyped-def]
    inputs, outputs, words, sentences, reaches, negatives, pairs, losses, first, last, slots, rate,
    STRIDE: tl.constexpr, COLUMNS: tl.constexpr, CONTEXTS: tl.constexpr, NEGATIVE: tl.constexpr,
    GROUP: tl.constexpr, MOST_WEIGHT: tl.constexpr, MOST_ERROR: tl.constexpr, ATOMIC: tl.constexpr,
):  # fmt: skip
    """Train on a program's share of the centers, the slots in [first, last) of *slots* kept words.

    STRIDE is the length of a row; (CONTEXTS, COLUMNS) is the shape of a tile, powers of two.
    """
    program = tl.program_id(0)
    share = tl.cdiv(last - first, tl.num_programs(0))
    begin = first + program * share
    end = tl.minimum(begin + share, last)
    kind: tl.constexpr = inputs.dtype.element_ty
    column = tl.arange(0, COLUMNS)
    used = column < STRIDE
    lane = tl.arange(0, CONTEXTS)
    seen = tl.zeros((), tl.int64)
    loss = tl.zeros((), tl.float64)
    for slot in range(begin, end):
        center = tl.load(words + slot)
        sentence = tl.load(sentences + slot)
        reach = tl.load(reaches + slot)
        other = slot + lane - reach + (lane >= reach).to(tl.int32)
        near = (lane < 2 * reach) & (other >= 0) & (other < slots)
        near = near & (tl.load(sentences + other, mask=near, other=-1) == sentence)
        count = tl.sum(near.to(tl.int32))
        if count > 0:
            # Lanes without a context get ids that no other lane has.
            ids = tl.where(near, tl.load(words + other, mask=near, other=0), -1 - lane)
            same = (ids[:, None] == ids[None, :]) & (lane[:, None] > lane[None, :])
            repeated = tl.sum(tl.sum(same.to(tl.int32), axis=1)) > 0
            places = inputs + ids.to(tl.int64)[:, None] * STRIDE + column[None, :]
            mask = near[:, None] & used[None, :]
            context = tl.load(places, mask=mask, other=0.0, cache_modifier=".cg").to(tl.float32)
            for start in tl.static_range(0, NEGATIVE + 1, GROUP):
                outs = ()
                rows = ()
                for i in tl.static_range(GROUP):
                    if start + i <= NEGATIVE:
                        out = center
                        if start + i > 0:
                            out = tl.load(negatives + slot * NEGATIVE + (start + i - 1))
                        place = outputs + out.to(tl.int64) * STRIDE + column
                        row = tl.load(place, mask=used, other=0.0, cache_modifier=".cg")
                        outs = outs + (out,)  # type: ignore[assignment]
                        rows = rows + (row.to(tl.float32),)  # type: ignore[assignment]
                weights = ()
                delta = tl.zeros((CONTEXTS, COLUMNS), tl.float32)
                wrong = tl.zeros((CONTEXTS,), tl.float32)
                product = tl.full((CONTEXTS,), 1.0, tl.float32)
                sizes = tl.zeros((CONTEXTS,), tl.float32)
                for i in tl.static_range(GROUP):
                    if start + i <= NEGATIVE:
                        # A negative sample equal to the center is ignored.
                        live = near
                        if start + i == 0:
                            seen += count
                        else:
                            live = near & (outs[i] != center)
                            seen += tl.where(outs[i] != center, count, 0)
                        weight, logit, small = _weights(
                            context, rows[i], live, rate, start + i == 0
                        )
                        if start + i == 0:
                            logit = -logit
                        # One logarithm of a product (at most 2^GROUP) instead of a sum of logs.
                        wrong += tl.where(live, tl.maximum(logit, 0.0), 0.0)
                        product *= tl.where(live, 1.0 + small, 1.0)
                        sizes += tl.abs(weight)
                        delta += weight[:, None] * rows[i][None, :]
                        weights = weights + (weight,)  # type: ignore[assignment]
                loss += tl.sum(wrong + tl.log(product)).to(tl.float64)
                size = tl.sum(sizes)
                error = tl.maximum(tl.sum(wrong), MOST_ERROR)
                scale = MOST_WEIGHT / tl.maximum(size, MOST_WEIGHT)
                scale *= tl.where(size > MOST_WEIGHT, MOST_ERROR / error, 1.0)
                delta *= scale
                if ATOMIC:
                    tl.atomic_add(places, delta, mask=mask, sem="relaxed")
                # A context that occurs n times in the window changes n times by the same amount.
                # Output rows use its values before each of these changes.
                before = context
                if repeated:
                    earlier = tl.sum(same.to(tl.float32), axis=1)
                    before += earlier[:, None] * delta
                    times = tl.sum((ids[:, None] == ids[None, :]).to(tl.float32), axis=1)
                    delta *= times[:, None]
                context += delta
                # If a negative sample was drawn twice, its last row has all changes.
                news = ()
                for i in tl.static_range(GROUP):
                    if start + i <= NEGATIVE:
                        place = outputs + outs[i].to(tl.int64) * STRIDE + column
                        change = scale * tl.sum(weights[i][:, None] * before, axis=0)
                        if ATOMIC:
                            tl.atomic_add(place, change, mask=used, sem="relaxed")
                        else:
                            row = rows[i]
                            for j in tl.static_range(i):
                                row = tl.where(outs[j] == outs[i], news[j], row)
                            row += change
                            news = news + (row,)
                            drawn_again = tl.zeros((), tl.int32)
                            for j in tl.static_range(i + 1, GROUP):
                                if start + j <= NEGATIVE:
                                    drawn_again += (outs[j] == outs[i]).to(tl.int32)
                            if drawn_again == 0:
                                stored = _stored(row, outs[i], column, slot, kind)
                                tl.store(place, stored, mask=used)
                # The next group may load, in another thread, the rows stored by this one.
                if start + GROUP <= NEGATIVE:
                    tl.debug_barrier()
            if not ATOMIC:
                tile = _stored(context, ids[:, None], column[None, :], slot, kind)
                tl.store(places, tile, mask=mask)
            tl.debug_barrier()
    tl.store(pairs + program, seen)
    tl.store(losses + program, loss)


def launch_shape(stride: int, window: int) -> tuple[int, int, int]:
    """Return the columns and contexts of a tile, powers of two, and the warps of a program.

    Raises:
        ConfigurationError: the tile would be too large.
    """
    columns = triton.next_power_of_2(stride)
    contexts = triton.next_power_of_2(2 * window)
    if columns * contexts > _MAX_TILE_FLOATS:
        raise ConfigurationError(
            f"window={window} is too wide for vectors of {stride} numbers on a GPU; it must be at "
            f"most {_MAX_TILE_FLOATS // columns // 2}.",
            hint='Use a smaller window or dimension, or pass --device cpu (device="cpu").',
        )
    warps = min(max(columns * contexts // _FLOATS_PER_WARP, 1), _MAX_WARPS)
    return columns, contexts, warps


def train_kept(
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    kept: KeptWords,
    rate: float,
    window: int,
    *,
    programs: int = 1,
    atomic: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Train on the centers of *kept*; update both matrices in place.

    Args:
        inputs, outputs: the input and output matrix, from `draws.device_matrix`, float32 or
            bfloat16 (arithmetic is float32).
        kept: the words, on the same device.
        rate: the learning rate.
        window: the largest window size in *kept*.
        programs: the number of programs, each of which gets a run of consecutive centers.
        atomic: use atomic additions, so that no update is lost to another program; float32 only.
            By default the last program to store a row wins, which limits the effect of many
            simultaneous updates.

    Returns:
        The number of pairs (int64) and the summed loss (float64) of each program, (programs,)
        each, on the device: reading them waits for the kernel.

    Raises:
        ConfigurationError: *atomic* with bfloat16, or the window is too wide for the dimension.
    """
    if atomic and inputs.dtype != torch.float32:
        raise ConfigurationError("atomic updates need float32 rows, got bfloat16.")
    pairs = torch.zeros(programs, dtype=torch.int64, device=inputs.device)
    losses = torch.zeros(programs, dtype=torch.float64, device=inputs.device)
    if kept.first == kept.last:
        return pairs, losses
    stride = inputs.shape[1]
    columns, contexts, warps = launch_shape(stride, window)
    _train[(programs,)](
        inputs, outputs, kept.words, kept.sentences, kept.reaches, kept.negatives, pairs, losses,
        kept.first, kept.last, len(kept.words), rate,
        STRIDE=stride, COLUMNS=columns, CONTEXTS=contexts,
        NEGATIVE=kept.negatives.shape[1], GROUP=GROUP, MOST_WEIGHT=LARGEST_WEIGHT,
        MOST_ERROR=LARGEST_ERROR, ATOMIC=atomic,
        # With more stages, Triton would move loads of the next center before stores of this one.
        num_warps=warps, num_stages=1, enable_fp_fusion=True,
    )  # fmt: skip
    return pairs, losses
