"""Training on a GPU: both matrices in its memory, token ids streamed from the memory map."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.training.config import TrainingConfig
from embedkit.training.kernels.draws import (
    KeptWords,
    SamplingTables,
    context_span,
    device_matrix,
    kept_words,
)
from embedkit.training.sampling import sampling_tables

__all__ = ["CudaEngine", "find_device"]

Kernel = Callable[
    [torch.Tensor, torch.Tensor, KeptWords, float, int], tuple[torch.Tensor, torch.Tensor]
]

_MIN_CHUNK_TOKENS, _MAX_CHUNK_TOKENS = 1 << 16, 1 << 21
_CHUNKS_PER_EPOCH = 32  # at least, because the learning rate is constant within a chunk
_WARPS_PER_MULTIPROCESSOR = 8  # as many as there are registers for
_ROWS_PER_PROGRAM = 16  # so that programs rarely update the same row of a small vocabulary at once
_TOKENS_PER_PROGRAM = 64


@dataclass(frozen=True)
class _Staged:
    """A chunk on the device, ready for training."""

    start: int
    stop: int
    key: int
    kept: KeptWords


class CudaEngine:
    """Matrices in the memory of a GPU, updated by the Triton kernel.

    While the kernel processes a chunk, the next chunk is copied and its words are drawn on a side
    stream. Only two chunks are on the device at a time, so the corpus may be larger than its
    memory.

    Args:
        corpus, vocabulary, config: as for `CpuEngine`; `workers` is not used.
        device: "cuda" or "cuda:1"; "cpu" is for tests with Triton's interpreter
            (``TRITON_INTERPRET=1`` in the environment).
        rows: storage type of the matrices; arithmetic is always float32.
        atomic: see `kernels.cuda.train_kept`.
        programs: number of runs of consecutive centers that are trained in parallel; None means as
            many as the device can run, and fewer for a small vocabulary. With one program, the
            result is that of the reference kernel.

    Raises:
        ConfigurationError: the device is not available, Triton is not installed, or the window and
            dimension are too large for the kernel.
    """

    threads = 1

    def __init__(
        self,
        corpus: Corpus,
        vocabulary: Vocabulary,
        config: TrainingConfig,
        device: str = "cuda",
        *,
        rows: Literal["float32", "bfloat16"] = "float32",
        atomic: bool = False,
        programs: int | None = None,
    ) -> None:
        self._device = find_device(device)
        self._corpus = corpus
        self._config = config
        self.chunk_tokens = min(
            max(len(corpus.tokens) // _CHUNKS_PER_EPOCH, _MIN_CHUNK_TOKENS), _MAX_CHUNK_TOKENS
        )
        keep, noise, aliases = sampling_tables(vocabulary.counts, config.sample)
        self._keep = torch.from_numpy(keep.astype(np.int64))
        self._tables = SamplingTables.of(keep, noise, aliases, self._device)
        kind = torch.bfloat16 if rows == "bfloat16" else torch.float32
        self._inputs = device_matrix(len(vocabulary), config.dimension, self._device, kind)
        self._outputs = torch.zeros_like(self._inputs)
        self._kernel = self._load_kernel(programs, atomic=atomic)
        on_gpu = self._device.type == "cuda"
        self._side = torch.cuda.Stream(self._device) if on_gpu else None  # type: ignore[no-untyped-call]
        self._pinned = torch.empty(0, dtype=torch.int32)
        self._next: _Staged | None = None

    def _load_kernel(self, programs: int | None, *, atomic: bool) -> Callable[[int], Kernel]:
        """Return a function that returns the kernel for a chunk with a number of tokens."""
        try:
            from embedkit.training.kernels import cuda
        except ImportError as error:
            raise ConfigurationError(
                "training on a GPU needs Triton, which is not installed.",
                hint="Run: pip install 'embedkit[gpu]'.",
            ) from error
        words, stride = self._inputs.shape
        _, _, warps = cuda.launch_shape(stride, self._config.window)
        most = programs or min(
            _multiprocessors(self._device) * max(_WARPS_PER_MULTIPROCESSOR // warps, 1),
            max(words // _ROWS_PER_PROGRAM, 1),
        )
        return lambda tokens: partial(
            cuda.train_kept,
            programs=min(most, max(tokens // _TOKENS_PER_PROGRAM, 1)),
            atomic=atomic,
        )

    def train(self, start: int, stop: int, rate: float, key: int) -> tuple[int, float]:
        """Train on the centers tokens[start:stop]; return the number of pairs and summed loss."""
        with self._device_context():
            chunk, self._next = self._next, None
            if chunk is None or (chunk.start, chunk.stop, chunk.key) != (start, stop, key):
                chunk = self._stage(start, stop, key)
            if self._side is not None:
                torch.cuda.current_stream().wait_stream(self._side)
            kernel = self._kernel(stop - start)
            pairs, losses = kernel(
                self._inputs, self._outputs, chunk.kept, float(rate), self._config.window
            )
            # While the kernel runs, prepare the chunk that most likely comes next.
            end = min(stop + self.chunk_tokens, len(self._corpus.tokens))
            if stop < end:
                self._next = self._stage(stop, end, key)
            # This waits for the kernel, so the memory of the chunk is not released too early.
            return int(pairs.sum()), float(losses.sum())

    def _stage(self, start: int, stop: int, key: int) -> _Staged:
        """Copy a chunk to the device and draw its words; return when the copy is done."""
        config, tokens, boundaries = self._config, self._corpus.tokens, self._corpus.boundaries
        low, high = context_span(tokens, boundaries, start, stop, self._keep, config.window, key)
        first, last = np.searchsorted(boundaries, (low, high))
        with torch.cuda.stream(self._side) if self._side else nullcontext():
            kept = kept_words(
                self._upload(tokens[low:high]),
                low,
                torch.from_numpy(boundaries[first:last].copy()).to(self._device),
                start,
                stop,
                self._tables,
                config.window,
                config.negative,
                key,
            )
        return _Staged(start, stop, key, kept)

    def _upload(self, tokens: NDArray[np.int32]) -> torch.Tensor:
        """Copy tokens through pinned memory, which can be reused when `kept_words` has returned.

        `kept_words` reads the number of kept words from the device, which waits for the copy.
        """
        if self._side is None:
            return torch.from_numpy(tokens.copy())
        if len(self._pinned) < len(tokens):
            self._pinned = torch.empty(len(tokens), dtype=torch.int32, pin_memory=True)
        pinned = self._pinned[: len(tokens)]
        pinned.numpy()[:] = tokens
        return pinned.to(self._device, non_blocking=True)

    def _device_context(self) -> AbstractContextManager[object]:
        return torch.cuda.device(self._device) if self._side is not None else nullcontext()

    def release(self) -> None:
        """Release the memory-mapped pages of the corpus."""
        self._corpus.release()

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The input matrix, copied from the device, read-only, (words, dimension)."""
        return self._read(self._inputs)

    @property
    def context(self) -> NDArray[np.float32]:
        """The output matrix, copied from the device, read-only, (words, dimension)."""
        return self._read(self._outputs)

    @property
    def matrices(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Writable views of the input and output matrix on the device, (words, dimension)."""
        dimension = self._config.dimension
        return self._inputs[:, :dimension], self._outputs[:, :dimension]

    def load(
        self, vectors: NDArray[np.float32], context: NDArray[np.float32] | None = None
    ) -> None:
        """Set the input matrix, and the output matrix if given; both are 0 initially."""
        for matrix, given in ((self._inputs, vectors), (self._outputs, context)):
            if given is not None:
                rows = torch.from_numpy(np.array(given, dtype=np.float32))
                matrix[:, : self._config.dimension] = rows.to(self._device)

    def _read(self, matrix: torch.Tensor) -> NDArray[np.float32]:
        rows = matrix[:, : self._config.dimension].to("cpu", torch.float32, copy=True).numpy()
        rows.flags.writeable = False
        return np.asarray(rows)


def find_device(name: str) -> torch.device:
    """Return the device called *name*: "cuda", "cuda:1" or "cpu".

    Raises:
        ConfigurationError: the device is unknown or not available.
    """
    kind, _, number = name.partition(":")
    if name == "cpu":
        return torch.device("cpu")
    if kind != "cuda" or (number and not number.isdecimal()) or name.endswith(":"):
        raise ConfigurationError(f"unknown device {name!r}; choose from cpu, cuda, cuda:N")
    if not torch.cuda.is_available():
        raise ConfigurationError(
            f"torch {torch.__version__} found no CUDA device.",
            hint='Pass --device cpu (device="cpu").',
        )
    count = torch.cuda.device_count()
    if int(number or 0) >= count:
        raise ConfigurationError(
            f"there is no device {name!r}; the last one is cuda:{count - 1}.",
            hint='Pass --device cuda (device="cuda") to use the current one.',
        )
    return torch.device("cuda", int(number) if number else torch.cuda.current_device())


def _multiprocessors(device: torch.device) -> int:
    if device.type != "cuda":
        return 1
    return int(torch.cuda.get_device_properties(device).multi_processor_count)
