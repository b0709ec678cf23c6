"""similarity, rank, odd-one-out: how similar the given words are."""

from __future__ import annotations

import math
from typing import Any

import click

from embedkit.cli.input import ask_all
from embedkit.cli.options import (
    encoder_option,
    json_option,
    metric_option,
    model_option,
    oov_option,
    restrict_option,
)
from embedkit.cli.output import UnknownWords, print_answers, print_json
from embedkit.errors import QuestionError

__all__ = ["odd_one_out", "rank", "similarity"]


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
    mean vectors of the sets. With - instead of the sets, they are read from standard input, two per
    line.
    """
    from embedkit.encoders import load

    def sets(parts: list[str]) -> list[list[str]]:
        found = [[word for word in part.split(",") if word.strip()] for part in parts]
        if len(found) != 2 or not all(found):
            raise QuestionError(f"expected two sets, as in: cat,dog lion,tiger; got {parts!r:.80}.")
        return found

    given = None if words == ("-",) else _usage(sets, list(words))
    vectors = load(model, encoder=encoder)
    questions, numbers = ask_all(
        given,
        lambda line: sets(line.split()),
        lambda asked: [vectors.similarity(a, b, metric=metric, oov=oov) for a, b in asked],
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
            click.echo(f"{','.join(first)}  {','.join(second)}  {number:.4f}")
    unknown.report(unanswered, len(questions))


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

    def two(parts: list[str]) -> list[str]:
        if len(parts) != 2 or parts[0] == parts[1]:
            raise QuestionError(f"expected two different words, as in: king queen; got {parts!r}.")
        return parts

    given = None if words == ("-",) else _usage(two, list(words))
    vectors = load(model, encoder=encoder)

    def ranks(pair: list[str]) -> list[int | None]:
        return [
            vectors.rank(a, b, metric=metric, restrict=restrict, oov=oov)
            for a, b in (pair, reversed(pair))
        ]

    questions, found = ask_all(
        given, lambda line: two(line.split()), lambda asked: [ranks(pair) for pair in asked]
    )
    unknown = UnknownWords(vectors, oov, [word for pair in questions for word in pair])
    unanswered = 0
    for pair, places in zip(questions, found, strict=True):
        unanswered += places[0] is None
        for (a, b), place in zip((pair, pair[::-1]), places, strict=True):
            if as_json:
                notes: dict[str, Any] = unknown.notes(pair)
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
    """Show which of WORDS does not belong to the others.

    It comes first, then the others by similarity to their mean. With - instead of the words, sets
    are read from standard input, one per line.
    """
    from embedkit.encoders import load

    def three(parts: list[str]) -> list[str]:
        if len(set(parts)) < 3:
            raise QuestionError(f"expected at least three different words; got {parts!r:.80}.")
        return parts

    given = None if words == ("-",) else _usage(three, list(words))
    vectors = load(model, encoder=encoder)
    sets, answers = ask_all(
        given,
        lambda line: three(line.split()),
        lambda asked: [vectors.odd_one_out(chosen, metric=metric, oov=oov) for chosen in asked],
    )
    unknown = UnknownWords(vectors, oov, [word for chosen in sets for word in chosen])
    names = [" ".join(chosen) for chosen in sets]
    print_answers(names, sets, answers, unknown, as_json=as_json)


def _usage(read: Any, words: list[str]) -> Any:
    """Return *read*(words); a mistake on the command line is wrong usage."""
    try:
        return read(words)
    except QuestionError as error:
        raise click.UsageError(str(error)) from None
