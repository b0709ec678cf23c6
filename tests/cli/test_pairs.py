"""--pairs: values, files, standard input."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.helpers import json_lines
from tests.conftest import Command

FORMS = {
    "commas": ["--pairs", "france:paris,italy:rome"],
    "spaces": ["--pairs", "france:paris, italy:rome"],
    "repeated": ["--pairs", "france:paris", "--pairs", "italy:rome"],
    "file": ["--pairs", "@pairs.txt"],
    "file and value": ["--pairs", "@first.txt", "--pairs", "italy:rome"],
    "standard input": ["--pairs", "@-"],
}


@pytest.fixture(autouse=True)
def written(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("france:paris\n\nitaly rome\n")
    (tmp_path / "first.txt").write_text("france\tparis\n")
    (tmp_path / "broken.txt").write_text("france:paris\nitaly\n")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_pairs_can_be_written_in_several_forms(
    inside: Command, model: Path, form: list[str]
) -> None:
    asked = ["--model", model, "--json"]
    stdin = "france:paris\nitaly:rome\n"
    done = inside("analogy", *form, "germany", "-k", 1, *asked, stdin=stdin)
    assert done.returncode == 0, done.stderr
    assert json_lines(done)[0]["answers"][0]["word"] == "berlin"  # type: ignore[index]
    done = inside("plot", *form, *asked, stdin=stdin)
    assert json_lines(done)[0]["arrows"] == [["france", "paris"], ["italy", "rome"]]


@pytest.mark.parametrize("command", ["analogy", "transfer", "plot"])
@pytest.mark.parametrize(
    ("pairs", "code", "message"),
    [
        ("francerome", 2, "Invalid value for '--pairs': expected two words"),
        (":b", 2, "got ':b'"),
        ("@broken.txt", 1, "broken.txt, line 2: expected two words"),
        ("@nowhere.txt", 1, "nowhere.txt"),
        ("@-", 1, "standard input has no pairs"),
    ],
)
def test_values_that_are_not_pairs_are_rejected(
    inside: Command, command: str, pairs: str, code: int, message: str
) -> None:
    done = inside(command, "--pairs", pairs, "italy")
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("value", ["a:b:c", "a:b c:d e"])
def test_values_that_are_pairs_for_no_vocabulary_are_rejected(
    inside: Command, model: Path, value: str
) -> None:
    for command in ("analogy", "transfer", "plot"):
        output = ["-o", "a.svg"] if command == "plot" else []
        done = inside(command, "--pairs", value, "italy", "--model", model, *output)
        assert done.returncode == 2
        assert "Invalid value for '--pairs': expected two words" in done.stderr


def test_pairs_need_a_value(inside: Command) -> None:
    done = inside("analogy", "--pairs")
    assert (done.returncode, "'--pairs' requires an argument" in done.stderr) == (2, True)
