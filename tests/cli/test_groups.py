"""Headings in the help text."""

from __future__ import annotations

import re

import click

from embedkit.cli.app import app
from embedkit.cli.groups import Group
from tests.conftest import Command


def test_help_lists_every_command_under_a_heading(inside: Command) -> None:
    text = inside("--help").stdout
    headings = ["Options", "Train", "Ask", "Score", "Convert", "Serve", "Help"]
    assert re.findall(r"^(\w+):$", text, re.MULTILINE) == headings
    commands = text.partition("Train:")[2]
    assert re.findall(r"^  ([a-z-]+)  ", commands, re.MULTILINE) == [*app.commands]
    assert "..." not in commands, "the first line of a docstring is too long"


def test_every_option_has_a_description() -> None:
    groups = [app, *(c for c in app.commands.values() if isinstance(c, click.Group))]
    commands = [command for group in groups for command in group.commands.values()]
    undescribed = [
        f"{command.name} {param.opts[0]}"
        for command in commands
        for param in command.params
        if isinstance(param, click.Option) and not param.help
    ]
    assert not undescribed
    assert all(command.help for command in commands)
    assert all(isinstance(group, Group) for group in groups)
