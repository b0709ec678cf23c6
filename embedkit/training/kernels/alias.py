"""Filling alias tables, compiled by Numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embedkit.system.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fill_alias"]


@compiled
def fill_alias(
    scaled: NDArray[np.float64],
    small: NDArray[np.int32],
    large: NDArray[np.int32],
    threshold: NDArray[np.float64],
    alias: NDArray[np.int32],
) -> None:
    """Fill an alias table by Vose's method (1991).

    Args:
        scaled: the probabilities times their number, (words,); overwritten.
        small, large: room for two stacks of words, (words,) each.
        threshold: the share of each word's draws that are the word itself; must be 1 initially.
        alias: what is drawn otherwise; must be the word itself initially.
    """
    smalls, larges = 0, 0
    for word in range(len(scaled)):
        if scaled[word] < 1.0:
            small[smalls] = word
            smalls += 1
        else:
            large[larges] = word
            larges += 1
    while smalls and larges:
        smalls -= 1
        less, more = small[smalls], large[larges - 1]
        threshold[less], alias[less] = scaled[less], more
        scaled[more] -= 1.0 - scaled[less]
        if scaled[more] < 1.0:
            larges -= 1
            small[smalls] = more
            smalls += 1
    # The remaining entries are 1 up to rounding.
