"""The training kernel for GPUs, in Triton; `reference.py` defines what it computes.

Each program trains on a run of consecutive centers, one after the other, like a CPU thread.
Thousands of programs share both matrices without locks (Hogwild, Recht et al. 2011).

A step multiplies tiles on the tensor cores: the context rows of a few consecutive centers, and the
output rows of those centers and their negative samples. The product of the two gives the logits,
and the gradients of the logits times one tile give the changes to the other. Consecutive centers
share most of their contexts, and the smallest tile has 16 rows, so a step of two or four centers
costs little more than one of a single center. Rows are cut into column tiles of equal width, so
that a row of 300 numbers costs 320 and not 512.

All changes of a step are computed from the rows as loaded. With float32 rows, they are added
atomically. So no update is lost, even if another program changes the same row, or a word occurs
twice in a step. With bfloat16 rows, which are rounded stochastically, the last program to store a
row wins.

CBOW takes the same three products. The logits of a mean of contexts are the means of the logits of
the contexts, and its changes are products with weights that are equal for all contexts of a center.

It runs on CPU tensors if ``TRITON_INTERPRET=1`` is in the environment when Triton is imported.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from embedkit.training.kernels import LARGEST_ERROR, LARGEST_WEIGHT
from embedkit.training.kernels.cuda_rows import load_rows, update_rows
from embedkit.training.kernels.draws import KeptWords
from embedkit.training.kernels.tiles import launch_shape
from embedkit.training.options import Precision

__all__ = ["Totals", "no_totals", "train_kept"]

Totals = tuple[torch.Tensor, torch.Tensor]
"""The number of pairs and their summed loss, on the device."""


@triton.jit
def _same(ids, used, others, others_used):  # type: ignore[no-untyped-def]
    """Return 1 where two used lanes have the same row, and 0 elsewhere."""
    same = (ids[:, None] == others[None, :]) & used[:, None] & others_used[None, :]
    return same.to(tl.float32)


@triton.jit
def _grade(logit, label, live, rate):  # type: ignore[no-untyped-def]
    """Return the gradients of logits, those of wrong sign, and the losses; 0 where not live."""
    small = tl.exp(-tl.abs(logit))
    chance = tl.where(logit >= 0, 1.0, small) / (1.0 + small)
    error = tl.where(live, rate * (label - chance), 0.0)
    wrong = tl.where(live, tl.maximum(tl.where(label > 0, -logit, logit), 0.0), 0.0)
    return error, wrong, wrong + tl.where(live, tl.log(1.0 + small), 0.0)


@triton.jit
def _spread(  # type: ignore[no-untyped-def]
    ids, near, masks, error, count, TILES: tl.constexpr, PRECISION: tl.constexpr
):
    """Return the weights of contexts and output rows in the changes of both, for CBOW.

    Each of the *count* contexts of a center is a part of the mean, so the first weights are
    *error* / *count*. The change of the mean is added to each context; if words are repeated among
    them, less, so that the mean moves by it and not by a multiple of it.
    """
    repeats = tl.zeros_like(error)  # pairs of contexts with the same word
    for c in tl.static_range(TILES):
        for q in tl.static_range(TILES):
            equal = _same(ids[c], near[c], ids[q], near[q])
            # The numbers are small integers, which TF32 represents exactly.
            found = tl.dot(equal, masks[q], input_precision=PRECISION)
            repeats += tl.sum(found * masks[c], axis=0)
    mean = error / tl.maximum(count, 1.0)
    share = error * count / tl.maximum(repeats, 1.0)
    of_rows, of_contexts = (), ()
    for c in tl.static_range(TILES):
        of_rows = of_rows + (masks[c] * mean[None, :],)  # type: ignore[assignment]
        of_contexts = of_contexts + (masks[c] * share[None, :],)  # type: ignore[assignment]
    return of_rows, of_contexts


@triton.jit
def _train(  # type: ignore[no-untyped-def]
    inputs, outputs, words, sentences, reaches, negatives, edges, pairs, losses, rate,
    STRIDE: tl.constexpr, WIDTH: tl.constexpr, CENTERS: tl.constexpr, ROWS: tl.constexpr,
    CONTEXTS: tl.constexpr, TILES: tl.constexpr, WINDOW: tl.constexpr, NEGATIVE: tl.constexpr,
    MOST_WEIGHT: tl.constexpr, MOST_ERROR: tl.constexpr, PRECISION: tl.constexpr,
    CBOW: tl.constexpr,
):  # fmt: skip
    """Train on a program's share of the centers, the slots in [edges[0], edges[1]) of edges[2].

    A row has STRIDE numbers in tiles of WIDTH. A step has CENTERS centers, ROWS lanes for output
    rows, and TILES tiles of CONTEXTS context rows.
    """
    first = tl.load(edges)
    last = tl.load(edges + 1)
    slots = tl.load(edges + 2)
    share = tl.cdiv(last - first, tl.num_programs(0))
    begin = first + tl.program_id(0) * share
    end = tl.minimum(begin + share, last)
    kind: tl.constexpr = inputs.dtype.element_ty
    COLUMN_TILES: tl.constexpr = STRIDE // WIDTH  # noqa: N806
    lane = tl.arange(0, ROWS)
    number = lane % (NEGATIVE + 1)  # 0 is the center
    label = tl.where(number == 0, 1.0, 0.0)
    # Rows of skip-gram's pairs, or of CBOW's, whose contexts are one vector.
    PAIRS: tl.constexpr = 1 if CBOW else CONTEXTS  # noqa: N806
    seen = tl.zeros((PAIRS, ROWS), tl.int32)
    loss = tl.zeros((PAIRS, ROWS), tl.float32)
    for slot in range(begin, end, CENTERS):
        at = slot + lane // (NEGATIVE + 1)
        used = (lane < CENTERS * (NEGATIVE + 1)) & (at < end)
        center = tl.load(words + at, mask=used, other=0)
        sentence = tl.load(sentences + at, mask=used, other=0)
        reach = tl.load(reaches + at, mask=used, other=0)
        sampled = used & (number > 0)
        drawn = tl.load(negatives + at * NEGATIVE + number - 1, mask=sampled, other=0)
        outs = tl.where(number == 0, center, drawn)
        # A negative sample equal to the center is ignored.
        live = used & ((number == 0) | (drawn != center))
        rows = ()
        for t in tl.static_range(COLUMN_TILES):
            rows = rows + (load_rows(outputs, outs, live, t, STRIDE, WIDTH),)  # type: ignore[assignment]
        ids, near, masks, errors = (), (), (), ()
        size = tl.zeros((PAIRS, ROWS), tl.float32)
        wrong = tl.zeros((PAIRS, ROWS), tl.float32)
        total = tl.zeros((ROWS,), tl.float32)  # of the logits of a center's contexts
        count = tl.zeros((ROWS,), tl.float32)
        for c in tl.static_range(TILES):
            place = c * CONTEXTS + tl.arange(0, CONTEXTS)
            other = slot - WINDOW + place
            exists = (place < 2 * WINDOW + CENTERS) & (other >= 0) & (other < slots)
            word = tl.load(words + other, mask=exists, other=0)
            other_sentence = tl.load(sentences + other, mask=exists, other=-1)
            needed = place < 0
            for i in tl.static_range(CENTERS):
                inside = slot + i < end
                own_reach = tl.load(reaches + slot + i, mask=inside, other=0)
                own_sentence = tl.load(sentences + slot + i, mask=inside, other=-2)
                distance = tl.abs(other - slot - i)
                within = (distance > 0) & (distance <= own_reach)
                needed = needed | (within & (other_sentence == own_sentence))
            logit = tl.zeros((CONTEXTS, ROWS), tl.float32)
            for t in tl.static_range(COLUMN_TILES):
                tile = load_rows(inputs, word, needed, t, STRIDE, WIDTH).to(tl.float32)
                row = tl.trans(rows[t].to(tl.float32))
                logit = tl.dot(tile, row, logit, input_precision=PRECISION)
            distance = tl.abs(other[:, None] - at[None, :])
            pair = live[None, :] & (distance > 0) & (distance <= reach[None, :])
            pair = pair & (other_sentence[:, None] == sentence[None, :])
            ids = ids + (word,)  # type: ignore[assignment]
            near = near + (needed,)  # type: ignore[assignment]
            if CBOW:
                mask = pair.to(tl.float32)
                total += tl.sum(tl.where(pair, logit, 0.0), axis=0)
                count += tl.sum(mask, axis=0)
                masks = masks + (mask,)  # type: ignore[assignment]
            else:
                error, missed, lost = _grade(logit, label[None, :], pair, rate)
                seen += pair.to(tl.int32)
                loss += lost
                size += tl.abs(error)
                wrong += missed
                errors = errors + (error,)  # type: ignore[assignment]
        of_rows, of_contexts = errors, errors
        if CBOW:
            pair = count > 0
            error, missed, lost = _grade(total / tl.maximum(count, 1.0), label, pair, rate)
            seen += pair.to(tl.int32)[None, :]
            loss += lost[None, :]
            size += tl.abs(error)[None, :]
            wrong += missed[None, :]
            of_rows, of_contexts = _spread(ids, near, masks, error, count, TILES, PRECISION)
        weight = tl.sum(size)
        scale = MOST_WEIGHT / tl.maximum(weight, MOST_WEIGHT)
        if weight > MOST_WEIGHT:
            scale *= MOST_ERROR / tl.maximum(tl.sum(wrong), MOST_ERROR)
        # Where rows are stored instead of added, each lane needs the total change of its row.
        if kind != tl.float32:
            alone_rows, alone_contexts = of_rows, of_contexts
            of_rows, of_contexts = (), ()
            equal = _same(outs, live, outs, live)
            for c in tl.static_range(TILES):
                error = tl.dot(alone_rows[c], equal, input_precision=PRECISION)
                of_rows = of_rows + (error,)  # type: ignore[assignment]
                error = tl.zeros((CONTEXTS, ROWS), tl.float32)
                for q in tl.static_range(TILES):
                    equal_c = _same(ids[c], near[c], ids[q], near[q])
                    error = tl.dot(equal_c, alone_contexts[q], error, input_precision=PRECISION)
                of_contexts = of_contexts + (error,)  # type: ignore[assignment]
        olds = ()
        for t in tl.static_range(COLUMN_TILES):
            change = tl.zeros((ROWS, WIDTH), tl.float32)
            for c in tl.static_range(TILES):
                tile = load_rows(inputs, ids[c], near[c], t, STRIDE, WIDTH)
                error = tl.trans(of_rows[c])
                change = tl.dot(error, tile.to(tl.float32), change, input_precision=PRECISION)
                if kind != tl.float32:
                    olds = olds + (tile,)  # type: ignore[assignment]
            update_rows(outputs, outs, live, rows[t], scale * change, slot, t, STRIDE, WIDTH)
        # Wait until all threads have loaded the context rows for the last time.
        tl.debug_barrier()
        for t in tl.static_range(COLUMN_TILES):
            for c in tl.static_range(TILES):
                row = rows[t].to(tl.float32)
                change = tl.dot(of_contexts[c], row, input_precision=PRECISION)
                old = change
                if kind != tl.float32:
                    old = olds[t * TILES + c]
                update_rows(inputs, ids[c], near[c], old, scale * change, slot, t, STRIDE, WIDTH)
        # In the next step, another thread may load the rows that this thread has changed.
        tl.debug_barrier()
    tl.atomic_add(pairs, tl.sum(seen.to(tl.int64)), sem="relaxed")
    tl.atomic_add(losses, tl.sum(loss.to(tl.float64)), sem="relaxed")


def no_totals(device: torch.device | str) -> Totals:
    """Return zeros: a number of pairs (int64) and their summed loss (float64), (1,) each."""
    return (
        torch.zeros(1, dtype=torch.int64, device=device),
        torch.zeros(1, dtype=torch.float64, device=device),
    )


def train_kept(
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    kept: KeptWords,
    rate: float,
    window: int,
    totals: Totals,
    *,
    cbow: bool = False,
    programs: int = 1,
    precision: Precision = "tf32",
) -> None:
    """Train on the centers of *kept*; update both matrices in place.

    Args:
        inputs, outputs: the input and output matrix, from `draws.device_matrix`, float32 or
            bfloat16.
        kept: the words, on the same device.
        rate: the learning rate.
        window: the largest window size in *kept*.
        totals: the number of pairs and their summed loss are added to these. Reading them waits for
            the kernel.
        cbow: whether the mean of a center's contexts predicts it, rather than each of them.
        programs: the number of programs, each of which gets a run of consecutive centers.
        precision: precision of the products; see `options.PRECISIONS`.
    """
    pairs, losses = totals
    words, stride = inputs.shape
    negative = kept.negatives.shape[1]
    shape = launch_shape(words, stride, window, negative)
    _train[(programs,)](
        inputs, outputs, kept.words, kept.sentences, kept.reaches, kept.negatives, kept.edges,
        pairs, losses, float(rate),
        STRIDE=stride, WIDTH=shape.width, CENTERS=shape.centers, ROWS=shape.rows,
        CONTEXTS=shape.contexts, TILES=shape.tiles, WINDOW=window, NEGATIVE=negative,
        MOST_WEIGHT=LARGEST_WEIGHT * shape.centers, MOST_ERROR=LARGEST_ERROR * shape.centers,
        PRECISION="ieee" if precision == "float32" else precision, CBOW=cbow,
        # With more stages, Triton would move loads of the next step before stores of this one.
        num_warps=shape.warps, num_stages=1, enable_fp_fusion=True,
    )  # fmt: skip
