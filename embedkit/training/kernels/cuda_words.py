"""Words composed of several rows, on a GPU: their vectors, and the rows that they are made of.

A program of the training kernel cannot keep the window of a center in a ring, as the CPU kernel
does. Instead, a batch of consecutive centers is trained at a time. Before it, each of its distinct
words is composed once, as the mean of its rows; the training kernel changes these vectors like any
other rows; after it, the change of each word is added to its rows once.

Thousands of words of a batch may share a row, that of the ending "ing" for example, and none of
them has seen the changes of the others. Where they want the same change, their sum would be that
change many times over, and training diverges. So the sum of the changes to a row is divided by the
extent to which they agree, as the changes of several machines are (see `training.averaging`).
`reference_steps.py` defines that.

It runs on CPU tensors if ``TRITON_INTERPRET=1`` is in the environment when Triton is imported.
"""

from __future__ import annotations

import numpy as np
import torch
import triton
import triton.language as tl

from embedkit.training.kernels.cuda_rows import load_rows, places_of
from embedkit.training.kernels.draws import KeptWords
from embedkit.training.kernels.layout import InputLayout

__all__ = ["ComposedWords"]

_BLOCK = 1024  # words of a program that are searched for distinct ones at a time
_ROWS = 16  # rows of a tile
_COLUMNS = 64


@triton.jit(do_not_specialize=["window", "batch"])
def _find(  # type: ignore[no-untyped-def]
    words, edges, marks, found, count, window: tl.int32, batch: tl.int32, BLOCK: tl.constexpr
):
    """List the distinct words of a batch, the centers and contexts, in any order.

    A word whose mark is *batch* is listed already.
    """
    first = tl.maximum(tl.load(edges) - window, 0)
    last = tl.minimum(tl.load(edges + 1) + window, tl.load(edges + 2))
    for begin in range(first + tl.program_id(0) * BLOCK, last, tl.num_programs(0) * BLOCK):
        slot = begin + tl.arange(0, BLOCK)
        used = slot < last
        word = tl.load(words + slot, mask=used, other=0)
        batches = tl.zeros((BLOCK,), tl.int32) + batch
        new = used & (tl.atomic_xchg(marks + word, batches, mask=used, sem="relaxed") != batch)
        ones = new.to(tl.int32)
        place = tl.atomic_add(count, tl.sum(ones), sem="relaxed") + tl.cumsum(ones, 0) - ones
        tl.store(found + place, word, mask=new)


