"""The draws of `sampling.py` for many tokens at once, as torch tensors on any device.

Kernels for GPUs see a chunk of the corpus as `KeptWords`: only words that survive subsampling,
each with its sentence, its reach and its negatives. Window positions count kept words, so a window
is a range of slots, and no kernel draws anything. Nothing here knows of the kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from embedkit.system.random import GOLDEN, MASK, MIX_1, MIX_2

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KeptWords", "Tables", "context_span", "device_matrix", "kept_words"]

_ROW_FLOATS = 32  # rows start on a line of the cache, 128 bytes, in float32
_LOW_HALF = 0xFFFFFFFF
_BLOCK = 1024  # tokens looked at in one go for context beyond a range


def _signed(value: int) -> int:
    """Return 64 bits as the int64 that has them: torch does not compute with uint64."""
    return (value & MASK ^ 1 << 63) - (1 << 63)


_GOLDEN, _MIX_1, _MIX_2 = _signed(GOLDEN), _signed(MIX_1), _signed(MIX_2)


@dataclass(frozen=True)
class Tables:
    """What draws are compared with, (words,) int64 each, on one device.

    Attributes:
        keep: see `sampling.keep_thresholds`.
        noise, aliases: see `sampling.noise_alias`.
    """

    keep: torch.Tensor
    noise: torch.Tensor
    aliases: torch.Tensor

    @classmethod
    def of(
        cls,
        keep: NDArray[np.uint32],
        noise: NDArray[np.uint32],
        aliases: NDArray[np.int32],
        device: torch.device | str = "cpu",
    ) -> Tables:
        """Copy the tables to a device."""
        return cls(
            *(torch.from_numpy(a.astype(np.int64)).to(device) for a in (keep, noise, aliases))
        )


@dataclass(frozen=True)
class KeptWords:
    """The kept words of a range of tokens and of the context around it, in the corpus's order.

    Attributes:
        words: ids, (slots,) int32.
        sentences: a number for each sentence, (slots,) int32.
        reaches: words to either side that a window takes in, (slots,) int32.
        negatives: noise words of each slot as a centre, (slots, negative) int32.
        first, last: the centres are the slots from first to below last.
    """

    words: torch.Tensor
    sentences: torch.Tensor
    reaches: torch.Tensor
    negatives: torch.Tensor
    first: int
    last: int


def device_matrix(
    words: int, dimension: int, device: torch.device | str, kind: torch.dtype = torch.float32
) -> torch.Tensor:
    """Return zeros, (words, dimension rounded up to whole lines of the cache)."""
    stride = -(-dimension // _ROW_FLOATS) * _ROW_FLOATS
    return torch.zeros(words, stride, dtype=kind, device=device)


def _upper(bits: torch.Tensor, by: int = 32) -> torch.Tensor:
    """Shift unsigned 64-bit numbers right."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def _mix(value: torch.Tensor) -> torch.Tensor:
    value = (value ^ _upper(value, 30)) * _MIX_1
    value = (value ^ _upper(value, 27)) * _MIX_2
    return value ^ _upper(value, 31)


def _kept(
    tokens: torch.Tensor, base: int, keep: torch.Tensor, key: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return draw 0 of each token from position *base* on, and whether the token is kept."""
    positions = torch.arange(base + 1, base + 1 + len(tokens), device=tokens.device)
    draws = _mix(positions * _GOLDEN + _signed(key))
    ids = tokens.long()
    known = ids < len(keep)
    return draws, known & (_upper(draws) <= keep[torch.where(known, ids, 0)])


def context_span(
    tokens: NDArray[np.int32],
    boundaries: NDArray[np.int64],
    start: int,
    stop: int,
    keep: torch.Tensor,
    window: int,
    key: int,
) -> tuple[int, int]:
    """Return a range of tokens that holds start..stop and the contexts of all its centres.

    On either side it goes on for at least `window` kept words, if the sentence has as many.
    *keep* is on the CPU; see `reference.train_range` for the rest.
    """
    low, high = start, stop
    begin = int(boundaries[np.searchsorted(boundaries, start, side="right") - 1])
    end = int(boundaries[np.searchsorted(boundaries, stop - 1, side="right")])
    found = 0
    while low > begin and found < window:
        block = max(begin, low - _BLOCK)
        found += int(_kept(torch.from_numpy(tokens[block:low].copy()), block, keep, key)[1].sum())
        low = block
    found = 0
    while high < end and found < window:
        block = min(end, high + _BLOCK)
        found += int(_kept(torch.from_numpy(tokens[high:block].copy()), high, keep, key)[1].sum())
        high = block
    return low, high


def kept_words(
    tokens: torch.Tensor,
    base: int,
    boundaries: torch.Tensor,
    start: int,
    stop: int,
    tables: Tables,
    window: int,
    negative: int,
    key: int,
) -> KeptWords:
    """Return the kept words of a piece of the corpus, with all that was drawn for them.

    Args:
        tokens: ids from position *base* on, int32; at least the range of `context_span`.
        boundaries: positions in the corpus where sentences begin, int64; all that lie within.
        start, stop: the centres' positions in the corpus.
        tables: on the device of *tokens*, as *boundaries* are.
        window, negative, key: see `reference.train_range`.
    """
    draws, kept = _kept(tokens, base, tables.keep, key)
    places = kept.nonzero().flatten()
    first = draws[places]
    positions = places + base
    negatives = torch.empty(len(places), negative, dtype=torch.int32, device=tokens.device)
    for number in range(1, negative + 1):  # one after the other, because each takes much memory
        bits = _mix(first + _signed(number * _GOLDEN))
        place = (_upper(bits) * len(tables.noise)) >> 32
        drawn = (bits & _LOW_HALF) <= tables.noise[place]
        negatives[:, number - 1] = torch.where(drawn, place, tables.aliases[place])
    edges = torch.tensor([start, stop], device=tokens.device)
    begin, end = torch.searchsorted(positions, edges).tolist()
    return KeptWords(
        tokens[places],
        torch.searchsorted(boundaries, positions, right=True, out_int32=True),
        (1 + (((first & _LOW_HALF) * window) >> 32)).int(),
        negatives,
        begin,
        end,
    )
