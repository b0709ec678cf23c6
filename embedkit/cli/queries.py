"""analogy, transfer, query, neighbors: questions whose answers are the nearest words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from embedkit.cli.input import ask_all, ask_many, reader_for, wrong_words
from embedkit.cli.output import UnknownWords, print_answers
from embedkit.cli.pairs import Pairs, PairTexts, pairs_option
from embedkit.cli.questions import QuestionOptions, question_options
from embedkit.vectors.options import ANALOGY_METHODS, PAIR_METHODS

if TYPE_CHECKING:
    from embedkit.vectors.formulas import Neighbor
    from embedkit.vectors.word_vectors import WordVectors

__all__ = ["analogy", "neighbors", "query", "transfer"]


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="A B C | WORDS...")
@pairs_option
@click.option(
    "--method",
    type=click.Choice([*ANALOGY_METHODS, *PAIR_METHODS]),
    show_default=f"{ANALOGY_METHODS[0]}, or {PAIR_METHODS[0]} with --pairs",
    help="3cosadd, 3cosmul or pairdirection (Levy and Goldberg 2014); with --pairs 3cosavg or "
    "lrcos (Drozd et al. 2016).",
)
@question_options
def analogy(
    words: tuple[str, ...], pairs: PairTexts, method: str | None, options: QuestionOptions
) -> None:
    """Answer A - B + C: which word is to C as A is to B?

    `embedkit analogy paris france italy` gives rome. With - instead of the words, questions are
    read from standard input, three words per line.

    With --pairs, examples replace A and B, and each of WORDS is a question:

    `embedkit analogy --pairs man:woman,king:queen uncle` gives aunt.
    """
    chosen = _method(method, with_pairs=bool(pairs))
    if pairs:
        _ask_words(
            words,
            options,
            lambda vectors, examples, questions: vectors.analogies_from_pairs(
                examples,
                questions,
                options.k,
                method=chosen,
                metric=options.metric,
                **options.search,
            ),
            pairs,
        )
    else:
        _ask_analogies(words, chosen, options)


def _method(given: str | None, *, with_pairs: bool) -> str:
    """Return the method to use; the two kinds of analogies have different ones."""
    known = PAIR_METHODS if with_pairs else ANALOGY_METHODS
    chosen = given or known[0]
    if chosen not in known:
        raise click.UsageError(
            f"--method {chosen} {'cannot be used with' if with_pairs else 'needs'} --pairs"
            f"{'' if with_pairs else ', as in --pairs man:woman,king:queen'}; "
            f"choose from {', '.join(known)}."
        )
    return chosen


def _ask_analogies(words: tuple[str, ...], method: str, options: QuestionOptions) -> None:
    given: Sequence[str] | None = None if words == ("-",) else words
    if given is not None and len(given) != 3:
        raise click.UsageError(
            "an analogy needs three words, as in: embedkit analogy paris france italy; "
            f"got {len(given)}."
        )
    vectors = options.vectors()
    reader = reader_for(vectors)
    questions, answers = ask_all(
        None if given is None else [*map(reader.word, given)],
        lambda line: _three_words(reader.line(line)),
        lambda batch: vectors.analogies(
            batch, options.k, method=method, metric=options.metric, **options.search
        ),
    )
    names = [f"{a} - {b} + {c}" for a, b, c in questions]
    _print(vectors, names, questions, answers, options)


def _three_words(words: list[str]) -> list[str]:
    if len(words) != 3:
        raise wrong_words("three words, as in: paris france italy", words)
    return words


@click.command()
@click.argument("words", nargs=-1, required=True)
@pairs_option
@click.option(
    "--strength",
    type=float,
    default=1,
    show_default=True,
    help="Multiple of the mean difference to move by; a negative one moves the opposite way.",
)
@question_options
def transfer(
    words: tuple[str, ...], pairs: PairTexts, strength: float, options: QuestionOptions
) -> None:
    """Move WORDS by the mean difference of the pairs.

    `embedkit transfer --pairs man:woman,king:queen uncle actor` gives aunt and actress. With -
    instead of the words, they are read from standard input, one per line.
    """
    if not pairs:
        raise click.UsageError("name example pairs, as in: --pairs man:woman,king:queen.")
    _ask_words(
        words,
        options,
        lambda vectors, examples, questions: vectors.transfer(
            examples,
            questions,
            options.k,
            strength=strength,
            metric=options.metric,
            **options.search,
        ),
        pairs,
    )


@click.command()
@click.argument("expression")
@question_options
def query(expression: str, options: QuestionOptions) -> None:
    """Answer an expression such as "king - man + woman".

    Weights and parentheses work: "2 * king - (man + boy) / 2". Quote words that contain spaces or
    operators. With - instead of the expression, expressions are read from standard input, one per
    line.
    """
    from embedkit.vectors.expressions import parse

    vectors = options.vectors()
    questions, answers = ask_all(
        None if expression == "-" else expression,
        str,
        lambda batch: vectors.queries(batch, options.k, metric=options.metric, **options.search),
    )
    is_known = reader_for(vectors).is_known
    words = [[term.word for term in parse(question, is_known)] for question in questions]
    _print(vectors, questions, words, answers, options)


@click.command()
@click.argument("word")
@question_options
def neighbors(word: str, options: QuestionOptions) -> None:
    """Show the words nearest to WORD.

    With - instead of the word, words are read from standard input, one per line.
    """
    _ask_words(
        (word,),
        options,
        lambda vectors, _, questions: vectors.neighbors_of(
            questions, options.k, metric=options.metric, **options.search
        ),
    )


def _ask_words(
    words: Sequence[str],
    options: QuestionOptions,
    answer: Callable[[WordVectors, Pairs, list[str]], list[list[Neighbor]]],
    pairs: PairTexts | None = None,
) -> None:
    """Ask the same question of each word, or of each line of standard input."""
    vectors = options.vectors()
    reader = reader_for(vectors)
    examples = pairs.read(reader) if pairs else []
    questions, answers = ask_many(
        None if tuple(words) == ("-",) else [*map(reader.word, words)],
        reader.word,
        lambda batch: answer(vectors, examples, batch),
    )
    used = [word for pair in examples for word in pair]
    _print(vectors, questions, [[word, *used] for word in questions], answers, options)


def _print(
    vectors: WordVectors,
    names: Sequence[str],
    words: Sequence[Sequence[str]],
    answers: Sequence[list[Neighbor]],
    options: QuestionOptions,
) -> None:
    unknown = UnknownWords(vectors, options.oov, [word for used in words for word in used])
    print_answers(names, words, answers, unknown, as_json=options.as_json)
