"""What commands print: JSON, tables, answers, and what became of unknown words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from embedkit.vectors.scores import Neighbor
    from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "Unknown",
    "print_answers",
    "print_json",
    "print_table",
    "to_json",
]

_MOST_NOTES = 10  # words that are told of one by one


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


class Unknown:
    """What became of the unknown words of a batch of questions.

    Args:
        vectors: what was asked.
        oov: as `embedkit.vectors.options.SearchOptions` has it.
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
