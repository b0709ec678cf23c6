"""What several tests of the command line share."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

PAIRS = ["--pairs", "france:paris,italy:rome"]
TEXT = "the cat sat on the mat\nthe dog sat on the log\n" * 50
QUICK = ["--dimension", "8", "--epochs", "2", "--sample", "0"]


def rows(text: str) -> list[list[str]]:
    """Return the words of each line."""
    return [line.split() for line in text.splitlines()]


def json_lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    """Return the JSON documents that a command printed, one per line."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def leftovers(folder: Path) -> list[str]:
    """Return the names of temporary files in a folder."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def state(folder: Path) -> set[tuple[str, int]]:
    """Return what identifies every file in a folder."""
    return {(str(path), path.lstat().st_ino) for path in folder.rglob("*")}


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the error of a command that refuses to run."""
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


def assert_wrong_usage(done: subprocess.CompletedProcess[str], message: str) -> None:
    """Assert that a command exits with 2 and prints *message*."""
    assert message in refused(done)
    assert done.returncode == 2
