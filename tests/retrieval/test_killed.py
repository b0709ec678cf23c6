"""A search index whose building or changing is killed: readers see the old one or the new one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_moments.py")
OLD, NEW = ["paris old", "rome old"], ["madrid new", "paris new", "rome new"]
STATES: dict[str, tuple[list[str] | None, list[str]]] = {
    "build": (None, NEW),
    "overwrite": (OLD, NEW),
    "add": (OLD, sorted(OLD + NEW)),
    "delete": (OLD, OLD[:1]),
}
"""By change: the answers before and after it."""


def answers(folder: Path, model: Path, kind: str, step: int) -> list[list[str] | None]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(model), kind, str(step)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line)["answers"] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("build", 30),
        ("add", 40),
        *(pytest.param(kind, 1, marks=pytest.mark.slow) for kind in STATES),
    ],
)
def test_a_killed_change_leaves_the_old_index_or_the_new_one(
    kind: str, step: int, tmp_path: Path, model: Path
) -> None:
    before, after = STATES[kind]
    found = answers(tmp_path, model, kind, step)
    assert len(found) >= 6
    assert before in found
    assert found[-1] == after  # the last moment comes after the end of the change
    assert all(state in (before, after) for state in found)
