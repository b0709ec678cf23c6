"""Training within a time budget: the number of epochs is chosen from a measured speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.encoders import SkipGramEncoder, SubwordEncoder, TrainedEncoder
from embedkit.errors import ConfigurationError, ShortTimeWarning
from embedkit.training import speed, trainer
from embedkit.training.checkpoint import Checkpoints
from embedkit.training.config import TrainingConfig
from embedkit.training.engine import CpuEngine
from embedkit.training.plan import MOST_EPOCHS, EpochPlan
from embedkit.training.report import EpochReport
from tests.ranks import together

WORLD = Path(__file__).parents[2] / "corpora" / "world.txt"
TEXT = [["sun", "moon", "star", "sky"], ["iron", "zinc", "tin"]] * 300


@pytest.mark.parametrize(
    ("budget", "epoch_seconds", "epochs", "too_short"),
    [
        (60.0, 9.0, 6, False),  # (60 - 2) / 9 = 6.4
        (60.0, 29.0, 2, False),  # exactly
        (60.0, 58.0, 1, False),
        (60.0, 58.5, 1, True),
        (60.0, 0.01, MOST_EPOCHS, False),
    ],
)
def test_as_many_epochs_as_fit(
    budget: float, epoch_seconds: float, epochs: int, *, too_short: bool
) -> None:
    plan = EpochPlan.within(budget, 2.0, 1_000.0, epoch_seconds)
    assert (plan.epochs, plan.is_too_short) == (epochs, too_short)


def test_the_choice_is_explained() -> None:
    def told(epoch_seconds: float) -> str:
        return str(EpochPlan.within(60.0, 2.0, 1e6, epoch_seconds))

    assert told(9.0) == "6 epochs for 60 s: an epoch takes about 9.0 s at 1,000,000 words/s"
    assert told(99.0) == "1 epoch for 60 s: an epoch takes about 99.0 s at 1,000,000 words/s"
    assert EpochPlan.within(60.0, 2.0, 1e6, 99.0).warning == (
        "60 s is too short for one epoch, which takes about 99.0 s at 1,000,000 words/s; "
        "1 epoch is trained."
    )
    assert told(0.5).startswith("50 epochs for 60 s, the most that are chosen: an epoch takes")


def test_epochs_and_a_time_budget_exclude_each_other() -> None:
    with pytest.raises(ConfigurationError, match="epochs and time_budget cannot be combined"):
        TrainingConfig(epochs=5, time_budget=60)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (SkipGramEncoder, {}),
        (SkipGramEncoder, {"architecture": "cbow", "position_weights": True}),
        (SubwordEncoder, {"buckets": 500}),
    ],
)
@pytest.mark.parametrize("continued", [False, True])
def test_measuring_leaves_no_trace_in_the_vectors(
    kind: type[TrainedEncoder], settings: dict[str, object], *, continued: bool
) -> None:
    shared = {"dimension": 8, "sample": 0, "workers": 1, **settings}
    start = kind(**shared, epochs=1).fit(TEXT) if continued else None
    timed = kind(**shared, time_budget=1).fit(TEXT, start=start)
    plan = timed.report["plan"]
    assert 1 <= timed.report["epochs"] == plan["epochs"] <= MOST_EPOCHS
    assert plan["words_per_second"] > 0
    counted = kind(**shared, epochs=plan["epochs"]).fit(TEXT, start=start)
    assert timed.vectors().matrix.tobytes() == counted.vectors().matrix.tobytes()
    assert timed.context is not None
    assert counted.context is not None
    assert timed.context.tobytes() == counted.context.tobytes()
    assert "plan" not in counted.report


def test_the_measured_speed_is_that_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that only training moves, 600 words a second are measured exactly."""
    corpus = Corpus.read(TEXT)
    now = [0.0]

    def train(self: CpuEngine, start: int, stop: int, rate: float, key: int) -> tuple[int, float]:
        now[0] += (stop - start) / 600
        return 1, 0.0

    monkeypatch.setattr(CpuEngine, "train", train)
    monkeypatch.setattr(speed, "_MOST", 0.02)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    config = TrainingConfig(dimension=4, time_budget=1e7, workers=1, sample=0)
    plan = trainer.train(corpus, config).report.plan
    assert plan is not None
    assert plan.words_per_second == pytest.approx(600)
    assert plan.epoch_seconds == pytest.approx(len(corpus.tokens) / 600)


def test_a_resumed_run_keeps_its_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = EpochPlan.within(60.0, 1.0, 1e3, 14.0)
    choices = iter([chosen])
    monkeypatch.setattr(trainer, "choose_epochs", lambda *_: next(choices))
    encoder = SkipGramEncoder(dimension=8, sample=0, workers=1, time_budget=60)

    def interrupt(report: EpochReport) -> None:
        if report.epoch == 2:
            raise KeyboardInterrupt

    checkpoints = Checkpoints(tmp_path / "checkpoints")
    with pytest.raises(KeyboardInterrupt):
        encoder.fit(TEXT, checkpoints=checkpoints, on_epoch_end=interrupt)
    encoder.fit(TEXT, checkpoints=checkpoints, resume=True)  # a second choice: StopIteration
    assert (encoder.report["epochs"], chosen.epochs) == (4, 4)
    assert encoder.report["plan"]["words_per_second"] == 1e3
    whole = SkipGramEncoder(dimension=8, sample=0, workers=1, epochs=4).fit(TEXT)
    np.testing.assert_array_equal(encoder.vectors().matrix, whole.vectors().matrix)
    with pytest.raises(ConfigurationError, match=r"time_budget was 60\.0 and is now 90\.0"):
        SkipGramEncoder(dimension=8, sample=0, workers=1, time_budget=90).fit(
            TEXT, checkpoints=checkpoints, resume=True
        )


def test_too_little_time_trains_one_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    short = EpochPlan.within(1.0, 0.5, 10.0, 7.0)
    monkeypatch.setattr(trainer, "choose_epochs", lambda *_: short)
    encoder = SkipGramEncoder(dimension=8, sample=0, time_budget=1)
    with pytest.warns(ShortTimeWarning, match="1 s is too short for one epoch"):
        encoder.fit(TEXT)
    assert encoder.report["epochs"] == 1


SHARED = """
from dataclasses import asdict
from embedkit.corpus.corpus import Corpus
from embedkit.training.config import TrainingConfig
from embedkit.training.trainer import train

corpus = Corpus.read(sys.argv[2], ranks=ranks)
config = TrainingConfig(dimension=8, time_budget=2, workers=1, sample=0)
result = train(corpus, config, ranks=ranks)
tell(**asdict(result.report.plan), trained=result.report.epochs)
"""


@pytest.mark.slow
def test_ranks_choose_together(tmp_path: Path) -> None:
    first, second = together(SHARED, 2, tmp_path, WORLD)
    assert first == second
    assert first["trained"] == first["epochs"]
