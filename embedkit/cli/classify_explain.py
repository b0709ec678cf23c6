"""classify explain: what each word added to a decision."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import click

from embedkit.cli.classify_options import classifier_option
from embedkit.cli.input import ask_all
from embedkit.cli.options import json_option, overwrite_option, quiet_option
from embedkit.cli.output import print_json, printed_warnings, tab_separated
from embedkit.cli.parameters import OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs
from embedkit.errors import counted

if TYPE_CHECKING:
    from embedkit.classification.contributions import Contribution, Explanation

__all__ = ["explain_label"]

# Backgrounds of the 256 colors of terminals, from weak to strong; black text is legible on all.
_FOR = (194, 157, 120, 84, 82, 46)
_AGAINST = (224, 217, 210, 209, 203, 202)
_BLACK = 16


@click.command("explain")
@click.argument("text")
@classifier_option
@click.option(
    "--label", metavar="LABEL", show_default="the most likely one", help="Label to explain."
)
@click.option(
    "--against",
    metavar="LABEL",
    show_default="the most likely other one",
    help="Label to compare it with. A classifier of several labels compares with none.",
)
@click.option("--html", "page", type=OutputPath(), metavar="PATH", help="Also write an HTML page.")
@click.option(
    "-k",
    "most",
    type=WholeNumber(0),
    default=10,
    show_default=True,
    help="Number of n-grams to print, the strongest first; on a terminal, also of words.",
)
@overwrite_option
@quiet_option
@json_option
def explain_label(
    text: str,
    classifier: str,
    label: str | None,
    against: str | None,
    page: str | None,
    most: int,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Print what each word and word n-gram of TEXT added to the decision.

    The contributions and the bias add up to the difference between the scores (logits) of two
    labels: exactly for linear classifiers, and within a millionth for networks, which are explained
    by integrated gradients. On a terminal, words are colored: green for the label, red against it.

    With - instead of the text, texts are read from standard input, one per line. A blank line is an
    empty text.
    """
    from embedkit.classification.explanation import explain_texts
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.system.files import atomic_file, resolve_output

    if page:
        lock_outputs(page)
        resolve_output(Path(page), overwrite=overwrite)  # checked before the work
    model = TextClassifier.load(classifier)
    with printed_warnings(quiet=quiet):
        _, found = ask_all(
            None if text == "-" else text,
            str,
            lambda asked: explain_texts(model, asked, label=label, against=against),
            kind="texts",
            blank=True,
        )
    if page:
        from embedkit.classification.explanation_page import render_explanations

        with atomic_file(Path(page), overwrite=overwrite) as file:
            file.write(render_explanations(found, most=most).encode())
    for number, explanation in enumerate(found):
        if as_json:
            print_json(explanation.as_dict())
            continue
        if number:
            click.echo()
        _print(explanation, most, colored=_has_colors())


def _has_colors() -> bool:
    """Return whether standard output is a terminal whose user wants colors (no-color.org)."""
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def _print(explanation: Explanation, most: int, *, colored: bool) -> None:
    click.echo(_colored(explanation) if colored else tab_separated(explanation.text))
    click.echo(_heading(explanation))
    words = list(explanation.words)
    if colored:  # the numbers of the strongest words are enough
        distinct = {word.term: word for word in words}
        words = sorted(distinct.values(), key=lambda word: -abs(word.value))[:most]
    ngrams = explanation.ngrams[:most]
    names = [row.term for row in (*words, *ngrams)]
    others = len(explanation.ngrams) - len(ngrams)
    rest = f"{counted(others, 'other n-gram')}"
    width = max([len("all words"), len(rest) if others else 0, *map(len, names)])
    with_parts = any(word.parts is not None for word in words)
    parts = f"{'own':>12}{'letters':>12}{'vector':>12}" if with_parts else ""
    if words:
        click.echo(f"\n{'word':<{width}}{'added':>12}{parts}")
    for word in words:
        click.echo(f"{word.term:<{width}}{word.value:+12.4f}{_parts(word)}")
    if ngrams:
        click.echo(f"\n{'n-gram':<{width}}{'added':>12}")
        for ngram in ngrams:
            click.echo(f"{ngram.term:<{width}}{ngram.value:+12.4f}")
    if others:
        left = sum(ngram.value for ngram in explanation.ngrams[most:])
        click.echo(f"{rest:<{width}}{left:+12.4f}")
    _print_sum(explanation, width)


def _print_sum(explanation: Explanation, width: int) -> None:
    click.echo()
    rows = [("all words", explanation.of_words), ("bias", explanation.bias)]
    if explanation.ngrams:
        rows.insert(1, ("n-grams", explanation.of_ngrams))
    for name, value in (*rows, ("total", explanation.total)):
        click.echo(f"{name:<{width}}{value:+12.4f}")


def _heading(explanation: Explanation) -> str:
    if explanation.label is None:
        return f"{explanation.total:g}"
    heading = f"{explanation.label} ({explanation.probability:.4f})"
    if explanation.against is None:
        return heading
    return f"{heading} rather than {explanation.against} ({explanation.against_probability:.4f})"


def _parts(word: Contribution) -> str:
    values = () if word.parts is None else astuple(word.parts)
    unknown = "" if word.known else "  unknown"
    return "".join(f"{value:+12.4f}" for value in values) + unknown


def _colored(explanation: Explanation) -> str:
    """Return the text with a background for each word, the stronger the more it added."""
    from embedkit.classification.contributions import intensity

    largest = max((abs(word.value) for word in explanation.words), default=0.0)
    pieces: Sequence[tuple[str, Contribution | None]] = explanation.pieces()
    return "".join(
        shown if word is None else _styled(shown, word.value, intensity(word.value, largest))
        for shown, word in pieces
    )


def _styled(shown: str, value: float, strength: int) -> str:
    if not strength:
        return shown
    color = (_FOR if value > 0 else _AGAINST)[strength - 1]
    return click.style(shown, fg=_BLACK, bg=color)
