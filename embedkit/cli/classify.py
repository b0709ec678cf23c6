"""classify: labels for texts, with a classifier on top of word vectors."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.classification.options import LABELLED_FORMATS
from embedkit.cli.groups import Group
from embedkit.cli.input import ask_all
from embedkit.cli.options import (
    Command,
    Decorator,
    device_option,
    encoding_option,
    json_option,
    model_option,
    output_option,
    overwrite_option,
    quiet_option,
    refuse_unused,
    seed_option,
)
from embedkit.cli.output import print_json, printed_warnings, tab_separated
from embedkit.cli.parameters import INPUT, ModelPath, OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs
from embedkit.cli.progress import Display
from embedkit.errors import counted
from embedkit.features.options import POOLINGS

if TYPE_CHECKING:
    from embedkit.classification.datasets import LabelledTexts
    from embedkit.classification.report import ClassificationReport
    from embedkit.classification.text_classifier import TextClassifier

__all__ = ["classify"]

_DEFAULT_CLASSIFIER = "classifier.embedkit"
_FINETUNE = "finetune"

_examples_argument = click.argument("examples", type=INPUT)
_classifier_option = click.option(
    "-c",
    "--classifier",
    type=ModelPath(),
    default=_DEFAULT_CLASSIFIER,
    envvar="EMBEDKIT_CLASSIFIER",
    show_default=True,
    metavar="PATH",
    help="Directory that classify train wrote; EMBEDKIT_CLASSIFIER sets another default.",
)


def _column_option(name: str, meaning: str) -> Decorator:
    return click.option(f"--{name}", default=name, show_default=True, metavar="NAME", help=meaning)


def _labelled_options(command: Command) -> Command:
    """Add the options of `read_labelled`."""
    for option in (
        _column_option("label", "Column of labels."),
        _column_option("text", "Column of texts."),
        encoding_option("EXAMPLES"),
        click.option(
            "--format",
            "form",
            type=click.Choice(LABELLED_FORMATS),
            show_default="detected from the name or the first line",
            help="Format of EXAMPLES.",
        ),
    ):
        command = option(command)
    return command


@click.group(cls=Group)
def classify() -> None:
    """Train and use a text classifier on top of word vectors.

    Labelled texts are TSV, CSV, JSON lines or fastText's __label__ lines.
    """


@classify.command("train")
@_examples_argument
@output_option("Directory to write.", OutputPath(directory=True), default=_DEFAULT_CLASSIFIER)
@model_option
@click.option(
    "--pooling",
    type=click.Choice([_FINETUNE, *POOLINGS]),
    default=_FINETUNE,
    show_default=True,
    help="How the vectors of a text are combined; finetune uses their mean and also trains them.",
)
@click.option(
    "--ngrams",
    type=WholeNumber(1),
    default=3,
    show_default=True,
    help="With finetune: also learn vectors of word n-grams, up to this many words.",
)
@click.option(
    "--hidden",
    type=WholeNumber(0),
    multiple=True,
    default=(128,),
    show_default=True,
    help="Size of a hidden layer, 0 for none; repeatable.",
)
@click.option(
    "--epochs", type=WholeNumber(1), default=100, show_default=True, help="Passes over the texts."
)
@click.option("--balanced", is_flag=True, help="Give all classes the same weight.")
@seed_option
@device_option("cpu")
@_labelled_options
@overwrite_option
@quiet_option
@json_option
def train_classifier(
    examples: str,
    output: str,
    model: str,
    pooling: str,
    ngrams: int,
    hidden: tuple[int, ...],
    balanced: bool,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a classifier on EXAMPLES, a file of labelled texts, or - for standard input."""
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.errors import InputError
    from embedkit.storage.model_directory import check_output

    settings: dict[str, Any] = {"pooling": None if pooling == _FINETUNE else pooling}
    if pooling == _FINETUNE:
        settings["ngrams"] = ngrams
    else:
        refuse_unused(f"with --pooling {pooling}", "ngrams")
    lock_outputs(output)
    check_output(Path(output), overwrite=overwrite)
    texts, labels = _read(examples, options)
    if len(set(labels)) == 1:
        raise InputError(
            f"{examples}: every text has the label {labels[0]!r}.",
            hint="Add texts with another label.",
        )
    settings |= {name: options[name] for name in ("epochs", "seed", "device")}
    settings |= {
        "hidden": tuple(filter(None, hidden)),
        "class_weight": "balanced" if balanced else None,
    }
    with Display(quiet=quiet or as_json) as display, printed_warnings(quiet=quiet):
        classifier = TextClassifier.train(
            texts, labels, model, progress=display.fitting, **settings
        )
    classifier.save(output, overwrite=overwrite)
    if as_json or not quiet:
        _print_trained(output, texts, classifier, as_json=as_json)


