"""classify train: learn to label texts, with the help of word vectors."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.classification.options import HEADS, TASKS
from embedkit.cli.classify_options import (
    DEFAULT_CLASSIFIER,
    examples_argument,
    labeled_options,
    read_examples,
)
from embedkit.cli.classify_report import print_cross_validation
from embedkit.cli.options import (
    device_option,
    json_option,
    model_option,
    output_option,
    overwrite_option,
    quiet_option,
    refuse_unused,
    seed_option,
)
from embedkit.cli.output import print_json, printed_warnings
from embedkit.cli.parameters import Number, OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs
from embedkit.cli.progress import Display
from embedkit.errors import counted
from embedkit.features.options import POOLINGS

if TYPE_CHECKING:
    from embedkit.classification.scoring import CrossValidation
    from embedkit.classification.text_classifier import TextClassifier

__all__ = ["train_classifier"]

_FINETUNE = "finetune"
_LINEAR_ONLY = ("inverse_strength",)
_NETWORK_ONLY = ("pooling", "hidden", "epochs", "device")


@click.command("train")
@examples_argument
@output_option("Directory to write.", OutputPath(directory=True), default=DEFAULT_CLASSIFIER)
@model_option
@click.option("--no-vectors", is_flag=True, help="Learn from the labeled texts alone.")
@click.option(
    "--task",
    type=click.Choice([*TASKS]),
    default="label",
    show_default=True,
    help="; ".join(f"{name}: {meaning}" for name, meaning in TASKS.items()) + ".",
)
@click.option(
    "--head",
    type=click.Choice([*HEADS]),
    default="linear",
    show_default=True,
    help="; ".join(f"{name}: {meaning}" for name, meaning in HEADS.items()) + ".",
)
@click.option(
    "--ngrams",
    type=WholeNumber(1, 10),
    show_default="2, with a network 3",
    help="Also learn word n-grams, up to this many words.",
)
@click.option(
    "--C",
    "inverse_strength",
    type=Number(1e-6, 1e6),
    show_default="chosen on held-out texts",
    help="Linear head: inverse strength of the L2 penalty, as in scikit-learn.",
)
@click.option("--balanced", is_flag=True, help="Give all labels the same weight.")
@click.option(
    "--pooling",
    type=click.Choice([_FINETUNE, *POOLINGS]),
    default=_FINETUNE,
    show_default=True,
    help="Network: how the vectors of a text are combined; finetune uses their mean and also "
    "trains them.",
)
@click.option(
    "--hidden",
    type=WholeNumber(0),
    multiple=True,
    default=(128,),
    show_default=True,
    help="Network: size of a hidden layer, 0 for none; repeatable.",
)
@click.option(
    "--epochs",
    type=WholeNumber(1),
    default=100,
    show_default=True,
    help="Network: passes over the texts.",
)
@device_option("cpu")
@click.option(
    "--cross-validate",
    "folds",
    type=WholeNumber(2),
    metavar="K",
    help="First score K classifiers, each on a part of the texts that it was not trained on.",
)
@seed_option
@labeled_options
@overwrite_option
@quiet_option
@json_option
def train_classifier(
    examples: str,
    output: str,
    model: str,
    no_vectors: bool,
    task: str,
    folds: int | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a classifier on EXAMPLES, a file of labeled texts, or - for standard input."""
    from embedkit.classification.scoring import cross_validate
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.encoders import load
    from embedkit.storage.model_directory import check_output

    settings = {**_settings(options), "task": task}
    if no_vectors:
        refuse_unused("with --no-vectors", "model")
    lock_outputs(output)
    check_output(Path(output), overwrite=overwrite)
    texts, labels = read_examples(examples, options, task)
    _check_labels(examples, labels, task)
    with Display(quiet=quiet or as_json) as display, printed_warnings(quiet=quiet):
        vectors = None if no_vectors else load(model)
        scores = None
        if folds is not None:

            def train(texts: Any, labels: Any) -> TextClassifier:
                return TextClassifier.train(texts, labels, vectors, **settings)

            scores = cross_validate(
                train, texts, labels, folds, seed=settings["seed"], progress=display.folds
            )
        progress = display.fitting_models if settings["head"] == "linear" else display.fitting
        classifier = TextClassifier.train(texts, labels, vectors, progress=progress, **settings)
    classifier.save(output, overwrite=overwrite)
    if as_json:
        print_json(_as_dict(output, texts, classifier, scores))
    elif not quiet:
        _print_trained(output, texts, classifier, scores)


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `TextClassifier.train`, and take them out of the options."""
    settings = {name: options.pop(name) for name in ("head", "seed", "balanced")}
    network = {name: options.pop(name) for name in _NETWORK_ONLY}
    ngrams, inverse_strength = options.pop("ngrams"), options.pop("inverse_strength")
    if ngrams is not None:
        settings["ngrams"] = ngrams
    if settings["head"] == "linear":
        refuse_unused("with --head linear; pass --head network", *_NETWORK_ONLY)
        return {**settings, "C": inverse_strength}
    refuse_unused("with --head network", *_LINEAR_ONLY)
    settings["class_weight"] = "balanced" if settings.pop("balanced") else None
    if network["pooling"] != _FINETUNE:
        refuse_unused(f"with --pooling {network['pooling']}", "ngrams")
    network["pooling"] = None if network["pooling"] == _FINETUNE else network["pooling"]
    network["hidden"] = tuple(filter(None, network["hidden"]))
    return {**settings, **network}


def _check_labels(examples: str, labels: list[Any], task: str) -> None:
    from embedkit.errors import InputError

    if task != "labels" and len(set(labels)) == 1:
        what = "label" if task == "label" else "number"
        raise InputError(
            f"{examples}: every text has the {what} {labels[0]!r}.",
            hint=f"Add texts with another {what}.",
        )


def _as_dict(
    output: str, texts: list[str], classifier: TextClassifier, scores: CrossValidation | None
) -> dict[str, object]:
    report: dict[str, object] = {
        "classifier": output, "texts": len(texts), "task": classifier.task,
        "labels": classifier.labels.tolist(), **classifier.head.summary(),
    }  # fmt: skip
    return report if scores is None else {**report, "cross_validation": scores.as_dict()}


def _print_trained(
    output: str, texts: list[str], classifier: TextClassifier, scores: CrossValidation | None
) -> None:
    if scores is not None:
        print_cross_validation(scores)
    labels = "" if classifier.task == "number" else f", {counted(len(classifier.labels), 'label')}"
    click.echo(f"{output}: {counted(len(texts), 'text')}{labels}")
    click.echo(classifier.head.described())
    option = "" if output == DEFAULT_CLASSIFIER else f" -c {shlex.quote(output)}"
    click.echo(f"Try: embedkit classify predict {shlex.quote(_example_text(texts))}{option}")


def _example_text(texts: list[str]) -> str:
    """Return the first text that is suitable as an example on the command line."""
    good = (text for text in texts if len(text) <= 60 and text.isprintable() and text[0] != "-")
    return next(good, "TEXT")
