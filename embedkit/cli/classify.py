"""classify: labels for texts, with a classifier on top of word vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.classify_errors import list_errors
from embedkit.cli.classify_explain import explain_label
from embedkit.cli.classify_inspect import inspect_label
from embedkit.cli.classify_options import (
    classifier_option,
    examples_argument,
    labeled_options,
    read_examples,
)
from embedkit.cli.classify_report import print_report
from embedkit.cli.classify_train import train_classifier
from embedkit.cli.groups import Group
from embedkit.cli.input import ask_all
from embedkit.cli.options import json_option, overwrite_option, quiet_option
from embedkit.cli.output import print_json, printed_warnings, tab_separated
from embedkit.cli.parameters import OutputPath
from embedkit.cli.paths import lock_outputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embedkit.classification.text_classifier import TextClassifier

__all__ = ["classify"]


@click.group(cls=Group)
def classify() -> None:
    """Train and use a text classifier on top of word vectors.

    Labeled texts are TSV, CSV, JSON lines or fastText's __label__ lines.
    """


classify.add_command(train_classifier)
classify.add_command(explain_label)
classify.add_command(list_errors)
classify.add_command(inspect_label)


@classify.command("predict")
@click.argument("text")
@classifier_option
@quiet_option
@json_option
def predict_label(text: str, classifier: str, quiet: bool, as_json: bool) -> None:
    """Print the label of TEXT, or its labels, or its number.

    With - instead of the text, texts are read from standard input, one per line. A blank line gets
    the label of a text without known words.
    """
    from embedkit.classification.text_classifier import TextClassifier

    model = TextClassifier.load(classifier)
    with printed_warnings(quiet=quiet):
        given = None if text == "-" else text
        texts, predictions = ask_all(
            given,
            str,
            lambda asked: list(model.head.predictions(asked)),
            kind="texts",
            blank=True,
        )
    for sentence, row in zip(texts, predictions, strict=True):
        if as_json:
            print_json({"text": sentence, **model.answer(row)})
        else:
            click.echo(tab_separated(*_cells(model, row), sentence))


def _cells(model: TextClassifier, row: NDArray[np.floating[Any]]) -> tuple[object, ...]:
    if model.task == "number":
        return (f"{float(row[0]):.10g}",)
    chosen = model.chosen(row[None])[0]
    if model.task == "label":
        return chosen, f"{float(row.max()):.4f}"
    return (",".join(map(str, chosen)),)


@classify.command("evaluate")
@examples_argument
@classifier_option
@click.option(
    "--picture",
    type=OutputPath(),
    metavar="PATH",
    help="Picture of the confusion matrix to write: .png, .svg or .pdf.",
)
@labeled_options
@overwrite_option
@quiet_option
@json_option
def evaluate_classifier(
    examples: str,
    classifier: str,
    picture: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Score a classifier on EXAMPLES, a file of labeled texts, or - for standard input."""
    from embedkit.classification.linear_classifier import LinearClassifier
    from embedkit.classification.report import ClassificationReport, confusion_picture
    from embedkit.classification.scoring import score
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.corpus.encodings import text_encoding
    from embedkit.errors import ConfigurationError
    from embedkit.system.files import resolve_output

    if picture:
        lock_outputs(picture)
        resolve_output(Path(picture), overwrite=overwrite)  # checked before the work
    text_encoding(options["encoding"])
    model = TextClassifier.load(classifier)
    texts, labels = read_examples(examples, options, model.task)
    if picture and model.task != "label":
        raise ConfigurationError("--picture needs a classifier that gives one label to a text.")
    with printed_warnings(quiet=quiet):
        report = score(model, texts, labels)
    known = None
    if isinstance(model.head, LinearClassifier):
        known = model.head.model.known_words(texts)
    if picture and isinstance(report, ClassificationReport):
        confusion_picture(report, picture, overwrite=overwrite)
    if as_json:
        print_json({**report.as_dict(), "known_words": known})
    else:
        print_report(report, known)
