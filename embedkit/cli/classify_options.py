"""What the commands of classify share: the classifier, and files of labeled texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from embedkit.classification.options import LABELED_FORMATS
from embedkit.cli.options import Command, Decorator, encoding_option
from embedkit.cli.parameters import INPUT, ModelPath

if TYPE_CHECKING:
    from embedkit.classification.datasets import LabeledTexts, NumberedTexts

__all__ = [
    "DEFAULT_CLASSIFIER",
    "classifier_option",
    "examples_argument",
    "labeled_options",
    "read_examples",
    "read_numbered_examples",
]

DEFAULT_CLASSIFIER = "classifier.embedkit"

examples_argument = click.argument("examples", type=INPUT)
classifier_option = click.option(
    "-c",
    "--classifier",
    type=ModelPath(),
    default=DEFAULT_CLASSIFIER,
    envvar="EMBEDKIT_CLASSIFIER",
    show_default=True,
    metavar="PATH",
    help="Directory that classify train wrote; EMBEDKIT_CLASSIFIER sets another default.",
)


def _column_option(name: str, meaning: str) -> Decorator:
    return click.option(f"--{name}", default=name, show_default=True, metavar="NAME", help=meaning)


def labeled_options(command: Command) -> Command:
    """Add the options of `read_labeled`."""
    for option in (
        _column_option("label", "Column of labels."),
        _column_option("text", "Column of texts."),
        encoding_option("EXAMPLES"),
        click.option(
            "--format",
            "form",
            type=click.Choice(LABELED_FORMATS),
            show_default="detected from the name or the first line",
            help="Format of EXAMPLES.",
        ),
    ):
        command = option(command)
    return command


def read_examples(examples: str, options: dict[str, Any], task: str) -> LabeledTexts:
    """Read EXAMPLES, and take the options of `labeled_options` out of *options*."""
    from embedkit.classification.datasets import LabeledTexts

    found = read_numbered_examples(examples, options, task)
    return LabeledTexts(found.texts, found.labels)


def read_numbered_examples(examples: str, options: dict[str, Any], task: str) -> NumberedTexts:
    """Read EXAMPLES and the numbers of its lines; see `read_examples`."""
    from embedkit.classification.datasets import read_numbered

    return read_numbered(
        examples,
        format=options.pop("form"),
        encoding=options.pop("encoding"),
        columns=(options.pop("text"), options.pop("label")),
        task=task,
    )
