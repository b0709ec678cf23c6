"""Training on a GPU: both matrices are in its memory; token ids are streamed from a memory map."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.training.composition import InputRows
from embedkit.training.config import TrainingConfig
from embedkit.training.cuda_lanes import Lane
from embedkit.training.kernels.draws import (
    KeptWords,
    SamplingTables,
    context_span,
    device_matrix,
)
from embedkit.training.kernels.tiles import launch_shape
from embedkit.training.options import Precision, RowType
from embedkit.training.sampling import sampling_tables

if TYPE_CHECKING:
    from embedkit.training.kernels.cuda_words import ComposedWords

__all__ = ["CudaEngine", "find_device"]

_MIN_CHUNK_TOKENS, _MAX_CHUNK_TOKENS = 1 << 16, 1 << 22
_CHUNKS_PER_TRAINING = 20  # or more, because the learning rate is constant within a chunk
_LANES = 2  # one chunk is prepared while another is trained
_WARPS_PER_MULTIPROCESSOR = 64
_ROWS_PER_PROGRAM = 16  # so that programs rarely update the same row of a small vocabulary at once
_TOKENS_PER_PROGRAM = 64
_CONTEXT_TOKENS = 1 << 12  # around a chunk, usually
_COMPOSING_PROGRAMS = 32  # of one warp, on a multiprocessor
_MAX_BATCH_TOKENS = 1 << 16
_BATCHES_PER_TRAINING = 5000  # or more; a word is composed once for a batch
_BATCH_TOKENS_PER_PROGRAM = 16  # as batches are small


class CudaEngine:
    """Matrices in the memory of a GPU, updated by the Triton kernel.

    Two threads may call `train`: while the kernel processes one thread's chunk, the other thread
    copies the next chunk to the device and draws its words there. The host reads back only the
    results. Only two chunks are on the device at a time, so the corpus may be larger than its
    memory.

    Args:
        corpus, vocabulary, config: as for `CpuEngine`; `workers` is not used.
        device: "cuda" or "cuda:1"; "cpu" is for tests with Triton's interpreter
            (``TRITON_INTERPRET=1`` in the environment).
        rows: storage type of the matrices; sums are always float32.
        precision: precision of the products; see `options.PRECISIONS`.
        programs: number of runs of consecutive centers that are trained in parallel; None means as
            many as keep the device busy, or fewer for a small vocabulary. With one program and
            float32 products, the result is that of `kernels.reference_steps`.

    Attributes:
        batch_tokens: tokens between two compositions of words that are means of rows.

    Raises:
        ConfigurationError: the device is not available, Triton is not installed, or there is no
            kernel for these settings.
    """

    threads = _LANES

    def __init__(
        self,
        corpus: Corpus,
        vocabulary: Vocabulary,
        config: TrainingConfig,
        device: str = "cuda",
        *,
        rows: RowType = "float32",
        precision: Precision = "tf32",
        programs: int | None = None,
    ) -> None:
        self._device = find_device(device)
        _check_triton()
        _check_settings(config, rows)
        self.rows = InputRows(vocabulary, config)
        self._corpus = corpus
        self._config = config
        self._precision = precision
        tokens = len(corpus.tokens)
        chunk = config.epochs_for(tokens) * tokens // _CHUNKS_PER_TRAINING
        self.chunk_tokens = min(max(chunk, _MIN_CHUNK_TOKENS), _MAX_CHUNK_TOKENS)
        keep, noise, aliases = sampling_tables(vocabulary.counts, config.sample)
        self._keep = keep
        self._tables = SamplingTables.of(keep, noise, aliases, self._device)
        kind = torch.bfloat16 if rows == "bfloat16" else torch.float32
        self._inputs = device_matrix(self.rows.count, config.dimension, self._device, kind)
        self._outputs = torch.zeros_like(self._inputs[: len(vocabulary)])
        self._words = self._composed_words()
        self.batch_tokens = self.chunk_tokens if self._words is None else self._batch_tokens()
        self._programs = programs or self._most_programs()
        self._launching = Lock()  # chunks are launched in order, and kernels compiled once
        self._training: torch.cuda.Stream | None = None
        if self._device.type == "cuda":
            # One stream for all chunks: two chunks trained at once would end at the same time, and
            # the device would then be idle until the next two are staged.
            self._training = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        sentences = len(corpus.boundaries) * self.chunk_tokens // max(tokens, 1)
        self._lanes: SimpleQueue[Lane] = SimpleQueue()
        for _ in range(_LANES):
            lane = Lane(self._device, config.negative, self._training)
            lane.reserve(min(self.chunk_tokens, tokens) + _CONTEXT_TOKENS, sentences)
            self._lanes.put(lane)

    def _most_programs(self) -> int:
        """Return how many programs keep the device busy and do not collide too often."""
        words, stride = self._outputs.shape
        warps = launch_shape(words, stride, self._config.window, self._config.negative).warps
        busy = _multiprocessors(self._device) * _WARPS_PER_MULTIPROCESSOR // warps
        return max(min(busy, words // _ROWS_PER_PROGRAM), 1)

    def _composed_words(self) -> ComposedWords | None:
        """Return the vectors of words that are means of rows, or None."""
        if not self.rows.layout.composed:
            return None
        from embedkit.training.kernels.cuda_words import ComposedWords

        programs = 1
        if self._device.type == "cuda":
            programs = _multiprocessors(self._device) * _COMPOSING_PROGRAMS
        return ComposedWords(self._inputs, self.rows.layout, programs)

    def _batch_tokens(self) -> int:
        """Return for how many tokens the words are composed at a time."""
        from embedkit.training.kernels.staging import BLOCK_TOKENS

        tokens = len(self._corpus.tokens)
        share = self._config.epochs_for(tokens) * tokens // _BATCHES_PER_TRAINING
        blocks = min(share, _MAX_BATCH_TOKENS) // BLOCK_TOKENS
        return max(blocks, 1) * BLOCK_TOKENS

    def train(self, start: int, stop: int, rate: float, key: int) -> tuple[int, float]:
        """Train on the centers tokens[start:stop]; return the number of pairs and summed loss."""
        with self._device_context(), self._lane() as lane:
            with self._launching:
                with lane.staging():
                    batches = self._stage(lane, start, stop, key)
                with lane.training():
                    lane.fetch(*self._train_batches(batches, stop - start, rate))
            return lane.results()

    def _stage(self, lane: Lane, start: int, stop: int, key: int) -> list[KeptWords]:
        """Copy a chunk to the device, draw its words there, and cut it into batches."""
        from embedkit.training.kernels import staging

        tokens, boundaries = self._corpus.tokens, self._corpus.boundaries
        window = self._config.window
        low, high = context_span(tokens, boundaries, start, stop, self._keep, window, key)
        first, last = np.searchsorted(boundaries, (low, high))
        kept = staging.kept_words(
            lane.tokens.upload(tokens[low:high]), low,
            lane.boundaries.upload(boundaries[first:last]), start, stop, self._tables, window, key,
            lane.buffers,
        )  # fmt: skip
        if self._words is None:
            return [kept]
        return staging.batches(kept, lane.buffers, high - low, self.batch_tokens)

    def _train_batches(
        self, batches: list[KeptWords], tokens: int, rate: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Launch the kernels for a chunk; return its number of pairs and summed loss."""
        from embedkit.training.kernels import cuda

        totals = cuda.no_totals(self._device)
        window = self._config.window
        least = _TOKENS_PER_PROGRAM if self._words is None else _BATCH_TOKENS_PER_PROGRAM
        share = min(tokens, self.batch_tokens) // least
        for batch in batches:
            if self._words is not None:
                self._words.compose(batch, window)
            cuda.train_kept(
                self._inputs if self._words is None else self._words.vectors, self._outputs,
                batch, rate, window, totals, cbow=self.rows.layout.cbow,
                programs=min(self._programs, max(share, 1)), precision=self._precision,
            )  # fmt: skip
            if self._words is not None:
                self._words.scatter()
        return totals

    @contextmanager
    def _lane(self) -> Iterator[Lane]:
        lane = self._lanes.get()
        try:
            yield lane
        finally:
            self._lanes.put(lane)

    def _device_context(self) -> AbstractContextManager[object]:
        on_gpu = self._device.type == "cuda"
        return torch.cuda.device(self._device) if on_gpu else nullcontext()

    def release(self) -> None:
        """Release the memory-mapped pages of the corpus."""
        self._corpus.release()

    @property
    def inputs(self) -> NDArray[np.float32]:
        """The input matrix, copied from the device, read-only, (rows, dimension)."""
        return self._read(self._inputs)

    @property
    def context(self) -> NDArray[np.float32]:
        """The output matrix, copied from the device, read-only, (words, dimension)."""
        return self._read(self._outputs)

    @property
    def matrices(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Writable views of the input and output matrix on the device, (rows, dimension)."""
        dimension = self._config.dimension
        return self._inputs[:, :dimension], self._outputs[:, :dimension]

    def load(self, inputs: NDArray[np.float32], context: NDArray[np.float32] | None = None) -> None:
        """Set the input matrix, and the output matrix if given; both are 0 initially."""
        for matrix, given in ((self._inputs, inputs), (self._outputs, context)):
            if given is not None:
                rows = torch.from_numpy(np.array(given, dtype=np.float32))
                matrix[:, : self._config.dimension] = rows.to(self._device)

    def _read(self, matrix: torch.Tensor) -> NDArray[np.float32]:
        rows = matrix[:, : self._config.dimension].to("cpu", torch.float32, copy=True).numpy()
        rows.flags.writeable = False
        return np.asarray(rows)


def _check_triton() -> None:
    try:
        from embedkit.training.kernels import cuda, staging  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            "training on a GPU needs Triton, which is not installed.",
            hint="Run: pip install 'embedkit[gpu]'.",
        ) from error


def _check_settings(config: TrainingConfig, rows: RowType) -> None:
    if not config.has_gpu_kernel:
        raise ConfigurationError(
            "position weights cannot be trained on a GPU.",
            hint='Pass --device cpu (device="cpu").',
        )
    if config.buckets is not None and rows != "float32":
        raise ConfigurationError(
            f"words with n-grams cannot be trained in {rows} rows.",
            hint='Pass --rows float32 (rows="float32").',
        )


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
