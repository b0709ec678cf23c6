"""The words that a GPU kernel trains on, and the part of the corpus that they come from.

GPU kernels see a chunk of the corpus as `KeptWords`: only the words that subsampling keeps, each
with its sentence, its window size (reach) and its negative samples. Windows count kept words, so a
window is a range of slots, and the training kernel draws nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from embedkit.system.random import FIRST_MULTIPLIER, GOLDEN_GAMMA, SECOND_MULTIPLIER

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KeptWords", "SamplingTables", "context_span", "device_matrix"]

_LINE, _TILE = 32, 64  # numbers of a cache line of 128 bytes, and of a column tile of the kernel
_BLOCK = 1024  # tokens searched at a time for context beyond a range


@dataclass(frozen=True)
class SamplingTables:
    """The tables that draws are compared with, on one device.

    Attributes:
        keep: see `sampling.keep_thresholds`; the 32 bits as int32, (words,).
        noise: threshold (lower half) and alias (upper half) of `sampling.noise_alias` as int64, so
            that a draw reads one number, (words,).
    """

    keep: torch.Tensor
    noise: torch.Tensor

    @classmethod
    def of(
        cls,
        keep: NDArray[np.uint32],
        noise: NDArray[np.uint32],
        aliases: NDArray[np.int32],
        device: torch.device | str = "cpu",
    ) -> SamplingTables:
        """Copy the tables to a device."""
        entries = (aliases.astype(np.int64) << 32) | noise
        return cls(
            torch.from_numpy(keep.view(np.int32).copy()).to(device),
            torch.from_numpy(entries).to(device),
        )


@dataclass(frozen=True)
class KeptWords:
    """The kept words of a range of tokens and of the context around it, in corpus order.

    The tensors may be longer than the number of slots. Only the device knows that number, and
    reading it would wait for the device.

    Attributes:
        words: word ids, int32, (slots,).
        sentences: sentence numbers, int32, (slots,).
        reaches: the drawn window size of each slot, in kept words on either side, int32, (slots,).
        negatives: the negative samples of each slot, int32, (slots, negative).
        edges: the centers are the slots in [edges[0], edges[1]); edges[2] is the number of slots;
            int32, (3,).
    """

    words: torch.Tensor
    sentences: torch.Tensor
    reaches: torch.Tensor
    negatives: torch.Tensor
    edges: torch.Tensor


def device_matrix(
    words: int, dimension: int, device: torch.device | str, kind: torch.dtype = torch.float32
) -> torch.Tensor:
    """Return zeros, (words, dimension rounded up to whole column tiles of the kernel).

    A row of up to 32 numbers is one cache line; the length of longer rows is a multiple of 64.
    """
    unit = _LINE if dimension <= _LINE else _TILE
    return torch.zeros(words, -(-dimension // unit) * unit, dtype=kind, device=device)


def _count_kept(tokens: NDArray[np.int32], base: int, keep: NDArray[np.uint32], key: int) -> int:
    """Return how many of some tokens are kept; the first token is at position *base*."""
    positions = np.arange(base + 1, base + 1 + len(tokens), dtype=np.uint64)
    bits = positions * np.uint64(GOLDEN_GAMMA) + np.uint64(key)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(FIRST_MULTIPLIER)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(SECOND_MULTIPLIER)
    bits = (bits ^ (bits >> np.uint64(31))) >> np.uint64(32)
    known = tokens < len(keep)
    return int((bits[known] <= keep[tokens[known]]).sum())


def context_span(
    tokens: NDArray[np.int32],
    boundaries: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    window: int,
    key: int,
) -> tuple[int, int]:
    """Return a range of tokens that contains [start, stop) and the contexts of its centers.

    It extends over at least *window* kept words on either side, or to the end of the sentence.
    For the arguments, see `reference.train_range`.
    """
    low, high = start, stop
    begin = int(boundaries[np.searchsorted(boundaries, start, side="right") - 1])
    end = int(boundaries[np.searchsorted(boundaries, stop - 1, side="right")])
    found = 0
    while low > begin and found < window:
        block = max(begin, low - _BLOCK)
        found += _count_kept(tokens[block:low], block, keep, key)
        low = block
    found = 0
    while high < end and found < window:
        block = min(end, high + _BLOCK)
        found += _count_kept(tokens[high:block], high, keep, key)
        high = block
    return low, high
