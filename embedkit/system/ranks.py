"""The processes that work together, on one machine or several, as torchrun starts them.

torchrun --nproc-per-node 2 -m embedkit train corpus.txt
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, TrainingError

if TYPE_CHECKING:
    import torch

__all__ = ["Alone", "Group", "Ranks", "join"]


class Ranks(Protocol):
    """Processes that work together; every one calls every method, in the same order."""

    rank: int
    size: int

    def gather(self, data: bytes) -> list[bytes]:
        """Return what each rank gave, in order."""

    def total(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the sum over all ranks, of the same shape and type."""

    def first(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return what rank 0 gave; shapes and types agree."""

    def spread(self, tensor: torch.Tensor) -> None:
        """Put what rank 0 has in its place."""

    def add_up(self, tensor: torch.Tensor) -> Callable[[], None]:
        """Begin to put the sum over all ranks in its place; return what waits until it is there."""

    def leave(self) -> None:
        """End the connection."""


class Alone:
    """One process."""

    rank = 0
    size = 1

    def gather(self, data: bytes) -> list[bytes]:
        """Return what was given."""
        return [data]

    def total(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return what was given."""
        return array

    def first(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return what was given."""
        return array

    def spread(self, tensor: torch.Tensor) -> None:
        """Leave it as it is."""

    def add_up(self, tensor: torch.Tensor) -> Callable[[], None]:
        """Leave it as it is."""
        return lambda: None

    def leave(self) -> None:
        """Do nothing."""


class Group:
    """The processes that torchrun started, connected by torch.distributed.

    Args:
        gpus: whether they train on GPUs, whose memory NCCL connects; main memory is gloo's.

    Raises:
        TrainingError: by every method, if another rank has ended.
    """

    def __init__(self, *, gpus: bool = False) -> None:
        import torch.distributed

        self._torch = torch
        with _others_there():
            torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
        self.rank = torch.distributed.get_rank()
        self.size = torch.distributed.get_world_size()

    def gather(self, data: bytes) -> list[bytes]:
        """Return what each rank gave, in order."""
        lengths = self.total(np.where(np.arange(self.size) == self.rank, len(data), 0))
        own = np.zeros(lengths.max(), dtype=np.uint8)
        own[: len(data)] = np.frombuffer(data, dtype=np.uint8)
        parts = [self._torch.empty(len(own), dtype=self._torch.uint8) for _ in lengths]
        with _others_there():
            self._torch.distributed.all_gather(parts, self._torch.from_numpy(own))
        return [
            part.numpy()[:length].tobytes() for part, length in zip(parts, lengths, strict=True)
        ]

    def total(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the sum over all ranks, of the same shape and type."""
        summed = np.array(array)
        self.add_up(self._torch.from_numpy(summed))()
        return summed

    def first(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return what rank 0 gave; shapes and types agree."""
        copy = np.array(array)
        self.spread(self._torch.from_numpy(copy))
        return copy

    def spread(self, tensor: torch.Tensor) -> None:
        """Put what rank 0 has in its place."""
        with _others_there():
            whole = tensor.contiguous()
            self._torch.distributed.broadcast(whole, src=0)
        tensor.copy_(whole)

    def add_up(self, tensor: torch.Tensor) -> Callable[[], None]:
        """Begin to put the sum over all ranks in its place; return what waits until it is there."""
        with _others_there():
            work = self._torch.distributed.all_reduce(tensor, async_op=True)

        def wait() -> None:
            with _others_there():
                work.wait()

        return wait

    def leave(self) -> None:
        """End the connection."""
        self._torch.distributed.destroy_process_group()


def join(*, gpus: bool = False) -> Ranks:
    """Return the ranks that torchrun started, or this process alone.

    Args:
        gpus: whether they train on GPUs.

    Raises:
        ConfigurationError: the environment is half that of torchrun.
        TrainingError: the others cannot be reached.
    """
    needed = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    missing = [name for name in needed if name not in os.environ]
    if len(missing) == len(needed) or os.environ.get("WORLD_SIZE") == "1":
        return Alone()
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return Alone()  # the other two alone are nobody's sign
    if missing:
        raise ConfigurationError(
            f"RANK and WORLD_SIZE are set but {' and '.join(missing)} not.",
            hint="Start with torchrun, or unset them.",
        )
    return Group(gpus=gpus)


@contextmanager
def _others_there() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what gloo raises when a connection is closed
        raise TrainingError(
            f"another rank has ended or cannot be reached ({str(error).splitlines()[0]:.100}).",
            hint="Look at its messages; --resume goes on from the last checkpoint.",
        ) from error
