"""The random draws of a chunk of the corpus, in Triton: tokens in, `KeptWords` out.

There are two passes over the tokens: one counts the kept words of each block, the other writes them
after those of the previous blocks. Nothing is read back, so the host never waits for the device.

It runs on CPU tensors if ``TRITON_INTERPRET=1`` is in the environment when Triton is imported.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import triton
import triton.language as tl

from embedkit.system.random import FIRST_MULTIPLIER, GOLDEN_GAMMA, SECOND_MULTIPLIER
from embedkit.training.kernels.draws import KeptWords, SamplingTables

__all__ = ["BLOCK_TOKENS", "StagingBuffers", "batches", "kept_words"]

BLOCK_TOKENS = 1024
"""Tokens of a program of these kernels, and the smallest batch."""


_GAMMA = tl.constexpr(GOLDEN_GAMMA)
_FIRST = tl.constexpr(FIRST_MULTIPLIER)
_SECOND = tl.constexpr(SECOND_MULTIPLIER)


@triton.jit
def _mix(bits):  # type: ignore[no-untyped-def]
    """Hash 64 bits to 64 bits, see `system.random.mix`."""
    bits = (bits ^ (bits >> 30)) * _FIRST
    bits = (bits ^ (bits >> 27)) * _SECOND
    return bits ^ (bits >> 31)


@triton.jit
def _draw_kept(  # type: ignore[no-untyped-def]
    tokens, keep, base, size, words, key, BLOCK: tl.constexpr
):
    """Return the indices and ids of a block's tokens, their draw 0, and whether they are kept."""
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    ids = tl.load(tokens + index, mask=index < size, other=2147483647)
    position = (index + 1).to(tl.uint64) + base.to(tl.uint64)
    draws = _mix(position * _GAMMA + key.to(tl.uint64))
    known = ids < words
    threshold = tl.load(keep + ids, mask=known, other=0).to(tl.uint32, bitcast=True)
    return index, ids, draws, known & ((draws >> 32).to(tl.uint32) <= threshold)


