"""What training tells: how far it is, what an epoch did, what all of it did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary

__all__ = ["EpochReport", "Progress", "TrainingReport", "TrainingResult"]


@dataclass(frozen=True)
class Progress:
    """How far training has come.

    Attributes:
        tokens, total_tokens: tokens of the corpus read so far and in all, every epoch counted.
        epoch, epochs: the current pass, from 1, and their number.
        tokens_per_second: since the start, or since training was resumed.
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
class EpochReport:
    """What an epoch did; training waits while it is looked at.

    Attributes:
        epoch, epochs: the pass that has ended, from 1, and their number.
        loss: mean over its pairs, in nats; None if it had none.
        seconds: of training so far.
        vocabulary: the words that are trained.
        vectors: the input matrix as it is now, float32 (words, dimension), read-only. It changes
            when training goes on: copy what is to be kept.
    """

    epoch: int
    epochs: int
    loss: float | None
    seconds: float
    vocabulary: Vocabulary
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class TrainingReport:
    """What training did.

    Attributes:
        tokens: tokens of the corpus, once.
        epochs, workers: as used; fewer epochs than asked for if a callback stopped training.
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
