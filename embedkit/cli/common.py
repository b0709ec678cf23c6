"""What several commands share: options, questions from standard input, tables."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from embedkit.errors import (
    ConfigurationError,
    ExpressionError,
    QuestionError,
    UnknownWordError,
    WordTooLongError,
)
from embedkit.files import is_standard_output

__all__ = [
    "OutputName",
    "ask_all",
    "ask_many",
    "encoder_option",
    "given_options",
    "json_option",
    "metric_option",
    "model_option",
    "note_for_interrupt",
    "number_option",
    "oov_option",
    "print_json",
    "print_table",
    "reading_options",
    "refuse_inputs",
    "refuse_two_streams",
    "to_json",
    "watch_output",
]

Question = TypeVar("Question")
Answer = TypeVar("Answer")

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
            "only one output, or --json, can go to standard output. Remedy: name a file."
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
                f"{name} is read, and would be replaced. Remedy: name another output."
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
            type=click.Choice(["strict", "replace", "ignore"]),
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


def ask_all(
    given: Question | None,
    read: Callable[[str], Question],
    answer: Callable[[list[Question]], Sequence[Answer]],
    *,
    blank: bool = False,
) -> tuple[list[Question], Sequence[Answer]]:
    """Answer the question that was given, or if None the lines of standard input in one batch.

    Args:
        given: the question, or None.
        read: makes a question of a line.
        answer: answers a batch of questions.
        blank: whether a blank line is a question too; by default it is passed over.

    Raises:
        QuestionError: a line cannot be read or answered; the message names it.
    """
    return ask_many(None if given is None else [given], read, answer, blank=blank)


def ask_many(
    given: list[Question] | None,
    read: Callable[[str], Question],
    answer: Callable[[list[Question]], Sequence[Answer]],
    *,
    blank: bool = False,
) -> tuple[list[Question], Sequence[Answer]]:
    """Like `ask_all`, for any number of questions that were given."""
    if given is not None:
        return given, answer(given)
    lines = _lines_of_stdin(blank=blank)
    questions = []
    for number, line in lines:
        try:
            questions.append(read(line))
        except QuestionError as error:
            raise QuestionError(f"standard input, line {number}: {error}") from error
    try:
        return questions, answer(questions) if questions else []
    except (UnknownWordError, WordTooLongError, ExpressionError) as error:
        culprit = error.expression if isinstance(error, ExpressionError) else error.word
        number = next((number for number, line in lines if culprit in line), 0)
        raise QuestionError(f"standard input, line {number}: {error}") from error


def _lines_of_stdin(*, blank: bool) -> list[tuple[int, str]]:
    """Return the lines of standard input, with their numbers; blank ones only if *blank*."""
    lines: list[tuple[int, str]] = []
    if sys.stdin is None:
        raise QuestionError("standard input is closed.")
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise QuestionError(
                f"standard input, line {number}, byte {error.start + 1}: not UTF-8."
            ) from None
        if line or blank:
            lines.append((number, line))
    return lines


def to_json(value: Any) -> str:
    """Return one JSON document; what is no number, for which JSON has no word, is null."""
    text = json.dumps(value, ensure_ascii=False)
    if "NaN" in text or "Infinity" in text:
        text = json.dumps(json.loads(text, parse_constant=lambda _: None), ensure_ascii=False)
    return text


def print_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(to_json(value))


def print_table(
    words: Sequence[str], table: Sequence[Sequence[float]], *, indent: str = ""
) -> None:
    """Print a square table with the words along both sides."""
    first = max(map(len, words))
    widths = [max(len(word), 8) for word in words]
    heads = "  ".join(f"{word:>{width}}" for word, width in zip(words, widths, strict=True))
    click.echo(f"{indent}{'':{first}}  {heads}")
    for word, row in zip(words, table, strict=True):
        cells = "  ".join(f"{value:{width}.4f}" for value, width in zip(row, widths, strict=True))
        click.echo(f"{indent}{word:<{first}}  {cells}")
