"""Data-parallel training: each rank updates its own matrices, and they synchronize periodically.

Each rank trains on its share of the text (local SGD, Stich 2019, arXiv:1805.09767). At each
synchronization the ranks combine their changes since the last one, row by row. Parallel changes
are averaged and orthogonal changes are added, as Adasum does for two ranks (Maleki et al. 2021,
arXiv:2006.02924). In general, the sum of the changes is divided by a factor: the squared length of
the sum over the sum of the squared lengths. The factor is k for k equal changes and 1 for
orthogonal ones. A rare word that only one rank has seen keeps its whole change. See
docs/guides/scaling.md for measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from embedkit.system.ranks import Ranks
from embedkit.training.engine import Engine

__all__ = ["Averaging"]

_BLOCK_ROWS = 1 << 13  # small enough for the caches, large enough for the network
_EPSILON = 1e-30


class Averaging:
    """The matrices as of the last synchronization, kept alongside the engine's own matrices."""

    def __init__(self, engine: Engine, ranks: Ranks) -> None:
        self._ranks = ranks
        self._matrices = engine.matrices
        for matrix in self._matrices:
            # Rank 0 may have resumed from a checkpoint that only its machine has.
            ranks.spread(matrix)
        self._shared = [matrix.to(torch.float32, copy=True) for matrix in self._matrices]

    def synchronize(self, rows: int) -> None:
        """Combine all ranks' changes to the first *rows* rows of both matrices.

        Each block of rows is sent while the next one is computed.
        """
        finish = _nothing
        for current, shared in self._blocks(rows):
            finish_next = self._send(current, shared)
            finish()
            finish = finish_next
        finish()

    def _blocks(self, rows: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for current, shared in zip(self._matrices, self._shared, strict=True):
            yield from zip(
                torch.split(current[:rows], _BLOCK_ROWS),
                torch.split(shared[:rows], _BLOCK_ROWS),
                strict=True,
            )

    def _send(self, current: torch.Tensor, shared: torch.Tensor) -> Callable[[], None]:
        """Send this rank's changes to some rows; return a function that applies everyone's."""
        rows, dimension = current.shape
        message = torch.empty(rows, dimension + 1, device=shared.device)
        change, square = message[:, :-1], message[:, -1:]
        torch.sub(current, shared, out=change)
        square[:] = _squared_lengths(change)
        wait = self._ranks.add_up(message)

        def finish() -> None:
            wait()
            agreement = _squared_lengths(change) / square.clamp(min=_EPSILON)
            shared.addcdiv_(change, agreement.clamp(min=1.0))
            current.copy_(shared)

        return finish


def _squared_lengths(rows: torch.Tensor) -> torch.Tensor:
    squares: torch.Tensor = torch.linalg.vecdot(rows, rows)
    return squares[:, None]


def _nothing() -> None:
    pass
