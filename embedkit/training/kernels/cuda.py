"""The training kernel for GPUs, in Triton; see `reference.py` for what it computes.

A program goes through a run of neighbouring centres one after the other, as one CPU thread would,
and hundreds of programs share both matrices without locks (Hogwild, Recht et al. 2011). What a
centre needs is in registers: its contexts' rows as one tile, the rows of its outputs beside it,
all loaded at once, once, and stored once. With a single program the result is the reference's.

Rows are loaded from the L2 cache and never from L1, which is not coherent: a multiprocessor would
go on for long with its own copy of a frequent word and undo the others' updates by storing it.

``TRITON_INTERPRET=1`` in the environment, when Triton is first imported, runs it on CPU tensors.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from embedkit.errors import ConfigurationError
from embedkit.training.kernels import GROUP, LARGEST_ERROR, LARGEST_WEIGHT
from embedkit.training.kernels.draws import KeptWords

__all__ = ["WIDEST_WINDOW", "launch_shape", "train_kept"]

_TILE_FLOATS_A_WARP = 1024  # 32 registers a thread; with 64 sm_90 is short of registers
_MOST_WARPS = 16

WIDEST_WINDOW = 16
"""A window whose contexts fit into a tile of the kernel, with as many registers as a GPU has."""


@triton.jit
def _stored(value, word, column, slot, kind: tl.constexpr):  # type: ignore[no-untyped-def]
    """Round to the matrix's type: to bfloat16 up or down at random, right on average.

    An update is mostly smaller than half a unit of bfloat16 (2^-8 of the value), and rounding to
    the nearest would lose it. What is random depends on the row, the column and the centre only,
    so lanes that hold the same row round alike.
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
    context, row, live, rate, IS_CENTRE: tl.constexpr
):
    """Return the gradient of each logit of an output row, the logits, and exp(-|logit|)."""
    logit = tl.sum(context * row[None, :], axis=1)
    small = tl.exp(-tl.abs(logit))
    half = 1.0 / (1.0 + small)
    chance = tl.where(logit >= 0, half, small * half)
    weight = -rate * chance
    if IS_CENTRE:
        weight = rate * (1.0 - chance)
    return tl.where(live, weight, 0.0), logit, small


@triton.jit(do_not_specialize=["first", "last", "slots"])
def _train(  # type: ignore[no-untyped-def]
    inputs, outputs, words, sentences, reaches, negatives, pairs, losses, first, last, slots, rate,
    STRIDE: tl.constexpr, COLUMNS: tl.constexpr, CONTEXTS: tl.constexpr, NEGATIVE: tl.constexpr,
    GROUP: tl.constexpr, MOST_WEIGHT: tl.constexpr, MOST_ERROR: tl.constexpr, ATOMIC: tl.constexpr,
):  # fmt: skip
    """Go through a program's share of the centres first..last of `slots` kept words.

    Rows are STRIDE numbers long, COLUMNS and CONTEXTS are the shape of a tile, powers of two.
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
        centre = tl.load(words + slot)
        sentence = tl.load(sentences + slot)
        reach = tl.load(reaches + slot)
        other = slot + lane - reach + (lane >= reach).to(tl.int32)
        near = (lane < 2 * reach) & (other >= 0) & (other < slots)
        near = near & (tl.load(sentences + other, mask=near, other=-1) == sentence)
        count = tl.sum(near.to(tl.int32))
        if count > 0:
            # Lanes without a context get numbers that no other lane has.
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
                        out = centre
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
                        # A negative that is the centre itself says nothing.
                        live = near
                        if start + i == 0:
                            seen += count
                        else:
                            live = near & (outs[i] != centre)
                            seen += tl.where(outs[i] != centre, count, 0)
                        weight, logit, small = _weights(
                            context, rows[i], live, rate, start + i == 0
                        )
                        if start + i == 0:
                            logit = -logit
                        # The sum of logarithms is the logarithm of a product, at most 2^GROUP.
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
                # A row that stands n times in the window changes n times by the same; its outputs
                # see it before each change.
                before = context
                if repeated:
                    earlier = tl.sum(same.to(tl.float32), axis=1)
                    before += earlier[:, None] * delta
                    times = tl.sum((ids[:, None] == ids[None, :]).to(tl.float32), axis=1)
                    delta *= times[:, None]
                context += delta
                # Of a word that was drawn twice, the last row has all changes.
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
                # Another thread may load next what this one stored.
                if start + GROUP <= NEGATIVE:
                    tl.debug_barrier()
            if not ATOMIC:
                tile = _stored(context, ids[:, None], column[None, :], slot, kind)
                tl.store(places, tile, mask=mask)
            tl.debug_barrier()
    tl.store(pairs + program, seen)
    tl.store(losses + program, loss)


def launch_shape(stride: int, window: int) -> tuple[int, int, int]:
    """Return the columns and contexts of a tile, powers of two, and the warps of a program."""
    columns = triton.next_power_of_2(stride)
    contexts = triton.next_power_of_2(2 * window)
    warps = min(max(columns * contexts // _TILE_FLOATS_A_WARP, 1), _MOST_WARPS)
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
    """Train on the centres of *kept*; update both matrices in place.

    Args:
        inputs, outputs: from `kept.device_matrix`, float32 or bfloat16 (arithmetic is float32).
        kept: on the same device.
        rate: learning rate.
        window: largest of *kept*'s reaches.
        programs: among which the centres are divided, in runs of neighbours.
        atomic: add changes to rows so that none is lost to another program, float32 only. By
            default the last one to store a row wins, which bounds what many programs do at once.

    Returns:
        Pairs seen (int64) and their summed loss (float64) by program, (programs,) each, on the
        device: reading them waits for the kernel.

    Raises:
        ConfigurationError: atomic updates of bfloat16.
    """
    if atomic and inputs.dtype != torch.float32:
        raise ConfigurationError("atomic updates need float32 rows; these are bfloat16")
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
        # The pipeliner of Triton would move loads of the next centre before stores of this one.
        num_warps=warps, num_stages=1, enable_fp_fusion=True,
    )  # fmt: skip
    return pairs, losses
