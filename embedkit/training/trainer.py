"""Training: a corpus and settings in, vectors out.

result = train(corpus, TrainingConfig(dimension=100))
result.vectors, result.report.loss
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import astuple, fields, replace
from typing import Any

import numpy as np

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import CorpusError, ShortTimeWarning, counted, plural, share_verb
from embedkit.index.metrics import all_finite
from embedkit.system.logs import logger
from embedkit.system.ranks import Ranks, SingleProcess
from embedkit.training.config import TrainingConfig, ngram_settings
from embedkit.training.divergence import LARGEST_LOSS, divergence
from embedkit.training.engine import Engine, make_engine
from embedkit.training.loop import TrainingHooks, TrainingLoop
from embedkit.training.options import Device
from embedkit.training.plan import EpochPlan
from embedkit.training.report import TrainingResult
from embedkit.training.schedule import FIRST_EPOCH
from embedkit.training.speed import choose_epochs
from embedkit.training.warm_start import WarmStart

__all__ = ["train"]

_log = logger(__name__)


def train(
    corpus: Corpus,
    config: TrainingConfig,
    hooks: TrainingHooks | None = None,
    *,
    start: WarmStart | None = None,
    ranks: Ranks | None = None,
    device: str | Device = "cpu",
) -> TrainingResult:
    """Train skip-gram or CBOW with negative sampling.

    Args:
        corpus: the text to train on.
        config: the settings.
        hooks: callbacks and checkpoints; default: none.
        start: see `warm_start`; default: the words of the corpus and random vectors.
        ranks: processes that train together; *corpus* is the share of this one. Rank 0 calls the
            callbacks and writes checkpoints. All ranks return the same result.
        device: where to train: a name, or `options.Device`.

    Raises:
        CorpusError: fewer than two words occur `min_count` times, or there are no pairs.
        ConfigurationError: the device is unknown or not available, or the corpus, the vocabulary or
            a setting has changed since the checkpoint.
        OutputExistsError, StorageError: checkpoints cannot be written.
        TrainingError: training diverged: the loss or a number of the matrices is no longer finite,
            or the loss is above `divergence.LARGEST_LOSS`.
        KeyboardInterrupt: Ctrl-C was pressed; the threads have already ended.
    """
    if start is not None:
        vocabulary = start.vocabulary
        corpus = corpus.numbered_by(vocabulary)
    else:
        vocabulary = corpus.vocabulary.at_least(config.min_count)
    if len(vocabulary) < 2:
        raise _too_few_words(len(vocabulary), corpus.vocabulary, config.min_count)
    ranks = ranks or SingleProcess()
    config = _resolved(config, corpus, vocabulary, ranks)
    engine = make_engine(corpus, vocabulary, config, device)
    if ranks.size > 1:  # ranks synchronize between two chunks
        most = max(1, config.sync_interval(ranks.size) // FIRST_EPOCH)
        engine.chunk_tokens = min(engine.chunk_tokens, most)
    _load(engine, start, config)
    hooks = hooks or TrainingHooks()
    checkpoints = hooks.checkpoints if ranks.rank == 0 else None
    with checkpoints.locked() if checkpoints else nullcontext():
        plan = _plan(engine, corpus, config, ranks, hooks)
        if plan is not None:
            _load(engine, start, config)  # measuring has changed the matrices
        report = TrainingLoop(corpus, vocabulary, config, engine, ranks, plan).run(hooks)
    if not report.pairs:
        raise _no_pairs(corpus, len(vocabulary), config)
    _log.info("Trained %s: loss %.4f", counted(report.epochs, "epoch"), report.loss)
    inputs, context = engine.inputs, engine.context
    if report.loss > LARGEST_LOSS:
        raise divergence(f"the loss of the last epoch is {report.loss:,.3f}", config)
    if not (all_finite(inputs) and all_finite(context)):
        raise divergence("a number is not finite", config)
    return TrainingResult(
        vocabulary, engine.rows.compose(inputs), context, report,
        engine.rows.subwords(inputs), engine.rows.positions(inputs),
    )  # fmt: skip


def _load(engine: Engine, start: WarmStart | None, config: TrainingConfig) -> None:
    """Set the matrices to those that training starts from."""
    if start is not None:
        rows = engine.rows.continued(start, config.dimension, config.seed)
        engine.load(rows, start.context)
    else:
        zeros = np.broadcast_to(np.float32(0), engine.context.shape)
        engine.load(engine.rows.initial(config.dimension, config.seed), zeros)


def _plan(
    engine: Engine, corpus: Corpus, config: TrainingConfig, ranks: Ranks, hooks: TrainingHooks
) -> EpochPlan | None:
    """Return the number of epochs for the time budget, if there is one; the matrices may change.

    A run that is resumed keeps the number that it began with.
    """
    if config.time_budget is None:
        return None
    kept = None
    if hooks.resume and hooks.checkpoints and ranks.rank == 0:
        kept = hooks.checkpoints.plan()
    numbers = astuple(kept) if kept else (0.0,) * len(fields(EpochPlan))
    budget, measuring, speed, seconds, epochs = ranks.first(
        np.array(numbers, dtype=np.float64)
    ).tolist()
    if epochs:
        plan = EpochPlan(budget, measuring, speed, seconds, int(epochs))
    else:
        plan = choose_epochs(engine, corpus, config, ranks)
    _log.info("%s", plan)
    if plan.is_too_short and ranks.rank == 0:
        warnings.warn(plan.warning, ShortTimeWarning, stacklevel=4)
    return plan


def _resolved(
    config: TrainingConfig, corpus: Corpus, vocabulary: Vocabulary, ranks: Ranks
) -> TrainingConfig:
    """Return the settings with the defaults for this corpus and these ranks filled in."""
    tokens = int(ranks.total(np.array([len(corpus.tokens)]))[0])
    sample = config.sample_for(tokens)
    size = f"{counted(tokens, 'token')}, {counted(len(vocabulary), 'word')}"
    _log.info("Training on %s, with sample=%g", size, sample)
    changed: dict[str, Any] = {"sample": sample, "learning_rate": config.rate()}
    changed |= ngram_settings(config.ngrams)
    changed["sync_every"] = config.sync_interval(ranks.size) if ranks.size > 1 else None
    return replace(config, **changed)


def _no_pairs(corpus: Corpus, words: int, config: TrainingConfig) -> CorpusError:
    """Return the error for a corpus in which no two words were near each other."""
    known = np.concatenate([[0], np.cumsum(corpus.tokens < words)])
    if (np.diff(known[corpus.boundaries]) > 1).any():  # words of each sentence
        return CorpusError(
            "there are no pairs of words to train on: after subsampling with "
            f"sample={config.sample:g}, no sentence has two words.",
            hint="Pass --sample 0 (sample=0) to keep all words.",
        )
    return CorpusError(
        "there are no pairs of words to train on: no sentence has two words that occur at least "
        f"min_count={config.min_count} {plural(config.min_count, 'time')}.",
        hint="Put words that belong together in one sentence (one line of a file), or lower "
        "--min-count (min_count).",
    )


def _too_few_words(found: int, all_words: Vocabulary, min_count: int) -> CorpusError:
    """Return the error for a text in which fewer than two words occur *min_count* times."""
    hint = "Use a longer text."
    if len(all_words) > 1:
        second = all_words.counts[1]
        hint = f"Lower --min-count (min_count) to {second:,}, or use a longer text."
    verb = share_verb(found, len(all_words), "occurs", "occur")
    return CorpusError(
        f"{found} of {counted(len(all_words), 'distinct word')} {verb} "
        f"at least min_count={min_count} {plural(min_count, 'time')}; training needs at least 2. "
        f"The most frequent word occurs {counted(all_words.counts[0], 'time')}.",
        hint=hint,
    )
