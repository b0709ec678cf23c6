"""How good is a classifier? Accuracy, scores of each class, and which are taken for which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError
from embedkit.plotting.figures import FIGURE_FORMATS, check_suffix, save

__all__ = ["ClassScore", "ClassificationReport", "confusion_picture", "score_labels"]


@dataclass(frozen=True)
class ClassScore:
    """Scores of one class, and how many texts are of it.

    Precision is the share of the texts called so that are so, recall the share of the texts that
    are so that are called so, F1 their harmonic mean; 0 where there is nothing to divide by.
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
        accuracy: share of the texts whose label is right.
        classes: one score a label, in the order of the labels.
        confusion: texts of label i that were given label j, int64 (K, K).
    """

    accuracy: float
    classes: tuple[ClassScore, ...]
    confusion: NDArray[np.int64]

    @property
    def labels(self) -> list[str]:
        """The K labels, those of the truth and those that were given."""
        return [score.label for score in self.classes]

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes, each counting the same."""
        return sum(score.f1 for score in self.classes) / len(self.classes)

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "texts": int(self.confusion.sum()),
            "classes": [asdict(score) for score in self.classes],
            "confusion": self.confusion.tolist(),
        }


def score_labels(truth: Sequence[Any], given: Sequence[Any]) -> ClassificationReport:
    """Compare labels, n each, with the true ones.

    Raises:
        ConfigurationError: there are none, or not the same number of both.
    """
    from sklearn.metrics import precision_recall_fscore_support

    if len(truth) != len(given) or not len(truth):
        raise ConfigurationError(f"{len(given)} labels to compare with {len(truth)} true ones")
    labels = sorted({*truth, *given})
    scores = precision_recall_fscore_support(truth, given, labels=labels, zero_division=0)
    places = {label: place for place, label in enumerate(labels)}
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for true, found in zip(truth, given, strict=True):
        confusion[places[true], places[found]] += 1
    return ClassificationReport(
        accuracy=float(np.trace(confusion) / len(truth)),
        classes=tuple(
            ClassScore(str(label), float(precision), float(recall), float(f1), int(texts))
            for label, precision, recall, f1, texts in zip(labels, *scores, strict=True)
        ),
        confusion=confusion,
    )


def confusion_picture(
    report: ClassificationReport, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Draw the confusion matrix: a row a true label, shaded by the share of the row.

    Args:
        report: of K labels.
        path: of the picture, which ends in .png, .svg or .pdf.
        overwrite: replace what is there.

    Raises:
        ConfigurationError: matplotlib is missing, or the name ends otherwise.
        OutputExistsError: something is there and *overwrite* is false.
        StorageError: the place cannot be written to.
    """
    path = Path(path)
    check_suffix(path, FIGURE_FORMATS)
    try:
        from matplotlib.figure import Figure  # without pyplot: no window, no state
    except ImportError as error:
        raise ConfigurationError(
            "a picture needs matplotlib.", hint="pip install 'embedkit[viz]'."
        ) from error
    labels, confusion = report.labels, report.confusion
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.6 * len(labels)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"accuracy {report.accuracy:.1%} of {confusion.sum():,}")
    for (row, column), count in np.ndenumerate(confusion):
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)
    figure.colorbar(image, label="share of the row")
    save(axes, path, overwrite=overwrite)