@triton.jit
def _compose(  # type: ignore[no-untyped-def]
    inputs, vectors, before, starts, members, times, found, count,
    STRIDE: tl.constexpr, WIDTH: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """Write the mean of the rows of each word that was found, to train and to remember."""
    column = tl.arange(0, WIDTH)
    for number in range(tl.program_id(0), tl.load(count), tl.num_programs(0)):
        word = tl.load(found + number).to(tl.int64)
        first = tl.load(starts + word)
        last = tl.load(starts + word + 1)
        for t in tl.static_range(STRIDE // WIDTH):
            total = tl.zeros((WIDTH,), tl.float32)
            size = 0.0
            for place in range(first, last, ROWS):
                member = place + tl.arange(0, ROWS)
                used = member < last
                ids = tl.load(members + member, mask=used, other=0)
                often = tl.load(times + member, mask=used, other=0.0)
                rows = load_rows(inputs, ids, used, t, STRIDE, WIDTH)
                total += tl.sum(rows * often[:, None], axis=0)
                size += tl.sum(often)
            mean = total / size
            tl.store(vectors + word * STRIDE + t * WIDTH + column, mean)
            tl.store(before + word * STRIDE + t * WIDTH + column, mean)


@triton.jit
def _collect(  # type: ignore[no-untyped-def]
    vectors, before, sums, squares, starts, members, times, shares, found, count,
    STRIDE: tl.constexpr, WIDTH: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """Add up the changes of the words that were found, and their squared lengths, by row."""
    column = tl.arange(0, WIDTH)
    for number in range(tl.program_id(0), tl.load(count), tl.num_programs(0)):
        word = tl.load(found + number).to(tl.int64)
        first = tl.load(starts + word)
        last = tl.load(starts + word + 1)
        share = tl.load(shares + word)
        square = 0.0
        for t in tl.static_range(STRIDE // WIDTH):
            place = word * STRIDE + t * WIDTH + column
            change = share * (tl.load(vectors + place) - tl.load(before + place))
            square += tl.sum(change * change)
        if square != 0.0:
            for t in tl.static_range(STRIDE // WIDTH):
                place = word * STRIDE + t * WIDTH + column
                change = share * (tl.load(vectors + place) - tl.load(before + place))
                for begin in range(first, last, ROWS):
                    member = begin + tl.arange(0, ROWS)
                    used = member < last
                    ids = tl.load(members + member, mask=used, other=0)
                    often = tl.load(times + member, mask=used, other=0.0)
                    if t == 0:
                        longer = often * often * square
                        tl.atomic_add(squares + ids, longer, mask=used, sem="relaxed")
                    places = places_of(sums, ids, t, STRIDE, WIDTH)
                    changes = often[:, None] * change[None, :]
                    tl.atomic_add(places, changes, mask=used[:, None], sem="relaxed")


@triton.jit(do_not_specialize=["size"])
def _apply(  # type: ignore[no-untyped-def]
    inputs, sums, squares, size: tl.int32, STRIDE: tl.constexpr, WIDTH: tl.constexpr,
    ROWS: tl.constexpr,
):  # fmt: skip
    """Change the rows, and set the sums to zero again."""
    for begin in range(tl.program_id(0) * ROWS, size, tl.num_programs(0) * ROWS):
        ids = begin + tl.arange(0, ROWS)
        square = tl.load(squares + ids, mask=ids < size, other=0.0)
        used = square != 0.0  # NaN is not lost
        if tl.max(used.to(tl.int32)) > 0:
            length = tl.zeros((ROWS,), tl.float32)
            for t in tl.static_range(STRIDE // WIDTH):
                change = load_rows(sums, ids, used, t, STRIDE, WIDTH)
                length += tl.sum(change * change, axis=1)
            agreement = length / tl.where(used, square, 1.0)
            scale = 1.0 / tl.maximum(agreement, 1.0)
            for t in tl.static_range(STRIDE // WIDTH):
                places = places_of(inputs, ids, t, STRIDE, WIDTH)
                old = tl.load(places, mask=used[:, None], other=0.0)
                change = load_rows(sums, ids, used, t, STRIDE, WIDTH)
                tl.store(places, old + scale[:, None] * change, mask=used[:, None])
                places = places_of(sums, ids, t, STRIDE, WIDTH)
                tl.store(places, tl.zeros((ROWS, WIDTH), tl.float32), mask=used[:, None])
            tl.store(squares + ids, tl.zeros((ROWS,), tl.float32), mask=used)


class ComposedWords:
    """The vectors of words that are means of rows, one batch of centers after the other.

    Args:
        inputs: the rows, from `draws.device_matrix`, float32.
        layout: the rows of each word.
        programs: programs of each kernel.

    Attributes:
        vectors: float32 (words, stride); after `compose`, those of the batch are up to date.
    """

    def __init__(self, inputs: torch.Tensor, layout: InputLayout, programs: int = 1) -> None:
        device, words = inputs.device, len(layout.shares)
        starts, members, times = layout.distinct()
        self._tables = [torch.from_numpy(table).to(device) for table in (starts, members, times)]
        self._shares = torch.from_numpy(np.array(layout.shares)).to(device)
        self._inputs, self._programs = inputs, programs
        self.vectors = torch.zeros(words, inputs.shape[1], device=device)
        self._before = torch.zeros_like(self.vectors)
        self._sums = torch.zeros_like(inputs)
        self._squares = torch.zeros(len(inputs), device=device)
        self._marks = torch.zeros(words, dtype=torch.int32, device=device)
        self._found = torch.empty(words, dtype=torch.int32, device=device)
        self._count = torch.zeros(1, dtype=torch.int32, device=device)
        self._batch = 0
        stride = inputs.shape[1]
        self._shape = {"STRIDE": stride, "WIDTH": min(stride, _COLUMNS), "ROWS": _ROWS}

    def compose(self, batch: KeptWords, window: int) -> None:
        """Compose the words of a batch."""
        self._batch = self._batch % (2**31 - 1) + 1
        self._count.zero_()
        grid = (self._programs,)
        _find[grid](
            batch.words, batch.edges, self._marks, self._found, self._count, window, self._batch,
            BLOCK=_BLOCK,
        )  # fmt: skip
        _compose[grid](
            self._inputs, self.vectors, self._before, *self._tables, self._found, self._count,
            **self._shape, num_warps=1, num_stages=1,
        )  # fmt: skip

    def scatter(self) -> None:
        """Add the changes since `compose` to the rows."""
        grid = (self._programs,)
        _collect[grid](
            self.vectors, self._before, self._sums, self._squares, *self._tables, self._shares,
            self._found, self._count, **self._shape, num_warps=1, num_stages=1,
        )  # fmt: skip
        _apply[grid](
            self._inputs, self._sums, self._squares, len(self._inputs), **self._shape,
            num_warps=1, num_stages=1,
        )  # fmt: skip
