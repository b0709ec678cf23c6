"""Data-parallel training: each rank updates its own matrices, and they synchronize periodically.

Each rank trains on its share of the text (local SGD, Stich 2019, arXiv:1805.09767). At each
synchronization the ranks combine their changes since the last one, row by row. The sum of the
changes is divided by a power of their agreement, which is the squared length of the sum over the
sum of the squared lengths: k for k equal changes and 1 for orthogonal ones. So orthogonal changes
are added, as Adasum does for two ranks (Maleki et al. 2021, arXiv:2006.02924), and a rare word
that only one rank has seen keeps its whole change. Adasum averages equal changes; the power makes
their combination longer than the average, up to twice as long. See docs/guides/scaling.md for
measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch

from embedkit.system.ranks import Ranks
from embedkit.training.engine import Engine

__all__ = ["Averaging", "divisors"]

_BLOCK_ROWS = 1 << 13  # small enough for the caches, large enough for the network
_EPSILON = 1e-30
_POWER = 0.7  # of the agreement; 1 learns less, and 0.5 learned nothing with 16 ranks
_LONGEST = 2.0  # times the average: what the power allows for ten ranks


class Averaging:
    """The matrices as of the last synchronization, kept alongside the engine's own matrices."""

    def __init__(self, engine: Engine, ranks: Ranks) -> None:
        self._ranks = ranks
        self._matrices = engine.matrices
        self._rows = engine.rows
        for matrix in self._matrices:
            # Rank 0 may have resumed from a checkpoint that only its machine has.
            ranks.spread(matrix)
        self._shared = [matrix.to(torch.float32, copy=True) for matrix in self._matrices]

    def synchronize(self, words: int) -> None:
        """Combine the changes of all ranks to the rows of the first *words* words.

        These are their rows of both matrices, and the rows of their n-grams. Position weights are
        always combined. Each block of rows is sent while the next one is computed.
        """
        finish = _nothing
        for start in self._sends(words):
            finish_next = start()
            finish()
            finish = finish_next
        finish()

    def _sends(self, words: int) -> Iterator[Callable[[], Callable[[], None]]]:
        """Yield functions that each send a block of rows, as `_send` does."""
        for current, shared in zip(self._matrices, self._shared, strict=True):
            for rows, old in zip(
                torch.split(current[:words], _BLOCK_ROWS),
                torch.split(shared[:words], _BLOCK_ROWS),
                strict=True,
            ):
                yield partial(self._send, rows, old)
        for numbers in torch.split(torch.from_numpy(self._rows.beside(words)), _BLOCK_ROWS):
            yield partial(self._send_some, numbers)

    def _send_some(self, numbers: torch.Tensor) -> Callable[[], None]:
        """Send rows of the input matrix, by their numbers; see `_send`."""
        current, shared = self._matrices[0][numbers], self._shared[0][numbers]
        finish = self._send(current, shared)

        def write_back() -> None:
            finish()
            self._matrices[0][numbers] = current
            self._shared[0][numbers] = shared

        return write_back

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
            shared.addcdiv_(change, divisors(agreement))
            current.copy_(shared)

        return finish


def divisors(agreement: torch.Tensor) -> torch.Tensor:
    """Return what sums of changes are divided by: 1 for no agreement, at least half of it for much.

    Args:
        agreement: that of the ranks for each row, from 0 to their number.
    """
    return torch.maximum(agreement.clamp(min=1.0).pow_(_POWER), agreement / _LONGEST)


def _squared_lengths(rows: torch.Tensor) -> torch.Tensor:
    squares: torch.Tensor = torch.linalg.vecdot(rows, rows)
    return squares[:, None]


def _nothing() -> None:
    pass
