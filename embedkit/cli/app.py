"""The command line. Its commands parse, call one library function and print.

This is the one place where errors become exit codes: 2 for wrong usage, 1 for every other expected
error. A traceback is a bug.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from embedkit import __version__
from embedkit.cli.classify import classify
from embedkit.cli.convert import convert
from embedkit.cli.evaluate import evaluate
from embedkit.cli.export import export
from embedkit.cli.groups import SectionedGroup, option_of
from embedkit.cli.help import completion, show_help, version
from embedkit.cli.index import index
from embedkit.cli.info import info
from embedkit.cli.inspect import compare, distance, encode
from embedkit.cli.output import rendered
from embedkit.cli.parameters import how_to_name
from embedkit.cli.phrases import phrases
from embedkit.cli.plot import plot
from embedkit.cli.postprocess import postprocess
from embedkit.cli.queries import analogy, neighbors, query, transfer
from embedkit.cli.search import search
from embedkit.cli.serve import serve
from embedkit.cli.similarity import odd_one_out, rank, similarity
from embedkit.cli.streams import decoded, discard
from embedkit.cli.suggestions import suggest_option
from embedkit.cli.train import train
from embedkit.cli.walks import walks
from embedkit.errors import (
    ConfigurationError,
    EmbedkitError,
    ExpressionError,
    MissingModelError,
    SettingError,
)
from embedkit.system.interrupts import checked

__all__ = ["app", "show_warning"]


class _App(SectionedGroup):
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "embedkit",
        *rest: Any,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        arguments = [*map(decoded, sys.argv[1:] if args is None else args)]
        try:
            with checked():
                code = super().main(arguments, prog_name, *rest, standalone_mode=False, **extra)  # type: ignore[call-overload]
                if sys.stdout is not None:
                    sys.stdout.flush()
        except click.NoSuchOption as error:
            suggestion = suggest_option(error, arguments)
            suggestion.show()
            code = suggestion.exit_code
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except EmbedkitError as error:
            click.echo(f"Error: {rendered(error)}", err=True)
            code = 2 if isinstance(error, ConfigurationError | ExpressionError) else 1
        except MemoryError:
            click.echo(
                "Error: there is not enough memory. Nothing was written.\n"
                "Hint: Use smaller settings or fewer words.",
                err=True,
            )
            code = 1
        except BrokenPipeError:  # the reader has closed the pipe, as `head` does
            discard(sys.stdout)
            code = 1
        except OSError as error:
            code = 1
            click.echo(f"Error: {_described(error)}", err=True)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingError as error:
            option = option_of(ctx, error.setting)
            if option is None:
                raise
            raise SettingError(option, error.requirement, error.value) from error
        except MissingModelError as error:
            error.hint = (
                f"Train one with embedkit train CORPUS -o {error.path}, or "
                f"{how_to_name(ctx, error.path)}."
            )
            raise


def _described(error: OSError) -> str:
    """Describe an error of the operating system; without a file name, it is about the output."""
    if error.filename is not None:
        names = " or ".join(os.fsdecode(name) for name in (error.filename, error.filename2) if name)
        return f"cannot open {names}: {error.strerror}.\nHint: Check the path and its permissions."
    discard(sys.stdout)
    if error.errno == errno.EBADF:
        return "cannot write the answer: standard output is closed."
    return f"cannot write the answer: {error.strerror or error}."


@click.group(cls=_App, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="embedkit")
def app() -> None:
    """Turn words into vectors and ask questions about them.

    \b
    embedkit train corpus.txt                 train on a text
    embedkit analogy paris france italy       paris - france + italy
    embedkit query "king - man + woman"       any expression
    embedkit compare cat bat car paw          distances by each encoder
    embedkit serve                            answer over HTTP, with a web page
    """  # noqa: D301 - click needs the character, not a backslash


app.add_sections(
    {
        "Train": (train, phrases, walks, classify),
        "Ask": (
            analogy, query, neighbors, transfer, similarity, rank, odd_one_out, distance, compare,
            encode, info, plot, search,
        ),
        "Score": (evaluate,),
        "Convert": (convert, export, postprocess, index),
        "Serve": (serve,),
        "Help": (show_help, version, completion),
    }
)  # fmt: skip


def show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning on one line, unless the command is quiet."""
    context = click.get_current_context(silent=True)
    if context is None or not context.params.get("quiet"):
        click.echo(f"Warning: {message}", err=True)
