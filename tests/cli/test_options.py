"""Options that several commands share."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from embedkit.cli.app import app
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
        (["classify", "train", "corpus.txt", "--pooling", "sum"], "--pooling"),
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


MODEL_COMMANDS = [
    "analogy", "transfer", "query", "neighbors", "similarity", "rank", "odd-one-out", "distance",
    "compare", "encode", "info", "plot", "evaluate", "export", "postprocess", "serve",
    "index build", "index compare", "index drop", "classify train",
]  # fmt: skip
QUIET_COMMANDS = [
    "train", "phrases", "walks", "classify train", "classify predict", "classify evaluate",
    "classify explain", "classify errors", "plot",
    "evaluate", "convert", "export", "postprocess", "index build", "index compare", "index drop",
]  # fmt: skip
SAME_HELP = {
    "--model": MODEL_COMMANDS,
    "--quiet": QUIET_COMMANDS,
    "--json": [name for name in MODEL_COMMANDS if name != "serve"] + QUIET_COMMANDS,
    "--seed": ["train", "walks", "classify train", "plot", "evaluate", "index build"],
    "--overwrite": [
        "train", "phrases", "walks", "classify train", "classify evaluate", "classify explain",
        "classify inspect", "plot", "convert", "export", "postprocess",
    ],
    "--oov": [*MODEL_COMMANDS[:8], "encode"],
    "--metric": [*MODEL_COMMANDS[:8], "index build"],
}  # fmt: skip


def options_of(name: str) -> dict[str, click.Option]:
    command: click.Command = app
    for part in name.split():
        assert isinstance(command, click.Group)
        command = command.commands[part]
    options = [param for param in command.params if isinstance(param, click.Option)]
    return {option: param for param in options for option in param.opts}


@pytest.mark.parametrize(("option", "commands"), SAME_HELP.items(), ids=SAME_HELP)
def test_an_option_means_the_same_in_every_command(option: str, commands: list[str]) -> None:
    found = [options_of(name)[option] for name in commands]
    assert len({str(one.help).removesuffix(" Repeatable.") for one in found}) == 1
    assert len({tuple(one.opts) for one in found}) == 1
    choices = [one.type.choices for one in found if isinstance(one.type, click.Choice)]
    assert len(set(map(tuple, choices))) <= 1


@pytest.mark.parametrize("name", ["train", "phrases", "walks", "convert"])
def test_errors_has_the_same_choices_in_every_command(name: str) -> None:
    kind = options_of(name)["--errors"].type
    assert isinstance(kind, click.Choice)
    assert tuple(kind.choices) == ("strict", "replace", "skip")


def test_the_model_is_an_option_or_an_argument(inside: Command, model: Path) -> None:
    by_option = inside("info", "--model", model, "--json").stdout
    assert json.loads(by_option)["model"] == str(model)
    assert inside("info", model, "--json").stdout == by_option
    done = inside("info", model, "--model", model)
    assert done.returncode == 2
    assert "name the model once, as an argument or with --model" in done.stderr


def test_several_models_are_options_or_arguments(
    inside: Command, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "pairs").write_text("paris rome 9\nparis france 6\nmadrid spain 7\n")
    (tmp_path / "other").symlink_to(model)
    asked = ["evaluate", "--similarity", "pairs", "--draws", "100", "--json"]
    by_option = inside(*asked, "--model", model, "--model", "other").stdout
    assert set(json.loads(by_option)["models"]) == {str(model), "other"}
    assert inside(*asked, model, "other").stdout == by_option


def test_the_model_of_the_environment_can_have_spaces(
    inside: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my model").symlink_to(model)
    (tmp_path / "pairs").write_text("paris rome 9\nparis france 6\nmadrid spain 7\n")
    monkeypatch.setenv("EMBEDKIT_MODEL", "my model")
    assert inside("info").returncode == 0
    assert inside("evaluate", "--similarity", "pairs", "--draws", "100").returncode == 0
