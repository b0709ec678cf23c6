"""Counter-based random draws: a hash of a key, a position and the number of the draw.

A draw depends on nothing else, so every kernel makes the same ones, whatever was computed before,
by whom, and in which order.
"""

from __future__ import annotations

__all__ = [
    "GOLDEN",
    "MASK",
    "MIX_1",
    "MIX_2",
    "draw",
    "epoch_key",
    "mix",
]

GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB
MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """Hash 64 bits to 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    value &= MASK
    value = ((value ^ (value >> 30)) * MIX_1) & MASK
    value = ((value ^ (value >> 27)) * MIX_2) & MASK
    return value ^ (value >> 31)


def epoch_key(seed: int, epoch: int) -> int:
    """Return the 64-bit key that stands for *seed* and *epoch* in `draw`."""
    return mix(mix(seed + GOLDEN) + epoch * GOLDEN)


def draw(key: int, position: int, number: int = 0) -> int:
    """Return the 64 random bits of draw *number* at *position*.

    Draw 0: the upper half decides whether the word is kept, the lower one how far its window
    reaches. Draw n > 0: the n-th negative, see `noise_alias`.
    """
    first = mix(key + (position + 1) * GOLDEN)
    return first if number == 0 else mix(first + number * GOLDEN)
