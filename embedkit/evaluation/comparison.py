"""Scores of a model on several files, and whether another model's are better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from embedkit.errors import ConfigurationError
from embedkit.evaluation.analogies import AnalogyReport, SectionScore, analogy_accuracy
from embedkit.evaluation.bootstrap import (
    Difference,
    Interval,
    accuracy_difference,
    accuracy_interval,
    correlation_difference,
    correlation_interval,
)
from embedkit.evaluation.categories import CategoryReport, category_purity
from embedkit.evaluation.similarity import SimilarityReport, word_similarity
from embedkit.validation import whole_number
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["Report", "Score", "ScoreSettings", "compare", "facts", "score"]

Report: TypeAlias = "AnalogyReport | SimilarityReport | CategoryReport"

_RANGES = {
    "restrict": (1, 2**31 - 1),
    "top": (1, 2**31 - 1),
    "draws": (1, 1_000_000),
    "seed": (0, 2**32 - 1),  # of scikit-learn's clusters
}


@dataclass(frozen=True)
class ScoreSettings:
    """How files are asked; see `analogy_accuracy`, `word_similarity`, `category_purity`.

    Attributes:
        count_unknown: a question with an unknown word is answered wrongly, a pair with one has the
            similarity 0; by default both are left out.
        draws: of the bootstrap.
        seed: of the bootstrap and of the clusters.

    Raises:
        ConfigurationError: a number lies outside its range.
    """

    restrict: int = 30_000
    top: int = 1
    method: str = "3cosadd"
    case_sensitive: bool = False
    count_unknown: bool = False
    draws: int = 1_000
    seed: int = 1

    def __post_init__(self) -> None:
        for name, limits in _RANGES.items():
            whole_number(name, getattr(self, name), *limits)


@dataclass(frozen=True)
class Score:
    """What one model scored on one file.

    Attributes:
        report: all that was found.
        value: accuracy, Spearman's correlation or purity.
        interval: of the value.
    """

    report: Report
    value: float
    interval: Interval


def score(
    vectors: WordVectors, kind: str, path: str, settings: ScoreSettings | None = None
) -> Score:
    """Score vectors on a file of the kind "analogies", "similarity" or "categories".

    Raises:
        QuestionError: the file is missing, a line cannot be read, or too little of it is known.
        ConfigurationError: no such kind.
        ModelError: a vector holds what is no finite number.
    """
    chosen = settings or ScoreSettings()
    drawn: Any = {"draws": chosen.draws, "seed": chosen.seed}
    if kind == "analogies":
        analogies = analogy_accuracy(
            vectors,
            path,
            restrict=chosen.restrict,
            top=chosen.top,
            method=chosen.method,
            case_sensitive=chosen.case_sensitive,
            count_unknown=chosen.count_unknown,
        )
        return Score(analogies, analogies.accuracy, accuracy_interval(analogies.outcomes, **drawn))
    if kind == "similarity":
        pairs = word_similarity(
            vectors,
            path,
            count_unknown=chosen.count_unknown,
            case_sensitive=chosen.case_sensitive,
        )
        return Score(pairs, pairs.spearman, correlation_interval(pairs.human, pairs.ours, **drawn))
    if kind == "categories":
        groups = category_purity(
            vectors, path, seed=chosen.seed, case_sensitive=chosen.case_sensitive
        )
        return Score(groups, groups.purity, accuracy_interval(groups.outcomes, **drawn))
    raise ConfigurationError(f"no kind {kind!r}; there are analogies, similarity, categories")


def compare(first: Score, second: Score, settings: ScoreSettings | None = None) -> Difference:
    """Return the second model's score less the first one's, on what of one file both know."""
    chosen = settings or ScoreSettings()
    drawn: Any = {"draws": chosen.draws, "seed": chosen.seed}
    one, other = first.report, second.report
    if isinstance(one, SimilarityReport) and isinstance(other, SimilarityReport):
        return correlation_difference(one.human, one.ours, other.ours, **drawn)
    if isinstance(one, SimilarityReport) or isinstance(other, SimilarityReport):
        raise ConfigurationError("scores of two kinds are not compared.")
    return accuracy_difference(one.outcomes, other.outcomes, **drawn)


def facts(found: Score) -> dict[str, Any]:
    """Return a score as JSON can hold it, without the single questions."""
    report = found.report
    shared = {"coverage": report.coverage, "interval": list(asdict(found.interval).values())}
    if isinstance(report, AnalogyReport):
        return {
            "sections": _sections(report.sections),
            "groups": _sections(report.groups),
            "total": _sections([report.total])[0],
            "accuracy": report.accuracy,
            "top": report.top,
            **shared,
        }
    if isinstance(report, SimilarityReport):
        names: tuple[str, ...] = ("spearman", "pearson", "found", "total")
    else:
        names = ("purity", "categories", "found", "total")
    return {name: getattr(report, name) for name in names} | shared


def _sections(scores: Iterable[SectionScore]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in asdict(found).items() if value != ""}
        | {"accuracy": found.accuracy, "coverage": found.coverage}
        for found in scores
    ]
