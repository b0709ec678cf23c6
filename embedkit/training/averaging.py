"""Ranks that train apart and agree now and then.

Each rank trains on its share of the text with matrices of its own. Every so many words the ranks
put together what they changed (local SGD, Stich 2019, arXiv:1805.09767), row by row: the sum over
the k ranks that changed the row, divided by the square root of k. A rare word that one rank met
keeps its whole step. Where several changed a row, their mean would throw away much of the progress,
and their sum overshoots, because all of them made the same part of it; docs/scaling.md has figures.
"""

from __future__ import annotations

import numpy as np

from embedkit.ranks import Ranks
from embedkit.training.engine import Engine

__all__ = ["Averaging"]

_ROWS = 1 << 16
_POWER = 0.5


class Averaging:
    """The matrices as the ranks last agreed on them."""

    def __init__(self, engine: Engine, ranks: Ranks) -> None:
        self._engine = engine
        self._ranks = ranks
        # Rank 0 may have gone on from a checkpoint that only its machine has.
        self._vectors = ranks.first(engine.vectors)
        self._context = ranks.first(engine.context)
        engine.load(self._vectors, self._context)

    def agree(self) -> None:
        """Put together what the ranks changed."""
        for agreed, current in (
            (self._vectors, self._engine.vectors),
            (self._context, self._engine.context),
        ):
            for start in range(0, len(agreed), _ROWS):
                rows = slice(start, start + _ROWS)
                change = current[rows] - agreed[rows]
                ranks = change.any(axis=1).astype(np.float32)
                self._ranks.add_up(ranks)
                self._ranks.add_up(change)
                change /= (np.maximum(ranks, 1.0) ** _POWER)[:, np.newaxis]
                agreed[rows] += change
        self._engine.load(self._vectors, self._context)