@triton.jit(do_not_specialize=["base", "size", "words", "key"])
def _count(  # type: ignore[no-untyped-def]
    tokens, keep, counts, base: tl.int64, size: tl.int32, words: tl.int32, key: tl.int64,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Count the kept tokens of each block."""
    _, _, _, kept = _draw_kept(tokens, keep, base, size, words, key, BLOCK)
    tl.store(counts + tl.program_id(0), tl.sum(kept.to(tl.int32)))


@triton.jit(
    do_not_specialize=[
        "base", "size", "words", "key", "start", "stop", "starts", "steps", "window",
    ]
)  # fmt: skip
def _write(  # type: ignore[no-untyped-def]
    tokens, boundaries, keep, noise, ends, words_out, sentences, reaches, negatives, edges,
    base: tl.int64, size: tl.int32, words: tl.int32, key: tl.int64, start: tl.int32, stop: tl.int32,
    starts: tl.int32, steps: tl.int32, window: tl.int32,
    NEGATIVE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write the kept tokens of each block with their draws; *ends* are cumulative counts.

    *start* and *stop* are relative to the first token. There are *starts* boundaries, and a
    sentence is found among them by *steps* steps of bisection.
    """
    block = tl.program_id(0)
    index, ids, draws, kept = _draw_kept(tokens, keep, base, size, words, key, BLOCK)
    offset = tl.load(ends + block - 1, mask=block > 0, other=0)
    ones = kept.to(tl.int32)
    slot = offset + tl.cumsum(ones, 0) - ones
    begin = block * BLOCK
    if (start >= begin) & (start < begin + BLOCK):
        tl.store(edges, offset + tl.sum(tl.where(index < start, ones, 0)))
    if (stop > begin) & (stop <= begin + BLOCK):
        tl.store(edges + 1, offset + tl.sum(tl.where(index < stop, ones, 0)))
    if block == tl.num_programs(0) - 1:
        tl.store(edges + 2, offset + tl.sum(ones))
    tl.store(words_out + slot, ids, mask=kept)
    # The number of boundaries at or before the position, by bisection.
    low = tl.zeros((BLOCK,), tl.int32)
    high = low + starts
    position = base.to(tl.int64) + index
    for _ in range(steps):
        middle = (low + high) // 2
        searched = low < high
        found = tl.load(boundaries + middle, mask=kept & searched, other=0)
        right = searched & (found <= position)
        high = tl.where(searched & (found > position), middle, high)
        low = tl.where(right, middle + 1, low)
    tl.store(sentences + slot, low, mask=kept)
    lower = draws & 0xFFFFFFFF
    reach = 1 + ((lower * window.to(tl.uint64)) >> 32).to(tl.int32)
    tl.store(reaches + slot, reach, mask=kept)
    counter = draws
    for number in tl.static_range(1, NEGATIVE + 1):
        counter += _GAMMA
        bits = _mix(counter)
        place = ((bits >> 32) * words.to(tl.uint64)) >> 32
        entry = tl.load(noise + place, mask=kept, other=0).to(tl.uint64, bitcast=True)
        drawn = (bits & 0xFFFFFFFF) <= (entry & 0xFFFFFFFF)
        sample = tl.where(drawn, place, entry >> 32).to(tl.int32)
        tl.store(negatives + slot * NEGATIVE + (number - 1), sample, mask=kept)


class StagingBuffers:
    """Reusable memory on a device for the kept words of one chunk at a time.

    Args:
        device: where the chunk is trained.
        negative: negative samples per word.
    """

    def __init__(self, device: torch.device | str, negative: int) -> None:
        self._device = device
        self._negative = negative
        self._size = -1

    def reserve(self, tokens: int) -> None:
        """Make room for a chunk with this many tokens."""
        if tokens <= self._size:
            return
        self._size = tokens

        def numbers(*shape: int) -> torch.Tensor:
            return torch.empty(shape, dtype=torch.int32, device=self._device)

        self.kept = KeptWords(
            words=numbers(tokens),
            sentences=numbers(tokens),
            reaches=numbers(tokens),
            negatives=numbers(tokens, self._negative),
            edges=numbers(3),
        )
        self.counts = numbers(-(-tokens // BLOCK_TOKENS))
        self.ends = torch.empty_like(self.counts)


def _signed(value: int) -> int:
    """Return the int64 with the same 64 bits."""
    return (value & (1 << 64) - 1 ^ 1 << 63) - (1 << 63)


def kept_words(
    tokens: torch.Tensor,
    base: int,
    boundaries: torch.Tensor,
    start: int,
    stop: int,
    tables: SamplingTables,
    window: int,
    key: int,
    buffers: StagingBuffers,
) -> KeptWords:
    """Return the kept words of a range of the corpus, with their random draws.

    Args:
        tokens: token ids, the first at position *base*, int32; at least those of `context_span`.
        base: position of the first token in the corpus.
        boundaries: positions where sentences begin, int64; all within the range.
        start, stop: positions of the centers, start < stop.
        tables: on the same device as *tokens* and *boundaries*.
        window, key: see `reference.train_range`.
        buffers: the memory that the result is written to, valid until the next call.
    """
    size, words = len(tokens), len(tables.keep)
    buffers.reserve(size)
    kept = buffers.kept
    blocks = -(-size // BLOCK_TOKENS)
    counts, ends = buffers.counts[:blocks], buffers.ends[:blocks]
    signed = _signed(key)
    _count[(blocks,)](tokens, tables.keep, counts, base, size, words, signed, BLOCK=BLOCK_TOKENS)
    torch.cumsum(counts, 0, dtype=torch.int32, out=ends)
    _write[(blocks,)](
        tokens, boundaries, tables.keep, tables.noise, ends, kept.words, kept.sentences,
        kept.reaches, kept.negatives, kept.edges, base, size, words, signed, start - base,
        stop - base, len(boundaries), len(boundaries).bit_length(), window,
        NEGATIVE=kept.negatives.shape[1], BLOCK=BLOCK_TOKENS,
    )  # fmt: skip
    return kept


def batches(
    kept: KeptWords, buffers: StagingBuffers, tokens: int, batch_tokens: int
) -> list[KeptWords]:
    """Cut the centers of a chunk, staged in *buffers*, into batches.

    Args:
        kept: the chunk.
        tokens: number of its tokens, with those around the centers.
        batch_tokens: tokens of a batch, counted from the first token; a multiple of
            `BLOCK_TOKENS`.
    """
    step, last_block = batch_tokens // BLOCK_TOKENS, -(-tokens // BLOCK_TOKENS) - 1
    ends = buffers.ends[step - 1 : last_block : step]
    first, last, slots = kept.edges[0:1], kept.edges[1:2], kept.edges[2:3]
    cuts = torch.cat([first, torch.clamp(ends, min=first, max=last), last])
    # Four numbers each, so that the addresses of all rows are multiples of 16.
    edges = torch.stack([cuts[:-1], cuts[1:], *[slots.expand(len(cuts) - 1)] * 2], dim=1)
    return [replace(kept, edges=row) for row in edges]
