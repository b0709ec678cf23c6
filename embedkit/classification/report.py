"""Evaluate a classifier: accuracy, scores of each class, and the confusion matrix."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError
from embedkit.plotting.figures import FIGURE_FORMATS, check_suffix, save

__all__ = ["ClassScore", "ClassificationReport", "confusion_picture", "score_labels"]


@dataclass(frozen=True)
class ClassScore:
    """Precision, recall and F1 of one class, and its number of texts.

    Precision is the share of correct labels among the texts that were given this label; recall is
    the share of this class's texts that were given this label; F1 is their harmonic mean. A score
    whose denominator is 0 is 0.
    """

    label: str
    precision: float
    recall: float
    f1: float
    texts: int


@dataclass(frozen=True)
class ClassificationReport:
    """Scores of a classifier.

    Attributes:
        accuracy: share of the texts whose label is correct.
        classes: the score of each label, in sorted order of the labels.
        confusion: number of texts with true label i and predicted label j, int64 (K, K).
        calibration_error: by how much confidence and accuracy differ on average, if known (see
            `calibration.expected_calibration_error`).
    """

    accuracy: float
    classes: tuple[ClassScore, ...]
    confusion: NDArray[np.int64]
    calibration_error: float | None = None

    @property
    def labels(self) -> list[str]:
        """The K labels that occur as true or predicted labels."""
        return [score.label for score in self.classes]

    @property
    def macro_f1(self) -> float:
        """Unweighted mean of the classes' F1."""
        return sum(score.f1 for score in self.classes) / len(self.classes)

    def as_dict(self) -> dict[str, object]:
        """Return the report as values that JSON can represent."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "calibration_error": self.calibration_error,
            "texts": int(self.confusion.sum()),
            "classes": [asdict(score) for score in self.classes],
            "confusion": self.confusion.tolist(),
        }


def score_labels(true: Sequence[str], predicted: Sequence[str]) -> ClassificationReport:
    """Compare the predicted labels of n texts with their true labels.

    Raises:
        ConfigurationError: the lengths differ, or there are no labels.
    """
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    if len(true) != len(predicted) or not len(true):
        raise ConfigurationError(
            "expected the same number of true and predicted labels, and at least one of each, got "
            f"{len(true)} and {len(predicted)}"
        )
    labels = sorted({*true, *predicted})
    with warnings.catch_warnings():  # scikit-learn warns even though it gets the list of labels
        warnings.filterwarnings("ignore", "A single label was found", UserWarning)
        confusion = confusion_matrix(true, predicted, labels=labels)
    scores = precision_recall_fscore_support(true, predicted, labels=labels, zero_division=0)
    return ClassificationReport(
        accuracy=float(accuracy_score(true, predicted)),
        classes=tuple(
            ClassScore(str(label), float(precision), float(recall), float(f1), int(texts))
            for label, precision, recall, f1, texts in zip(labels, *scores, strict=True)
        ),
        confusion=confusion,
    )


def confusion_picture(
    report: ClassificationReport, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Draw the confusion matrix: one row per true label, shaded by the share of the row.

    Args:
        report: with K labels.
        path: of the picture; must end with .png, .svg or .pdf.
        overwrite: replace an existing file.

    Raises:
        ConfigurationError: matplotlib is missing, or the extension is not supported.
        OutputExistsError: the file exists and *overwrite* is false.
        StorageError: the disk is full, or the path is not writable.
    """
    from sklearn.metrics import ConfusionMatrixDisplay

    path = Path(path)
    check_suffix(path, FIGURE_FORMATS)
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigurationError(
            "a picture needs matplotlib.", hint="Run pip install 'embedkit[viz]'."
        ) from error
    confusion = report.confusion
    rates = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.6 * len(confusion)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")  # no window, unlike pyplot's
    axes = figure.subplots()
    display = ConfusionMatrixDisplay(rates, display_labels=report.labels).plot(
        ax=axes, cmap="Blues", im_kw={"vmin": 0}, colorbar=False, xticks_rotation=45
    )
    for text, count in zip(display.text_.flat, confusion.flat, strict=True):
        text.set_text(f"{count:,}")
    for label in axes.get_xticklabels():
        label.set(horizontalalignment="right", rotation_mode="anchor")
    axes.set_title(f"accuracy {report.accuracy:.1%} of {confusion.sum():,}")
    figure.colorbar(display.im_, label="share of the row")
    save(axes, path, overwrite=overwrite)
