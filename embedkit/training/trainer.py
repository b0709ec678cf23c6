"""The training loop: chunks of the corpus through the kernel, on several threads.

    result = train(corpus, TrainingConfig(dimension=100))
    result.vectors, result.report.loss

Threads share both matrices and update them without locks (Hogwild, Recht et al. 2011). A chunk is
a range of tokens; its learning rate and random draws follow from where it stands, not from what
other threads do, so one worker gives the same bytes every time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus import Corpus
from embedkit.errors import CorpusError, TrainingError
from embedkit.memory import release_heap, release_libraries, release_pages
from embedkit.training.config import TrainingConfig
from embedkit.training.sampling import (
    epoch_key,
    keep_probabilities,
    keep_thresholds,
    noise_alias,
    noise_distribution,
)
from embedkit.vocabulary import Vocabulary

__all__ = ["Progress", "TrainingReport", "TrainingResult", "train"]

_CHUNK_TOKENS = 10_000
_SECONDS_BETWEEN_REPORTS = 0.1
_INITIAL_ROWS = 1 << 12


@dataclass(frozen=True)
class Progress:
    """How far training has come.

    Attributes:
        tokens, total_tokens: tokens of the corpus read so far and in all, every epoch counted.
        epoch, epochs: the current pass, from 1, and their number.
        tokens_per_second: since the start.
        loss: mean over the pairs since the last report; NaN if there were none.
        learning_rate: of the next chunk.
        seconds_left: an estimate.
    """

    tokens: int
    total_tokens: int
    epoch: int
    epochs: int
    tokens_per_second: float
    loss: float
    learning_rate: float
    seconds_left: float


@dataclass(frozen=True)
class TrainingReport:
    """What training did.

    Attributes:
        tokens: tokens of the corpus, once.
        epochs, workers: as used.
        pairs: (word, context) and (noise word, context) pairs trained on.
        loss: mean over the pairs of the last epoch of -log sigmoid(+-u.v), in nats.
        epoch_losses: the same for each epoch; None for one without a pair.
        seconds: of the training passes alone.
        tokens_per_second: tokens times epochs by seconds.
    """

    tokens: int
    epochs: int
    workers: int
    pairs: int
    loss: float
    epoch_losses: tuple[float | None, ...]
    seconds: float
    tokens_per_second: float


@dataclass(frozen=True)
class TrainingResult:
    """The trained matrices.

    Attributes:
        vocabulary: the words that were trained, most frequent first.
        vectors: the input matrix, float32 (words, dimension), read-only.
        context: the output matrix, of the same shape, read-only.
        report: what training did.
    """

    vocabulary: Vocabulary
    vectors: NDArray[np.float32]
    context: NDArray[np.float32]
    report: TrainingReport


def train(
    corpus: Corpus,
    config: TrainingConfig,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> TrainingResult:
    """Train skip-gram with negative sampling.

    Args:
        corpus: the text.
        config: the settings.
        progress: is called a few times a second, in the calling thread.

    Raises:
        CorpusError: no word, or only one, occurs `min_count` times, or no two words meet.
        TrainingError: the loss is no longer a finite number.
        KeyboardInterrupt: Ctrl-C; the threads have ended by then.
    """
    vocabulary = corpus.vocabulary.at_least(config.min_count)
    if len(vocabulary) < 2:
        raise CorpusError(
            f"{len(vocabulary)} of {len(corpus.vocabulary):,} distinct words occur at least "
            f"min_count={config.min_count} times; training needs 2. The most frequent word occurs "
            f"{corpus.vocabulary.counts[0]:,} times. Remedy: lower --min-count (min_count) or use "
            "a longer text."
        )
    run = _Run(corpus, vocabulary, config)
    run.until_done(progress)
    report = run.report()
    if not report.pairs:
        raise CorpusError(
            "training saw no pair of words: every sentence has one word, or subsampling left one. "
            f"Remedy: --sample 0 (sample=0) keeps all words, now it is {config.sample:g}."
        )
    vectors, context = run.inputs, run.outputs[: len(vocabulary)]
    for matrix in (vectors, context):
        matrix.flags.writeable = False
    dimension = config.dimension
    return TrainingResult(vocabulary, vectors[:, :dimension], context[:, :dimension], report)


class _Run:
    """One training: what the threads share."""

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, config: TrainingConfig) -> None:
        # Only those who train should wait for the kernel, and it comes before the matrices: what
        # the compiler needed is given back first.
        release_libraries("libarrow")
        from embedkit.training.kernels import cpu

        release_heap()
        release_libraries("libllvmlite")
        self._kernel = cpu.train_range
        self._corpus = corpus
        self._config = config
        self._workers = config.worker_count()
        self._epochs = config.epochs_for(len(corpus.tokens))
        self._tokens = len(corpus.tokens)
        self._chunks = -(-self._tokens // _CHUNK_TOKENS)
        total = int(vocabulary.counts.sum())
        self._keep = keep_thresholds(keep_probabilities(vocabulary.counts, total, config.sample))
        self._noise = noise_alias(noise_distribution(vocabulary.counts))
        for array in (self._keep, *self._noise):
            array.flags.writeable = False
        self.inputs = cpu.aligned_matrix(len(vocabulary), config.dimension)
        self.outputs = cpu.aligned_matrix(len(vocabulary) + 1, config.dimension)
        self._randomise_inputs()

        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._next_chunk = 0
        self._tokens_done = 0
        self._pairs = np.zeros(self._epochs, dtype=np.int64)
        self._losses = np.zeros(self._epochs, dtype=np.float64)
        self._seconds = 0.0

    def _randomise_inputs(self) -> None:
        """Draw the input vectors evenly from -0.5 / dimension to 0.5 / dimension."""
        random = np.random.Generator(np.random.Philox(self._config.seed))
        dimension = self._config.dimension
        for start in range(0, len(self.inputs), _INITIAL_ROWS):
            rows = self.inputs[start : start + _INITIAL_ROWS, :dimension]
            rows[:] = (random.random(rows.shape, dtype=np.float32) - 0.5) / dimension

    def until_done(self, progress: Callable[[Progress], None] | None) -> None:
        threads = [
            threading.Thread(target=self._work, name=f"embedkit-{number}", daemon=True)
            for number in range(self._workers)
        ]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        try:
            reported = (0, 0.0)
            for thread in threads:
                while thread.is_alive():
                    thread.join(_SECONDS_BETWEEN_REPORTS)
                    release_pages(self._corpus.tokens)
                    if progress and not self._failure:
                        reported = self._report_progress(progress, started, reported)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        self._seconds = time.perf_counter() - started
        if self._failure:
            raise self._failure

    def _work(self) -> None:
        """Take chunks until none is left."""
        try:
            while not self._stop.is_set():
                with self._lock:
                    number = self._next_chunk
                    self._next_chunk += 1
                epoch, chunk = divmod(number, self._chunks)
                if epoch >= self._epochs:
                    return
                start = chunk * _CHUNK_TOKENS
                stop = min(start + _CHUNK_TOKENS, self._tokens)
                pairs, loss = self._train_chunk(epoch, start, stop, self._rate(epoch, start))
                if not math.isfinite(loss):
                    raise TrainingError(self._divergence(epoch, start))
                with self._lock:
                    self._tokens_done += stop - start
                    self._pairs[epoch] += pairs
                    self._losses[epoch] += loss
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            self._failure = error
            self._stop.set()

    def _train_chunk(self, epoch: int, start: int, stop: int, rate: float) -> tuple[int, float]:
        config = self._config
        pairs, loss = self._kernel(
            self.inputs, self.outputs, config.dimension, self._corpus.tokens,
            self._corpus.boundaries, start, stop, self._keep, *self._noise, np.float32(rate),
            config.window, config.negative, np.uint64(epoch_key(config.seed, epoch)),
        )  # fmt: skip
        return int(pairs), float(loss)

    def _rate(self, epoch: int, start: int) -> float:
        """Return the learning rate at a place: linear decay over all epochs."""
        config = self._config
        done = (epoch * self._tokens + start) / (self._epochs * self._tokens)
        return max(config.minimum_learning_rate, config.learning_rate * (1.0 - done))

    def _divergence(self, epoch: int, start: int) -> str:
        config = self._config
        return (
            f"the loss is no longer finite (epoch {epoch + 1}, token {start:,}) with "
            f"learning_rate={config.learning_rate:g}, window={config.window}, "
            f"negative={config.negative}. Remedy: lower the learning rate. Nothing was written."
        )

    def _report_progress(
        self,
        progress: Callable[[Progress], None],
        started: float,
        reported: tuple[int, float],
    ) -> tuple[int, float]:
        """Tell how far it is; return the pairs and loss told so far."""
        with self._lock:
            done = self._tokens_done
            pairs, loss = int(self._pairs.sum()), float(self._losses.sum())
        total = self._tokens * self._epochs
        epoch, start = divmod(min(done, total - 1), self._tokens)
        speed = done / max(time.perf_counter() - started, 1e-9)
        recent = (loss - reported[1]) / (pairs - reported[0]) if pairs > reported[0] else math.nan
        left = (total - done) / speed if speed else math.inf
        rate = self._rate(epoch, start)
        progress(Progress(done, total, epoch + 1, self._epochs, speed, recent, rate, left))
        return pairs, loss

    def report(self) -> TrainingReport:
        losses = tuple(
            float(loss / pairs) if pairs else None
            for loss, pairs in zip(self._losses, self._pairs, strict=True)
        )
        return TrainingReport(
            tokens=self._tokens,
            epochs=self._epochs,
            workers=self._workers,
            pairs=int(self._pairs.sum()),
            loss=next((loss for loss in reversed(losses) if loss is not None), math.nan),
            epoch_losses=losses,
            seconds=self._seconds,
            tokens_per_second=self._tokens * self._epochs / max(self._seconds, 1e-9),
        )
