"""A training under way: chunks of the corpus through an engine, on several threads.

Threads share both matrices and update them without locks (Hogwild, Recht et al. 2011). A chunk is
a range of tokens; its learning rate and random draws follow from where it stands, not from what
other threads do, so one worker gives the same bytes every time.

Where all threads must stand still, to write a checkpoint, to look at an epoch's vectors or to agree
with other ranks, they are given no chunk beyond that place, and the calling thread waits until
those under way are done.
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
from embedkit.errors import TrainingError
from embedkit.system.interrupts import held
from embedkit.system.random import epoch_key
from embedkit.system.ranks import Ranks
from embedkit.training.checkpoint import Checkpoints, State
from embedkit.training.config import TrainingConfig
from embedkit.training.engine import Engine
from embedkit.training.report import EpochReport, Progress, TrainingReport
from embedkit.training.schedule import Stop, schedule
from embedkit.training.work_queue import ChunkQueue

if TYPE_CHECKING:
    from embedkit.training.averaging import Averaging

__all__ = ["Run", "Watchers"]

_SECONDS_BETWEEN_REPORTS = 0.1


@dataclass(frozen=True)
class Watchers:
    """Who is told of training, and where it is written down; see `trainer.train`."""

    progress: Callable[[Progress], None] | None
    on_epoch_end: Callable[[EpochReport], bool | None] | None
    checkpoints: Checkpoints | None


class Run:
    """One training: what its threads share, and what has to happen while they work."""

    def __init__(
        self,
        corpus: Corpus,
        vocabulary: Vocabulary,
        config: TrainingConfig,
        engine: Engine,
        ranks: Ranks,
    ) -> None:
        self._corpus = corpus
        self._vocabulary = vocabulary
        self._config = config
        self._ranks = ranks
        self.engine = engine
        self._tokens = len(corpus.tokens)
        self._all_tokens = int(ranks.total(np.array([self._tokens]))[0])
        self._epochs = config.epochs_for(self._all_tokens)
        self._chunks = -(-self._tokens // self.engine.chunk_tokens)
        # What follows is of this rank; of all in rank 0 after a resumption.
        self._pairs = np.zeros(self._epochs, dtype=np.int64)
        self._losses = np.zeros(self._epochs, dtype=np.float64)
        self._tokens_done = 0
        self._seconds = 0.0
        self._stopped = 0
        self._resumed = (0, 0.0)
        self._recent_loss = math.nan
        self._queue = ChunkQueue(0)

    def until_done(self, watchers: Watchers, *, resume: bool) -> TrainingReport:
        """Train; return what it did, all ranks taken together."""
        stops = self._stops(watchers)
        reached = self._resume(watchers.checkpoints, stops) if resume else 0
        averaging = self._averaging()
        with self._queue.threads(self.engine.threads, self._work):
            try:
                for stop in stops[reached:]:
                    self._train_to(stop.chunk, watchers)
                    self._stopped += 1
                    if averaging:
                        started = time.perf_counter()
                        averaging.agree(max(len(self._vocabulary) >> stop.halvings, 1))
                        self._seconds += time.perf_counter() - started
                    if self._ends_at(stop, watchers):
                        break
            except KeyboardInterrupt:
                if watchers.checkpoints and not averaging:
                    with held():
                        watchers.checkpoints.on_interrupt()
                        self._write(watchers.checkpoints)
                raise
        return self._report()

    def _averaging(self) -> Averaging | None:
        if self._ranks.size == 1:
            return None
        from embedkit.training.averaging import Averaging  # imports torch

        return Averaging(self.engine, self._ranks)

    def _stops(self, watchers: Watchers) -> list[Stop]:
        """Return where all threads stand still."""
        if self._ranks.size > 1:
            share = self._all_tokens / self._ranks.size
            parts = max(1, round(share / self._config.sync_every))
            return schedule(self._epochs, self._chunks, parts)
        if watchers.on_epoch_end:
            return schedule(self._epochs, self._chunks, 1)
        # With nobody looking, epochs flow into each other and no thread ever waits.
        return schedule(1, self._epochs * self._chunks, 1)

    def _resume(self, checkpoints: Checkpoints | None, stops: list[Stop]) -> int:
        """Go back to the last checkpoint, if there is one; return how many stops lie before it."""
        state = None
        if checkpoints and self._ranks.rank == 0:
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
            # An epoch that ends here may not have been told of: it is told of again.
            reached = bisect_left(stops, chunk, key=attrgetter("chunk"))
        else:  # shares differ in size, so the others stand at another chunk
            reached = int(self._ranks.first(np.array([state.stopped if state else 0]))[0])
            chunk = stops[reached - 1].chunk if reached else 0
        self._stopped = reached
        self._queue = ChunkQueue(chunk)
        epoch, chunk = divmod(chunk, self._chunks)
        self._tokens_done = epoch * self._tokens + chunk * self.engine.chunk_tokens
        self._resumed = (self._tokens_done, self._seconds)
        return reached

    def _train_to(self, stop: int, watchers: Watchers) -> None:
        """Let the threads work up to a chunk, and meanwhile tell how far they are."""
        told = (int(self._pairs.sum()), float(self._losses.sum()))
        before, started = self._seconds, time.perf_counter()
        self._queue.open_to(stop)
        still = False
        while not still:
            still = self._queue.wait(_SECONDS_BETWEEN_REPORTS)
            self._seconds = before + time.perf_counter() - started
            self.engine.release()
            if watchers.progress and self._ranks.rank == 0:
                told = self._report_progress(watchers.progress, told)
            if not still and self._ranks.size == 1 and watchers.checkpoints:
                paused = time.perf_counter()
                if watchers.checkpoints.due():
                    self._write(watchers.checkpoints)
                started += time.perf_counter() - paused

    def _ends_at(self, stop: Stop, watchers: Watchers) -> bool:
        """Do what is due where all threads of all ranks stand still; tell whether to end here."""
        epoch = stop.chunk // self._chunks
        ends = False
        if watchers.on_epoch_end and stop.ends_epoch:
            pairs, losses = self._totals()
            if self._ranks.rank == 0:
                report = EpochReport(
                    epoch,
                    self._epochs,
                    _mean(losses[epoch - 1], pairs[epoch - 1]),
                    self._seconds,
                    self._vocabulary,
                    self.engine.vectors,
                )
                ends = bool(watchers.on_epoch_end(report))
            ends = bool(self._ranks.first(np.array([ends]))[0])
        if ends:
            self._epochs = epoch  # those that were trained are all
        elif watchers.checkpoints and self._ranks.size > 1 and not stop.halvings:
            due = self._ranks.first(np.array([watchers.checkpoints.due()]))[0]
            if due:
                self._write(watchers.checkpoints)
        return ends

    def _write(self, checkpoints: Checkpoints) -> None:
        with self._queue.standing_still():
            pairs, losses = self._totals()
            if self._ranks.rank == 0:
                state = State(
                    self._queue.next, pairs, losses, self._seconds, self.engine.vectors,
                    self.engine.context, self._ranks.size, self.engine.chunk_tokens, self._stopped,
                )  # fmt: skip
                checkpoints.save(state, self._config, self._vocabulary, self._corpus.fingerprint)

    def _totals(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the pairs and summed losses of each epoch, of all ranks."""
        return self._ranks.total(self._pairs), self._ranks.total(self._losses)

    def _work(self, number: int) -> Callable[[], None]:
        """Train on a chunk; return what records it."""
        epoch, chunk = divmod(number, self._chunks)
        start = chunk * self.engine.chunk_tokens
        stop = min(start + self.engine.chunk_tokens, self._tokens)
        # Ranks draw apart though their positions are the same.
        key = epoch_key(self._config.seed, epoch * self._ranks.size + self._ranks.rank)
        pairs, loss = self.engine.train(start, stop, self._rate(epoch, start), key)
        if not math.isfinite(loss):
            raise self._divergence(epoch, start)

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

    def _divergence(self, epoch: int, start: int) -> TrainingError:
        config = self._config
        return TrainingError(
            f"the loss is no longer finite (epoch {epoch + 1}, token {start:,}) with "
            f"learning_rate={config.learning_rate:g}, window={config.window}, "
            f"negative={config.negative}. No model was written; a checkpoint, if there is one, is "
            "kept.",
            hint="Lower the learning rate.",
        )

    def _report_progress(
        self, progress: Callable[[Progress], None], told: tuple[int, float]
    ) -> tuple[int, float]:
        """Tell how far it is, as if all ranks were as far; return what was told of the loss."""
        with self._queue.locked():
            done = self._tokens_done
            pairs, loss = int(self._pairs.sum()), float(self._losses.sum())
        total = self._tokens * self._epochs
        epoch, start = divmod(min(done, total - 1), self._tokens)
        ranks = self._all_tokens / self._tokens
        speed = (done - self._resumed[0]) / max(self._seconds - self._resumed[1], 1e-9)
        if pairs > told[0]:
            self._recent_loss = (loss - told[1]) / (pairs - told[0])
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
        )


def _mean(loss: np.float64, pairs: np.int64) -> float | None:
    return float(loss / pairs) if pairs else None
