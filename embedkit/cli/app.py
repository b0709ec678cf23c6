"""The command line. Its commands parse, call one library function and print.

This is the one place where errors become exit codes: 2 for a wrong usage, 1 for everything else
that embedkit foresees. A traceback is a bug.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from embedkit import __version__
from embedkit.cli.classify import classify
from embedkit.cli.convert import convert
from embedkit.cli.evaluate import evaluate
from embedkit.cli.export import export
from embedkit.cli.index import index
from embedkit.cli.inspect import compare, distance, encode, info
from embedkit.cli.phrases import phrases
from embedkit.cli.plot import plot
from embedkit.cli.postprocess import postprocess
from embedkit.cli.queries import analogy, neighbors, query, transfer
from embedkit.cli.serve import serve
from embedkit.cli.similarity import odd_one_out, rank, similarity
from embedkit.cli.streams import discard
from embedkit.cli.train import train
from embedkit.cli.walks import walks
from embedkit.errors import ConfigurationError, EmbedkitError, ExpressionError
from embedkit.system.interrupts import checked

__all__ = ["app", "show_warning"]


class _App(click.Group):
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "embedkit",
        *rest: Any,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            with checked():
                code = super().main(args, prog_name, *rest, standalone_mode=False, **extra)  # type: ignore[call-overload]
                if sys.stdout is not None:
                    sys.stdout.flush()
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except EmbedkitError as error:
            click.echo(f"Error: {_rendered(error)}", err=True)
            code = 2 if isinstance(error, ConfigurationError | ExpressionError) else 1
        except MemoryError:
            click.echo(
                "Error: there is not enough memory for this. Nothing was written.\n"
                "Hint: Use smaller settings, or fewer words.",
                err=True,
            )
            code = 1
        except BrokenPipeError:  # the reader has gone, as `head` does; nobody is left to be told
            discard(sys.stdout)
            code = 1
        except OSError as error:
            if error.filename is not None:  # not the output: a bug
                raise
            discard(sys.stdout)
            code = 1
            click.echo(f"Error: cannot write the answer: {error.strerror}.", err=True)
        sys.exit(code if isinstance(code, int) else 0)


def _rendered(error: EmbedkitError) -> str:
    """Return an error as a terminal shows it: the hint on a line of its own."""
    if isinstance(error, ExpressionError):
        return str(error)  # with the place underneath
    return f"{error.message}\nHint: {error.hint}" if error.hint else error.message


@click.group(cls=_App, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="embedkit")
def app() -> None:
    """Turn words into vectors and ask what they know.

    \b
    embedkit train corpus.txt                 train on a text
    embedkit analogy paris france italy       paris - france + italy
    embedkit query "king - man + woman"       any expression
    embedkit compare cat bat car paw          three ways to measure distance
    embedkit serve                            all of it over HTTP, with a page
    """  # noqa: D301 - click wants the character, not a backslash


for _command in (
    train, phrases, analogy, transfer, query, neighbors, odd_one_out, rank, similarity, distance,
    compare, encode, info, evaluate, classify, plot, export, convert, index, postprocess, walks,
    serve,
):  # fmt: skip
    app.add_command(_command)


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a line, without the place in the code."""
    click.echo(f"Warning: {message}", err=True)
