"""classify errors: confident mistakes, and labels that look wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.classify_options import (
    classifier_option,
    examples_argument,
    labeled_options,
    read_numbered_examples,
)
from embedkit.cli.options import json_option, quiet_option
from embedkit.cli.output import print_json, printed_warnings, tab_separated
from embedkit.cli.parameters import WholeNumber
from embedkit.errors import counted

if TYPE_CHECKING:
    from embedkit.classification.label_errors import Disagreement, LabelErrors

__all__ = ["list_errors"]


@click.command("errors")
@examples_argument
@classifier_option
@click.option(
    "-k",
    "most",
    type=WholeNumber(1),
    default=20,
    show_default=True,
    help="Number of mistakes and of labels to print.",
)
@labeled_options
@quiet_option
@json_option
def list_errors(
    examples: str, classifier: str, most: int, quiet: bool, as_json: bool, **options: Any
) -> None:
    """Print the confident mistakes of a classifier, and labels of EXAMPLES that look wrong.

    EXAMPLES is a file of labeled texts that the classifier was not trained on, or - for standard
    input. Mistakes are listed with the most confident ones first: the line, the label in the file,
    the predicted label and its probability, and the text.

    A label looks wrong if its probability is below the average of the texts that have this label,
    while the probability of another label is at least the average of the texts that have that one
    (confident learning, Northcutt et al. 2021).
    """
    from embedkit.classification.label_errors import find_errors
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.corpus.encodings import text_encoding

    text_encoding(options["encoding"])
    model = TextClassifier.load(classifier)
    texts, labels, lines = read_numbered_examples(examples, options, model.task)
    with printed_warnings(quiet=quiet):
        found = find_errors(model, texts, labels)
    if as_json:
        print_json(_as_dict(found, lines, most))
        return
    wrong = len(found.mistakes)
    if model.task == "number":
        click.echo(f"{counted(found.texts, 'text')}, the largest errors first{_first(wrong, most)}")
    else:
        click.echo(
            f"The prediction differs for {wrong:,} of {counted(found.texts, 'text')}"
            f"{_first(wrong, most)}"
        )
    _print(found.mistakes[:most], lines, ("line", "label", "predicted", "probability", "text"))
    if model.task == "number":
        return
    suspects = len(found.suspects)
    look = "looks" if suspects == 1 else "look"
    click.echo(f"\n{counted(suspects, 'label')} {look} wrong{_first(suspects, most)}")
    _print(found.suspects[:most], lines, ("line", "label", "better", "probability", "text"))


def _as_dict(found: LabelErrors, lines: Sequence[int], most: int) -> dict[str, object]:
    def listed(rows: Sequence[Disagreement]) -> list[dict[str, object]]:
        return [{"line": lines[row.row], **row.as_dict()} for row in rows[:most]]

    return {
        "texts": found.texts, "wrong": len(found.mistakes), "suspect": len(found.suspects),
        "mistakes": listed(found.mistakes), "suspects": listed(found.suspects),
    }  # fmt: skip


def _first(count: int, most: int) -> str:
    return f"; the first {most:,}:" if count > most else ":" if count else "."


def _print(rows: Sequence[Disagreement], lines: Sequence[int], heads: Sequence[str]) -> None:
    if not rows:
        return
    table: list[Sequence[str]] = [heads[:3]]
    table += [(str(lines[row.row]), _shown(row.label), _shown(row.predicted)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    probabilities = [f"{heads[3]}  "]
    probabilities += [
        "" if row.probability is None else f"{row.probability:11.4f}  " for row in rows
    ]
    if all(row.probability is None for row in rows):
        probabilities[0] = ""
    texts = [heads[4], *(tab_separated(row.text) for row in rows)]
    for cells, probability, text in zip(table, probabilities, texts, strict=True):
        padded = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)]
        click.echo(f"{'  '.join(padded)}  {probability}{text}")


def _shown(label: object) -> str:
    if isinstance(label, tuple):
        return ",".join(map(str, label)) or "-"
    return f"{label:.10g}" if isinstance(label, float) else str(label)
