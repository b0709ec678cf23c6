"""Copying chunks of a corpus to a GPU, and results back, while another chunk is being trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from embedkit.training.kernels.staging import StagingBuffers

__all__ = ["Lane"]


class Lane:
    """The buffers of one chunk on its way through the device, and the stream that fills them."""

    buffers: StagingBuffers

    def __init__(
        self, device: torch.device, negative: int, training: torch.cuda.Stream | None
    ) -> None:
        from embedkit.training.kernels.staging import StagingBuffers

        self.buffers = StagingBuffers(device, negative)
        self.tokens = _Upload(device, torch.int32)
        self.boundaries = _Upload(device, torch.int64)
        self._training = training
        self._staging: torch.cuda.Stream | None = None
        self._done: torch.cuda.Event | None = None
        self._results = torch.empty(2, dtype=torch.float64, pin_memory=training is not None)
        if training is not None:
            # Staging has priority over programs of the training kernel that have not started yet.
            self._staging = torch.cuda.Stream(device, priority=-1)  # type: ignore[no-untyped-call]
            self._staging.wait_stream(torch.cuda.default_stream(device))
            self._done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]

    def reserve(self, tokens: int, sentences: int) -> None:
        """Allocate memory for a chunk of this size in advance, because pinning it takes time."""
        with self.staging():
            self.buffers.reserve(tokens)
            self.tokens.reserve(tokens)
            self.boundaries.reserve(2 * sentences)

    def staging(self) -> AbstractContextManager[object]:
        """Return the context in which the chunk is staged."""
        return nullcontext() if self._staging is None else torch.cuda.stream(self._staging)

    @contextmanager
    def training(self) -> Iterator[None]:
        """Run the block in the stream in which the chunk is trained, after it is staged."""
        if self._training is None or self._staging is None:
            yield
            return
        self._training.wait_stream(self._staging)
        # Matrices are loaded, and averaged with those of other ranks, in the default stream.
        self._training.wait_stream(torch.cuda.default_stream())
        with torch.cuda.stream(self._training):
            yield

    def fetch(self, pairs: torch.Tensor, losses: torch.Tensor) -> None:
        """Copy the results of the kernel to the host when it has ended."""
        both = torch.cat([pairs.double(), losses])  # exact for fewer than 2^53 pairs
        self._results.copy_(both, non_blocking=True)
        if self._done is not None:
            self._done.record()

    def results(self) -> tuple[int, float]:
        """Wait for the results of the kernel. After that, the buffers can be used again."""
        if self._done is not None:
            self._done.synchronize()
        return int(self._results[0]), float(self._results[1])


class _Upload:
    """Copies arrays to a device through pinned memory, one at a time, without waiting."""

    def __init__(self, device: torch.device, kind: torch.dtype) -> None:
        self._device = device
        self._kind = kind
        self._pinned = self._copy = torch.empty(0, dtype=kind)

    def reserve(self, size: int) -> None:
        """Make room for arrays of this size."""
        if self._device.type == "cuda" and len(self._pinned) < size:
            self._pinned = torch.zeros(size, dtype=self._kind, pin_memory=True)
            self._copy = torch.empty(size, dtype=self._kind, device=self._device)

    def upload(self, numbers: NDArray[np.int32] | NDArray[np.int64]) -> torch.Tensor:
        """Copy an array; the result is valid until the next call."""
        if self._device.type != "cuda":
            return torch.from_numpy(numbers.copy())
        size = len(numbers)
        self.reserve(size)
        np.copyto(self._pinned.numpy()[:size], numbers)
        self._copy[:size].copy_(self._pinned[:size], non_blocking=True)
        return self._copy[:size]
