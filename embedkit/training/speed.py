"""Measuring the speed of training, to choose the number of epochs for a time budget.

The engine trains on chunks from all over the corpus for a few seconds, with as many threads as in
training. This changes its matrices, so they must be loaded again afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from embedkit.corpus.corpus import Corpus
from embedkit.system.random import epoch_key
from embedkit.system.ranks import Ranks
from embedkit.training.config import TrainingConfig
from embedkit.training.engine import Engine
from embedkit.training.plan import EpochPlan
from embedkit.training.schedule import rank_schedule
from embedkit.training.work_queue import ChunkQueue

__all__ = ["choose_epochs"]

_SHARE = 0.05  # of the time budget that is spent on measuring
_LEAST, _MOST = 0.2, 5.0  # seconds
_FEW_EPOCHS = 5
_SPREAD = 0.6180339887  # the golden ratio: multiples of it are spread evenly


def choose_epochs(
    engine: Engine, corpus: Corpus, config: TrainingConfig, ranks: Ranks
) -> EpochPlan:
    """Measure the speed and return the number of epochs for `config.time_budget`.

    Args:
        engine: its matrices are changed.
        corpus: this rank's share.
        config: the settings.
        ranks: all ranks measure at the same time, and rank 0 chooses.
    """
    budget = config.time_budget or 0.0
    started, tokens = time.perf_counter(), len(corpus.tokens)
    speed = _words_per_second(engine, tokens, config, min(max(_SHARE * budget, _LEAST), _MOST))
    shares = np.zeros((2, ranks.size))
    shares[:, ranks.rank] = tokens / speed, tokens
    seconds, sizes = ranks.total(shares)
    epoch_seconds = float(seconds.max())
    if ranks.size > 1:
        epoch_seconds += _synchronizing(engine, round(sizes.sum()), config, ranks)
    measured = np.array([
        time.perf_counter() - started, sizes.sum() / epoch_seconds, epoch_seconds
    ])  # fmt: skip
    return EpochPlan.within(budget, *map(float, ranks.first(measured)))


def _words_per_second(engine: Engine, tokens: int, config: TrainingConfig, seconds: float) -> float:
    """Train for some seconds after a chunk for each thread, which may compile or read from disk."""
    chunks = -(-tokens // engine.chunk_tokens)
    key = epoch_key(config.seed, 0)
    done = 0

    def work(number: int) -> Callable[[], None]:
        start = int(number * _SPREAD % 1 * chunks) * engine.chunk_tokens
        stop = min(start + engine.chunk_tokens, tokens)
        engine.train(start, stop, config.rate(), key)

        def record() -> None:
            nonlocal done
            done += stop - start

        return record

    queue = ChunkQueue(0)
    with queue.threads(engine.threads, work):
        queue.open_to(engine.threads)
        queue.wait()
        done, started = 0, time.perf_counter()
        queue.open_to(2**62)
        queue.wait(seconds)
        queue.open_to(queue.next)
        queue.wait()
        elapsed = time.perf_counter() - started
    engine.release()
    return done / elapsed


def _synchronizing(engine: Engine, tokens: int, config: TrainingConfig, ranks: Ranks) -> float:
    """Return the seconds that synchronizing takes in an epoch, from those for all words.

    It is the mean over a few epochs, because the first has more synchronizations.
    """
    from embedkit.training.averaging import Averaging  # imports torch

    averaging = Averaging(engine, ranks)
    started = time.perf_counter()
    averaging.synchronize(len(engine.context))
    once = time.perf_counter() - started
    stops = rank_schedule(
        _FEW_EPOCHS, tokens, tokens / ranks.size, config.sync_interval(ranks.size)
    )
    return once * sum(0.5**stop.halvings for stop in stops) / _FEW_EPOCHS
