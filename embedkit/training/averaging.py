"""Ranks that train apart and agree now and then.

Each rank trains on its share of the text with matrices of its own, and every so many words the
ranks put together what they changed (local SGD, Stich 2019, arXiv:1805.09767), row by row. Where
changes point the same way, all ranks learned the same thing, and their mean is taken; where they
are at right angles, each learned something else, and their sum is (as Adasum does with two, Maleki
et al. 2021, arXiv:2006.02924). In between the sum is divided by its squared length over the sum of
the changes' squared lengths, which is k for k changes that agree and 1 for unrelated ones. A rare
word that one rank met keeps its whole step. docs/guides/scaling.md has figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from embedkit.system.ranks import Ranks
from embedkit.training.engine import Engine

__all__ = ["Averaging"]

_ROWS = 1 << 13  # of a block; few enough for the caches, enough for the network
_TINY = 1e-30


class Averaging:
    """The matrices as the ranks last agreed on them, where the engine has its own."""

    def __init__(self, engine: Engine, ranks: Ranks) -> None:
        self._ranks = ranks
        self._matrices = engine.matrices
        for matrix in self._matrices:
            # Rank 0 may have gone on from a checkpoint that only its machine has.
            ranks.spread(matrix)
        self._agreed = [matrix.to(torch.float32, copy=True) for matrix in self._matrices]

    def agree(self, rows: int) -> None:
        """Put together what the ranks changed in the first *rows* rows of both matrices.

        A block of them travels while the next one is made.
        """
        finish = _nothing
        for current, agreed in self._blocks(rows):
            finish_next = self._send(current, agreed)
            finish()
            finish = finish_next
        finish()

    def _blocks(self, rows: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for current, agreed in zip(self._matrices, self._agreed, strict=True):
            yield from zip(
                torch.split(current[:rows], _ROWS), torch.split(agreed[:rows], _ROWS), strict=True
            )

    def _send(self, current: torch.Tensor, agreed: torch.Tensor) -> Callable[[], None]:
        """Send what this rank changed in some rows; return what waits for the others' changes."""
        rows, dimension = current.shape
        message = torch.empty(rows, dimension + 1, device=agreed.device)
        change, square = message[:, :-1], message[:, -1:]
        torch.sub(current, agreed, out=change)
        square[:] = _squared_lengths(change)
        wait = self._ranks.add_up(message)

        def finish() -> None:
            wait()
            agreement = _squared_lengths(change) / square.clamp(min=_TINY)
            agreed.addcdiv_(change, agreement.clamp(min=1.0))
            current.copy_(agreed)

        return finish


def _squared_lengths(rows: torch.Tensor) -> torch.Tensor:
    squares: torch.Tensor = torch.linalg.vecdot(rows, rows)
    return squares[:, None]


def _nothing() -> None:
    pass
