"""How the vector of a context is made from rows of the input matrix."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["PLAIN", "InputLayout"]


@dataclass(frozen=True)
class InputLayout:
    """What the rows of the input matrix are.

    Attributes:
        cbow: whether the mean of a center's contexts predicts it (CBOW), rather than each of them
            (skip-gram).
        starts: int64 (words + 1,); word w is the mean of the input rows
            ``members[starts[w]:starts[w + 1]]``. Empty if word w is just row w.
        members: int32; the first row of each word is w, its own row.
        shares: float32 (words,); the part of a word's change that each of its rows gets, usually 1.
            Less if a row occurs more than once among them: with n rows, of which row i occurs m_i
            times, n over the sum of m_i ** 2, so that the mean moves by the change. That is divided
            by the number of words of a full window, 2 * window, whose change is expected to move
            this word by as much through the rows that they have in common, where that is above 1.
            All of them change from the same rows, so their changes would otherwise add up to a
            multiple of what each of them needs. In natural text it is about 0.01 for a window of 5
            and n-grams of 4 to 6; with a small vocabulary and a wide window, it reaches 120.
        positions: first of the 2 * window input rows that are position weights, from the leftmost
            position to the rightmost; -1 without position weights, which only CBOW has.
    """

    cbow: bool = False
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    members: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    shares: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    positions: int = -1

    @property
    def composed(self) -> bool:
        """Whether a word is the mean of several rows."""
        return len(self.starts) > 0

    def distinct(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """Return `starts` and `members` without repetition, and how often each member occurs."""
        sizes = np.diff(self.starts)
        words = np.repeat(np.arange(len(sizes)), sizes)
        order = np.lexsort((self.members, words))
        rows, owners = self.members[order], words[order]
        first = np.flatnonzero(np.diff(rows, prepend=-1) | np.diff(owners, prepend=-1))
        times = np.diff(first, append=len(rows)).astype(np.float32)
        starts = np.searchsorted(owners[first], np.arange(len(sizes) + 1))
        return starts.astype(np.int64), rows[first], times


PLAIN = InputLayout()
"""Skip-gram over words that have one row each."""
