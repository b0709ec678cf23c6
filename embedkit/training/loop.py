"""The training loop: several threads train on chunks of the corpus with an engine.

Threads share both matrices and update them without locks (Hogwild, Recht et al. 2011). A chunk is
a range of tokens. Its learning rate and random draws depend only on its position, not on other
threads, so training with one worker is deterministic.

Before it writes a checkpoint, calls back after an epoch, or synchronizes with other ranks, the
calling thread stops handing out chunks and waits until the threads are idle.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.system.interrupts import held
from embedkit.system.random import epoch_key
from embedkit.system.ranks import Ranks
from embedkit.training.checkpoint import Checkpoints
from embedkit.training.config import TrainingConfig
from embedkit.training.divergence import divergence
from embedkit.training.engine import Engine
from embedkit.training.plan import EpochPlan
from embedkit.training.report import EpochReport, Progress, TrainingReport
from embedkit.training.schedule import Stop, rank_schedule, schedule
from embedkit.training.state import TrainingState
from embedkit.training.work_queue import ChunkQueue

if TYPE_CHECKING:
    from embedkit.training.averaging import Averaging

__all__ = ["TrainingHooks", "TrainingLoop"]

_SECONDS_BETWEEN_REPORTS = 0.1


@dataclass(frozen=True)
class TrainingHooks:
    """Callbacks and checkpoints of a training run.

    Attributes:
        progress: called a few times a second, in the calling thread.
        on_epoch_end: called after each epoch, while training is paused; returning True ends
            training.
        checkpoints: where to write checkpoints; Ctrl-C also writes one.
        resume: continue from the last checkpoint, if there is one.
    """

    progress: Callable[[Progress], None] | None = None
    on_epoch_end: Callable[[EpochReport], bool | None] | None = None
    checkpoints: Checkpoints | None = None
    resume: bool = False


class TrainingLoop:
    """One training run: the state that its threads share, and the work of the calling thread."""

    def __init__(
        self,
        corpus: Corpus,
        vocabulary: Vocabulary,
        config: TrainingConfig,
        engine: Engine,
        ranks: Ranks,
        plan: EpochPlan | None = None,
    ) -> None:
        self._corpus = corpus
        self._vocabulary = vocabulary
        self._config = config
        self._ranks = ranks
        self.engine = engine
        self._tokens = len(corpus.tokens)
        self._all_tokens = int(ranks.total(np.array([self._tokens]))[0])
        self._plan = plan
        self._epochs = plan.epochs if plan else config.epochs_for(self._all_tokens)
        self._chunks = -(-self._tokens // self.engine.chunk_tokens)
        # Sums of this rank only, except that rank 0 resumes with the totals of all ranks.
        self._pairs = np.zeros(self._epochs, dtype=np.int64)
        self._losses = np.zeros(self._epochs, dtype=np.float64)
        self._tokens_done, self._seconds = 0, 0.0
        self._stopped = 0
        self._resumed = (0, 0.0)
        self._recent_loss = math.nan
        self._queue = ChunkQueue(0)

    def run(self, hooks: TrainingHooks) -> TrainingReport:
        """Train; return a report over all ranks."""
        stops = self._stops(hooks)
        checkpoints = hooks.checkpoints if hooks.resume else None
        reached = self._resume(checkpoints, stops) if checkpoints else 0
        averaging = self._averaging()
        with self._queue.threads(self.engine.threads, self._work):
            try:
                for stop in stops[reached:]:
                    self._train_to(stop.chunk, hooks)
                    self._stopped += 1
                    if averaging:
                        started = time.perf_counter()
                        averaging.synchronize(max(len(self._vocabulary) >> stop.halvings, 1))
                        self._seconds += time.perf_counter() - started
                    if self._ends_at(stop, hooks):
                        break
            except KeyboardInterrupt:
                if hooks.checkpoints and not averaging:
                    with held():
                        hooks.checkpoints.on_interrupt()
                        self._write(hooks.checkpoints)
                raise
        return self._report()

    def _averaging(self) -> Averaging | None:
        if self._ranks.size == 1:
            return None
        from embedkit.training.averaging import Averaging  # imports torch

        return Averaging(self.engine, self._ranks)

    def _stops(self, hooks: TrainingHooks) -> list[Stop]:
        """Return the schedule of stops."""
        if self._ranks.size > 1:
            share = self._all_tokens / self._ranks.size
            interval = self._config.sync_interval(self._ranks.size)
            return rank_schedule(self._epochs, self._chunks, share, interval)
        if hooks.on_epoch_end:
            return schedule(self._epochs, self._chunks)
        # Without a callback, threads do not have to wait at the end of an epoch.
        return schedule(1, self._epochs * self._chunks)

    def _resume(self, checkpoints: Checkpoints, stops: list[Stop]) -> int:
        """Load the last checkpoint, if there is one; return the number of stops before it."""
        state = None
        if self._ranks.rank == 0:
            state = checkpoints.latest(
                self._config, self._vocabulary, self._corpus.fingerprint, self._ranks.size,
                self.engine.chunk_tokens,
            )  # fmt: skip
        if state is not None:
            self.engine.load(state.inputs, state.outputs)
            self._pairs[:] = state.pairs
            self._losses[:] = state.losses
            self._seconds = state.seconds
        chunk = state.chunk if state else 0
        if self._ranks.size == 1:
            # The callback may not have been called for an epoch that ends here, so call it again.
            reached = bisect_left(stops, chunk, key=attrgetter("chunk"))
        else:  # shares differ in size, so the chunk number differs between ranks
            reached = int(self._ranks.first(np.array([state.stopped if state else 0]))[0])
            chunk = stops[reached - 1].chunk if reached else 0
        self._stopped = reached
        self._queue = ChunkQueue(chunk)
        epoch, chunk = divmod(chunk, self._chunks)
        self._tokens_done = epoch * self._tokens + chunk * self.engine.chunk_tokens
        self._resumed = (self._tokens_done, self._seconds)
        return reached

    def _train_to(self, stop: int, hooks: TrainingHooks) -> None:
        """Let the threads work up to a chunk, reporting progress meanwhile."""
        reported = (int(self._pairs.sum()), float(self._losses.sum()))
        before, started = self._seconds, time.perf_counter()
        self._queue.open_to(stop)
        idle = False
        while not idle:
            idle = self._queue.wait(_SECONDS_BETWEEN_REPORTS)
            self._seconds = before + time.perf_counter() - started
            self.engine.release()
            if hooks.progress and self._ranks.rank == 0:
                reported = self._report_progress(hooks.progress, reported)
            if not idle and self._ranks.size == 1 and hooks.checkpoints:
                paused = time.perf_counter()
                if hooks.checkpoints.due():
                    self._write(hooks.checkpoints)
                started += time.perf_counter() - paused

    def _ends_at(self, stop: Stop, hooks: TrainingHooks) -> bool:
        """Call the epoch callback and write a checkpoint if due; tell whether to end training."""
        epoch = stop.chunk // self._chunks
        ends = False
        if hooks.on_epoch_end and stop.ends_epoch:
            pairs, losses = self._totals()
            if self._ranks.rank == 0:
                loss = _mean(losses[epoch - 1], pairs[epoch - 1])
                report = EpochReport(
                    epoch, self._epochs, loss, self._seconds, self._vocabulary,
                    self.engine.rows.compose(self.engine.inputs),
                )  # fmt: skip
                ends = bool(hooks.on_epoch_end(report))
            ends = bool(self._ranks.first(np.array([ends]))[0])
        if ends:
            self._epochs = epoch  # the report counts only the epochs that were trained
        elif hooks.checkpoints and self._ranks.size > 1 and not stop.halvings:
            due = self._ranks.first(np.array([hooks.checkpoints.due()]))[0]
            if due:
                self._write(hooks.checkpoints)
        return ends

    def _write(self, checkpoints: Checkpoints) -> None:
        engine = self.engine
        with self._queue.paused():
            pairs, losses = self._totals()
            if self._ranks.rank == 0:
                state = TrainingState(
                    self._queue.next, pairs, losses, self._seconds, engine.inputs, engine.context,
                    self._ranks.size, engine.chunk_tokens, self._stopped, self._plan,
                )  # fmt: skip
                corpus = self._corpus.fingerprint
                checkpoints.save(state, self._config, self._vocabulary, corpus, engine.rows)

    def _totals(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the pairs and summed loss of each epoch, over all ranks."""
        return self._ranks.total(self._pairs), self._ranks.total(self._losses)

    def _work(self, number: int) -> Callable[[], None]:
        """Train on a chunk; return the function that records it."""
        epoch, chunk = divmod(number, self._chunks)
        start = chunk * self.engine.chunk_tokens
        stop = min(start + self.engine.chunk_tokens, self._tokens)
        # Positions are the same on all ranks, so the key must differ.
        key = epoch_key(self._config.seed, epoch * self._ranks.size + self._ranks.rank)
        pairs, loss = self.engine.train(start, stop, self._rate(epoch, start), key)
        if not math.isfinite(loss):
            problem = f"the loss is no longer finite (epoch {epoch + 1}, token {start:,})"
            raise divergence(problem, self._config)

        def record() -> None:
            self._tokens_done += stop - start
            self._pairs[epoch] += pairs
            self._losses[epoch] += loss

        return record

    def _rate(self, epoch: int, start: int) -> float:
        """Return the learning rate at a position: linear decay over all epochs."""
        config = self._config
        done = (epoch * self._tokens + start) / (self._epochs * self._tokens)
        return max(config.minimum_learning_rate, config.rate() * (1.0 - done))

    def _report_progress(
        self, progress: Callable[[Progress], None], reported: tuple[int, float]
    ) -> tuple[int, float]:
        """Report progress, assuming that all ranks are equally fast; return pairs and loss."""
        with self._queue.locked():
            done = self._tokens_done
            pairs, loss = int(self._pairs.sum()), float(self._losses.sum())
        total = self._tokens * self._epochs
        epoch, start = divmod(min(done, total - 1), self._tokens)
        ranks = self._all_tokens / self._tokens
        speed = (done - self._resumed[0]) / max(self._seconds - self._resumed[1], 1e-9)
        if pairs > reported[0]:
            self._recent_loss = (loss - reported[1]) / (pairs - reported[0])
        progress(
            Progress(
                tokens=round(done * ranks),
                total_tokens=self._all_tokens * self._epochs,
                epoch=epoch + 1,
                epochs=self._epochs,
                tokens_per_second=speed * ranks,
                loss=self._recent_loss,
                learning_rate=self._rate(epoch, start),
                seconds_left=(total - done) / speed if speed else math.inf,
            )
        )
        return pairs, loss

    def _report(self) -> TrainingReport:
        pairs, sums = self._totals()
        losses = tuple(map(_mean, sums[: self._epochs], pairs))
        return TrainingReport(
            tokens=self._all_tokens,
            epochs=self._epochs,
            workers=self.engine.threads * self._ranks.size,
            pairs=int(pairs.sum()),
            loss=next((loss for loss in reversed(losses) if loss is not None), math.nan),
            epoch_losses=losses,
            seconds=self._seconds,
            tokens_per_second=self._all_tokens * self._epochs / max(self._seconds, 1e-9),
            sample=self._config.sample or 0.0,
            learning_rate=self._config.rate(),
            plan=self._plan,
        )


def _mean(loss: np.float64, pairs: np.int64) -> float | None:
    return float(loss / pairs) if pairs else None
