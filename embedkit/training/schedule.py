"""Where all threads of a training stand still: to look at an epoch's vectors, to agree."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Stop", "schedule"]

_HALVINGS = 4


class Stop(NamedTuple):
    """A place where no chunk is under way.

    Attributes:
        chunk: number of chunks before it, of all epochs.
        halvings: if ranks agree here, they do on the V / 2**halvings most frequent words.
        ends_epoch: whether an epoch ends here. The chunk alone does not tell: a rank with few of
            them stands still several times at one place, so that all stop as often.
    """

    chunk: int
    halvings: int
    ends_epoch: bool


def schedule(epochs: int, chunks: int, parts: int) -> list[Stop]:
    """Return the places where *epochs* of *chunks* chunks stand still, *parts* times an epoch.

    Ranks soon differ in what they learned of a frequent word, and only slowly of a rare one. So all
    words take part at the end of an epoch and at every 16th stop in it, the more frequent quarter
    at every 8th as well, and with every halving of the words twice as often: a 32nd of them always.
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


def _halvings(number: int) -> int:
    """Return 0 for a multiple of 16, 2 for another one of 8, 3 of 4, 4 of 2, 5 for odd numbers."""
    twos = (number & -number).bit_length() - 1
    return 0 if twos >= _HALVINGS else _HALVINGS + 1 - twos
