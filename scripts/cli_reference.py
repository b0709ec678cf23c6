#!/usr/bin/env python3
"""Write docs/reference/cli.md, the reference of the command line, from the commands themselves.

scripts/cli_reference.py            write it
scripts/cli_reference.py --check    exit with 1 if it is out of date
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from embedkit.cli.app import app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "cli.md"
INTRODUCTION = """\
# Command line

Every command of `embedkit`, with all its options. `scripts/cli_reference.py` writes this page from
the commands, and a test checks that it is up to date. `embedkit COMMAND --help` prints the same.

- `--json` prints JSON, on every command that prints results.
- `EMBEDKIT_MODEL` sets the default of `--model`; without it, `--model` is `model.embedkit`.
- The exit code is 0 for success, 2 for wrong usage and 1 for any other error.
- SIGINT (Ctrl-C), SIGTERM and SIGHUP end a command with the exit code 130, 143 or 129. It prints
  which outputs were written, and leaves no partial file.
"""


def commands(group: click.Group, context: click.Context) -> Iterator[click.Context]:
    """Yield a context for each command below *group*, in alphabetical order."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield inner
        if isinstance(command, click.Group):
            yield from commands(command, inner)


def text_of(command: click.Command) -> str:
    """Return a command's help as Markdown."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        if paragraph.startswith("\b"):
            lines = paragraph.split("\n")[1:]
            paragraphs.append("\n".join(["```text", *lines, "```"]))
        else:
            paragraphs.append(escaped(paragraph))
    return "\n\n".join(paragraphs)


def escaped(text: str) -> str:
    """Return text on one line, with options as code and Markdown's special characters escaped."""
    return re.sub(
        r"`[^`]*`|(?<![\w-])--[a-z][a-z-]*|[_*|<\[\]]",
        lambda match: (
            match[0] if match[0][0] == "`"
            else f"`{match[0]}`" if match[0][0] == "-"
            else f"\\{match[0]}"
        ),
        " ".join(text.split()),
    )  # fmt: skip


def option_row(option: click.Option, name: str, meaning: str) -> str:
    """Return an option's row of the table, with its choices in the second cell."""
    choices = ""
    if isinstance(option.type, click.Choice):
        name = ", ".join(option.opts)
        choices = " One of " + ", ".join(f"`{choice}`" for choice in option.type.choices) + "."
    return f"| `{name}` | {escaped(meaning)}{choices} |"


def section(context: click.Context) -> str:
    """Return the reference of one command."""
    command = context.command
    path = " ".join(context.command_path.split()[1:])
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [
        f"{'##' if ' ' not in path else '###'} {path}",
        text_of(command),
        f"```text\n{context.command_path} {usage}\n```",
    ]
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record and "--help" not in parameter.opts:
            rows.append(option_row(parameter, *record))
    if rows:
        parts.append("\n".join(["| Option | Meaning |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def reference() -> str:
    root = click.Context(app, info_name="embedkit")
    return "\n".join([INTRODUCTION, "\n\n".join(map(section, commands(app, root))), ""])


def main() -> None:
    page = reference()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        sys.exit(f"{PAGE} is out of date. Run scripts/docs --write.")


if __name__ == "__main__":
    main()
