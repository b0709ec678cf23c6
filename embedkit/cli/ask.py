"""analogy, query, neighbors: questions that words answer."""

from __future__ import annotations

from collections.abc import Sequence

import click

from embedkit.cli.common import (
    ask_all,
    encoder_option,
    json_option,
    metric_option,
    model_option,
    number_option,
    print_answers,
)
from embedkit.errors import QuestionError

__all__ = ["analogy", "neighbors", "query"]


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="A B C")
@number_option
@click.option(
    "--method",
    type=click.Choice(["3cosadd", "3cosmul"]),
    default="3cosadd",
    show_default=True,
    help="Sum of similarities, or their product (Levy and Goldberg 2014).",
)
@metric_option
@encoder_option
@model_option
@json_option
def analogy(
    words: tuple[str, ...],
    k: int,
    method: str,
    metric: str,
    encoder: str | None,
    model: str,
    as_json: bool,
) -> None:
    """Answer A - B + C: what is to C as A is to B?

    `embedkit analogy paris france italy` gives rome. With - in place of the words, questions are
    read from standard input, three words a line.
    """
    from embedkit.encoders import load

    given: Sequence[str] | None = None if words == ("-",) else words
    if given is not None and len(given) != 3:
        raise click.UsageError(
            "an analogy has three words, as in: embedkit analogy paris france italy; "
            f"got {len(given)}."
        )
    vectors = load(model, encoder=encoder)
    questions, answers = ask_all(
        given,
        _three_words,
        lambda asked: vectors.analogies(asked, k, method=method, metric=metric),
    )
    names = [f"{a} - {b} + {c}" for a, b, c in questions]
    print_answers(names, answers, as_json=as_json)


def _three_words(line: str) -> Sequence[str]:
    words = line.split()
    if len(words) != 3:
        raise QuestionError(f"expected three words, as in: paris france italy; got {line!r}.")
    return words


@click.command()
@click.argument("expression")
@number_option
@metric_option
@encoder_option
@model_option
@json_option
def query(
    expression: str, k: int, metric: str, encoder: str | None, model: str, as_json: bool
) -> None:
    """Answer an expression such as "king - man + woman".

    Weights and parentheses work: "2 * king - (man + boy) / 2". Quote words with spaces or signs.
    With - as the expression, one a line is read from standard input.
    """
    from embedkit.encoders import load

    vectors = load(model, encoder=encoder)

    questions, answers = ask_all(
        None if expression == "-" else expression,
        str,
        lambda asked: vectors.queries(asked, k, metric=metric),
    )
    print_answers(questions, answers, as_json=as_json)


@click.command()
@click.argument("word")
@number_option
@metric_option
@encoder_option
@model_option
@json_option
def neighbors(
    word: str, k: int, metric: str, encoder: str | None, model: str, as_json: bool
) -> None:
    """Show the words nearest to WORD.

    With - in place of the word, one a line is read from standard input.
    """
    from embedkit.encoders import load

    vectors = load(model, encoder=encoder)

    questions, answers = ask_all(
        None if word == "-" else word,
        str,
        lambda asked: vectors.neighbors_of(asked, k, metric=metric),
    )
    print_answers(questions, answers, as_json=as_json)
