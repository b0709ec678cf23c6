"""Loss curves from models and logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from embedkit.errors import ConfigurationError, ModelError, QuestionError
from embedkit.plotting import LossCurve, draw_loss_curves, read_loss_curves
from tests.plotting.samples import random_vectors

LOG_HINT = "Choose a log that embedkit train --log-json wrote."


def log_lines(*epochs: int) -> str:
    events = [{"event": "start"}, *({"event": "epoch", "epoch": n, "loss": 1 / n} for n in epochs)]
    return "".join(json.dumps(event) + "\n" for event in events)


def test_a_model_has_one_curve_from_its_report(model: Path) -> None:
    (curve,) = read_loss_curves([model])
    assert curve.name == model.name
    assert curve.epochs == tuple(range(1, 11))
    assert all(loss is not None and loss > 0 for loss in curve.losses)


def test_a_log_has_a_curve_for_each_training(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(log_lines(1, 2, 3) + log_lines(1, 2))
    assert read_loss_curves([tmp_path / "a.log"]) == [
        LossCurve("a.log 1", (1, 2, 3), (1.0, 0.5, 1 / 3)),
        LossCurve("a.log 2", (1, 2), (1.0, 0.5)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no finished epochs"),
        ("{}", "line 1: not a line of a training log"),
        ('{"event": "epoch", "epoch": 1, "loss": "x"}', "the loss is not a number"),
    ],
)
def test_files_that_are_not_training_logs_are_rejected(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_text(text)
    with pytest.raises(QuestionError, match=message) as caught:
        read_loss_curves([tmp_path / "a.log"])
    assert caught.value.hint == LOG_HINT


def test_a_model_without_losses_is_rejected(tmp_path: Path) -> None:
    random_vectors(["a", "b"]).save(tmp_path / "model")
    with pytest.raises(ModelError, match="has no losses by epoch") as caught:
        read_loss_curves([tmp_path / "model"])
    assert caught.value.hint == "Choose a model made by embedkit train."


def test_curves_are_drawn_and_missing_curves_rejected(tmp_path: Path) -> None:
    curve = LossCurve("$x$", (1, 2, 3), (2.0, None, 1.0))
    draw_loss_curves([curve] * 6, tmp_path / "a.svg")
    assert "loss (nats per pair)" in (tmp_path / "a.svg").read_text()
    with pytest.raises(ConfigurationError, match="there are no loss curves to draw"):
        draw_loss_curves([], tmp_path / "b.png")
    with pytest.raises(ConfigurationError, match=r"unknown picture format '\.html'"):
        draw_loss_curves([curve], tmp_path / "b.html")


def test_a_single_epoch_has_a_whole_number(tmp_path: Path) -> None:
    draw_loss_curves([LossCurve("run", (1,), (2.0,))], tmp_path / "a.svg")
    numbers = re.findall(r">(\d+\.?\d*)</text>", (tmp_path / "a.svg").read_text())
    assert [number for number in numbers if 0.5 < float(number) < 1.5] == ["1"]


def test_runs_with_the_same_file_name_are_named_by_their_paths(tmp_path: Path) -> None:
    line = '{"event": "epoch", "epoch": 1, "loss": 0.5}\n'
    paths = [tmp_path / name for name in ("a/log", "b/log", "other")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(line)
    names = [curve.name for curve in read_loss_curves(paths)]
    assert names == [str(paths[0]), str(paths[1]), "other"]
