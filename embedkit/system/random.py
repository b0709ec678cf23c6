"""Counter-based random draws: a hash of a key, a position and the number of the draw.

A draw depends on nothing else, so all kernels make the same draws in any order, on any thread.
The hash is SplitMix64 (Steele et al. 2014).
"""

from __future__ import annotations

__all__ = [
    "FIRST_MULTIPLIER",
    "GOLDEN_GAMMA",
    "SECOND_MULTIPLIER",
    "draw",
    "epoch_key",
    "mix",
]

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
"""SplitMix64's increment: 2^64 divided by the golden ratio, rounded to an odd number."""

FIRST_MULTIPLIER = 0xBF58476D1CE4E5B9
"""The first multiplier of SplitMix64's finalizer; see `mix`."""

SECOND_MULTIPLIER = 0x94D049BB133111EB
"""The second multiplier of SplitMix64's finalizer; see `mix`."""

_MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """Hash 64 bits to 64 bits: the finalizer of SplitMix64."""
    value &= _MASK
    value = ((value ^ (value >> 30)) * FIRST_MULTIPLIER) & _MASK
    value = ((value ^ (value >> 27)) * SECOND_MULTIPLIER) & _MASK
    return value ^ (value >> 31)


def epoch_key(seed: int, epoch: int) -> int:
    """Return the 64-bit key of *seed* and *epoch* for `draw`."""
    return mix(mix(seed + GOLDEN_GAMMA) + epoch * GOLDEN_GAMMA)


def draw(key: int, position: int, number: int = 0) -> int:
    """Return the 64 random bits of draw *number* at *position*.

    In training, the upper half of draw 0 decides whether the word is kept, and the lower half how
    wide its window is. Draw n > 0 chooses the n-th negative sample; see `noise_alias`.
    """
    first = mix(key + (position + 1) * GOLDEN_GAMMA)
    return first if number == 0 else mix(first + number * GOLDEN_GAMMA)
