"""The command line: `main` runs it; `embedkit.cli.app` has the commands.

This module imports little, so that signal handlers are set before the rest is imported.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable

from embedkit.system import interrupts

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    notes: list[Callable[[], str]] = []

    def command() -> None:
        from embedkit.cli.streams import prepare_streams

        prepare_streams()
        from embedkit.cli.app import app, show_warning

        warnings.showwarning = show_warning
        app.main(obj=notes)

    code = interrupts.run(command)
    if code is not None:
        _print_interrupted(notes)
        sys.exit(code)


def _print_interrupted(notes: list[Callable[[], str]]) -> None:
    from embedkit.cli.streams import discard

    message = " ".join(["Interrupted.", *filter(None, (note() for note in notes))])
    for stream, text in ((sys.stdout, ""), (sys.stderr, message + "\n")):
        if stream is None:
            continue
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):  # it is closed, for example together with the terminal
            with contextlib.suppress(OSError, ValueError):
                discard(stream)
