"""The training loop: chunks of the corpus through the kernel, on several threads.

    result = train(corpus, TrainingConfig(dimension=100))
    result.vectors, result.report.loss

Threads share both matrices and update them without locks (Hogwild, Recht et al. 2011). A chunk is
a range of tokens; its learning rate and random draws follow from where it stands, not from what
other threads do, so one worker gives the same bytes every time.

Where all threads must stand still, to write a checkpoint or to look at an epoch's vectors, they are
given no chunk beyond that place, and the calling thread waits until those under way are done.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from embedkit.corpus import Corpus
from embedkit.errors import CorpusError, TrainingError
from embedkit.training.checkpoint import Checkpoints, State
from embedkit.training.chunks import ChunkQueue
from embedkit.training.config import TrainingConfig
from embedkit.training.continuation import Start
from embedkit.training.engine import CpuEngine, Engine, random_vectors
from embedkit.training.report import EpochReport, Progress, TrainingReport, TrainingResult
from embedkit.training.sampling import epoch_key
from embedkit.vocabulary import Vocabulary

__all__ = ["train"]

_SECONDS_BETWEEN_REPORTS = 0.1


def train(
    corpus: Corpus,
    config: TrainingConfig,
    *,
    progress: Callable[[Progress], None] | None = None,
    on_epoch_end: Callable[[EpochReport], bool | None] | None = None,
    start: Start | None = None,
    checkpoints: Checkpoints | None = None,
    resume: bool = False,
) -> TrainingResult:
    """Train skip-gram with negative sampling.

    Args:
        corpus: the text.
        config: the settings.
        progress: is called a few times a second, in the calling thread.
        on_epoch_end: is called after each epoch, while training waits; True ends training.
        start: words and matrices to begin with, see `start_from`; the corpus's own words and
            random vectors by default.
        checkpoints: where to write them; Ctrl-C writes one as well.
        resume: go on from the last checkpoint, if there is one.

    Raises:
        CorpusError: no word, or only one, occurs `min_count` times, or no two words meet.
        ConfigurationError: the checkpoint is of another corpus or of other settings.
        TrainingError: the loss is no longer a finite number.
        KeyboardInterrupt: Ctrl-C; the threads have ended by then.
    """
    if start is not None:
        vocabulary = start.vocabulary
        corpus = corpus.numbered_by(vocabulary)
    else:
        vocabulary = corpus.vocabulary.at_least(config.min_count)
    if len(vocabulary) < 2:
        raise CorpusError(
            f"{len(vocabulary)} of {len(corpus.vocabulary):,} distinct words occur at least "
            f"min_count={config.min_count} times; training needs 2. The most frequent word occurs "
            f"{corpus.vocabulary.counts[0]:,} times. Remedy: lower --min-count (min_count) or use "
            "a longer text."
        )
    state = checkpoints.latest(config, corpus.fingerprint) if checkpoints and resume else None
    engine = CpuEngine(corpus, vocabulary, config)
    if state is not None:
        engine.load(state.inputs, state.outputs)
    elif start is not None:
        engine.load(start.vectors, start.context)
    else:
        engine.load(random_vectors(len(vocabulary), config.dimension, config.seed))
    run = _Run(corpus, vocabulary, config, engine, state)
    run.until_done(progress, on_epoch_end, checkpoints)
    report = run.report()
    if not report.pairs:
        raise CorpusError(
            "training saw no pair of words: every sentence has one word, or subsampling left one. "
            f"Remedy: --sample 0 (sample=0) keeps all words, now it is {config.sample:g}."
        )
    return TrainingResult(vocabulary, engine.vectors, engine.context, report)


class _Run:
    """One training: what the threads share."""

    def __init__(
        self,
        corpus: Corpus,
        vocabulary: Vocabulary,
        config: TrainingConfig,
        engine: Engine,
        state: State | None,
    ) -> None:
        self._corpus = corpus
        self._vocabulary = vocabulary
        self._config = config
        self._engine = engine
        self._epochs = config.epochs_for(len(corpus.tokens))
        self._tokens = len(corpus.tokens)
        self._chunks = -(-self._tokens // engine.chunk_tokens)

        self._queue = ChunkQueue(state.chunk if state else 0)
        self._tokens_done = 0
        self._pairs = np.zeros(self._epochs, dtype=np.int64)
        self._losses = np.zeros(self._epochs, dtype=np.float64)
        self._seconds = 0.0
        if state is not None:
            self._restore(state)
        self._resumed = (self._tokens_done, self._seconds)

    def _restore(self, state: State) -> None:
        self._pairs[:] = state.pairs
        self._losses[:] = state.losses
        self._seconds = state.seconds
        epoch, chunk = divmod(state.chunk, self._chunks)
        self._tokens_done = epoch * self._tokens + chunk * self._engine.chunk_tokens

    def until_done(
        self,
        progress: Callable[[Progress], None] | None,
        on_epoch_end: Callable[[EpochReport], bool | None] | None,
        checkpoints: Checkpoints | None,
    ) -> None:
        end = self._chunks * self._epochs
        # With nobody looking at them, epochs flow into each other and no thread ever waits.
        step = self._chunks if on_epoch_end else end
        self._queue.open_to(min((self._queue.next // step + 1) * step, end))
        with self._queue.threads(self._engine.threads, self._work):
            try:
                self._watch(end, step, progress, on_epoch_end, checkpoints)
            except KeyboardInterrupt:
                if checkpoints:
                    self._write(checkpoints)
                raise

    def _watch(
        self,
        end: int,
        step: int,
        progress: Callable[[Progress], None] | None,
        on_epoch_end: Callable[[EpochReport], bool | None] | None,
        checkpoints: Checkpoints | None,
    ) -> None:
        """Wait for the end, and do meanwhile what is due."""
        reported = (int(self._pairs.sum()), float(self._losses.sum()))
        before = self._seconds
        started = time.perf_counter()
        while True:
            still = self._queue.wait(_SECONDS_BETWEEN_REPORTS)
            self._seconds = before + time.perf_counter() - started
            self._engine.release()
            if progress:
                reported = self._report_progress(progress, reported)
            paused = time.perf_counter()
            if still and on_epoch_end and on_epoch_end(self._epoch_report()):
                self._epochs = self._queue.next // self._chunks  # those that were trained are all
                return
            if still and self._queue.limit == end:
                return
            if checkpoints and checkpoints.due():
                self._write(checkpoints)
            started += time.perf_counter() - paused
            if still:
                self._queue.open_to(self._queue.limit + step)

    def _write(self, checkpoints: Checkpoints) -> None:
        with self._queue.standing_still():
            state = State(
                self._queue.next, self._pairs, self._losses, self._seconds, self._engine.vectors,
                self._engine.context,
            )  # fmt: skip
            checkpoints.save(state, self._config, self._vocabulary, self._corpus.fingerprint)

    def _work(self, number: int) -> Callable[[], None]:
        """Train on a chunk; return what records it."""
        epoch, chunk = divmod(number, self._chunks)
        start = chunk * self._engine.chunk_tokens
        stop = min(start + self._engine.chunk_tokens, self._tokens)
        key = epoch_key(self._config.seed, epoch)
        pairs, loss = self._engine.train(start, stop, self._rate(epoch, start), key)
        if not math.isfinite(loss):
            raise TrainingError(self._divergence(epoch, start))

        def record() -> None:
            self._tokens_done += stop - start
            self._pairs[epoch] += pairs
            self._losses[epoch] += loss

        return record

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
            f"negative={config.negative}. Remedy: lower the learning rate. No model was written; "
            "a checkpoint, if there is one, is kept."
        )

    def _report_progress(
        self, progress: Callable[[Progress], None], reported: tuple[int, float]
    ) -> tuple[int, float]:
        """Tell how far it is; return the pairs and loss told so far."""
        with self._queue.locked():
            done = self._tokens_done
            pairs, loss = int(self._pairs.sum()), float(self._losses.sum())
        total = self._tokens * self._epochs
        epoch, start = divmod(min(done, total - 1), self._tokens)
        speed = (done - self._resumed[0]) / max(self._seconds - self._resumed[1], 1e-9)
        recent = (loss - reported[1]) / (pairs - reported[0]) if pairs > reported[0] else math.nan
        left = (total - done) / speed if speed else math.inf
        rate = self._rate(epoch, start)
        progress(Progress(done, total, epoch + 1, self._epochs, speed, recent, rate, left))
        return pairs, loss

    def _epoch_loss(self, epoch: int) -> float | None:
        pairs = self._pairs[epoch]
        return float(self._losses[epoch] / pairs) if pairs else None

    def _epoch_report(self) -> EpochReport:
        epoch = self._queue.next // self._chunks
        return EpochReport(
            epoch, self._epochs, self._epoch_loss(epoch - 1), self._seconds, self._vocabulary,
            self._engine.vectors,
        )  # fmt: skip

    def report(self) -> TrainingReport:
        losses = tuple(map(self._epoch_loss, range(self._epochs)))
        return TrainingReport(
            tokens=self._tokens,
            epochs=self._epochs,
            workers=self._engine.threads,
            pairs=int(self._pairs.sum()),
            loss=next((loss for loss in reversed(losses) if loss is not None), math.nan),
            epoch_losses=losses,
            seconds=self._seconds,
            tokens_per_second=self._tokens * self._epochs / max(self._seconds, 1e-9),
        )
