"""Interrupts of train."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedkit.cli.event_log import EventLog
from embedkit.cli.progress import ProgressLog
from embedkit.encoders import load
from embedkit.errors import StorageError
from tests.cli.helpers import QUICK, assert_wrong_usage, leftovers
from tests.conftest import Command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_the_old_model(
    embedkit: Command, text: Path, tmp_path: Path, number: signal.Signals
) -> None:
    embedkit("train", text, *QUICK)
    before = {p.name: p.read_bytes() for p in (tmp_path / "model.embedkit").iterdir()}
    process = subprocess.Popen(
        [sys.executable, "-m", "embedkit", "train", text, "--overwrite", "--epochs", "9999",
         "--dimension", "1000", "--sample", "0", "--window", "15", "--checkpoint-every", "0"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stderr is not None
    assert "tokens" in process.stderr.readline()
    time.sleep(1.0)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert errors.endswith("Interrupted. Nothing was written to model.embedkit.\n")
    assert "Traceback" not in errors
    assert {p.name: p.read_bytes() for p in (tmp_path / "model.embedkit").iterdir()} == before
    assert not leftovers(tmp_path)


@pytest.mark.parametrize(
    ("option", "log", "place"),
    [
        ("--log-dir", "new/model", "the output"),
        ("--log-dir", "new/model/runs", "inside the output"),
        ("--log-dir", "new/../new", "around the output"),
        ("--log-json", "new/model", "the output"),
        ("--log-json", "new/model/log", "inside the output"),
    ],
)
def test_a_log_cannot_be_in_or_around_the_model(
    embedkit: Command, tmp_path: Path, option: str, log: str, place: str
) -> None:
    (tmp_path / "new").mkdir()
    done = embedkit("train", "no such text", "-o", "new/model", option, log, *QUICK)
    assert_wrong_usage(
        done, f"{option} {log} is {place}, new/model.\nHint: Choose a path beside it."
    )
    assert not [*(tmp_path / "new").iterdir()]


def test_a_log_that_cannot_be_written_does_not_end_the_training(
    embedkit: Command, text: Path, tmp_path: Path
) -> None:
    logs = ["--log-json", "/dev/full", "--log-dir", "runs"]
    done = embedkit("train", text, *QUICK, *logs)
    assert done.returncode == 0
    assert done.stderr.count("Warning: cannot write /dev/full: No space left on device") == 1
    assert "the log is incomplete.\nHint: Free some space" in done.stderr
    assert len(load(tmp_path / "model.embedkit")) == 7
    assert [path.stat().st_size > 500 for path in (tmp_path / "runs").iterdir()] == [True]


def test_a_log_that_cannot_be_closed_leaves_no_other_open(
    embedkit: Command, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    close, close_file = EventLog.close, ProgressLog.close

    def fails(log: ProgressLog) -> None:
        close_file(log)
        raise StorageError("cannot write log: No space left on device.")

    monkeypatch.setattr(ProgressLog, "close", fails)
    monkeypatch.setattr(EventLog, "close", lambda log: (close(log), closed.append(log)))
    done = embedkit("train", text, *QUICK, "--log-json", "log", "--log-dir", "runs")
    assert done.returncode == 0
    assert "Warning: cannot write log: No space left on device." in done.stderr
    assert len(closed) == 1
    assert len(load(tmp_path / "model.embedkit")) == 7
