"""Score a classifier on labeled texts, or a way to train one by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.calibration import expected_calibration_error
from embedkit.classification.folds import distinct_texts, fold_numbers
from embedkit.classification.report import ClassificationReport, ClassScore, score_labels
from embedkit.classification.text_classifier import TextClassifier
from embedkit.errors import ConfigurationError, InputError
from embedkit.validation import whole_number

__all__ = ["CrossValidation", "NumberReport", "SeveralLabelsReport", "cross_validate", "score"]


@dataclass(frozen=True)
class SeveralLabelsReport:
    """Scores of a classifier that gives any number of labels to a text.

    Attributes:
        exact: share of the texts that were given exactly the right labels.
        micro_f1: F1 over all pairs of text and label.
        classes: the score of each label, in sorted order of the labels.
        texts: number of texts.
    """

    exact: float
    micro_f1: float
    classes: tuple[ClassScore, ...]
    texts: int

    @property
    def macro_f1(self) -> float:
        """Unweighted mean of the labels' F1."""
        return sum(score.f1 for score in self.classes) / len(self.classes)

    def as_dict(self) -> dict[str, object]:
        """Return the report as values that JSON can represent."""
        return {
            "exact": self.exact, "micro_f1": self.micro_f1, "macro_f1": self.macro_f1,
            "texts": self.texts, "classes": [asdict(score) for score in self.classes],
        }  # fmt: skip


@dataclass(frozen=True)
class NumberReport:
    """Scores of predicted numbers.

    Attributes:
        mean_absolute_error, root_mean_squared_error: in the unit of the numbers.
        r2: 1 minus the squared error divided by that of always predicting the mean (coefficient of
            determination); None if all numbers are the same.
        texts: number of texts.
    """

    mean_absolute_error: float
    root_mean_squared_error: float
    r2: float | None
    texts: int

    def as_dict(self) -> dict[str, object]:
        """Return the report as values that JSON can represent."""
        return asdict(self)


Report: TypeAlias = "ClassificationReport | SeveralLabelsReport | NumberReport"


class _Training(Protocol):
    def __call__(self, texts: Sequence[str], labels: Sequence[Any]) -> TextClassifier: ...


@dataclass(frozen=True)
class CrossValidation:
    """Scores of classifiers, each on the texts that it was not trained on.

    Attributes:
        report: over all texts.
        folds: the headline score of each fold: accuracy, micro F1, or R2; None for the R2 of a fold
            in which all numbers are the same.
    """

    report: Report
    folds: tuple[float | None, ...]

    @property
    def headline(self) -> str:
        """The name of the score of each fold."""
        if isinstance(self.report, ClassificationReport):
            return "accuracy"
        return "micro F1" if isinstance(self.report, SeveralLabelsReport) else "R2"

    def as_dict(self) -> dict[str, object]:
        """Return the scores as values that JSON can represent."""
        return {"headline": self.headline, "folds": list(self.folds), **self.report.as_dict()}


def score(classifier: TextClassifier, texts: Sequence[str], labels: Sequence[Any]) -> Report:
    """Compare the predictions for n texts with what is right.

    Args:
        classifier: what predicts.
        texts: n texts.
        labels: n labels, collections of labels, or numbers, as for `TextClassifier.train`.

    Raises:
        ConfigurationError: the lengths differ, or there are no texts.

    Warns:
        UnknownLabelsWarning: the classifier does not know some labels.
    """
    if not len(texts) or len(texts) != len(labels):
        raise ConfigurationError(
            f"expected the same number of texts and labels, and at least one of each, got "
            f"{len(texts)} and {len(labels)}"
        )
    outcome = _Outcome.of(classifier, texts, labels)
    classifier.head.labels.warn_of_unknown(outcome.right, stacklevel=2)
    return outcome.report()


