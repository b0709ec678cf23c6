"""classify inspect: what a classifier has learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.classify_options import classifier_option, labeled_options, read_examples
from embedkit.cli.options import json_option, overwrite_option, refuse_unused
from embedkit.cli.output import print_json
from embedkit.cli.parameters import INPUT, OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs

if TYPE_CHECKING:
    from embedkit.classification.inspection import LinearInspection, TermScore
    from embedkit.classification.unit_inspection import NetworkInspection, UnitLayer

__all__ = ["inspect_label"]

_LONGEST_TEXT = 60  # characters
_INPUTS = 5  # that are printed for each unit


@click.command("inspect")
@click.argument("examples", required=False, type=INPUT)
@classifier_option
@click.option(
    "-k",
    "most",
    type=WholeNumber(1),
    default=8,
    show_default=True,
    help="Number of terms and of texts of each label or unit.",
)
@click.option(
    "--units",
    type=WholeNumber(1),
    default=12,
    show_default=True,
    help="Network: describe this many units of each hidden layer, the most important ones.",
)
@click.option(
    "--restrict",
    type=WholeNumber(1),
    default=20_000,
    show_default=True,
    help="Network: try only this many of the most frequent words, and all learned terms.",
)
@click.option(
    "--picture",
    type=OutputPath(),
    metavar="PATH",
    help="Network: picture of the layers to write: .png, .svg or .pdf.",
)
@labeled_options
@overwrite_option
@json_option
def inspect_label(
    examples: str | None,
    classifier: str,
    most: int,
    units: int,
    restrict: int,
    picture: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Print what a classifier has learned.

    Of a linear classifier: the words and n-grams that speak most strongly for each label and
    against it. Of a network: the words that excite each unit most, layer by layer, and with
    EXAMPLES, a file of labeled texts, also the texts that do.
    """
    from embedkit.classification.inspection import LinearInspection, inspect_classifier
    from embedkit.classification.linear_classifier import LinearClassifier
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.errors import ConfigurationError
    from embedkit.system.files import resolve_output

    if picture:
        lock_outputs(picture)
        resolve_output(Path(picture), overwrite=overwrite)  # checked before the work
    model = TextClassifier.load(classifier)
    texts: Sequence[str] = ()
    if isinstance(model.head, LinearClassifier):
        refuse_unused("with a linear classifier", "units", "restrict", "picture")
        if examples is not None:
            raise ConfigurationError(
                "EXAMPLES cannot be used with a linear classifier, which has no units.",
                hint="Leave them out.",
            )
    elif examples is not None:
        texts = read_examples(examples, options, model.task).texts
    found = inspect_classifier(model, texts, k=most, units=units, restrict=restrict)
    if isinstance(found, LinearInspection):
        print_json(found.as_dict()) if as_json else _print_labels(found)
        return
    if picture:
        from embedkit.classification.unit_picture import unit_picture

        unit_picture(found, picture, overwrite=overwrite)
    print_json(found.as_dict()) if as_json else _print_units(found)


def _print_labels(found: LinearInspection) -> None:
    for number, terms in enumerate(found.labels):
        if number:
            click.echo()
        click.echo(terms.label)
        for name, scores in (
            ("words for it", terms.words_for),
            ("n-grams for it", terms.ngrams_for),
            ("words against it", terms.words_against),
            ("n-grams against it", terms.ngrams_against),
        ):
            if scores:
                click.echo(f"  {name:<20}{_listed(scores)}")


def _listed(scores: Sequence[TermScore]) -> str:
    return ", ".join(f"{score.term} {score.score:+.2f}" for score in scores)


def _print_units(found: NetworkInspection) -> None:
    before: UnitLayer | None = None
    for layer in found.layers:
        if before is not None:
            click.echo()
        shown = f", the {len(layer.units)} most important" if len(layer.units) < layer.size else ""
        kind = f"{found.activation} units" if layer is not found.layers[-1] else "labels"
        name = f"{layer.name}: " if layer is not found.layers[-1] else ""
        click.echo(f"{name}{layer.size:,} {kind}{shown}")
        for place, unit in enumerate(layer.units):
            click.echo(f"  {unit.name}")
            if unit.words:
                words = ", ".join(f"{word.name} {word.value:.2f}" for word in unit.words)
                click.echo(f"    words: {words}")
            for text in unit.texts:
                click.echo(f"    {text.value:8.2f}  {_shortened(text.name)}")
            if before is not None:
                click.echo(f"    inputs: {_inputs(layer, place, before)}")
        before = layer


def _inputs(layer: UnitLayer, place: int, before: UnitLayer) -> str:
    weights = layer.weights[:, place].tolist()
    pairs = sorted(zip(weights, before.units, strict=True), key=lambda pair: -abs(pair[0]))
    return ", ".join(f"{unit.name} {weight:+.2f}" for weight, unit in pairs[:_INPUTS])


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"
