"""Training: a corpus and settings in, vectors out.

result = train(corpus, TrainingConfig(dimension=100))
result.vectors, result.report.loss
"""

from __future__ import annotations

from collections.abc import Callable

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import CorpusError
from embedkit.system.ranks import Ranks, SingleProcess
from embedkit.training.checkpoint import Checkpoints
from embedkit.training.config import TrainingConfig
from embedkit.training.engine import make_engine, random_vectors
from embedkit.training.loop import Run, Watchers
from embedkit.training.report import EpochReport, Progress, TrainingResult
from embedkit.training.warm_start import Start

__all__ = ["train"]


def train(
    corpus: Corpus,
    config: TrainingConfig,
    *,
    progress: Callable[[Progress], None] | None = None,
    on_epoch_end: Callable[[EpochReport], bool | None] | None = None,
    start: Start | None = None,
    checkpoints: Checkpoints | None = None,
    resume: bool = False,
    ranks: Ranks | None = None,
    device: str = "cpu",
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
        ranks: processes that train together; the corpus is this one's share. Rank 0 calls back and
            writes checkpoints; the result is the same in all.
        device: where to train; see `engine.make_engine`.

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
        raise _too_few_words(len(vocabulary), corpus.vocabulary, config.min_count)
    engine = make_engine(corpus, vocabulary, config, device)
    ranks = ranks or SingleProcess()
    if ranks.size > 1:  # which agree between two chunks
        engine.chunk_tokens = min(engine.chunk_tokens, config.sync_every)
    if start is not None:
        engine.load(start.vectors, start.context)
    else:
        engine.load(random_vectors(len(vocabulary), config.dimension, config.seed))
    run = Run(corpus, vocabulary, config, engine, ranks)
    report = run.until_done(
        Watchers(progress, on_epoch_end, checkpoints), resume=resume and checkpoints is not None
    )
    if not report.pairs:
        raise CorpusError(
            "training saw no pair of words: every sentence has one word, or subsampling left one.",
            hint=f"--sample 0 (sample=0) keeps all words, now it is {config.sample:g}.",
        )
    return TrainingResult(vocabulary, engine.vectors, engine.context, report)


def _too_few_words(found: int, all_words: Vocabulary, min_count: int) -> CorpusError:
    """Return the error of a text in which fewer than two words occur *min_count* times."""
    hint = "Use a longer text."
    if len(all_words) > 1:
        second = all_words.counts[1]
        hint = f"Lower --min-count (min_count) to {second:,}, or use a longer text."
    return CorpusError(
        f"{found} of {len(all_words):,} distinct words occur at least min_count={min_count} times; "
        f"training needs 2. The most frequent word occurs {all_words.counts[0]:,} times.",
        hint=hint,
    )
