"""Progress on standard error: bars on a terminal, lines elsewhere, nothing if quiet."""

from __future__ import annotations

import math

import pytest

from embedkit.cli import progress
from embedkit.cli.progress import Display
from embedkit.training.report import Progress


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)


def test_lines_show_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(quiet=False) as display:
        display.reading(2_000_000)
        display.writing(5, 20)
        display.writing(5, 20)
        display.indexing(3, 4)
        display.walking(1, 4)
        display.phrases(10)(5)
        display.say("done")
    assert capsys.readouterr().err.splitlines() == [
        "reading: 2 MB",
        "writing: 5 of 20 words",
        "writing: 10 of 20 words",
        "indexing: 3 of 4 words",
        "walking:  25% of 4 walks",
        "phrases:  50%",
        "done",
    ]


def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(quiet=True) as display:
        display.reading(1)
        display.writing(5, 20)
        display.say("done")
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_one_bar_for_each_stage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Display(quiet=False) as display:
        display.reading(1)
        display.writing(20, 20)
    shown = capsys.readouterr().err
    assert shown.index("reading") < shown.index("writing")
    assert "\n" not in shown.strip()


def test_what_is_not_known_yet_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    start = Progress(0, 10, 1, 2, 0.0, math.nan, 0.05, math.inf)
    with Display(quiet=False) as display:
        display.training(start)
    assert capsys.readouterr().err == (
        "training:   0%, epoch 1 of 2, 0 words/s, loss -, learning rate 0.0500, - s left\n"
    )
