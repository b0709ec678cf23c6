"""postprocess: the model, the output, and options that exclude each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedkit.encoders import load
from tests.conftest import Command


def test_the_model_is_an_argument_or_an_option(
    inside: Command, model: Path, tmp_path: Path
) -> None:
    for number, named in enumerate(([model], ["--model", model])):
        done = inside("postprocess", *named, "-o", f"small{number}", "--int8")
        assert done.stdout.startswith(f"small{number}: ")
        assert len(load(tmp_path / f"small{number}")) == len(load(model))


def test_quiet_prints_nothing(inside: Command, model: Path) -> None:
    done = inside("postprocess", model, "-o", "small", "--center", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "small"], "choose at least one step: --average"),
        (["-o", "small", "--pca", "0"], "'--pca': must be between 1 and 1,000,000, got 0"),
        (["--center"], "Missing option '-o' / '--output'"),
    ],
)
def test_mistakes_are_reported(
    inside: Command, model: Path, options: list[str], message: str
) -> None:
    done = inside("postprocess", model, *options)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
