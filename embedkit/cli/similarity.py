"""similarity, rank, odd-one-out: how similar the given words are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from embedkit.cli.input import ask_all, reader_for, wrong_words
from embedkit.cli.options import (
    encoder_option,
    json_option,
    metric_option,
    model_option,
    oov_option,
    restrict_option,
)
from embedkit.cli.output import UnknownWords, print_answers, print_json
from embedkit.errors import QuestionError, UnknownWordError
from embedkit.vectors.word_lists import WordReader, written_set

if TYPE_CHECKING:
    from embedkit.vectors.word_vectors import WordVectors

__all__ = ["odd_one_out", "rank", "similarity"]

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="SET SET")
@metric_option()
@oov_option
@encoder_option
@model_option
@json_option
def similarity(
    words: tuple[str, ...], metric: str, oov: str, encoder: str | None, model: str, as_json: bool
) -> None:
    """Show how similar two words, or two sets of words, are.

    Words of a set have commas between them: `embedkit similarity cat,dog lion,tiger` compares the
    mean vectors of the sets. A known word may contain commas; put any other word with a comma or
    space in quotes: '"new york",rome'. With - instead of the sets, they are read from standard
    input, two per line.
    """
    from embedkit.encoders import load

    def read_sets(reader: WordReader, line: str | None) -> list[list[str]]:
        parts = list(words) if line is None else reader.sets(line)
        found = [reader.set(part) for part in parts]
        if len(found) != 2 or not all(found):
            raise QuestionError(f"expected two sets, as in: cat,dog lion,tiger; got {parts!r:.80}.")
        return found

    vectors, questions, numbers = _ask(
        words,
        read_sets,
        lambda: load(model, encoder=encoder),
        lambda vectors, pair: _similarity(vectors, pair, metric, oov),
    )
    used = [[*first, *second] for first, second in questions]
    unknown = UnknownWords(vectors, oov, [word for words in used for word in words])
    unanswered = 0
    for (first, second), chosen, number in zip(questions, used, numbers, strict=True):
        notes = unknown.notes(chosen)
        skipped = math.isnan(number) and "skipped" in notes
        unanswered += skipped
        if as_json:
            print_json({"sets": [first, second], "metric": metric, "score": number, **notes})
        elif not skipped:
            click.echo(f"{written_set(first)}  {written_set(second)}  {number:.4f}")
    unknown.report(unanswered, len(questions))


def _similarity(
    vectors: WordVectors, sets: Sequence[Sequence[str]], metric: str, oov: str
) -> float:
    first, second = sets
    try:
        return vectors.similarity(first, second, metric=metric, oov=oov)
    except UnknownWordError as error:
        if not any(error.word in words and len(words) > 1 for words in sets):
            raise
        advice = "Put a word that contains a comma in quotes, as in '\"1,000\"'."
        raise UnknownWordError(
            error.word, error.suggestions, advice=advice, has_ngrams=error.has_ngrams
        ) from error


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="A B")
@metric_option()
@restrict_option
@oov_option
@encoder_option
@model_option
@json_option
def rank(
    words: tuple[str, ...],
    metric: str,
    restrict: int | None,
    oov: str,
    encoder: str | None,
    model: str,
    as_json: bool,
) -> None:
    """Show the rank of B among A's neighbors, and of A among B's.

    The nearest word has rank 1. With - instead of the words, they are read from standard input, two
    per line.
    """
    from embedkit.encoders import load

    def read_pair(reader: WordReader, line: str | None) -> list[str]:
        parts = [*map(reader.word, words)] if line is None else reader.line(line)
        if len(parts) != 2 or parts[0] == parts[1]:
            raise wrong_words("two different words, as in: king queen", parts)
        return parts

    def ranks(vectors: WordVectors, pair: list[str]) -> list[int | None]:
        return [
            vectors.rank(a, b, metric=metric, restrict=restrict, oov=oov)
            for a, b in (pair, reversed(pair))
        ]

    vectors, questions, found = _ask(words, read_pair, lambda: load(model, encoder=encoder), ranks)
    unknown = UnknownWords(vectors, oov, [word for pair in questions for word in pair])
    unanswered = 0
    for pair, places in zip(questions, found, strict=True):
        unanswered += places[0] is None
        for (a, b), place in zip((pair, pair[::-1]), places, strict=True):
            if as_json:
                notes = unknown.notes(pair)
                print_json({"word": b, "neighbor_of": a, "rank": place, **notes})
            elif place is not None:
                click.echo(f"{b} is neighbor {place:,} of {a}")
    unknown.report(unanswered, len(questions))


@click.command("odd-one-out")
@click.argument("words", nargs=-1, required=True)
@metric_option()
@oov_option
@encoder_option
@model_option
@json_option
def odd_one_out(
    words: tuple[str, ...], metric: str, oov: str, encoder: str | None, model: str, as_json: bool
) -> None:
    """Show which of WORDS does not belong with the others.

    It comes first, then the others by similarity to their mean. With - instead of the words, sets
    are read from standard input, one per line.
    """
    from embedkit.encoders import load

    def read_words(reader: WordReader, line: str | None) -> list[str]:
        parts = [*map(reader.word, words)] if line is None else reader.line(line)
        if len(set(parts)) < 3:
            raise wrong_words("at least three different words", parts)
        return parts

    vectors, sets, answers = _ask(
        words,
        read_words,
        lambda: load(model, encoder=encoder),
        lambda vectors, chosen: vectors.odd_one_out(chosen, metric=metric, oov=oov),
    )
    unknown = UnknownWords(vectors, oov, [word for chosen in sets for word in chosen])
    names = [" ".join(chosen) for chosen in sets]
    print_answers(names, sets, answers, unknown, as_json=as_json)


def _ask(
    words: tuple[str, ...],
    read: Callable[[WordReader, str | None], Question],
    load: Callable[[], WordVectors],
    answer: Callable[[WordVectors, Question], Answer],
) -> tuple[WordVectors, list[Question], Sequence[Answer]]:
    """Answer the question in *words* or, if they are "-", the one in each line of standard input.

    Args:
        words: of the command line.
        read: returns the question in a line or, for None, in the words of the command line. Its
            `QuestionError` for the command line becomes a `click.UsageError`.
        load: opens the vectors; called after a first check of the command line.
        answer: answers a question.
    """
    is_given = words != ("-",)
    if is_given:
        _read_command_line(read, WordReader(lambda text: True))
    vectors = load()
    reader = reader_for(vectors)
    questions, answers = ask_all(
        _read_command_line(read, reader) if is_given else None,
        lambda line: read(reader, line),
        lambda asked: [answer(vectors, question) for question in asked],
    )
    return vectors, questions, answers


def _read_command_line(
    read: Callable[[WordReader, str | None], Question], reader: WordReader
) -> Question:
    try:
        return read(reader, None)
    except QuestionError as error:
        raise click.UsageError(str(error)) from None
