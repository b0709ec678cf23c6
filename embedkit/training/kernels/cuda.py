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

from typing import Any

import torch
import triton
import triton.language as tl

from embedkit.errors import ConfigurationError
from embedkit.training.kernels import GROUP, LARGEST_WEIGHT
from embedkit.training.kernels.kept import KeptWords

__all__ = ["device_matrix", "launch_shape", "train_kept"]

_ROW_FLOATS = 32  # rows start on a line of the cache, 128 bytes, in float32
_TILE_FLOATS_A_WARP = 2048  # 64 registers of each thread for a tile; two or three are live
_MOST_WARPS = 16


@triton.jit
def _stored(value, word, column, slot, kind: tl.constexpr):
    """Round to the matrix's type: to bfloat16 up or down at random, right on average.

    An update is mostly smaller than half a unit of bfloat16 (2^-8 of the value), and rounding to
    the nearest would lose it. What is random depends on the row, the column and the centre only,
    so lanes that hold the same row round alike.
    """
    if kind == tl.float32:
        return value
    random = word.to(tl.uint32) * 0x9E3779B1 + column.to(tl.uint32) * 0x85EBCA77
    random += slot.to(tl.uint32) * 0xC2B2AE3D
    random = (random ^ (random >> 16)) * 0x7FEB352D
    random = (random ^ (random >> 15)) * 0x846CA68B
    bits = value.to(tl.uint32, bitcast=True) + (random >> 16)
    return (bits & 0xFFFF0000).to(tl.float32, bitcast=True).to(kind)


@triton.jit(do_not_specialize=["first", "last", "slots"])
def _train(
    inputs,
    outputs,
    words,
    sentences,
    reaches,
    negatives,
    pairs,
    losses,
    first,
    last,
    slots,
    rate,
    STRIDE: tl.constexpr,
    COLUMNS: tl.constexpr,
    WINDOW: tl.constexpr,
    CONTEXTS: tl.constexpr,
    NEGATIVE: tl.constexpr,
    GROUP: tl.constexpr,
    BOUND: tl.constexpr,
    ATOMIC: tl.constexpr,
):
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
                for number in tl.static_range(start, start + GROUP):
                    if number <= NEGATIVE:
                        out = centre
                        if number > 0:
                            out = tl.load(negatives + slot * NEGATIVE + (number - 1))
                        place = outputs + out.to(tl.int64) * STRIDE + column
                        row = tl.load(place, mask=used, other=0.0, cache_modifier=".cg")
                        outs = outs + (out,)
                        rows = rows + (row.to(tl.float32),)
                weights = ()
                delta = tl.zeros((CONTEXTS, COLUMNS), tl.float32)
                wrong = tl.zeros((CONTEXTS,), tl.float32)
                product = tl.full((CONTEXTS,), 1.0, tl.float32)
                for i in tl.static_range(GROUP):
                    if start + i <= NEGATIVE:
                        row = rows[i]
                        logit = tl.sum(context * row[None, :], axis=1)
                        small = tl.exp(-tl.abs(logit))
                        half = 1.0 / (1.0 + small)
                        chance = tl.where(logit >= 0, half, small * half)
                        live = near
                        if start + i == 0:
                            weight = rate * (1.0 - chance)
                            excess = tl.maximum(-logit, 0.0)
                            seen += count
                        else:
                            # A negative that is the centre itself says nothing.
                            says = outs[i] != centre
                            live = near & says
                            weight = -rate * chance
                            excess = tl.maximum(logit, 0.0)
                            seen += tl.where(says, count, 0)
                        weight = tl.where(live, weight, 0.0)
                        whole = tl.sum(tl.abs(weight))
                        weight *= BOUND / tl.maximum(whole, BOUND)
                        # The sum of logarithms is the logarithm of a product, at most 2^GROUP.
                        wrong += tl.where(live, excess, 0.0)
                        product *= tl.where(live, 1.0 + small, 1.0)
                        delta += weight[:, None] * row[None, :]
                        weights = weights + (weight,)
                loss += tl.sum(wrong + tl.log(product)).to(tl.float64)
                if ATOMIC:
                    tl.atomic_add(places, delta, mask=mask, sem="relaxed")
                # A row that stands twice in the window is read again, with its first change, the
                # second time, and takes both changes.
                before = context
                if repeated:
                    own = delta
                    for lane_of in range(2 * WINDOW):
                        word = tl.sum(tl.where(lane == lane_of, ids, 0))
                        change = tl.sum(tl.where(lane[:, None] == lane_of, own, 0.0), axis=0)
                        again = (ids == word) & (lane != lane_of)
                        later = again & (lane > lane_of)
                        delta += tl.where(again, 1.0, 0.0)[:, None] * change[None, :]
                        before += tl.where(later, 1.0, 0.0)[:, None] * change[None, :]
                news = ()
                for i in tl.static_range(GROUP):
                    if start + i <= NEGATIVE:
                        change = tl.sum(weights[i][:, None] * before, axis=0)
                        if ATOMIC:
                            place = outputs + outs[i].to(tl.int64) * STRIDE + column
                            tl.atomic_add(place, change, mask=used, sem="relaxed")
                        else:
                            # Of a word that was drawn twice, the last row has all changes.
                            row = rows[i]
                            for j in tl.static_range(0, i):
                                row = tl.where(outs[j] == outs[i], news[j], row)
                            news = news + (row + change,)
                if not ATOMIC:
                    for i in tl.static_range(GROUP):
                        if start + i <= NEGATIVE:
                            later_ones = tl.zeros((), tl.int32)
                            for j in tl.static_range(i + 1, GROUP):
                                if start + j <= NEGATIVE:
                                    later_ones += (outs[j] == outs[i]).to(tl.int32)
                            if later_ones == 0:
                                place = outputs + outs[i].to(tl.int64) * STRIDE + column
                                tl.store(
                                    place,
                                    _stored(news[i], outs[i], column, slot, kind),
                                    mask=used,
                                )
                context += delta
                # Another thread may load next what this one stored.
                if start + GROUP <= NEGATIVE:
                    tl.debug_barrier()
            if not ATOMIC:
                tile = _stored(context, ids[:, None], column[None, :], slot, kind)
                tl.store(places, tile, mask=mask)
            tl.debug_barrier()
    tl.store(pairs + program, seen)
    tl.store(losses + program, loss)


def device_matrix(
    words: int, dimension: int, device: torch.device | str, kind: torch.dtype = torch.float32
) -> torch.Tensor:
    """Return zeros, (words, dimension rounded up to whole lines of the cache)."""
    stride = triton.cdiv(dimension, _ROW_FLOATS) * _ROW_FLOATS
    return torch.zeros(words, stride, dtype=kind, device=device)


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
        inputs, outputs: from `device_matrix`, float32 or bfloat16 (arithmetic is float32).
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
        STRIDE=stride, COLUMNS=columns, WINDOW=window, CONTEXTS=contexts,
        NEGATIVE=kept.negatives.shape[1], GROUP=GROUP, BOUND=LARGEST_WEIGHT, ATOMIC=atomic,
        # The pipeliner of Triton would move loads of the next centre before stores of this one.
        num_warps=warps, num_stages=1, enable_fp_fusion=True,
    )  # fmt: skip
    return pairs, losses
