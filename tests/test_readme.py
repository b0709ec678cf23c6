"""The examples of the README and the docs print the output that is shown there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


EXAMPLES = re.compile(r"^```(console|pycon)$", re.MULTILINE)
PAGES = [
    str(page.relative_to(ROOT))
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if EXAMPLES.search(page.read_text())
]


def check(page: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "readme.py", page],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_examples_print_the_output_shown(page: str) -> None:
    done = check(ROOT / page)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("example", "difference"),
    [
        ("```console\n$ echo rome\nparis\n```\n", "-paris\n+rome"),
        ("```pycon\n>>> 1 + 1 == 2\nFalse\n```\n", "-False\n+True"),
        ("```console\n$ echo '   1  rome  0.5'\n   1  oslo  0.5\n```\n", "- N oslo N"),
        ("```console\n$ embedkit --version\n```\n", "+embedkit, version"),
        (
            "```pycon\n>>> 1 / 0\nTraceback (most recent call last):\n    ...\nZero\n```\n",
            "+ZeroDiv",
        ),
    ],
    ids=["command", "python", "first answer", "no output", "error"],
)
def test_an_example_with_other_output_is_reported(
    example: str, difference: str, tmp_path: Path
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(example)
    done = check(readme)
    assert done.returncode == 1
    assert difference in done.stdout


def test_every_command_is_shown() -> None:
    from embedkit.cli.app import app

    text = (ROOT / "README.md").read_text()
    about_itself = {"help", "version", "completion"}
    assert [
        name
        for name in app.commands
        if name not in about_itself and not re.search(rf"^\$ embedkit {name}\b", text, re.MULTILINE)
    ] == []
