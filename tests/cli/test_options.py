"""Options that several commands share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.helpers import refused, state
from tests.conftest import Command


@pytest.mark.parametrize(
    ("arguments", "unused"),
    [
        (["phrases", "corpus.txt", "--apply", "p", "-o", "a", "--delimiter", "+"], "--delimiter"),
        (
            ["phrases", "corpus.txt", "--apply", "p", "-o", "a", "--threshold", "1",
             "--passes", "1", "--min-count", "5", "--scoring", "npmi", "--connectors", "none"],
            "--passes, --scoring, --threshold, --connectors, --min-count",
        ),
        (["train", "corpus.txt", "--phrase-threshold", "3"], "--phrase-threshold"),
        (["train", "corpus.txt", "--phrases", "0", "--phrase-min-count", "3"], "--phrase-min-"),
        (["postprocess", "words", "--float16", "--int8", "-o", "a"], "--int8"),
        (["plot", "--training", "words", "--method", "tsne", "-o", "a.svg"], "--method"),
        (["index", "build", "words", "--kind", "ivf", "--m", "8"], "--m"),
        (["classify", "train", "corpus.txt", "--pooling", "sum", "--ngrams", "2"], "--ngrams"),
        (["train", "corpus.txt", "--encoder", "onehot", "--window", "3"], "--window"),
    ],
)  # fmt: skip
def test_options_without_effect_are_rejected(
    inside: Command, folder: Path, arguments: list[str], unused: str
) -> None:
    before = state(folder)
    done = inside(*arguments)
    assert done.returncode == 2
    assert "cannot be used with" in refused(done)
    assert unused in done.stderr
    assert state(folder) == before


def test_environment_variable_names_the_default_model(
    embedkit: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert embedkit("neighbors", "paris").returncode == 1
    done = subprocess.run(
        [sys.executable, "-m", "embedkit", "neighbors", "paris", "-k", "1"],
        env={"EMBEDKIT_MODEL": str(model), "PATH": ""},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.startswith("paris\n   1  ")
