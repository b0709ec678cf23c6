"""Errors, exit codes, broken streams, and what importing the command line costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedkit.cli.app import app
from tests.conftest import Command, shell


@pytest.mark.parametrize("command", ["info", "encode paris", "neighbors paris --json", "--help"])
def test_a_full_or_closed_output_is_an_error(command: str, model: Path) -> None:
    done = shell(f"{command} > /dev/full", model)
    assert done.returncode == 1
    assert "cannot write the answer: No space left on device" in done.stderr
    assert shell(f"{command} >&-", model).returncode == 1


def test_too_little_memory_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def greedy(**_: object) -> None:
        np.empty(1 << 60, dtype=np.uint8)

    monkeypatch.setattr(app.commands["info"], "callback", greedy)
    with pytest.raises(SystemExit) as end:
        app.main(["info"])
    assert end.value.code == 1
    assert "there is not enough memory. Nothing was written.\nHint:" in (capsys.readouterr().err)


def test_expression_error_points_at_the_place(embedkit: Command, model: Path) -> None:
    done = embedkit("query", "paris - (france", "--model", model)
    assert done.returncode == 2
    message, expression, caret = done.stderr.splitlines()
    assert "expected ) to close the parenthesis at column 9" in message
    assert expression.strip() == "paris - (france"
    assert caret.index("^") - 2 == len("paris - (france")


@pytest.mark.parametrize(
    "arguments",
    [
        ["analogy", "paris", "france"],
        ["analogy", "paris", "france", "italy", "-k", "0"],
        ["neighbors"],
        ["distance", "a", "--metric", "cosinus"],
        ["unknown"],
        ["evaluate"],
        ["train", "x.txt", "--window", "99"],
        ["train", "x.txt", "--encoder", "onehot", "--window", "3"],
    ],
)
def test_wrong_usage_is_exit_code_2(inside: Command, arguments: list[str]) -> None:
    done = inside(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_a_closed_pipe_is_not_an_error(model: Path) -> None:
    command = f"{sys.executable} -m embedkit encode - --model {model} | head -c 1"
    words = "paris\n" * 5_000
    done = subprocess.run(
        ["bash", "-c", command], input=words, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


def test_help_imports_no_numeric_library() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from embedkit.cli.app import app\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "assert result.exit_code == 0, result\n"
        "heavy = {'numpy', 'torch', 'faiss', 'numba', 'pyarrow', 'scipy', 'sklearn', 'tqdm'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_question_imports_no_trainer(model: Path) -> None:
    code = (
        "import sys, embedkit\n"
        f"embedkit.load({str(model)!r}).analogy('paris', 'france', 'italy')\n"
        "print(sorted({'torch', 'numba', 'sklearn', 'scipy', 'tqdm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["train", "corpus.txt", "--min-count", 2**40], "--min-count"),
        (["train", "corpus.txt", "--seed", 2**64], "--seed"),
        (
            ["train", "corpus.txt", "--phrases", 1, "--phrase-min-count", 2**40],
            "--phrase-min-count",
        ),
        (["phrases", "corpus.txt", "-o", "x", "--min-count", 2**40], "--min-count"),
        (["walks", "edges.tsv", "--length", 2**40], "--length"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_value_out_of_range_names_the_option(
    inside: Command, arguments: list[object], option: str
) -> None:
    done = inside(*arguments)
    assert done.returncode == 2
    assert f"{option} must be an integer between" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["info", "nowhere"], "or pass another."),
        (
            ["neighbors", "cat", "--model", "nowhere"],
            "choose another with --model (or EMBEDKIT_MODEL).",
        ),
        (["train", "corpus.txt", "--continue-from", "nowhere"], "another with --continue-from."),
        (["evaluate", "nowhere", "--similarity", "x"], "or pass another."),
    ],
)
def test_a_missing_model_names_the_option(
    inside: Command, folder: Path, arguments: list[object], remedy: str
) -> None:
    done = inside(*arguments)
    assert done.returncode == 1
    assert done.stderr.endswith(remedy + "\n")
