"""What commands print: JSON, tables, answers, and notes on unknown words."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import click

from embedkit.errors import EmbedkitError, ExpressionError, counted, share_verb

if TYPE_CHECKING:
    from embedkit.vectors.formulas import Neighbor
    from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "UnknownWords",
    "print_answers",
    "print_json",
    "print_table",
    "printed_warnings",
    "rendered",
    "summary_of_vectors",
    "tab_separated",
    "to_json",
]

_ESCAPES = str.maketrans({"\t": r"\t", "\n": r"\n", "\r": r"\r"})
_MOST_NOTES = 10  # words that are named one by one


def rendered(error: EmbedkitError) -> str:
    """Return an error as a terminal shows it: the hint on its own line."""
    if isinstance(error, ExpressionError):
        return str(error)  # with a caret under the place
    return f"{error.message}\nHint: {error.hint}" if error.hint else error.message


def tab_separated(*cells: object) -> str:
    """Return one line of cells with tabs between them; in cells, tabs and line ends are escaped."""
    return "\t".join(str(cell).translate(_ESCAPES) for cell in cells)


def to_json(value: object) -> str:
    """Return one JSON document; NaN and infinity, which JSON does not have, become null."""
    text = json.dumps(value, ensure_ascii=False)
    if "NaN" in text or "Infinity" in text:
        text = json.dumps(json.loads(text, parse_constant=lambda _: None), ensure_ascii=False)
    return text


def print_json(value: object) -> None:
    """Print one JSON document, in ASCII if standard output cannot represent all characters."""
    text = to_json(value)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text))
    click.echo(text)


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


def summary_of_vectors(path: str, words: int, dimension: int, size: int | None) -> str:
    """Return a line about vectors that were written; *size* is in bytes, None for a stream."""
    written = "" if size is None else f", {size:,} bytes"
    return f"{path}: {counted(words, 'word')}, {counted(dimension, 'dimension')}{written}"


@contextmanager
def printed_warnings(*, quiet: bool) -> Iterator[None]:
    """Print the warnings of the block, one per line, on standard error."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
    for warning in found:
        if not quiet:
            click.echo(f"Warning: {warning.message}", err=True)


class UnknownWords:
    """The unknown words of a batch of questions, and what was used instead of them.

    Args:
        vectors: the vectors that were asked.
        oov: as in `embedkit.vectors.options.SearchOptions`.
        words: all words of the questions.
    """

    def __init__(self, vectors: WordVectors, oov: str, words: Iterable[str]) -> None:
        self._replaced: dict[str, str] = {}
        self._composed: dict[str, str] = {}
        self._skipped: list[str] = []
        if oov == "error" and vectors.subwords is None:
            return
        unknown = [word for word in dict.fromkeys(words) if vectors.find(word) < 0]
        for word, place in vectors.look_up(unknown, oov).items():
            if place is None:
                self._skipped.append(word)
            elif isinstance(place, int):
                self._replaced[word] = vectors.vocabulary[place]
            else:
                self._composed[word] = vectors.composed_form(word)

    def notes(self, words: Iterable[str]) -> dict[str, Any]:
        """Return how the unknown ones of *words* were treated, for JSON."""
        words = dict.fromkeys(words)
        found = {
            "replaced": {word: self._replaced[word] for word in words if word in self._replaced},
            "composed": [word for word in words if word in self._composed],
            "skipped": [word for word in words if word in self._skipped],
        }
        return {name: value for name, value in found.items() if value}

    def report(self, unanswered: int, asked: int) -> None:
        """Print notes to standard error; exit with 1 if no question has an answer."""
        notes = [
            f"{word!r} is not in the vocabulary; using {known!r}"
            for word, known in self._replaced.items()
        ]
        for word, form in self._composed.items():
            looks_alike = normalize("NFC", form) == normalize("NFC", word)
            parts = "its n-grams" if looks_alike else f"the n-grams of {form!r}"
            notes.append(f"{word!r} is not in the vocabulary; composed of {parts}")
        for note in notes[:_MOST_NOTES]:
            click.echo(f"{note}.", err=True)
        if len(notes) > _MOST_NOTES:
            click.echo(f"And {counted(len(notes) - _MOST_NOTES, 'more word')}.", err=True)
        if self._skipped:
            named = ", ".join(map(repr, self._skipped[:_MOST_NOTES]))
            more = ", ..." if len(self._skipped) > _MOST_NOTES else ""
            click.echo(
                f"Not in the vocabulary, skipped: {named}{more}. "
                f"{unanswered:,} of {counted(asked, 'question')} "
                f"{share_verb(unanswered, asked, 'has', 'have')} no answer.",
                err=True,
            )
        if unanswered and unanswered == asked:
            click.get_current_context().exit(1)


def print_answers(
    questions: Sequence[str],
    words: Sequence[Sequence[str]],
    answers: Sequence[Sequence[Neighbor]],
    unknown: UnknownWords,
    *,
    as_json: bool,
) -> None:
    """Print each question and its answers, best first.

    Args:
        questions: as they are printed.
        words: the words of each question.
        answers: the answers to each question.
        unknown: the unknown words; a question that one leaves without an answer is left out, or
            has an error in JSON.
        as_json: whether to print JSON.
    """
    printed = unanswered = 0
    for question, used, found in zip(questions, words, answers, strict=True):
        notes = unknown.notes(used)
        if not found and "skipped" in notes:
            unanswered += 1
            if as_json:
                error = f"{notes['skipped'][0]!r} is not in the vocabulary."
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
    unknown.report(unanswered, len(questions))
