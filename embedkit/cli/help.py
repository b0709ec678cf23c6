"""version, help, completion: commands about the program itself."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from embedkit import __version__
from embedkit.cli.suggestions import suggest_command

__all__ = ["completion", "show_help", "version"]

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command()
def version() -> None:
    """Print the version of embedkit."""
    click.echo(f"embedkit, version {__version__}")


@click.command("help")
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def show_help(context: click.Context, names: tuple[str, ...]) -> None:
    """Explain a command and its options, or list the commands."""
    parent = context.find_root()
    command: click.Command = parent.command
    for name in names:
        if not isinstance(command, click.Group):
            raise click.UsageError(f"{parent.command_path} has no subcommands.", parent)
        found = command.get_command(parent, name)
        if found is None:
            raise suggest_command(parent, name, command.list_commands(parent))
        parent = click.Context(found, info_name=name, parent=parent)
        command = found
    click.echo(command.get_help(parent))


@click.command()
@click.argument("shell", type=click.Choice(tuple(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes command lines in a shell.

    It completes commands, options, their values, and names of files. Add the line for your shell to
    ~/.bashrc or ~/.zshrc; for fish, run it once:

    \b
    eval "$(embedkit completion bash)"
    eval "$(embedkit completion zsh)"
    embedkit completion fish > ~/.config/fish/completions/embedkit.fish
    """  # noqa: D301 - click needs the character, not a backslash
    app = context.find_root().command
    found = _SHELLS[shell](app, {}, "embedkit", "_EMBEDKIT_COMPLETE")
    click.echo(found.source())
