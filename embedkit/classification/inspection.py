"""What a classifier has learned: the terms of each label, and what excites each unit of a network.

inspection = inspect_classifier(TextClassifier.load("classifier.embedkit"))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.linear_classifier import LinearClassifier
from embedkit.classification.text_classifier import TextClassifier

if TYPE_CHECKING:
    from embedkit.classification.unit_inspection import NetworkInspection

__all__ = ["Inspection", "LabelTerms", "LinearInspection", "TermScore", "inspect_classifier"]


@dataclass(frozen=True)
class TermScore:
    """The score of a word or n-gram for a label, and the number of training texts that have it.

    The scores of numbers are in the unit of the numbers.
    """

    term: str
    score: float
    texts: int

    def as_dict(self) -> dict[str, object]:
        """Return the score as values that JSON can represent."""
        return {"term": self.term, "score": self.score, "texts": self.texts}


@dataclass(frozen=True)
class LabelTerms:
    """The terms that speak most strongly for a label and against it.

    Attributes:
        label: the label; "number" if the classifier predicts numbers.
        words_for, words_against: words with the highest scores above 0, and with the lowest below.
        ngrams_for, ngrams_against: the same of word n-grams.
    """

    label: str
    words_for: tuple[TermScore, ...]
    words_against: tuple[TermScore, ...]
    ngrams_for: tuple[TermScore, ...]
    ngrams_against: tuple[TermScore, ...]


@dataclass(frozen=True)
class LinearInspection:
    """What a linear classifier has learned."""

    labels: tuple[LabelTerms, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the inspection as values that JSON can represent."""
        names = ("words_for", "words_against", "ngrams_for", "ngrams_against")
        return {
            "head": "linear",
            "labels": [
                {
                    "label": terms.label,
                    **{name: [s.as_dict() for s in getattr(terms, name)] for name in names},
                }
                for terms in self.labels
            ],
        }


Inspection: TypeAlias = "LinearInspection | NetworkInspection"


def inspect_classifier(
    classifier: TextClassifier,
    texts: Sequence[str] = (),
    *,
    k: int = 8,
    units: int = 12,
    restrict: int = 20_000,
) -> Inspection:
    """Return the strongest terms of each label, or what excites the units of a network.

    Args:
        classifier: a classifier.
        texts: for a network, texts among which the ones are found that excite a unit most.
        k: number of terms and texts.
        units: for a network, how many units of each hidden layer are described.
        restrict: for a network, only this many of the most frequent words of its vectors are tried,
            and all terms that it has learned.
    """
    if isinstance(classifier.head, LinearClassifier):
        return _inspect_linear(classifier.head, k)
    from embedkit.classification.unit_inspection import inspect_network

    return inspect_network(classifier.head, texts, k=k, units=units, restrict=restrict)


def _inspect_linear(classifier: LinearClassifier, k: int) -> LinearInspection:
    names = classifier.labels.classes.tolist() or ["number"]
    words = len(classifier.model.terms.words)
    found = []
    for column, name in enumerate(names):
        scores = classifier.model.term_scores[:, column] * np.float32(
            classifier.labels.standard_deviation
        )
        parts = [
            _extremes(classifier, scores[part], part.start, k, sign)
            for part in (slice(0, words), slice(words, len(scores)))
            for sign in (1, -1)
        ]
        found.append(LabelTerms(str(name), *parts))
    return LinearInspection(tuple(found))


def _extremes(
    classifier: LinearClassifier, scores: NDArray[np.float32], first: int, k: int, sign: int
) -> tuple[TermScore, ...]:
    """Return the k terms with the highest scores above 0, or with *sign* -1 the lowest below."""
    terms = classifier.model.terms
    k = min(k, len(scores))
    chosen = np.argpartition(-sign * scores, k - 1)[:k] if k else np.zeros(0, np.int64)
    chosen = chosen[np.argsort(-sign * scores[chosen], kind="stable")]
    return tuple(
        TermScore(
            " ".join(terms.words_of(first + place)),
            float(scores[place]),
            int(terms.document_frequencies[first + place]),
        )
        for place in chosen.tolist()
        if sign * scores[place] > 0
    )
