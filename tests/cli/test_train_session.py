"""Interrupts of train."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.helpers import QUICK, leftovers
from tests.conftest import Command, restore_interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_the_old_model(
    embedkit: Command, text: Path, tmp_path: Path, number: signal.Signals
) -> None:
    embedkit("train", text, *QUICK)
    before = {p.name: p.read_bytes() for p in (tmp_path / "model.embedkit").iterdir()}
    process = subprocess.Popen(
        [sys.executable, "-m", "embedkit", "train", text, "--overwrite", "--epochs", "9999",
         "--dimension", "1000", "--sample", "0", "--window", "15", "--checkpoint-every", "0"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=restore_interrupts,
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
