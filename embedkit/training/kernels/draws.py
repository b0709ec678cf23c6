"""The random draws of a chunk of the corpus, as torch tensors on any device.

GPU kernels see a chunk of the corpus as `KeptWords`: only the words that subsampling keeps, each
with its sentence, its window size (reach) and its negative samples. Windows count kept words, so a
window is a range of slots, and the kernels draw nothing themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from embedkit.system.random import FIRST_MULTIPLIER, GOLDEN_GAMMA, SECOND_MULTIPLIER

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KeptWords", "SamplingTables", "context_span", "device_matrix", "kept_words"]

_ROW_FLOATS = 32  # rows are aligned to cache lines of 128 bytes
_LOW_HALF = 0xFFFFFFFF
_BLOCK = 1024  # tokens searched at a time for context beyond a range


def _signed(value: int) -> int:
    """Return the int64 with the same 64 bits; torch has no uint64 arithmetic."""
    return (value & (1 << 64) - 1 ^ 1 << 63) - (1 << 63)


_GAMMA, _FIRST, _SECOND = map(_signed, (GOLDEN_GAMMA, FIRST_MULTIPLIER, SECOND_MULTIPLIER))


@dataclass(frozen=True)
class SamplingTables:
    """The tables that draws are compared with, int64, (words,) each, on one device.

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
    ) -> SamplingTables:
        """Copy the tables to a device."""
        return cls(
            *(torch.from_numpy(a.astype(np.int64)).to(device) for a in (keep, noise, aliases))
        )


@dataclass(frozen=True)
class KeptWords:
    """The kept words of a range of tokens and of the context around it, in corpus order.

    Attributes:
        words: word ids, int32, (slots,).
        sentences: sentence numbers, int32, (slots,).
        reaches: the drawn window size of each slot, in kept words on either side, int32, (slots,).
        negatives: the negative samples of each slot, int32, (slots, negative).
        first, last: the centers are the slots in [first, last).
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
    """Return zeros, (words, dimension rounded up to whole cache lines)."""
    stride = -(-dimension // _ROW_FLOATS) * _ROW_FLOATS
    return torch.zeros(words, stride, dtype=kind, device=device)


def _upper(bits: torch.Tensor, by: int = 32) -> torch.Tensor:
    """Shift unsigned 64-bit numbers right."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def _mix(value: torch.Tensor) -> torch.Tensor:
    value = (value ^ _upper(value, 30)) * _FIRST
    value = (value ^ _upper(value, 27)) * _SECOND
    return value ^ _upper(value, 31)


def _kept(
    tokens: torch.Tensor, base: int, keep: torch.Tensor, key: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return draw 0 of each token, the first at position *base*, and whether it is kept."""
    positions = torch.arange(base + 1, base + 1 + len(tokens), device=tokens.device)
    draws = _mix(positions * _GAMMA + _signed(key))
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
    """Return a range of tokens that contains [start, stop) and the contexts of its centers.

    It extends over at least *window* kept words on either side, or to the end of the sentence.
    *keep* is on the CPU; for the other arguments, see `reference.train_range`.
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
    tables: SamplingTables,
    window: int,
    negative: int,
    key: int,
) -> KeptWords:
    """Return the kept words of a range of the corpus, with their random draws.

    Args:
        tokens: token ids, the first at position *base*, int32; at least those of `context_span`.
        base: position of the first token in the corpus.
        boundaries: positions where sentences begin, int64; all within the range.
        start, stop: positions of the centers.
        tables: on the same device as *tokens* and *boundaries*.
        window, negative, key: see `reference.train_range`.
    """
    draws, kept = _kept(tokens, base, tables.keep, key)
    places = kept.nonzero().flatten()
    first = draws[places]
    positions = places + base
    negatives = torch.empty(len(places), negative, dtype=torch.int32, device=tokens.device)
    for number in range(1, negative + 1):  # one at a time to save memory
        bits = _mix(first + _signed(number * _GAMMA))
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
