"""Engines: the matrices in the memory of a device, and the kernel that updates them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.system.memory import release_heap, release_libraries
from embedkit.training.composition import InputRows
from embedkit.training.config import TrainingConfig
from embedkit.training.options import Device
from embedkit.training.sampling import sampling_tables

if TYPE_CHECKING:
    import torch

__all__ = ["DEVICES", "CpuEngine", "Engine", "device_name", "make_engine"]

DEVICES = ("auto", "cpu", "cuda")
"""Device names; "cuda:1" and so on are also valid."""


class Engine(Protocol):
    """The input and output matrices, and training on a range of tokens.

    Attributes:
        threads: number of threads that may call `train` at the same time.
        chunk_tokens: preferred number of tokens per call of `train`.
        rows: what the rows of the input matrix are.
    """

    threads: int
    chunk_tokens: int
    rows: InputRows

    def train(self, start: int, stop: int, rate: float, key: int) -> tuple[int, float]:
        """Train on the centers tokens[start:stop]; return the number of pairs and summed loss."""

    def release(self) -> None:
        """Release memory of the corpus that is no longer needed, if that is fast."""

    @property
    def inputs(self) -> NDArray[np.float32]:
        """The current input matrix, read-only, (rows, dimension); see `rows`."""

    @property
    def context(self) -> NDArray[np.float32]:
        """The current output matrix, read-only, (words, dimension)."""

    @property
    def matrices(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Writable views of the input and output matrix on the device, (rows, dimension)."""

    def load(self, inputs: NDArray[np.float32], context: NDArray[np.float32] | None = None) -> None:
        """Set the input matrix, and the output matrix if given; both are 0 initially."""


class CpuEngine:
    """Matrices in main memory, shared by threads without locks."""

    chunk_tokens = 10_000

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, config: TrainingConfig) -> None:
        # Imported here because compiling takes time. It comes before the matrices are allocated,
        # so that the memory that the compiler needs is released first.
        release_libraries("libarrow")
        from embedkit.training.kernels import cpu

        release_heap()
        release_libraries("libllvmlite")
        self.threads = config.worker_count()
        self._kernel = cpu.train_range
        self._corpus = corpus
        self._config = config
        self._tables = sampling_tables(vocabulary.counts, config.sample)
        self.rows = InputRows(vocabulary, config)
        cpu.prepare(self.rows.layout)
        self._inputs = cpu.aligned_matrix(self.rows.count, config.dimension)
        self._outputs = cpu.aligned_matrix(len(vocabulary) + 1, config.dimension)

    def train(self, start: int, stop: int, rate: float, key: int) -> tuple[int, float]:
        """Train on the centers tokens[start:stop]; return the number of pairs and summed loss."""
        config = self._config
        pairs, loss = self._kernel(
            self._inputs, self._outputs, config.dimension, self._corpus.tokens,
            self._corpus.boundaries, start, stop, *self._tables, np.float32(rate),
            config.window, config.negative, np.uint64(key), self.rows.layout,
        )  # fmt: skip
        return int(pairs), float(loss)

    def release(self) -> None:
        """Release the memory-mapped pages of the corpus."""
        self._corpus.release()

    @property
    def inputs(self) -> NDArray[np.float32]:
        """The input matrix, read-only, (rows, dimension)."""
        return _read_only(self._inputs[:, : self._config.dimension])

    @property
    def context(self) -> NDArray[np.float32]:
        """The output matrix, read-only, (words, dimension)."""
        return _read_only(self._outputs[:-1, : self._config.dimension])

    @property
    def matrices(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Writable views of the input and output matrix on the device, (rows, dimension)."""
        import torch  # takes seconds, and only ranks need it

        inputs, outputs = map(torch.from_numpy, (self._inputs, self._outputs[:-1]))
        dimension = self._config.dimension
        return inputs[:, :dimension], outputs[:, :dimension]

    def load(self, inputs: NDArray[np.float32], context: NDArray[np.float32] | None = None) -> None:
        """Set the input matrix, and the output matrix if given; both are 0 initially."""
        dimension = self._config.dimension
        self._inputs[:, :dimension] = inputs
        if context is not None:
            self._outputs[:-1, :dimension] = context


def device_name(device: str, config: TrainingConfig | None = None) -> str:
    """Return "cpu", or the name of a GPU.

    "auto" means a GPU if there is one, Triton is installed, and there is a kernel for *config*, if
    given. With several ranks, "cuda" means the GPU with the local rank's number.

    Raises:
        ConfigurationError: the device is unknown or not available.
    """
    if device == "auto":
        usable = (config is None or config.has_gpu_kernel) and _has_gpu()
        device = "cuda" if usable else "cpu"
    if device == "cpu":
        return device
    if device.partition(":")[0] != "cuda":
        raise ConfigurationError(
            f"unknown device {device!r}; choose from {', '.join(DEVICES)}, cuda:N"
        )
    from embedkit.training.cuda_engine import find_device

    if device == "cuda" and "LOCAL_RANK" in os.environ:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    find_device(device)
    return device


def _has_gpu() -> bool:
    if not Path("/proc/driver/nvidia/version").exists():  # importing torch takes seconds
        return False
    if find_spec("triton") is None:
        return False
    import torch

    return torch.cuda.is_available()


def make_engine(
    corpus: Corpus, vocabulary: Vocabulary, config: TrainingConfig, device: str | Device = "cpu"
) -> Engine:
    """Return the engine for a device.

    Raises:
        ConfigurationError: the device is unknown or not available.
    """
    if isinstance(device, str):
        device = Device(device)
    name = device_name(device.name, config)
    if name == "cpu":
        return CpuEngine(corpus, vocabulary, config)
    from embedkit.training.cuda_engine import CudaEngine

    return CudaEngine(
        corpus, vocabulary, config, name, rows=device.rows, precision=device.precision
    )


def _read_only(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    view = matrix.view()
    view.flags.writeable = False
    return view
