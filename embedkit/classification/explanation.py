"""Explain decisions of a classifier.

explanation = explain(TextClassifier.load("classifier.embedkit"), "Where are the bananas?")
print(explanation.label, explanation.total, explanation.words)
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.contributions import Explanation
from embedkit.classification.decisions import Decision, Explainer
from embedkit.classification.linear_classifier import LinearClassifier
from embedkit.classification.text_classifier import TextClassifier
from embedkit.errors import ConfigurationError, counted
from embedkit.features.inputs import as_strings

__all__ = ["explain", "explain_texts", "find_label"]

_MOST_CHOICES = 20  # labels that a message lists
_NEAR = 3


def explain(
    classifier: TextClassifier, text: str, *, label: object = None, against: object = None
) -> Explanation:
    """Return what each word and n-gram of a text added to a decision.

    A linear classifier is explained exactly, a network by integrated gradients from the empty text
    (Sundararajan et al. 2017).

    Args:
        classifier: a classifier.
        text: the text.
        label: the label to explain; by default, the most likely one other than *against*.
        against: the label to compare it with. By default, a classifier that gives one label to each
            text is explained against the most likely label other than *label*; one that gives any
            number of labels, by the score of *label* alone.

    Raises:
        ConfigurationError: a label is unknown, both are the same, or there are none because the
            classifier predicts numbers.
    """
    return explain_texts(classifier, [text], label=label, against=against)[0]


def explain_texts(
    classifier: TextClassifier,
    texts: Sequence[str],
    *,
    label: object = None,
    against: object = None,
) -> list[Explanation]:
    """Return explanations of n texts; see `explain`."""
    texts = as_strings(texts, "text")
    wanted = _wanted_columns(classifier, label, against)
    predictions = classifier.head.predictions(texts)
    explainer = _explainer(classifier, texts)
    scores, labels = explainer.scores, classifier.labels.tolist()
    found = []
    for row, text in enumerate(texts):
        first, second = _columns(classifier.task, scores[row], *wanted)
        explained = explainer.explain(row, _decision(classifier, scores.shape[1], first, second))
        numbers = classifier.task == "number"
        found.append(
            Explanation(
                text=text,
                label=None if numbers else labels[first],
                against=None if second is None else labels[second],
                probability=None if numbers else float(predictions[row, first]),
                against_probability=None if second is None else float(predictions[row, second]),
                words=tuple(explained.words),
                ngrams=tuple(explained.ngrams),
                bias=explained.bias,
                total=explained.total,
                method=explained.method,
            )
        )
    return found


def find_label(classifier: TextClassifier, label: object) -> int:
    """Return the column of a label, given as itself or as a string.

    Raises:
        ConfigurationError: the label is unknown.
    """
    names = classifier.labels.tolist()
    for place, name in enumerate(names):
        if name == label or str(name) == str(label):
            return place
    shown = [str(name) for name in names]
    if len(shown) > _MOST_CHOICES:
        near = get_close_matches(str(label), shown, _NEAR)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See embedkit classify inspect."
        raise ConfigurationError(
            f"unknown label {str(label)!r:.60}; there are {counted(len(shown), 'label')}.",
            hint=hint,
        )
    raise ConfigurationError(f"unknown label {label!r}; choose from {', '.join(shown)}.")


def _wanted_columns(
    classifier: TextClassifier, label: object, against: object
) -> tuple[int | None, int | None]:
    if classifier.task == "number":
        if label is None and against is None:
            return None, None
        raise ConfigurationError(
            "a classifier that predicts numbers has no labels.",
            hint="Leave out label and against (--label, --against).",
        )
    first = None if label is None else find_label(classifier, label)
    second = None if against is None else find_label(classifier, against)
    if first is not None and first == second:
        raise ConfigurationError(
            f"cannot compare the label {str(classifier.labels[first])!r} with itself.",
            hint="Choose two different labels (label and against, --label and --against).",
        )
    return first, second


def _columns(
    task: str, scores: NDArray[np.float64], first: int | None, second: int | None
) -> tuple[int, int | None]:
    """Return the column that is explained, and the one that it is compared with."""
    order = np.argsort(-scores, kind="stable").tolist()
    if first is None:
        first = next(column for column in order if column != second)
    if second is None and task == "label":
        second = next(column for column in order if column != first)
    return first, second


def _decision(classifier: TextClassifier, outputs: int, first: int, second: int | None) -> Decision:
    direction = np.zeros(outputs)
    if classifier.task == "number":
        labels = classifier.head.labels
        direction[first] = labels.standard_deviation
        return Decision(direction, labels.mean)
    direction[first] = 1
    if second is not None:
        direction[second] = -1
    return Decision(direction)


def _explainer(classifier: TextClassifier, texts: list[str]) -> Explainer:
    head: Any = classifier.head
    if isinstance(head, LinearClassifier):
        from embedkit.classification.linear_explanation import LinearExplainer

        return LinearExplainer(head, texts)
    from embedkit.classification.network_explanation import NetworkExplainer

    return NetworkExplainer(head, texts)
