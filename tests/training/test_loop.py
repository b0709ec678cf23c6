"""Callbacks at the end of epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.encoders import SkipGramEncoder
from embedkit.training.config import TrainingConfig
from embedkit.training.loop import TrainingHooks
from embedkit.training.report import EpochReport
from embedkit.training.trainer import train

WORLD = Path(__file__).parent.parent.parent / "corpora" / "world.txt"


def test_epoch_reports_equal_training_without_callbacks() -> None:
    seen: list[tuple[int, float | None]] = []
    shots: list[np.ndarray] = []

    def look(report: EpochReport) -> None:
        seen.append((report.epoch, report.loss))
        shots.append(report.vectors.copy())
        assert not report.vectors.flags.writeable

    corpus = Corpus.read(WORLD)
    config = TrainingConfig(dimension=16, epochs=3, workers=1)
    watched = train(corpus, config, TrainingHooks(on_epoch_end=look))
    alone = train(corpus, config)
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert (
        tuple(loss for _, loss in seen) == alone.report.epoch_losses == watched.report.epoch_losses
    )
    assert watched.vectors.tobytes() == alone.vectors.tobytes() == shots[-1].tobytes()
    assert not np.array_equal(shots[0], shots[1])


@pytest.mark.parametrize("workers", [1, 3])
def test_callback_ends_training(workers: int) -> None:
    corpus = Corpus.read(WORLD)
    config = TrainingConfig(dimension=8, epochs=50, workers=workers)
    hooks = TrainingHooks(on_epoch_end=lambda report: report.epoch == 2)
    report = train(corpus, config, hooks).report
    assert report.epochs == len(report.epoch_losses) == 2


def test_error_in_a_callback_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError):
        SkipGramEncoder(dimension=8, epochs=3, sample=0, workers=1).fit(
            [["sun", "moon", "star"]] * 30,
            on_epoch_end=lambda report: 1 // (report.epoch - 1) > 9,
        )
