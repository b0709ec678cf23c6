"""Suggestions for unknown options and commands."""

from __future__ import annotations

import click
import pytest

from embedkit.cli.app import app
from embedkit.cli.suggestions import _COMMANDS, _OPTIONS
from tests.conftest import Command


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["train", "x", "--size", "50"], "unknown option --size. Did you mean --dimension?"),
        (["train", "x", "-size", "50"], "unknown option -size. Did you mean --dimension?"),
        (["train", "x", "--vector-size=50"], "--vector-size. Did you mean --dimension?"),
        (["train", "x", "--iter", "3"], "--iter. Did you mean --epochs?"),
        (["train", "x", "--min_count", "3"], "--min_count. Did you mean --min-count?"),
        (["train", "x", "--dimensoin", "3"], "--dimensoin. Did you mean --dimension?"),
        (["train", "x", "--threads", "3"], "--threads. Did you mean --workers?"),
        (["train", "x", "--force"], "--force. Did you mean --overwrite?"),
        (["neighbors", "x", "--topn", "3"], "--topn. Did you mean -k?"),
        (["classify", "train", "x", "--vectors", "m"], "--vectors. Did you mean --model?"),
        (["neighbours", "x"], "unknown command 'neighbours'. Did you mean neighbors?"),
        (["most_similar", "x"], "unknown command 'most_similar'. Did you mean neighbors?"),
        (["trian", "x"], "unknown command 'trian'. Did you mean train?"),
        (["index", "biuld"], "unknown command 'biuld'. Did you mean build?"),
        (["help", "analogie"], "unknown command 'analogie'. Did you mean analogy?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_right_name_is_suggested(
    inside: Command, arguments: list[str], suggestion: str
) -> None:
    done = inside(*arguments)
    assert done.returncode == 2
    assert suggestion in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [["train", "x", "--qwertz"], ["qwertz"], ["--qwertz"]])
def test_nothing_is_suggested_if_no_name_is_similar(inside: Command, arguments: list[str]) -> None:
    done = inside(*arguments)
    assert done.returncode == 2
    assert "unknown" in done.stderr
    assert "Did you mean" not in done.stderr


def test_suggested_names_exist() -> None:
    groups = [app, *(c for c in app.commands.values() if isinstance(c, click.Group))]
    commands = [command for group in groups for command in group.commands.values()]
    options = {option for c in commands for param in c.params for option in param.opts}
    assert set(_COMMANDS) <= {command.name for command in commands}
    assert set(_OPTIONS) <= options