def _print_trained(
    output: str, texts: list[str], classifier: TextClassifier, *, as_json: bool
) -> None:
    last = classifier.head.history_[-1]
    if as_json:
        print_json(
            {
                "classifier": output, "texts": len(texts), "labels": classifier.labels.tolist(),
                "epochs": last.epoch, "loss": last.loss, "validation_loss": last.validation_loss,
            }
        )  # fmt: skip
        return
    click.echo(f"{output}: {counted(len(texts), 'text')}, {len(classifier.labels)} labels")
    validation = (
        "" if last.validation_loss is None else f", validation loss {last.validation_loss:.4f}"
    )
    click.echo(f"{counted(last.epoch, 'epoch')}, loss {last.loss:.4f}{validation}")
    option = "" if output == _DEFAULT_CLASSIFIER else f" -c {shlex.quote(output)}"
    click.echo(f"Try: embedkit classify predict {shlex.quote(_example_text(texts))}{option}")


def _example_text(texts: list[str]) -> str:
    """Return the first text that is suitable as an example on the command line."""
    good = (text for text in texts if len(text) <= 60 and text.isprintable() and text[0] != "-")
    return next(good, "TEXT")


@classify.command("predict")
@click.argument("text")
@_classifier_option
@quiet_option
@json_option
def predict_label(text: str, classifier: str, quiet: bool, as_json: bool) -> None:
    """Print the label of TEXT.

    With - instead of the text, texts are read from standard input, one per line. A blank line gets
    the label of a text without known words.
    """
    from embedkit.classification.text_classifier import TextClassifier

    model = TextClassifier.load(classifier)
    with printed_warnings(quiet=quiet):
        given = None if text == "-" else text
        texts, probabilities = ask_all(
            given,
            str,
            lambda asked: list(model.predict_proba(asked)),
            kind="texts",
            blank=True,
        )
    for sentence, row in zip(texts, probabilities, strict=True):
        label, best = model.labels[row.argmax()], float(row.max())
        if as_json:
            shares = dict(zip(map(str, model.labels), map(float, row), strict=True))
            print_json({"text": sentence, "label": str(label), "probabilities": shares})
        else:
            click.echo(tab_separated(label, f"{best:.4f}", sentence))


@classify.command("evaluate")
@_examples_argument
@_classifier_option
@click.option(
    "--picture",
    type=OutputPath(),
    metavar="PATH",
    help="Picture of the confusion matrix to write: .png, .svg or .pdf.",
)
@_labelled_options
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
    """Score a classifier on EXAMPLES, a file of labelled texts, or - for standard input."""
    from embedkit.classification.report import confusion_picture, score_labels
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.system.files import resolve_output

    if picture:
        lock_outputs(picture)
        resolve_output(Path(picture), overwrite=overwrite)  # checked before the work
    texts, labels = _read(examples, options)
    model = TextClassifier.load(classifier)
    with printed_warnings(quiet=quiet):
        report = score_labels(labels, model.predict(texts).tolist())
    if picture:
        confusion_picture(report, picture, overwrite=overwrite)
    if as_json:
        print_json(report.as_dict())
    else:
        _print_report(report)


def _read(examples: str, options: dict[str, Any]) -> LabelledTexts:
    from embedkit.classification.datasets import read_labelled

    return read_labelled(
        examples,
        format=options.pop("form"),
        encoding=options.pop("encoding"),
        columns=(options.pop("text"), options.pop("label")),
    )


def _print_report(report: ClassificationReport) -> None:
    labels = report.labels
    first = max(9, *map(len, labels))
    total = int(report.confusion.sum())
    texts = counted(total, "text")
    click.echo(f"accuracy {report.accuracy:.4f}, macro F1 {report.macro_f1:.4f}, {texts}")
    click.echo(f"\n{'':{first}}  precision  recall      F1   texts")
    for score in report.classes:
        click.echo(
            f"{score.label:<{first}}  {score.precision:9.4f}  {score.recall:6.4f}  {score.f1:6.4f}"
            f"  {score.texts:6,}"
        )
    widths = [max(len(label), 6) for label in labels]
    heads = "  ".join(f"{label:>{width}}" for label, width in zip(labels, widths, strict=True))
    click.echo(f"\n{'true':<{first}}  predicted\n{'':{first}}  {heads}")
    for label, row in zip(labels, report.confusion, strict=True):
        cells = "  ".join(f"{count:{width},}" for count, width in zip(row, widths, strict=True))
        click.echo(f"{label:<{first}}  {cells}")
