"""The shell scripts call the right tools, in a copy of the repository with stand-ins for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.conftest import SCRIPTS

LOG = '#!/bin/sh\necho "$(basename "$0") $*" >> "$LOG"\n'
TOOLS = ("ruff", "mypy", "hadolint", "mkdocs", "python")
MAKERS = ("make_corpus.py", "make_questions.py", "make_baskets.py")
ANSWERS = {
    "paris france italy": "rome",
    "king man woman": "queen",
    "bigger big cold": "colder",
    "sushi japan germany": "bratwurst",
    "cu copper gold": "au",
    "windows microsoft google": "android",
    "montreal_canadiens montreal toronto": "toronto_maple_leafs",
}


def write_tool(path: Path, text: str = LOG) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The shell scripts, and an environment in .venv that seems to be up to date."""
    root = tmp_path / "repository"
    (root / "scripts").mkdir(parents=True)
    for name in ("check", "demo", "docs", "environment", "test"):
        shutil.copy(SCRIPTS / name, root / "scripts")
    for name in MAKERS:
        write_tool(root / "scripts" / name)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(SCRIPTS.parent / name, root)
    shutil.copytree(SCRIPTS.parent / ".ci", root / ".ci")
    (root / ".venv" / "bin").mkdir(parents=True)
    for name in TOOLS:
        write_tool(root / ".venv" / "bin" / name)
    total = subprocess.run(
        "cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1",
        shell=True, cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for kind in ("dev", "plain"):
        (root / ".venv" / f".installed-{kind}-{total.stdout.strip()}").touch()
    return root


def run(repository: Path, *command: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    log = repository / "log"
    done = subprocess.run(
        ["bash", *command], cwd=repository, capture_output=True, text=True, check=False,
        timeout=60, env={**os.environ, "LOG": str(log)},
    )  # fmt: skip
    return done, log.read_text().splitlines() if log.exists() else []


CHECKS = [
    "ruff check .", "ruff format --check .", "mypy ", "python scripts/cli_reference.py --check",
    "mkdocs build --strict --quiet", "hadolint Dockerfile",
    *(f"{name} --check" for name in MAKERS),
]  # fmt: skip


def test_check_runs_every_check(repository: Path) -> None:
    done, log = run(repository, "scripts/check")
    assert (done.returncode, done.stderr) == (0, "")
    assert log == CHECKS
    (repository / "log").unlink()
    _, log = run(repository, "scripts/check", "--fix")
    assert log == ["ruff format .", "ruff check --fix .", *CHECKS]


def test_check_stops_at_the_first_failure(repository: Path) -> None:
    write_tool(repository / ".venv" / "bin" / "mypy", "#!/bin/sh\nexit 3\n")
    done, log = run(repository, "scripts/check")
    assert done.returncode == 3
    assert log == CHECKS[:2]


@pytest.mark.parametrize("script", ["scripts/test", ".ci/run"])
def test_test_runs_the_checks_beside_the_suite(script: str, repository: Path) -> None:
    arguments = ["-k", "sparse"] if script == "scripts/test" else []
    done, log = run(repository, script, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    processes = f"--numprocesses {len(os.sched_getaffinity(0)) + 2} --dist worksteal"
    suite = " ".join(["python -m pytest -p no:randomly", processes, *arguments])
    assert sorted(log) == sorted([*CHECKS, suite])
    log.remove(suite)
    assert log == CHECKS


@pytest.mark.parametrize(("tool", "status"), [("mypy", 1), ("python", 5)])
def test_test_fails_if_a_check_or_a_test_fails(tool: str, status: int, repository: Path) -> None:
    fails = f'case $* in ""|"-m pytest"*) echo {tool} found faults; exit 5;; esac\n'
    write_tool(repository / ".venv" / "bin" / tool, LOG + fails)
    done, log = run(repository, "scripts/test")
    assert done.returncode == status
    assert f"{tool} found faults" in done.stdout + done.stderr
    assert ("scripts/check failed" in done.stderr) == (tool == "mypy")
    assert any("pytest" in line for line in log)


@pytest.mark.parametrize(
    ("arguments", "commands"),
    [
        ([], ["python scripts/cli_reference.py --check", "mkdocs build --strict --quiet"]),
        (["--serve"], ["mkdocs serve --dev-addr 127.0.0.1:8100"]),
        (["--write"], ["python scripts/cli_reference.py", "python scripts/readme.py --write"]),
    ],
)
def test_docs_builds_serves_and_writes(
    arguments: list[str], commands: list[str], repository: Path
) -> None:
    done, log = run(repository, "scripts/docs", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert log == commands


def test_docs_rejects_unknown_options(repository: Path) -> None:
    done, log = run(repository, "scripts/docs", "--unknown")
    assert (done.returncode, log) == (2, [])
    assert done.stderr.startswith("Usage: scripts/docs")


EMBEDKIT = """#!{python}
import sys

answers = {answers!r}
if sys.argv[1] == "analogy":
    print("header")
    print(1, answers[" ".join(sys.argv[2:5])])
"""


def test_demo_asks_seven_questions(repository: Path) -> None:
    tool = repository / ".venv" / "bin" / "embedkit"
    write_tool(tool, EMBEDKIT.format(python=sys.executable, answers=ANSWERS))
    done, _ = run(repository, "scripts/demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "All 7 answers are right." in done.stdout
    wrong = ANSWERS | {"king man woman": "king"}
    write_tool(tool, EMBEDKIT.format(python=sys.executable, answers=wrong))
    done, _ = run(repository, "scripts/demo")
    assert done.returncode == 1
    assert done.stderr == "expected queen\n\n1 of the 7 answers are wrong.\n"


def test_environment_needs_python_3_10(repository: Path) -> None:
    for path in (repository / ".venv").glob(".installed-*"):
        path.unlink()
    for name in ("python3", "python3.13", "python3.12", "python3.11", "python3.10"):
        write_tool(repository / ".venv" / "bin" / name, "#!/bin/sh\nexit 1\n")
    done = subprocess.run(
        ["bash", "-c", "set -e; source scripts/environment"], cwd=repository, text=True,
        capture_output=True, check=False, timeout=60,
        env={**os.environ, "PATH": f"{repository}/.venv/bin:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode != 0
    assert "Python 3.10 or later was not found." in done.stderr
    assert (SCRIPTS / "environment").is_file()
