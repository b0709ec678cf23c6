"""Labels of texts as rows of numbers, and back."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.options import TASKS
from embedkit.errors import (
    ConfigurationError,
    InputError,
    UnknownLabelsWarning,
    counted,
    share_verb,
)
from embedkit.heads.targets import check_targets
from embedkit.validation import check_choice

__all__ = ["Labels", "Targets"]

_DTYPES: Mapping[str, Any] = {"U": np.str_, "O": np.object_, "i": np.int64, "b": np.bool_}
"""The type of labels, by NumPy's code for their kind."""
_MOST_NAMED = 5


@dataclass(frozen=True)
class Targets:
    """What n texts should be given.

    Attributes:
        rows: (n, K) float32: 1 for each label of a text and 0 for the others; or the numbers,
            standardized, with K = 1.
    """

    rows: NDArray[np.float32]

    def balanced_weights(self) -> NDArray[np.float32]:
        """Return weights of the texts, (n,), that give all labels the same total weight.

        A text with several labels has the mean of their weights, and one without any has 1.
        """
        sizes = self.rows.sum(axis=0)
        each = len(self.rows) / (np.count_nonzero(sizes) * np.maximum(sizes, 1))
        given = self.rows.sum(axis=1)
        means = (self.rows @ each.astype(np.float32)) / np.maximum(given, 1)
        return np.where(given > 0, means, 1).astype(np.float32)


