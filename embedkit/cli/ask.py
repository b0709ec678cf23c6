"""analogy, query, neighbors: questions that words answer."""

from __future__ import annotations

import click

from embedkit.cli.common import (
    answer_lines,
    encoder_option,
    json_option,
    metric_option,
    model_option,
    number_option,
    print_answers,
    questions_from_stdin,
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

    if words != ("-",) and len(words) != 3:
        raise click.UsageError(
            f"an analogy has three words, as in: embedkit analogy paris france italy; "
            f"got {len(words)}."
        )
    lines = questions_from_stdin() if words == ("-",) else [(0, " ".join(words))]
    vectors = load(model, encoder=encoder)

    def ask(questions: list[tuple[str, str, str]]) -> list[object]:
        return list(vectors.analogies(questions, k, method=method, metric=metric))

    if words == ("-",):
        answers = answer_lines(lines, _three_words, ask)
    else:
        answers = ask([(words[0], words[1], words[2])])
    asked = [words] if words != ("-",) else [_three_words(line) for _, line in lines]
    print_answers([f"{a} - {b} + {c}" for a, b, c in asked], answers, as_json=as_json)


def _three_words(line: str) -> tuple[str, str, str]:
    words = line.split()
    if len(words) != 3:
        raise QuestionError(f"expected three words, as in: paris france italy; got {line!r}.")
    return words[0], words[1], words[2]


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

    def ask(expressions: list[str]) -> list[object]:
        return list(vectors.queries(expressions, k, metric=metric))

    if expression == "-":
        lines = questions_from_stdin()
        answers = answer_lines(lines, str, ask)
        print_answers([line for _, line in lines], answers, as_json=as_json)
    else:
        print_answers([expression], ask([expression]), as_json=as_json)


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

    def ask(words: list[str]) -> list[object]:
        return list(vectors.neighbors_of(words, k, metric=metric))

    if word == "-":
        lines = questions_from_stdin()
        answers = answer_lines(lines, str, ask)
        print_answers([line for _, line in lines], answers, as_json=as_json)
    else:
        print_answers([word], ask([word]), as_json=as_json)
