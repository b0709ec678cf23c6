"""Checks of a command's inputs and outputs, and what was written before an interrupt."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from embedkit.errors import ConfigurationError
from embedkit.system.files import is_standard_output
from embedkit.system.locks import locked_output

__all__ = [
    "call_if_interrupted",
    "lock_outputs",
    "refuse_inputs",
    "refuse_two_streams",
    "report_if_interrupted",
    "watch_output",
]


def call_if_interrupted(note: Callable[[], str]) -> None:
    """Have *note* called if the command is interrupted; it returns a sentence to print, or ""."""
    context = click.get_current_context(silent=True)
    if context is not None and context.obj is not None:
        context.obj.append(note)


def report_if_interrupted(name: str) -> None:
    """If the command is interrupted, print whether an output was written."""
    written = watch_output(name)
    call_if_interrupted(
        lambda: f"{name} was written." if written() else f"Nothing was written to {name}."
    )


def watch_output(name: str | os.PathLike[str]) -> Callable[[], bool]:
    """Return a function that tells whether a file or directory has been replaced since now."""
    before = _identity(name)
    return lambda: _identity(name) != before


def _identity(name: str | os.PathLike[str]) -> tuple[int, ...] | None:
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def lock_outputs(*names: str | os.PathLike[str] | None) -> None:
    """Lock outputs until the command ends, so that no other command can write them.

    Args:
        names: of files or directories; None and "-" are ignored.

    Raises:
        StorageError: another process is writing one of them.
    """
    context = click.get_current_context()
    files = [name for name in names if name and not is_standard_output(name)]
    for name in {os.path.realpath(name): name for name in files}.values():
        context.with_resource(locked_output(name))


def refuse_two_streams(*outputs: str | None, as_json: bool) -> None:
    """Raise `ConfigurationError` if two outputs, or one and --json, go to standard output."""
    if outputs.count("-") + as_json > 1:
        raise ConfigurationError(
            "only one output, or --json, can go to standard output.",
            hint="Name a file.",
        )


def refuse_inputs(outputs: Iterable[str | None], inputs: Iterable[str | None]) -> None:
    """Raise `ConfigurationError` if one of *outputs* would replace one of *inputs*."""
    sources = [Path(name).resolve() for name in inputs if name not in (None, "", "-")]
    for name in outputs:
        if name in (None, "-"):
            continue
        place = Path(str(name)).resolve()
        if place.exists() and any(place.is_relative_to(source) for source in sources):
            raise ConfigurationError(
                f"{name} is an input and would be replaced.", hint="Choose another output."
            )