@dataclass(frozen=True)
class Labels:
    """The labels that a classifier gives, or the scale of the numbers that it predicts.

    Attributes:
        task: "label", "labels" or "number".
        classes: the K labels, sorted, (K,); empty for numbers.
        mean, standard_deviation: of the numbers in training: a number is mean + standard_deviation
            * score.
    """

    task: str
    classes: NDArray[Any]
    mean: float = 0.0
    standard_deviation: float = 1.0

    @classmethod
    def of(cls, task: str, texts: Sequence[str], labels: Sequence[Any]) -> tuple[Labels, Targets]:
        """Return the labels that occur, and the target of each text.

        Args:
            task: "label": each text has one label; "labels": each text has a collection of labels,
                which may be empty; "number": each text has a number.
            texts: n texts.
            labels: n labels, collections of labels, or numbers.

        Raises:
            ConfigurationError: the task is unknown, there are fewer than two labels, or they are
                not of one kind.
            InputError: a label is missing; the message names the row.
        """
        check_choice("task", task, TASKS)
        check_targets(texts, labels)
        if task == "number":
            return cls._numbers(labels)
        if task == "labels":
            return cls._several(labels)
        classes, codes = np.unique(_array(labels), return_inverse=True)
        _check_classes(classes, len(codes))
        rows = np.zeros((len(codes), len(classes)), dtype=np.float32)
        rows[np.arange(len(codes)), codes] = 1
        return cls(task, classes), Targets(rows)

    @classmethod
    def _several(cls, labels: Sequence[Collection[Any]]) -> tuple[Labels, Targets]:
        for row, given in enumerate(labels):
            if isinstance(given, str) or not isinstance(given, Collection):
                raise InputError(
                    f"row {row} (counted from 0) has the labels {given!r:.60}, which is not a list."
                )
        names = [label for given in labels for label in given]
        if not names:
            raise InputError("no text has a label.")
        if all(set(given) == set(labels[0]) for given in labels):
            raise ConfigurationError(
                f"every text has the labels {sorted(set(labels[0]), key=str)!r:.60}.",
                hint="Add texts with other labels.",
            )
        classes = np.unique(_array(names))
        places = {label: column for column, label in enumerate(classes.tolist())}
        rows = np.zeros((len(labels), len(classes)), dtype=np.float32)
        for row, given in enumerate(labels):
            rows[row, [places[label] for label in given]] = 1
        return cls("labels", classes), Targets(rows)

    @classmethod
    def _numbers(cls, labels: Sequence[Any]) -> tuple[Labels, Targets]:
        numbers = _finite(labels)
        if numbers.min() == numbers.max():
            raise ConfigurationError(
                f"every text has the number {numbers[0]:.10g}.",
                hint="Add texts with other numbers.",
            )
        with np.errstate(over="ignore"):
            mean, deviation = float(numbers.mean()), float(numbers.std())
        if not (np.isfinite(mean) and np.isfinite(deviation) and deviation > 0):
            raise ConfigurationError(
                f"the mean {mean:g} or the standard deviation {deviation:g} of the numbers is out "
                "of range.",
                hint="Give the numbers in another unit.",
            )
        rows = ((numbers - mean) / deviation).astype(np.float32)[:, np.newaxis]
        return cls("number", np.zeros(0, dtype=np.str_), mean, deviation), Targets(rows)

    def as_given(self, labels: Sequence[Any]) -> list[Any]:
        """Return labels in the type of those that the classifier gives, or numbers as float.

        Labels are matched by their names, so "3" in a file is the label 3. Unknown labels stay as
        they are.

        Args:
            labels: n labels, collections of labels, or numbers.

        Raises:
            InputError: a number is not finite. The message names the row.
        """
        if self.task == "number":
            return list(map(float, _finite(labels)))
        known = {str(label): label for label in self.classes.tolist()}
        if self.classes.dtype.kind == "b":  # as JSON writes them
            known |= {name.lower(): label for name, label in known.items()}
        if self.task == "labels":
            return [tuple(known.get(str(label), label) for label in given) for given in labels]
        return [known.get(str(label), label) for label in labels]

    def warn_of_unknown(self, labels: Sequence[Any], *, stacklevel: int) -> None:
        """Warn if some of n labels, or of n collections of labels, never occurred in training.

        Args:
            labels: as `as_given` returns them.
            stacklevel: as for `warnings.warn`, counted from the caller.
        """
        if self.task == "number":
            return
        known = set(self.classes.tolist())
        each = labels if self.task == "labels" else [(label,) for label in labels]
        rows = sum(not known.issuperset(given) for given in each)
        if not rows:
            return
        unknown = dict.fromkeys(label for given in each for label in given if label not in known)
        names = ", ".join(repr(str(label)) for label in [*unknown][:_MOST_NAMED])
        more = ", ..." if len(unknown) > _MOST_NAMED else ""
        warnings.warn(
            f"{rows:,} of {counted(len(labels), 'text')} "
            f"{share_verb(rows, len(labels), 'has', 'have')} a label that the classifier does not "
            f"know: {names}{more}.",
            UnknownLabelsWarning,
            stacklevel=stacklevel + 1,
        )

    def as_dict(self) -> dict[str, object]:
        """Return the labels as values that JSON can represent."""
        return {
            "task": self.task, "classes": self.classes.tolist(), "dtype": self.classes.dtype.kind,
            "mean": self.mean, "standard_deviation": self.standard_deviation,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Labels:
        """Return the labels that `as_dict` described.

        Raises:
            ValueError, KeyError, TypeError: the description is damaged.
        """
        task = str(stored["task"])
        if task not in TASKS:
            raise ValueError(f"unknown task {task!r}")
        classes = np.array(stored["classes"], dtype=_DTYPES[stored["dtype"]])
        return cls(task, classes, float(stored["mean"]), float(stored["standard_deviation"]))


def _finite(labels: Sequence[Any]) -> NDArray[np.float64]:
    numbers = np.empty(len(labels))
    for row, given in enumerate(labels):
        try:
            numbers[row] = float(given)
        except (TypeError, ValueError, OverflowError):
            numbers[row] = np.nan
        if not np.isfinite(numbers[row]):
            raise InputError(
                f"row {row} (counted from 0) has the target {given!r:.60}, which is not a finite "
                "number."
            )
    return numbers


def _array(labels: Sequence[Any]) -> NDArray[Any]:
    kinds = {type(label) for label in labels}
    array = np.array(labels) if len(kinds) == 1 else np.zeros(0)
    if array.dtype.kind == "u":
        array = array.astype(np.int64)
    if array.dtype.kind not in "Uib" or array.ndim != 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ConfigurationError(
            f"labels must all be strings, all integers, or all true or false, got {names}.",
            hint='For numbers to predict, use task="number".',
        )
    return array


def _check_classes(classes: NDArray[Any], texts: int) -> None:
    if len(classes) < 2:
        raise ConfigurationError(
            f"there is only one class, {classes.tolist()[0]!r}, in {counted(texts, 'row')}.",
            hint="Add rows of another class.",
        )
