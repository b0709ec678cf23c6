"""What commands that ask share: their options, and how answers and unknown words are told."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.common import (
    encoder_option,
    json_option,
    metric_option,
    model_option,
    number_option,
    oov_option,
    print_json,
)

if TYPE_CHECKING:
    from embedkit.algebra import Neighbor
    from embedkit.scope import How
    from embedkit.vectors import WordVectors

__all__ = ["Asked", "Unknown", "asking_options", "print_answers", "restrict_option"]

_MOST_NOTES = 10  # words that are told of one by one

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


class Unknown:
    """What became of the unknown words of a batch of questions.

    Args:
        vectors: what was asked.
        oov: as `embedkit.scope.Scope` has it.
        words: all that the questions hold.
    """

    def __init__(self, vectors: WordVectors, oov: str, words: Iterable[str]) -> None:
        self.taken: dict[str, str] = {}
        self.composed: list[str] = []
        self.left_out: list[str] = []
        if oov == "error":
            return
        unknown = [word for word in dict.fromkeys(words) if vectors.find(word) < 0]
        for word, place in vectors.look_up(unknown, oov).items():
            if place is None:
                self.left_out.append(word)
            elif isinstance(place, int):
                self.taken[word] = vectors.vocabulary[place]
            else:
                self.composed.append(word)

    def of(self, words: Iterable[str]) -> dict[str, Any]:
        """Return what became of the unknown ones of *words*, for JSON."""
        words = dict.fromkeys(words)
        found = {
            "taken": {word: self.taken[word] for word in words if word in self.taken},
            "composed": [word for word in words if word in self.composed],
            "left_out": [word for word in words if word in self.left_out],
        }
        return {name: value for name, value in found.items() if value}

    def tell(self, skipped: int, asked: int) -> None:
        """Say on standard error what was done; end with 1 if no question has an answer."""
        notes = [f"{word!r}: {known!r} is taken" for word, known in self.taken.items()]
        notes += [f"{word!r}: composed from its n-grams" for word in self.composed]
        for note in notes[:_MOST_NOTES]:
            click.echo(f"Not in the vocabulary: {note}.", err=True)
        if len(notes) > _MOST_NOTES:
            click.echo(f"And {len(notes) - _MOST_NOTES:,} more words.", err=True)
        if self.left_out:
            named = ", ".join(map(repr, self.left_out[:_MOST_NOTES]))
            more = ", ..." if len(self.left_out) > _MOST_NOTES else ""
            click.echo(
                f"Not in the vocabulary, left out: {named}{more}. "
                f"{skipped:,} of {asked:,} questions have no answer.",
                err=True,
            )
        if skipped and skipped == asked:
            click.get_current_context().exit(1)


def print_answers(
    questions: Sequence[str],
    words: Sequence[Sequence[str]],
    answers: Sequence[Sequence[Neighbor]],
    unknown: Unknown,
    *,
    as_json: bool,
) -> None:
    """Print each question and its answers, the best first.

    Args:
        questions: as they are shown.
        words: of each question.
        answers: to each.
        unknown: what became of unknown words; a question without an answer for one is left out, and
            has an error in JSON.
        as_json: whether to print JSON.
    """
    printed = skipped = 0
    for question, used, found in zip(questions, words, answers, strict=True):
        notes = unknown.of(used)
        if not found and "left_out" in notes:
            skipped += 1
            if as_json:
                error = f"{notes['left_out'][0]!r} is not in the vocabulary."
                print_json({"question": question, "error": error, **notes})
            continue
        if as_json:
            print_json({"question": question, "answers": [n._asdict() for n in found], **notes})
            continue
        if printed:
            click.echo()
        printed += 1
        click.echo(question)
        width = max((len(neighbor.word) for neighbor in found), default=0)
        for rank, neighbor in enumerate(found, start=1):
            click.echo(f"{rank:4}  {neighbor.word:<{width}}  {neighbor.score:8.4f}")
    unknown.tell(skipped, len(questions))
