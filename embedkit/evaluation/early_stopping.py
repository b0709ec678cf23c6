"""Early stopping: end training when the accuracy of analogies stops improving."""

from __future__ import annotations

import os
from pathlib import Path

from embedkit.evaluation.analogies import analogy_accuracy
from embedkit.evaluation.datasets import read_analogies
from embedkit.training.report import EpochReport
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """Ends training when analogies stop improving; pass it as `on_epoch_end`.

    Args:
        path: a file of analogies; see `analogy_accuracy`.
        patience: number of epochs without improvement after which training ends; None means that
            it is never ended early.
        restrict: number of the most frequent words that are known.

    Attributes:
        accuracies: accuracy of each epoch so far.

    Raises:
        QuestionError: the file is missing, or a line cannot be read.
    """

    def __init__(
        self, path: str | os.PathLike[str], patience: int | None = None, *, restrict: int = 30_000
    ) -> None:
        self._path = Path(path)
        self._patience = patience
        self._restrict = restrict
        self.accuracies: list[float] = []
        read_analogies(self._path)  # so that errors are raised before training begins

    def __call__(self, report: EpochReport) -> bool:
        """Score the vectors of an epoch; return whether training should end.

        Raises:
            QuestionError: every question has an unknown word.
        """
        vectors = WordVectors(report.vocabulary, report.vectors)
        accuracy = analogy_accuracy(vectors, self._path, restrict=self._restrict).accuracy
        self.accuracies.append(accuracy)
        best = self.accuracies.index(max(self.accuracies))
        return self._patience is not None and len(self.accuracies) - 1 - best >= self._patience
