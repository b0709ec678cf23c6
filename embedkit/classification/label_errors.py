"""Where a classifier and a labeled file disagree: confident mistakes, and labels that look wrong.

errors = find_errors(TextClassifier.load("classifier.embedkit"), texts, labels)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.text_classifier import TextClassifier
from embedkit.errors import ConfigurationError

__all__ = ["Disagreement", "LabelErrors", "find_errors", "suspect_labels"]

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Disagreement:
    """A text to which the classifier would give another label than the file.

    Attributes:
        row: the text's number, counted from 0.
        text: the text.
        label: the label in the file, or a tuple of labels, or a number.
        predicted: what the classifier predicts, or would replace the label by.
        probability: of what is predicted; None for numbers.
        label_probability: of the label in the file; None for numbers, and for a label that the
            classifier does not know.
    """

    row: int
    text: str
    label: Any
    predicted: Any
    probability: float | None
    label_probability: float | None

    def as_dict(self) -> dict[str, object]:
        """Return the disagreement, without its row, as values that JSON can represent."""
        return {name: value for name, value in asdict(self).items() if name != "row"}


@dataclass(frozen=True)
class LabelErrors:
    """Where a classifier and a labeled file disagree.

    Attributes:
        texts: number of texts in the file.
        mistakes: the texts for which something else is predicted than the file says, the most
            probable prediction first, or the most different number.
        suspects: the texts whose label looks wrong (see `suspect_labels`), the clearest first.
    """

    texts: int
    mistakes: tuple[Disagreement, ...]
    suspects: tuple[Disagreement, ...]


def find_errors(
    classifier: TextClassifier, texts: Sequence[str], labels: Sequence[Any]
) -> LabelErrors:
    """Compare the labels of texts with what a classifier predicts.

    A classifier has learned the labels of its own training texts, wrong ones too, so use texts that
    it was not trained on.

    With any number of labels, each label is a question of its own: the probability is that of the
    clearest label that was wrongly given or left out, and a suspect set of labels is replaced by
    the one with all suspect decisions reversed. A text with a label that the classifier does not
    know is a mistake for certain.

    Args:
        classifier: a classifier.
        texts: n texts.
        labels: as for `TextClassifier.train`.

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
    labels = classifier.head.labels.as_given(labels)
    classifier.head.labels.warn_of_unknown(labels, stacklevel=2)
    predictions = classifier.head.predictions(list(texts))
    compare = {"label": _one_label, "labels": _any_labels, "number": _numbers}[classifier.task]
    return compare(classifier, texts, labels, predictions)


def suspect_labels(probabilities: Array, given: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the rows whose label looks wrong, and a better label; confident learning.

    Northcutt, Jiang and Chuang 2021 (arXiv 1911.00068): the threshold of a label is the mean of its
    probability over the rows that have it. The label of a row looks wrong if its probability is
    below its threshold, while the probability of another label reaches that label's threshold. The
    better label is the most probable such one. Rows are ordered by the difference of the two
    probabilities, the largest first.

    Args:
        probabilities: of K labels, (n, K).
        given: the label of each row, (n,); -1 if it is unknown, such rows are left out.
    """
    rows = np.flatnonzero(given >= 0)
    labels = given[rows]
    known = probabilities[rows].astype(np.float64)
    own = known[np.arange(len(rows)), labels]
    sizes = np.bincount(labels, minlength=known.shape[1])
    sums = np.bincount(labels, weights=own, minlength=known.shape[1])
    thresholds = np.where(sizes > 0, sums / np.maximum(sizes, 1), np.inf)
    others = np.where(known >= thresholds, known, -np.inf)
    others[np.arange(len(rows)), labels] = -np.inf
    better = others.argmax(axis=1)
    gains = others[np.arange(len(rows)), better] - own
    wrong = np.flatnonzero((own < thresholds[labels]) & np.isfinite(gains))
    wrong = wrong[np.argsort(-gains[wrong], kind="stable")]
    return list(zip(rows[wrong].tolist(), better[wrong].tolist(), strict=True))


def _one_label(
    classifier: TextClassifier,
    texts: Sequence[str],
    labels: Sequence[Any],
    predictions: Array,
) -> LabelErrors:
    names = [str(name) for name in classifier.labels]
    columns = {name: column for column, name in enumerate(classifier.labels.tolist())}
    given = np.array([columns.get(label, -1) for label in labels], dtype=np.int64)
    best = predictions.argmax(axis=1)

    def disagreement(row: int, column: int) -> Disagreement:
        label = int(given[row])
        return Disagreement(
            row=row,
            text=texts[row],
            label=str(labels[row]),
            predicted=names[column],
            probability=float(predictions[row, column]),
            label_probability=None if label < 0 else float(predictions[row, label]),
        )

    wrong = np.flatnonzero(best != given)
    wrong = wrong[np.argsort(-predictions[wrong].max(axis=1, initial=0), kind="stable")]
    return LabelErrors(
        texts=len(texts),
        mistakes=tuple(disagreement(row, int(best[row])) for row in wrong.tolist()),
        suspects=tuple(
            disagreement(row, column) for row, column in suspect_labels(predictions, given)
        ),
    )


def _any_labels(
    classifier: TextClassifier,
    texts: Sequence[str],
    labels: Sequence[Any],
    predictions: Array,
) -> LabelErrors:
    names = [str(name) for name in classifier.labels]
    sets = [{str(label) for label in given} for given in labels]
    given = np.array([[name in one for name in names] for one in sets], dtype=bool)
    unknown = np.array([not one <= set(names) for one in sets], dtype=bool)
    chosen = predictions >= classifier.linear.thresholds
    # The probability of each decision in the file: to give a label, or not to give it.
    agreement = np.where(given, predictions, 1 - predictions)
    suspect = np.zeros_like(given)
    for column in range(len(names)):
        both = np.column_stack([1 - predictions[:, column], predictions[:, column]])
        rows = [row for row, _ in suspect_labels(both, given[:, column].astype(np.int64))]
        suspect[rows, column] = True

    def disagreements(
        differs: NDArray[np.bool_], others: NDArray[np.bool_] | None = None
    ) -> tuple[Disagreement, ...]:
        """Return the rows with decisions that differ, and *others*, with unknown labels."""
        lowest = np.where(differs, agreement, np.inf).min(axis=1, initial=np.inf)
        if others is None:
            others = np.zeros(len(differs), dtype=bool)
        lowest[others] = 0
        found = np.flatnonzero(differs.any(axis=1) | others)
        found = found[np.argsort(lowest[found], kind="stable")]
        return tuple(
            Disagreement(
                row=row,
                text=texts[row],
                label=tuple(sorted(sets[row])),
                predicted=tuple(
                    name for name, one in zip(names, given[row] ^ differs[row], strict=True) if one
                ),
                probability=float(1 - lowest[row]),
                label_probability=None if others[row] else float(lowest[row]),
            )
            for row in found.tolist()
        )

    return LabelErrors(len(texts), disagreements(given != chosen, unknown), disagreements(suspect))


def _numbers(
    classifier: TextClassifier,
    texts: Sequence[str],
    labels: Sequence[Any],
    predictions: Array,
) -> LabelErrors:
    differences = np.abs(predictions[:, 0] - np.array(labels))
    order = np.argsort(-differences, kind="stable").tolist()
    mistakes = (
        Disagreement(row, texts[row], float(labels[row]), float(predictions[row, 0]), None, None)
        for row in order
        if differences[row] > 0
    )
    return LabelErrors(len(texts), tuple(mistakes), ())
