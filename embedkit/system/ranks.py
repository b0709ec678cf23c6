"""The processes of distributed training, on one machine or several, as torchrun starts them.

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

__all__ = ["RANK_ENDED", "Ranks", "SingleProcess", "TorchProcessGroup", "join"]


RANK_ENDED = "another rank has ended"
"""The beginning of the message if a rank cannot continue."""


class Ranks(Protocol):
    """Processes that work together; all call the same methods in the same order."""

    rank: int
    size: int

    def gather(self, data: bytes) -> list[bytes]:
        """Return the data of all ranks, in order."""

    def total(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the sum over all ranks, with the same shape and type."""

    def first(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the array of rank 0; shapes and types are the same on all ranks."""

    def spread(self, tensor: torch.Tensor) -> None:
        """Overwrite a tensor with that of rank 0."""

    def add_up(self, tensor: torch.Tensor) -> Callable[[], None]:
        """Start to sum a tensor over all ranks, in place; return a function that waits for it."""

    def leave(self) -> None:
        """End the connection."""


class SingleProcess:
    """The only process."""

    rank = 0
    size = 1

    def gather(self, data: bytes) -> list[bytes]:
        """Return the data in a list."""
        return [data]

    def total(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the argument."""
        return array

    def first(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the argument."""
        return array

    def spread(self, tensor: torch.Tensor) -> None:
        """Do nothing."""

    def add_up(self, tensor: torch.Tensor) -> Callable[[], None]:
        """Do nothing."""
        return lambda: None

    def leave(self) -> None:
        """Do nothing."""


class TorchProcessGroup:
    """The processes that torchrun started, connected by torch.distributed.

    Args:
        gpus: whether they train on GPUs, which communicate by NCCL; CPUs use gloo.

    Raises:
        TrainingError: from every method, if another rank has ended.
    """

    def __init__(self, *, gpus: bool = False) -> None:
        import torch.distributed

        self._torch = torch
        with _connection_errors():
            torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
        self.rank = torch.distributed.get_rank()
        self.size = torch.distributed.get_world_size()

    def gather(self, data: bytes) -> list[bytes]:
        """Return the data of all ranks, in order."""
        lengths = self.total(np.where(np.arange(self.size) == self.rank, len(data), 0))
        own = np.zeros(lengths.max(), dtype=np.uint8)
        own[: len(data)] = np.frombuffer(data, dtype=np.uint8)
        parts = [self._torch.empty(len(own), dtype=self._torch.uint8) for _ in lengths]
        with _connection_errors():
            self._torch.distributed.all_gather(parts, self._torch.from_numpy(own))
        return [
            part.numpy()[:length].tobytes() for part, length in zip(parts, lengths, strict=True)
        ]

    def total(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the sum over all ranks, with the same shape and type."""
        summed = np.array(array)
        self.add_up(self._torch.from_numpy(summed))()
        return summed

    def first(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the array of rank 0; shapes and types are the same on all ranks."""
        copy = np.array(array)
        self.spread(self._torch.from_numpy(copy))
        return copy

    def spread(self, tensor: torch.Tensor) -> None:
        """Overwrite a tensor with that of rank 0."""
        with _connection_errors():
            whole = tensor.contiguous()
            self._torch.distributed.broadcast(whole, src=0)
        tensor.copy_(whole)

    def add_up(self, tensor: torch.Tensor) -> Callable[[], None]:
        """Start to sum a tensor over all ranks, in place; return a function that waits for it."""
        with _connection_errors():
            work = self._torch.distributed.all_reduce(tensor, async_op=True)

        def wait() -> None:
            with _connection_errors():
                work.wait()

        return wait

    def leave(self) -> None:
        """End the connection."""
        self._torch.distributed.destroy_process_group()


def join(*, gpus: bool = False) -> Ranks:
    """Return the ranks that torchrun started, or a single process without torchrun.

    Args:
        gpus: whether they train on GPUs.

    Raises:
        ConfigurationError: only some of torchrun's environment variables are set.
        TrainingError: the other ranks cannot be reached.
    """
    needed = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    missing = [name for name in needed if name not in os.environ]
    if len(missing) == len(needed) or os.environ.get("WORLD_SIZE") == "1":
        return SingleProcess()
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return SingleProcess()  # other tools set the other two as well
    if missing:
        raise ConfigurationError(
            f"RANK and WORLD_SIZE are set without {' and '.join(missing)}.",
            hint="Start the command with torchrun, or unset them.",
        )
    return TorchProcessGroup(gpus=gpus)


@contextmanager
def _connection_errors() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what gloo raises for a closed connection
        raise TrainingError(
            f"{RANK_ENDED} or cannot be reached ({str(error).splitlines()[0]:.100}).",
            hint="Check the messages of that rank. --resume continues from the last checkpoint.",
        ) from error
