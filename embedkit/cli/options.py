"""What several commands share: options, questions from standard input, tables."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from click.core import ParameterSource

from embedkit.errors import ConfigurationError
from embedkit.system.files import is_standard_output
from embedkit.validation import ERROR_POLICIES

if TYPE_CHECKING:
    from embedkit.vectors.options import How
    from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "Asked",
    "OutputName",
    "Pairs",
    "PairsCommand",
    "asking_options",
    "encoder_option",
    "given_options",
    "json_option",
    "metric_option",
    "model_option",
    "note_for_interrupt",
    "number_option",
    "oov_option",
    "pairs_option",
    "reading_options",
    "refuse_inputs",
    "refuse_two_streams",
    "restrict_option",
    "watch_output",
]


model_option = click.option(
    "--model",
    default="model.embedkit",
    envvar="EMBEDKIT_MODEL",
    show_default=True,
    metavar="PATH",
    help="Model directory; the environment variable EMBEDKIT_MODEL names another default.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
number_option = click.option(
    "-k", type=click.IntRange(min=1), default=10, show_default=True, help="Number of answers."
)
metric_option = click.option(
    "--metric",
    type=click.Choice(["cosine", "l2", "dot"]),
    default="cosine",
    show_default=True,
    help="How nearness is measured; l2 is the Euclidean distance.",
)
oov_option = click.option(
    "--oov",
    type=click.Choice(["error", "skip", "spell", "subwords"]),
    default="error",
    show_default=True,
    help="What becomes of unknown words: an error, left out, the nearest known spelling, or a "
    "vector of their character n-grams, if the model has them.",
)
encoder_option = click.option(
    "--encoder",
    type=click.Choice(["charcode", "onehot", "skipgram"]),
    help="Ask these vectors of the model's words; by default those it was trained for.",
)


class OutputName(click.ParamType):  # type: ignore[type-arg]
    """The name of an output.

    Args:
        stream: whether it may be -, standard output.
        whole: whether it is written whole or not at all.
    """

    name = "path"

    def __init__(self, *, stream: bool = False, whole: bool = True) -> None:
        self._stream = stream
        self._whole = whole

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not value:
            self.fail("the name is empty.", param, ctx)
        if is_standard_output(value) and not self._stream:
            self.fail("this cannot go to standard output; ./- is a file called -.", param, ctx)
        if self._whole and not is_standard_output(value):
            _note_output(str(value))
        return str(value)


def note_for_interrupt(note: Callable[[], str]) -> None:
    """Have *note* called if the command is interrupted, for a sentence to print; "" is none."""
    context = click.get_current_context(silent=True)
    if context is not None and context.obj is not None:
        context.obj.append(note)


def _note_output(name: str) -> None:
    """If the command is interrupted, have it say what became of an output."""
    written = watch_output(name)
    note_for_interrupt(
        lambda: f"{name} was written." if written() else f"Nothing was written to {name}."
    )


def watch_output(name: str | os.PathLike[str]) -> Callable[[], bool]:
    """Return what tells whether a file or directory is another one than it is now."""
    before = _identity(name)
    return lambda: _identity(name) != before


def _identity(name: str | os.PathLike[str]) -> tuple[int, ...] | None:
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def refuse_two_streams(*outputs: str | None, as_json: bool) -> None:
    """Raise `ConfigurationError` if more than one thing is to go to standard output."""
    if outputs.count("-") + as_json > 1:
        raise ConfigurationError(
            "only one output, or --json, can go to standard output.", hint="Name a file."
        )


def refuse_inputs(outputs: Iterable[str | None], inputs: Iterable[str | None]) -> None:
    """Raise `ConfigurationError` if one of *outputs* would replace one of *inputs*."""
    read = [Path(name).resolve() for name in inputs if name not in (None, "", "-")]
    for name in outputs:
        if name in (None, "-"):
            continue
        place = Path(str(name)).resolve()
        if place.exists() and any(place.is_relative_to(path) for path in read):
            raise ConfigurationError(
                f"{name} is read, and would be replaced.", hint="Name another output."
            )


def given_options(*names: str) -> list[str]:
    """Return those of a command's options that were typed, as they are typed: --min-count."""
    context = click.get_current_context()
    return [
        "--" + name.replace("_", "-")
        for name in names
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `Corpus.read`."""
    for option in (
        click.option(
            "--temporary-directory",
            "directory",
            type=click.Path(exists=True, file_okay=False),
            help="Where token ids go for a while, 4 bytes a token.  [default: the system's]",
        ),
        click.option(
            "--errors",
            type=click.Choice(ERROR_POLICIES),
            default="strict",
            show_default=True,
            help="What to do with bytes that are not UTF-8.",
        ),
        click.option(
            "--tokenizer",
            type=click.Choice(["words", "whitespace"]),
            default="words",
            show_default=True,
            help="words: case-folded words of any script; whitespace: tokens as they are.",
        ),
    ):
        command = option(command)
    return command


restrict_option = click.option(
    "--restrict",
    type=click.IntRange(min=1),
    metavar="N",
    help="Answers come from the N most frequent words.",
)
_OPTIONS = (
    number_option,
    metric_option,
    restrict_option,
    click.option(
        "--exclude", multiple=True, metavar="WORD", help="A word that is no answer; repeatable."
    ),
    click.option(
        "--include-question", is_flag=True, help="Words of the question may be answers, too."
    ),
    oov_option,
    encoder_option,
    model_option,
    click.option("--exact", is_flag=True, help="Ask without the model's approximate index."),
    json_option,
)


@dataclass(frozen=True)
class Asked:
    """The options of a command whose answers are the nearest words."""

    k: int
    metric: str
    restrict: int | None
    exclude: tuple[str, ...]
    include_question: bool
    oov: str
    encoder: str | None
    model: str
    exact: bool
    as_json: bool

    def vectors(self) -> WordVectors:
        """Open the model."""
        from embedkit.encoders import load

        return load(self.model, encoder=self.encoder, exact=self.exact)

    @property
    def how(self) -> How:
        """What the methods of `WordVectors` take beside k and metric."""
        return {
            "restrict": self.restrict,
            "exclude": self.exclude,
            "include_question": self.include_question,
            "oov": self.oov,
        }


def asking_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Asked`; it gets them as one argument, *asked*."""

    @functools.wraps(command)
    def gathered(**given: Any) -> None:
        options = {field.name: given.pop(field.name) for field in fields(Asked)}
        command(asked=Asked(**options), **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


Pairs: TypeAlias = Sequence[tuple[str, str]]
_OPTION = "--pairs"


class PairsCommand(click.Command):
    """A command whose --pairs takes all that follows it and has a colon in it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        spread: list[str] = []
        taking = False
        for argument in args[:end]:
            is_pair = ":" in argument and not argument.startswith("-")
            # click's options have one value each, so that the option is said again for each pair.
            if taking and is_pair and spread[-1] != _OPTION:
                spread.append(_OPTION)
            spread.append(argument)
            taking = argument == _OPTION or (taking and is_pair)
        return super().parse_args(ctx, spread + args[end:])


def _pairs(_ctx: click.Context, _option: Any, given: tuple[str, ...]) -> Pairs:
    pairs = []
    for text in given:
        first, _, second = (part.strip() for part in text.partition(":"))
        if not first or not second or ":" in second:
            raise click.BadParameter(
                f"a pair is two words with a colon between them, as in man:woman; got {text!r}."
            )
        pairs.append((first, second))
    return pairs


pairs_option = click.option(
    _OPTION,
    multiple=True,
    callback=_pairs,
    metavar="FROM:TO ...",
    help="Examples, a colon between two words; all that follow the option. Then comes --, or a "
    "word without a colon.",
)
