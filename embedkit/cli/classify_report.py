"""Print the scores of classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from embedkit.errors import counted

if TYPE_CHECKING:
    from embedkit.classification.report import ClassificationReport, ClassScore
    from embedkit.classification.scoring import CrossValidation, Report

__all__ = ["print_cross_validation", "print_report"]

_MOST_CLASSES = 20  # of which the scores are printed


def print_report(report: Report, known: float | None = None) -> None:
    """Print the scores of a classifier, the share of known words, and a table of its labels."""
    from embedkit.classification.report import ClassificationReport
    from embedkit.classification.scoring import NumberReport

    if isinstance(report, NumberReport):
        r2 = "-" if report.r2 is None else f"{report.r2:.4f}"
        click.echo(
            f"mean absolute error {report.mean_absolute_error:g}, root mean squared error "
            f"{report.root_mean_squared_error:g}, R2 {r2}, {counted(report.texts, 'text')}"
        )
        _print_known(known)
        return
    if isinstance(report, ClassificationReport):
        texts = counted(int(report.confusion.sum()), "text")
        click.echo(f"accuracy {report.accuracy:.4f}, macro F1 {report.macro_f1:.4f}, {texts}")
        if report.calibration_error is not None:
            click.echo(f"expected calibration error {report.calibration_error:.4f}")
        _print_known(known)
        _print_classes(report.classes)
        _print_confusion(report)
        return
    click.echo(
        f"micro F1 {report.micro_f1:.4f}, macro F1 {report.macro_f1:.4f}, exactly right "
        f"{report.exact:.4f}, {counted(report.texts, 'text')}"
    )
    _print_known(known)
    _print_classes(report.classes)


def print_cross_validation(scores: CrossValidation) -> None:
    """Print the scores of all folds together, and how much those of single folds differ."""
    import numpy as np

    folds = np.array([fold for fold in scores.folds if fold is not None])
    heading = f"cross-validation, {len(scores.folds)} folds"
    if len(folds) == len(scores.folds):
        heading += (
            f": {scores.headline} {folds.mean():.4f}, from {folds.min():.4f} to "
            f"{folds.max():.4f}, standard deviation {folds.std(ddof=1):.4f}"
        )
    click.echo(heading)
    print_report(scores.report)
    click.echo()


def _print_known(known: float | None) -> None:
    if known is not None:
        click.echo(f"{known:.1%} of the words occur in training texts or have a vector")


def _print_classes(classes: Sequence[ClassScore]) -> None:
    """Print the scores of each class; of many, those with the lowest F1."""
    shown = sorted(classes, key=lambda score: score.f1)[:_MOST_CLASSES]
    if len(shown) == len(classes):
        shown = list(classes)
    first = max(9, *(len(score.label) for score in shown))
    click.echo(f"\n{'':{first}}  precision  recall      F1   texts")
    for score in shown:
        click.echo(
            f"{score.label:<{first}}  {score.precision:9.4f}  {score.recall:6.4f}  {score.f1:6.4f}"
            f"  {score.texts:6,}"
        )
    if left := len(classes) - len(shown):
        click.echo(f"{counted(left, 'label')} with a higher F1; --json prints all")


def _print_confusion(report: ClassificationReport) -> None:
    """Print the confusion matrix; of many labels, the most frequent confusions."""
    labels = report.labels
    if len(labels) > _MOST_CLASSES:
        _print_confusions(report)
        return
    first = max(9, *map(len, labels))
    widths = [max(len(label), 6) for label in labels]
    heads = "  ".join(f"{label:>{width}}" for label, width in zip(labels, widths, strict=True))
    click.echo(f"\n{'true':<{first}}  predicted\n{'':{first}}  {heads}")
    for label, row in zip(labels, report.confusion, strict=True):
        cells = "  ".join(f"{count:{width},}" for count, width in zip(row, widths, strict=True))
        click.echo(f"{label:<{first}}  {cells}")


def _print_confusions(report: ClassificationReport) -> None:
    import numpy as np

    rows, columns = np.nonzero(report.confusion)
    found = [
        (int(report.confusion[true, predicted]), report.labels[true], report.labels[predicted])
        for true, predicted in zip(rows.tolist(), columns.tolist(), strict=True)
        if true != predicted
    ]
    found.sort(key=lambda confusion: -confusion[0])
    shown = found[:_MOST_CLASSES]
    if not shown:
        return
    first = max(4, *(len(true) for _, true, _ in shown))
    second = max(9, *(len(predicted) for _, _, predicted in shown))
    click.echo(f"\n{'true':<{first}}  {'predicted':<{second}}   texts")
    for count, true, predicted in shown:
        click.echo(f"{true:<{first}}  {predicted:<{second}}  {count:6,}")
    if left := len(found) - len(shown):
        click.echo(f"{counted(left, 'other pair')} of labels; --json prints all")
