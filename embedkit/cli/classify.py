"""classify: texts to labels, on top of vectors that are there already."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.input import ask_all
from embedkit.cli.options import OutputName, json_option
from embedkit.cli.output import print_json

if TYPE_CHECKING:
    from embedkit.classification.datasets import LabelledTexts
    from embedkit.classification.report import ClassificationReport
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.heads.training import Epoch

__all__ = ["classify"]

_classifier_option = click.option(
    "--classifier",
    "-c",
    default="helpdesk.embedkit",
    envvar="EMBEDKIT_CLASSIFIER",
    show_default=True,
    metavar="PATH",
    help="Directory that classify train wrote; EMBEDKIT_CLASSIFIER names another default.",
)


def _labelled_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `read_labelled`."""
    for option in (
        click.option("--label", default="label", show_default=True, help="Column of the labels."),
        click.option("--text", default="text", show_default=True, help="Column of the texts."),
        click.option("--encoding", default="utf-8", show_default=True, help="Of the file."),
        click.option(
            "--format",
            "form",
            type=click.Choice(["tsv", "csv", "jsonl", "fasttext"]),
            help="Of the file.  [default: told by its name or its first line]",
        ),
    ):
        command = option(command)
    return command


@click.group()
def classify() -> None:
    """Train a text classifier on word vectors, ask it, score it.

    A file of labelled texts is TSV, CSV, JSON lines or fastText's __label__ lines.
    """


@classify.command()
@click.argument("examples", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=OutputName(),
    default="helpdesk.embedkit",
    show_default=True,
    metavar="PATH",
    help="Directory to write.",
)
@click.option(
    "--vectors",
    default="model.embedkit",
    envvar="EMBEDKIT_MODEL",
    show_default=True,
    metavar="PATH",
    help="Model directory whose vectors to begin with (or EMBEDKIT_MODEL).",
)
@click.option(
    "--pooling",
    type=click.Choice(["finetune", "mean", "max", "sum", "tfidf", "sif"]),
    default="finetune",
    show_default=True,
    help="finetune: train the vectors too; the others keep them and make one of a text's.",
)
@click.option(
    "--ngrams",
    type=int,
    help="Runs of up to so many words get a vector too, with finetune.  [default: 3]",
)
@click.option(
    "--hidden",
    type=int,
    multiple=True,
    default=(128,),
    show_default="128",
    help="Size of a hidden layer; repeat for more, 0 for none.",
)
@click.option("--epochs", type=int, default=100, show_default=True, help="Passes over the texts.")
@click.option("--balanced", is_flag=True, help="Let all classes count the same.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of every random draw.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N or auto.")
@_labelled_options
@click.option("--overwrite", is_flag=True, help="Replace a classifier that is there.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@json_option
def train(
    examples: str,
    output: str,
    vectors: str,
    pooling: str,
    ngrams: int | None,
    hidden: tuple[int, ...],
    balanced: bool,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train on EXAMPLES, a file of labelled texts, or - for standard input."""
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.errors import InputError
    from embedkit.storage.model_directory import check_output

    settings: dict[str, Any] = {"pooling": None if pooling == "finetune" else pooling}
    if ngrams is not None:
        settings["ngrams"] = ngrams
        if pooling != "finetune":
            raise click.UsageError("--ngrams has no use without --pooling finetune.")
    check_output(Path(output), overwrite=overwrite)
    texts, labels = _read(examples, options)
    if len(set(labels)) == 1:
        raise InputError(
            f"{examples}: the label of every text is {labels[0]!r}: nothing to tell apart.",
            hint="Add texts with another label.",
        )
    settings |= {name: options[name] for name in ("epochs", "seed", "device")}
    settings |= {
        "hidden": tuple(filter(None, hidden)),
        "class_weight": "balanced" if balanced else None,
    }
    with _Bar(quiet=quiet or as_json) as bar, _warnings(quiet=quiet):
        classifier = TextClassifier.train(texts, labels, vectors, progress=bar.epoch, **settings)
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
    click.echo(f"{output}: {len(texts):,} texts, {len(classifier.labels)} labels")
    held = "" if last.validation_loss is None else f", held out {last.validation_loss:.4f}"
    click.echo(f"{last.epoch} epochs, loss {last.loss:.4f}{held}")
    option = "" if output == "helpdesk.embedkit" else f" -c {shlex.quote(output)}"
    click.echo(f"Try: embedkit classify predict {shlex.quote(_short(texts))}{option}")


def _short(texts: list[str]) -> str:
    """Return the first text that makes a good example on a command line."""
    good = (text for text in texts if len(text) <= 60 and text.isprintable() and text[0] != "-")
    return next(good, "TEXT")


@classify.command()
@click.argument("text")
@_classifier_option
@json_option
def predict(text: str, classifier: str, as_json: bool) -> None:
    """Print the label of TEXT, or with - of each line of standard input.

    A blank line has an answer too, that of a text without a known word: answers and lines match.
    """
    from embedkit.classification.text_classifier import TextClassifier

    model = TextClassifier.load(classifier)
    with _warnings(quiet=False):
        given = None if text == "-" else text
        texts, probabilities = ask_all(
            given, str, lambda asked: list(model.predict_proba(asked)), blank=True
        )
    for sentence, row in zip(texts, probabilities, strict=True):
        label, best = model.labels[row.argmax()], float(row.max())
        if as_json:
            shares = dict(zip(map(str, model.labels), map(float, row), strict=True))
            print_json({"text": sentence, "label": str(label), "probabilities": shares})
        else:
            click.echo(f"{label}\t{best:.4f}\t{sentence}")


@classify.command()
@click.argument("examples", type=click.Path())
@_classifier_option
@click.option("--picture", type=OutputName(), help="Draw the confusion matrix: .png, .svg, .pdf.")
@click.option("--overwrite", is_flag=True, help="Replace a picture that is there.")
@_labelled_options
@json_option
def evaluate(
    examples: str,
    classifier: str,
    picture: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Score a classifier on EXAMPLES, a file of labelled texts, or - for standard input."""
    from embedkit.classification.report import confusion_picture, score_labels
    from embedkit.classification.text_classifier import TextClassifier
    from embedkit.system.files import resolve_output

    if picture:
        resolve_output(Path(picture), overwrite=overwrite)  # before the work
    texts, labels = _read(examples, options)
    model = TextClassifier.load(classifier)
    with _warnings(quiet=False):
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
    click.echo(f"accuracy {report.accuracy:.4f}, macro F1 {report.macro_f1:.4f}, {total:,} texts")
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


@contextmanager
def _warnings(*, quiet: bool) -> Iterator[None]:
    """Say on standard error, in a line, what the library warns of."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
    for warning in found:
        if not quiet:
            click.echo(f"Warning: {warning.message}", err=True)


class _Bar:
    """Epochs on standard error: a bar on a terminal, and nothing elsewhere: it takes seconds."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def epoch(self, epoch: Epoch) -> None:
        """Show what an epoch did."""
        if self._quiet or not sys.stderr.isatty():
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=epoch.epochs, unit=" epochs", file=sys.stderr, leave=False)
        self._bar.set_postfix_str(f"loss {epoch.loss:.4f}", refresh=False)
        self._bar.update(1)
