"""Ends training when analogies get no better."""

from __future__ import annotations

import math
import os
from pathlib import Path

from embedkit.errors import QuestionError
from embedkit.evaluation.analogies import analogy_accuracy
from embedkit.evaluation.datasets import read_analogies
from embedkit.training.report import EpochReport
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """Ends training when analogies get no better; pass it as `on_epoch_end`.

    Args:
        path: questions, as `analogy_accuracy` takes them.
        patience: epochs without a better score before training ends; None never ends it.
        restrict: answers come from so many of the most frequent words.

    Attributes:
        accuracies: of each epoch so far.

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
        read_analogies(self._path)  # so that a mistake in the file is found before training begins

    def __call__(self, report: EpochReport) -> bool:
        """Score the epoch's vectors; tell whether training should end.

        Raises:
            QuestionError: no question has words that are all trained.
        """
        vectors = WordVectors(report.vocabulary, report.vectors)
        accuracy = analogy_accuracy(vectors, self._path, restrict=self._restrict).accuracy
        if math.isnan(accuracy):
            raise QuestionError(f"{self._path}: no question has only words of the vocabulary.")
        self.accuracies.append(accuracy)
        best = self.accuracies.index(max(self.accuracies))
        return self._patience is not None and len(self.accuracies) - 1 - best >= self._patience
