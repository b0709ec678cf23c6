"""Progress, epoch and training reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.training.plan import EpochPlan
from embedkit.vectors.subwords import Subwords

__all__ = ["EpochReport", "Progress", "TrainingReport", "TrainingResult"]


@dataclass(frozen=True)
class Progress:
    """The progress of training.

    Attributes:
        tokens, total_tokens: tokens processed so far, and in total over all epochs.
        epoch, epochs: the current epoch, counted from 1, and the number of epochs.
        tokens_per_second: since training started or was resumed.
        loss: mean loss of the pairs since the last report; NaN if there were none.
        learning_rate: the current learning rate.
        seconds_left: estimated remaining time.
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
    """The state at the end of an epoch, passed to a callback while training is paused.

    Attributes:
        epoch, epochs: the epoch that has ended, counted from 1, and the number of epochs.
        loss: mean loss of the epoch's pairs, in nats; None if it had none.
        seconds: training time so far.
        vocabulary: the words being trained.
        vectors: the current vectors, float32, (words, dimension), read-only. They may change when
            training continues, so copy them to keep them.
    """

    epoch: int
    epochs: int
    loss: float | None
    seconds: float
    vocabulary: Vocabulary
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class TrainingReport:
    """A summary of the training.

    Attributes:
        tokens: number of tokens in the corpus.
        epochs, workers: the numbers used; there are fewer epochs than configured if a callback
            stopped training.
        pairs: number of (word, context) and (negative sample, context) pairs trained on.
        loss: mean of -log sigmoid(+-u.v) over the pairs of the last epoch, in nats.
        epoch_losses: the mean loss of each epoch; None for an epoch without pairs.
        seconds: duration of the training passes only.
        tokens_per_second: tokens * epochs / seconds.
        sample: the subsampling threshold used.
        learning_rate: the initial learning rate used.
        plan: how the number of epochs was chosen; None without a time budget.
    """

    tokens: int
    epochs: int
    workers: int
    pairs: int
    loss: float
    epoch_losses: tuple[float | None, ...]
    seconds: float
    tokens_per_second: float
    sample: float = 0.0
    learning_rate: float = 0.0
    plan: EpochPlan | None = None


@dataclass(frozen=True)
class TrainingResult:
    """The trained matrices.

    Attributes:
        vocabulary: the trained words, most frequent first.
        vectors: the vectors of the words, float32, (words, dimension), read-only: rows of the input
            matrix, or composed of them.
        context: the output matrix, of the same shape, read-only.
        report: a summary of the training.
        subwords: the rows of character n-grams, if words are composed of them.
        positions: the position weights, float32 (2 * window, dimension), from the leftmost position
            to the rightmost; None if there are none.
    """

    vocabulary: Vocabulary
    vectors: NDArray[np.float32]
    context: NDArray[np.float32]
    report: TrainingReport
    subwords: Subwords | None = None
    positions: NDArray[np.float32] | None = None
