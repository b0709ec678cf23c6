"""The schedule of stops, where all threads pause: epoch ends and synchronizations of ranks."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Stop", "parts_of_epoch", "schedule"]

_HALVINGS = 4


class Stop(NamedTuple):
    """A point in training where no chunk is being processed.

    Attributes:
        chunk: number of chunks before it, over all epochs.
        halvings: ranks synchronize the V / 2**halvings most frequent words here.
        ends_epoch: whether an epoch ends here. The chunk number alone does not tell, because a rank
            with few chunks has several stops at the same chunk, so that all ranks stop equally
            often.
    """

    chunk: int
    halvings: int
    ends_epoch: bool


def schedule(epochs: int, chunks: int, parts: int) -> list[Stop]:
    """Return the stops for *epochs* epochs of *chunks* chunks, with *parts* stops per epoch.

    The ranks' vectors diverge fast for frequent words and slowly for rare ones. So all words are
    synchronized at the end of an epoch and at every 16th stop. The most frequent quarter of the
    words is also synchronized at every 8th stop, the most frequent eighth at every 4th, the most
    frequent 16th at every 2nd, and the most frequent 32nd at every stop.
    """
    return [
        Stop(
            epoch * chunks + -(-chunks * part // parts),
            0 if part == parts else _halvings(part),
            part == parts,
        )
        for epoch in range(epochs)
        for part in range(1, parts + 1)
    ]


def parts_of_epoch(tokens: int, ranks: int, sync_every: int) -> int:
    """Return the number of stops in an epoch of *tokens* tokens over all ranks."""
    return max(1, round(tokens / ranks / sync_every))


def _halvings(number: int) -> int:
    """Return 0 for multiples of 16, else 2 for those of 8, 3 of 4, 4 of 2, and 5 for odd ones."""
    twos = (number & -number).bit_length() - 1
    return 0 if twos >= _HALVINGS else _HALVINGS + 1 - twos
