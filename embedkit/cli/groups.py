"""Groups of commands: headings in the help text, and suggestions for unknown commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from embedkit.cli.suggestions import suggest_command

__all__ = ["Group", "SectionedGroup", "option_of"]

_RUNNING = "embedkit.command"  # key in the meta of a context: the command that was found


class Group(click.Group):
    """Commands; the name of an unknown one gets a suggestion."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        unknown = self.get_command(ctx, args[0]) is None
        if unknown and not ctx.resilient_parsing and not args[0].startswith("-"):
            raise suggest_command(ctx, args[0], self.list_commands(ctx))
        found = super().resolve_command(ctx, args)
        ctx.meta[_RUNNING] = found[1]
        return found


def option_of(context: click.Context, setting: str) -> str | None:
    """Return the option of the running command that sets *setting*, as in --min-count."""
    command = context.meta.get(_RUNNING)
    for param in command.params if isinstance(command, click.Command) else ():
        if isinstance(param, click.Option) and param.name == setting:
            return max(param.opts, key=len)
    return None


class SectionedGroup(Group):
    """Commands under headings, in the order in which they are added."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._sections: dict[str, list[str]] = {}

    def add_sections(self, sections: Mapping[str, Iterable[click.Command]]) -> None:
        """Add commands by heading."""
        for heading, commands in sections.items():
            for command in commands:
                self.add_command(command)
                self._sections.setdefault(heading, []).append(str(command.name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of the headings."""
        return [name for names in self._sections.values() for name in names]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with a line about each."""
        width = max(map(len, self.list_commands(ctx)))
        for heading, names in self._sections.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (
                            f"{name:{width}}",
                            self.commands[name].get_short_help_str(formatter.width - width - 6),
                        )
                        for name in names
                    ]
                )
