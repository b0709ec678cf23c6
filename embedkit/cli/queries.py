"""analogy, transfer, query, neighbors: questions whose answers are the nearest words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from embedkit.cli.input import ask_all, ask_many
from embedkit.cli.options import Asked, Pairs, PairsCommand, asking_options, pairs_option
from embedkit.cli.output import Unknown, print_answers
from embedkit.errors import QuestionError

if TYPE_CHECKING:
    from embedkit.vectors.scores import Neighbor
    from embedkit.vectors.word_vectors import WordVectors

__all__ = ["analogy", "neighbors", "query", "transfer"]

_THREE_WORDS = ["3cosadd", "3cosmul", "pairdirection"]
_WITH_PAIRS = ["3cosavg", "lrcos"]


@click.command(cls=PairsCommand)
@click.argument("words", nargs=-1, required=True, metavar="A B C | WORDS")
@pairs_option
@click.option(
    "--method",
    type=click.Choice([*_THREE_WORDS, *_WITH_PAIRS]),
    help="3cosadd, 3cosmul, pairdirection (Levy and Goldberg 2014); with --pairs 3cosavg, lrcos "
    "(Drozd et al. 2016).  [default: 3cosadd, with --pairs 3cosavg]",
)
@asking_options
def analogy(words: tuple[str, ...], pairs: Pairs, method: str | None, asked: Asked) -> None:
    """Answer A - B + C: what is to C as A is to B?

    `embedkit analogy paris france italy` gives rome. With - in place of the words, questions are
    read from standard input, three words a line.

    With examples in place of A and B, each word is a question of its own:

    `embedkit analogy --pairs man:woman king:queen -- uncle` gives aunt.
    """
    known = _WITH_PAIRS if pairs else _THREE_WORDS
    chosen = method or known[0]
    if chosen not in known:
        raise click.UsageError(
            f"{chosen} wants {'no' if pairs else 'example'} pairs"
            f"{'' if pairs else ' (--pairs man:woman king:queen)'}; without it there are "
            f"{', '.join(known)}."
        )
    if pairs:
        _ask_words(
            words,
            asked,
            lambda vectors, chosen_words: vectors.analogies_from_pairs(
                pairs, chosen_words, asked.k, method=chosen, metric=asked.metric, **asked.how
            ),
            pairs,
        )
        return
    given: Sequence[str] | None = None if words == ("-",) else words
    if given is not None and len(given) != 3:
        raise click.UsageError(
            "an analogy has three words, as in: embedkit analogy paris france italy; "
            f"got {len(given)}."
        )
    vectors = asked.vectors()
    questions, answers = ask_all(
        given,
        _three_words,
        lambda asks: vectors.analogies(
            asks, asked.k, method=chosen, metric=asked.metric, **asked.how
        ),
    )
    names = [f"{a} - {b} + {c}" for a, b, c in questions]
    _print(vectors, names, questions, answers, asked)


def _three_words(line: str) -> Sequence[str]:
    words = line.split()
    if len(words) != 3:
        raise QuestionError(f"expected three words, as in: paris france italy; got {line!r}.")
    return words


@click.command(cls=PairsCommand)
@click.argument("words", nargs=-1, required=True)
@pairs_option
@click.option(
    "--strength",
    type=float,
    default=1.0,
    show_default=True,
    help="How far to move: 1 is the mean length of the pairs, -1 the way back.",
)
@asking_options
def transfer(words: tuple[str, ...], pairs: Pairs, strength: float, asked: Asked) -> None:
    """Move WORDS along the direction that pairs have in common.

    `embedkit transfer --pairs man:woman king:queen -- uncle actor` gives aunt and actress. With
    - in place of the words, one a line is read from standard input.
    """
    if not pairs:
        raise click.UsageError("a direction is learned from --pairs, as in: --pairs man:woman.")
    _ask_words(
        words,
        asked,
        lambda vectors, chosen: vectors.transfer(
            pairs, chosen, asked.k, strength=strength, metric=asked.metric, **asked.how
        ),
        pairs,
    )


@click.command()
@click.argument("expression")
@asking_options
def query(expression: str, asked: Asked) -> None:
    """Answer an expression such as "king - man + woman".

    Weights and parentheses work: "2 * king - (man + boy) / 2". Quote words with spaces or signs.
    With - as the expression, one a line is read from standard input.
    """
    from embedkit.vectors.expressions import parse

    vectors = asked.vectors()
    questions, answers = ask_all(
        None if expression == "-" else expression,
        str,
        lambda asks: vectors.queries(asks, asked.k, metric=asked.metric, **asked.how),
    )
    words = [[term.word for term in parse(question)] for question in questions]
    _print(vectors, questions, words, answers, asked)


@click.command()
@click.argument("word")
@asking_options
def neighbors(word: str, asked: Asked) -> None:
    """Show the words nearest to WORD.

    With - in place of the word, one a line is read from standard input.
    """
    _ask_words(
        (word,),
        asked,
        lambda vectors, words: vectors.neighbors_of(
            words, asked.k, metric=asked.metric, **asked.how
        ),
    )


def _ask_words(
    words: Sequence[str],
    asked: Asked,
    answer: Callable[[WordVectors, list[str]], list[list[Neighbor]]],
    pairs: Pairs = (),
) -> None:
    """Ask of each word, or of each line of standard input, the same."""
    vectors = asked.vectors()
    questions, answers = ask_many(
        None if tuple(words) == ("-",) else list(words), str, lambda asks: answer(vectors, asks)
    )
    examples = [word for pair in pairs for word in pair]
    _print(vectors, questions, [[word, *examples] for word in questions], answers, asked)


def _print(
    vectors: WordVectors,
    names: Sequence[str],
    words: Sequence[Sequence[str]],
    answers: Sequence[list[Neighbor]],
    asked: Asked,
) -> None:
    unknown = Unknown(vectors, asked.oov, [word for used in words for word in used])
    print_answers(names, words, answers, unknown, as_json=asked.as_json)
