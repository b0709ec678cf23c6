"""Training on a GPU: both matrices in its memory, token ids streamed to it from the memory map."""

from __future__ import annotations

import os
import warnings
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
from embedkit.training.kernels import torch_fallback
from embedkit.training.kernels.draws import (
    KeptWords,
    Tables,
    context_span,
    device_matrix,
    kept_words,
)
from embedkit.training.sampling import sampling_tables

__all__ = ["CudaEngine", "find_device"]

Kernel = Callable[
    [torch.Tensor, torch.Tensor, KeptWords, float, int], tuple[torch.Tensor, torch.Tensor]
]

_FEWEST_TOKENS, _MOST_TOKENS = 1 << 16, 1 << 21
_CHUNKS_AN_EPOCH = 32  # at least, where chunks are not too small: the learning rate is a chunk's
_WARPS_A_MULTIPROCESSOR = 8  # as many as there are registers for
_ROWS_A_PROGRAM = 16  # so that programs seldom change a row of a small vocabulary at once
_TOKENS_A_PROGRAM = 64
_ROWS_A_CENTRE, _MOST_CENTRES = 4, 256  # the same for plain torch, which bounds a row's changes


@dataclass(frozen=True)
class _Staged:
    """A chunk on the device, ready to be trained on."""

    start: int
    stop: int
    key: int
    kept: KeptWords


class CudaEngine:
    """Both matrices in a GPU's memory; the kernel is Triton's or, without Triton, plain torch's.

    While the kernel is at work on a chunk, the next one's ids are copied on a side stream, and its
    words drawn as soon as multiprocessors have room. Only two chunks are on the device, so the
    corpus may be larger than its memory.

    Args:
        corpus, vocabulary, config: as for `CpuEngine`; the workers do not matter.
        device: "cuda" or "cuda:1"; "cpu" is for tests, with Triton's interpreter if
            ``TRITON_INTERPRET=1`` is in the environment and plain torch if not.
        rows: how matrices are stored; arithmetic is always float32.
        atomic: see `kernels.cuda.train_kept`.
        programs: runs of neighbouring centres that are trained on at once; None takes what fills
            the device, and fewer for a small vocabulary. One program is the reference.

    Raises:
        ConfigurationError: there is no such device, or it cannot do as told.
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
            max(len(corpus.tokens) // _CHUNKS_AN_EPOCH, _FEWEST_TOKENS), _MOST_TOKENS
        )
        keep, noise, aliases = sampling_tables(vocabulary.counts, config.sample)
        self._keep = torch.from_numpy(keep.astype(np.int64))
        self._tables = Tables.of(keep, noise, aliases, self._device)
        kind = torch.bfloat16 if rows == "bfloat16" else torch.float32
        self._inputs = device_matrix(len(vocabulary), config.dimension, self._device, kind)
        self._outputs = torch.zeros_like(self._inputs)
        self._programs = programs
        self._kernel = self._find_kernel(atomic=atomic)
        on_gpu = self._device.type == "cuda"
        self._side = torch.cuda.Stream(self._device) if on_gpu else None  # type: ignore[no-untyped-call]
        self._pinned = torch.empty(0, dtype=torch.int32)
        self._next: _Staged | None = None

    def _find_kernel(self, *, atomic: bool) -> Callable[[int], Kernel]:
        """Return what gives the kernel for a chunk of so many tokens."""
        words, stride = self._inputs.shape
        if self._device.type == "cuda" or os.environ.get("TRITON_INTERPRET") == "1":
            try:
                from embedkit.training.kernels import cuda
            except ImportError:
                warnings.warn(
                    "Triton is not installed; training with plain torch, many times slower. "
                    "Install it: pip install 'embedkit[gpu]'",
                    RuntimeWarning,
                    stacklevel=3,
                )
            else:
                if self._config.window > cuda.WIDEST_WINDOW:
                    return self._plain(words)
                _, _, warps = cuda.launch_shape(stride, self._config.window)
                most = self._programs or min(
                    _multiprocessors(self._device) * max(_WARPS_A_MULTIPROCESSOR // warps, 1),
                    max(words // _ROWS_A_PROGRAM, 1),
                )
                return lambda tokens: partial(
                    cuda.train_kept,
                    programs=min(most, max(tokens // _TOKENS_A_PROGRAM, 1)),
                    atomic=atomic,
                )
        return self._plain(words)

    def _plain(self, words: int) -> Callable[[int], Kernel]:
        centres = min(max(words // _ROWS_A_CENTRE, 1), _MOST_CENTRES)
        return lambda _: partial(torch_fallback.train_kept, centres=centres)

    def train(self, start: int, stop: int, rate: float, key: int) -> tuple[int, float]:
        """Train on the centres tokens[start:stop]; return the pairs seen and their summed loss."""
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
            # The kernel is at work now, and what comes next is most likely the next chunk.
            end = min(stop + self.chunk_tokens, len(self._corpus.tokens))
            if stop < end:
                self._next = self._stage(stop, end, key)
            # This waits for the kernel, so no memory of the chunk is given back too early.
            return int(pairs.sum()), float(losses.sum())

    def _stage(self, start: int, stop: int, key: int) -> _Staged:
        """Copy a chunk to the device and draw its words; returns when the copy is done."""
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
        """Copy tokens through pinned memory, which is free again when `kept_words` returns.

        It asks the device how many words were kept, and the answer comes after the copy.
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
        """Give back the pages of the corpus."""
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
        """Input and output matrix where they lie, to be read and written, (words, dimension)."""
        dimension = self._config.dimension
        return self._inputs[:, :dimension], self._outputs[:, :dimension]

    def load(
        self, vectors: NDArray[np.float32], context: NDArray[np.float32] | None = None
    ) -> None:
        """Set the input matrix, and the output matrix, which is zero at first."""
        for matrix, given in ((self._inputs, vectors), (self._outputs, context)):
            if given is not None:
                rows = torch.from_numpy(np.array(given, dtype=np.float32))
                matrix[:, : self._config.dimension] = rows.to(self._device)

    def _read(self, matrix: torch.Tensor) -> NDArray[np.float32]:
        rows = matrix[:, : self._config.dimension].to("cpu", torch.float32, copy=True).numpy()
        rows.flags.writeable = False
        return np.asarray(rows)


def find_device(name: str) -> torch.device:
    """Return the device of a name: "cuda", "cuda:1" or "cpu".

    Raises:
        ConfigurationError: there is none.
    """
    kind, _, number = name.partition(":")
    if name == "cpu":
        return torch.device("cpu")
    if kind != "cuda" or (number and not number.isdecimal()) or name.endswith(":"):
        raise ConfigurationError(f"no device {name!r}; there are cpu, cuda and cuda:N")
    if not torch.cuda.is_available():
        raise ConfigurationError(
            f"no CUDA device was found by torch {torch.__version__}.", hint="Use --device cpu."
        )
    count = torch.cuda.device_count()
    if int(number or 0) >= count:
        raise ConfigurationError(
            f"no device {name!r}; the last of {count} is cuda:{count - 1}.",
            hint="Use --device cuda.",
        )
    return torch.device("cuda", int(number) if number else torch.cuda.current_device())


def _multiprocessors(device: torch.device) -> int:
    if device.type != "cuda":
        return 1
    return int(torch.cuda.get_device_properties(device).multi_processor_count)