def cross_validate(
    train: _Training,
    texts: Sequence[str],
    labels: Sequence[Any],
    folds: int,
    *,
    seed: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> CrossValidation:
    """Train on all folds of the texts but one, and score on that one; each fold in turn.

    The same texts and seed give the same folds for every way to train. The folds have equal shares
    of each label, but equal texts are in the same fold.

    Args:
        train: trains a classifier on texts and labels.
        texts: n texts.
        labels: as for `TextClassifier.train`.
        folds: number of folds, from 2 to the number of different texts.
        seed: of the random order of the texts.
        progress: called before each fold with its number, counted from 1, and the number of folds.

    Raises:
        ConfigurationError: *folds* is outside its range, or a fold has texts of one label only.
    """
    if len(texts) < 2:
        raise ConfigurationError(f"cross-validation needs 2 texts or more, got {len(texts)}.")
    folds = whole_number("folds", folds, 2)
    different = int(distinct_texts(texts).max()) + 1
    if folds > different:
        raise ConfigurationError(
            f"cross-validation with {folds:,} folds needs at least {folds:,} different texts, got "
            f"{different:,}."
        )
    strata = np.unique([str(label) for label in labels], return_inverse=True)[1]
    if all(isinstance(label, float) for label in labels):
        strata = np.zeros(len(texts), dtype=np.int64)
    numbers = fold_numbers(texts, strata, folds, seed)
    outcomes = []
    for fold in range(folds):
        if progress is not None:
            progress(fold + 1, folds)
        inside = np.flatnonzero(numbers != fold).tolist()
        outside = np.flatnonzero(numbers == fold).tolist()
        try:
            classifier = train([texts[row] for row in inside], [labels[row] for row in inside])
        except (ConfigurationError, InputError) as error:
            problem = f"without fold {fold + 1} of {folds}: {error.message}"
            kind = InputError if isinstance(error, InputError) else ConfigurationError
            raise kind(problem, hint=error.hint) from error
        held_out = [texts[row] for row in outside]
        outcomes.append(_Outcome.of(classifier, held_out, [labels[row] for row in outside]))
    return CrossValidation(
        _Outcome.joined(outcomes).report(),
        tuple(_headline(outcome.report()) for outcome in outcomes),
    )


@dataclass(frozen=True)
class _Outcome:
    """What was right and what was predicted for n texts.

    Attributes:
        task: of the classifier.
        right, predicted: n labels, collections of labels, or numbers.
        confidences: the probability of each predicted label, (n,); only for one label a text.
    """

    task: str
    right: list[Any]
    predicted: list[Any]
    confidences: NDArray[np.floating[Any]]

    @classmethod
    def of(
        cls, classifier: TextClassifier, texts: Sequence[str], labels: Sequence[Any]
    ) -> _Outcome:
        right = classifier.head.labels.as_given(labels)
        predictions = classifier.head.predictions(list(texts))
        chosen = list(classifier.chosen(predictions))
        return cls(classifier.task, right, chosen, predictions.max(axis=1))

    @classmethod
    def joined(cls, outcomes: Sequence[_Outcome]) -> _Outcome:
        return cls(
            outcomes[0].task,
            [label for outcome in outcomes for label in outcome.right],
            [label for outcome in outcomes for label in outcome.predicted],
            np.concatenate([outcome.confidences for outcome in outcomes]),
        )

    def report(self) -> Report:
        if self.task == "number":
            return _score_numbers(np.array(self.right), np.array(self.predicted))
        if self.task == "labels":
            return _score_several(self.right, self.predicted)
        report = score_labels([str(x) for x in self.right], [str(x) for x in self.predicted])
        pairs = zip(self.right, self.predicted, strict=True)
        correct = np.array([right == predicted for right, predicted in pairs])
        error = expected_calibration_error(self.confidences, correct)
        return replace(report, calibration_error=error)


def _score_numbers(right: NDArray[np.float64], predicted: NDArray[np.float64]) -> NumberReport:
    errors = predicted - right
    squares = float(np.square(right - right.mean()).sum())
    return NumberReport(
        mean_absolute_error=float(np.abs(errors).mean()),
        root_mean_squared_error=float(np.sqrt(np.square(errors).mean())),
        r2=None if squares == 0 else 1 - float(np.square(errors).sum()) / squares,
        texts=len(right),
    )


def _score_several(
    right: Sequence[Collection[Any]], predicted: Sequence[Collection[Any]]
) -> SeveralLabelsReport:
    from sklearn.metrics import f1_score, precision_recall_fscore_support
    from sklearn.preprocessing import MultiLabelBinarizer

    names = sorted({label for labels in (*right, *predicted) for label in labels}, key=str)
    binarizer = MultiLabelBinarizer(classes=names)
    true, given = binarizer.fit_transform(right), binarizer.transform(predicted)
    scores = precision_recall_fscore_support(true, given, zero_division=0)
    return SeveralLabelsReport(
        exact=float((true == given).all(axis=1).mean()),
        micro_f1=float(f1_score(true, given, average="micro", zero_division=0)),
        classes=tuple(
            ClassScore(str(label), float(precision), float(recall), float(f1), int(texts))
            for label, precision, recall, f1, texts in zip(names, *scores, strict=True)
        ),
        texts=len(right),
    )


def _headline(report: Report) -> float | None:
    if isinstance(report, ClassificationReport):
        return report.accuracy
    if isinstance(report, SeveralLabelsReport):
        return report.micro_f1
    return report.r2
