"""The schedule of stops, where all threads pause: epoch ends and synchronizations of ranks."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FIRST_EPOCH", "SCHEDULE_VERSION", "Stop", "rank_schedule", "schedule"]

FIRST_EPOCH = 8
"""How many times as often ranks synchronize in the first epoch."""

SCHEDULE_VERSION = 2
"""Increased whenever ranks stop at other points; their checkpoints count the stops so far."""

_HALVINGS = 6


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


def schedule(epochs: int, chunks: int, parts: int = 1, first: int = 0) -> list[Stop]:
    """Return the stops for *epochs* epochs of *chunks* chunks.

    The ranks' vectors diverge fast for frequent words and slowly for rare ones. So all words are
    synchronized at the end of an epoch and at every 64th stop. The most frequent quarter of the
    words is also synchronized at every 32nd stop, the most frequent eighth at every 16th, and so
    on to the most frequent 128th at every stop. Each of these levels costs the same.

    Args:
        parts: number of stops per epoch.
        first: number of stops in the first epoch, if different.
    """
    return [
        Stop(
            epoch * chunks + -(-chunks * part // stops),
            0 if part == stops else _halvings(part),
            part == stops,
        )
        for epoch in range(epochs)
        for stops in [first if first and epoch == 0 else parts]
        for part in range(1, stops + 1)
    ]


def rank_schedule(epochs: int, chunks: int, share: float, sync_every: int) -> list[Stop]:
    """Return the stops of a rank with *chunks* chunks, where the mean rank has *share* tokens.

    In the first epoch, the vectors of all ranks change in the same direction, so little is learned
    from changes that are averaged. Later, most changes are unrelated and are summed, as if one
    rank had made them all. So the ranks synchronize `FIRST_EPOCH` times as often at first (as in
    post-local SGD, Lin et al. 2020, arXiv:1808.07217).
    """
    first = max(1, round(share * FIRST_EPOCH / sync_every))
    return schedule(epochs, chunks, max(1, round(share / sync_every)), first)


def _halvings(number: int) -> int:
    """Return 0 for multiples of 64, else 2 for those of 32, 3 of 16, ..., and 7 for odd ones."""
    twos = (number & -number).bit_length() - 1
    return 0 if twos >= _HALVINGS else _HALVINGS + 1 - twos
