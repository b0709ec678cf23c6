"""Score a model on benchmark files, and compare the scores of two models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TypeAlias, TypedDict

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
from embedkit.evaluation.options import BENCHMARK_KINDS, EVALUATION_OOV
from embedkit.evaluation.similarity import SimilarityReport, word_similarity
from embedkit.validation import check_choice, check_ranges
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["BenchmarkReport", "Score", "ScoreSettings", "compare", "facts", "score"]

BenchmarkReport: TypeAlias = "AnalogyReport | SimilarityReport | CategoryReport"

_RANGES = {
    "restrict": (1, 2**31 - 1),
    "top": (1, 2**31 - 1),
    "draws": (100, 1_000_000),  # with fewer, the ends of the interval are single draws
    "seed": (0, 2**32 - 1),  # the limit of scikit-learn
}


@dataclass(frozen=True)
class ScoreSettings:
    """Settings of `analogy_accuracy`, `word_similarity`, `category_purity` and the bootstrap.

    Attributes:
        restrict: number of the most frequent words that analogies may use.
        top: N; an analogy is correct if a right answer is in the top N.
        method: one of `EVALUATION_METHODS`.
        case_sensitive: distinguish Polish from polish.
        count_unknown: count a question with an unknown word as wrong, and a pair with one as having
            the similarity 0; by default both are left out.
        oov: one of `EVALUATION_OOV`; None is "skip" for analogies and "subwords" for the others,
            as in published scores.
        draws: resamples of the bootstrap, at least 100.
        seed: seed of the bootstrap and of k-means.

    Raises:
        ConfigurationError: a setting is out of range.
    """

    restrict: int = 30_000
    top: int = 1
    method: str = "3cosadd"
    case_sensitive: bool = False
    count_unknown: bool = False
    oov: str | None = None
    draws: int = 1_000
    seed: int = 1

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        if self.oov is not None:
            check_choice("oov", self.oov, EVALUATION_OOV)


class Drawing(TypedDict):
    """The keyword arguments of the bootstrap."""

    draws: int
    seed: int


@dataclass(frozen=True)
class Score:
    """The score of a model on a file.

    Attributes:
        report: the detailed report.
        value: accuracy, Spearman's correlation or purity.
        interval: confidence interval of the value.
    """

    report: BenchmarkReport
    value: float
    interval: Interval


def score(
    vectors: WordVectors, kind: str, path: str, settings: ScoreSettings | None = None
) -> Score:
    """Score vectors on a benchmark file.

    Args:
        vectors: the vectors to score.
        kind: one of `BENCHMARK_KINDS`.
        path: the file.
        settings: by default `ScoreSettings()`.

    Raises:
        QuestionError: the file is missing or has no questions, a line cannot be read, or too few
            words are known.
        ConfigurationError: the kind is unknown.
        ModelError: a vector contains NaN or infinity.
    """
    check_choice("kind of benchmark", kind, BENCHMARK_KINDS)
    chosen = settings or ScoreSettings()
    drawn: Drawing = {"draws": chosen.draws, "seed": chosen.seed}
    if kind == "analogies":
        analogies = analogy_accuracy(
            vectors,
            path,
            restrict=chosen.restrict,
            top=chosen.top,
            method=chosen.method,
            case_sensitive=chosen.case_sensitive,
            count_unknown=chosen.count_unknown,
            oov=chosen.oov or "skip",
        )
        return Score(analogies, analogies.accuracy, accuracy_interval(analogies.outcomes, **drawn))
    oov = chosen.oov or "subwords"
    if kind == "similarity":
        pairs = word_similarity(
            vectors,
            path,
            count_unknown=chosen.count_unknown,
            case_sensitive=chosen.case_sensitive,
            oov=oov,
        )
        return Score(pairs, pairs.spearman, correlation_interval(pairs.human, pairs.ours, **drawn))
    groups = category_purity(
        vectors, path, seed=chosen.seed, case_sensitive=chosen.case_sensitive, oov=oov
    )
    return Score(groups, groups.purity, accuracy_interval(groups.outcomes, **drawn))


def compare(first: Score, second: Score, settings: ScoreSettings | None = None) -> Difference:
    """Return the second score minus the first, on the questions that count for both."""
    chosen = settings or ScoreSettings()
    drawn: Drawing = {"draws": chosen.draws, "seed": chosen.seed}
    one, other = first.report, second.report
    if isinstance(one, SimilarityReport) and isinstance(other, SimilarityReport):
        return correlation_difference(one.human, one.ours, other.ours, **drawn)
    if isinstance(one, SimilarityReport) or isinstance(other, SimilarityReport):
        raise ConfigurationError("scores of different kinds of benchmarks cannot be compared")
    return accuracy_difference(one.outcomes, other.outcomes, **drawn)


def facts(found: Score) -> dict[str, object]:
    """Return a score for JSON, without the individual questions."""
    report = found.report
    shared = {"coverage": report.coverage, "interval": list(asdict(found.interval).values())}
    if isinstance(report, AnalogyReport):
        return {
            "sections": _sections(report.sections),
            "groups": _sections(report.groups),
            "total": _sections([report.total])[0],
            "accuracy": report.accuracy,
            "top": report.top,
            "count_unknown": report.count_unknown,
            **shared,
        }
    if isinstance(report, SimilarityReport):
        names: tuple[str, ...] = ("spearman", "pearson", "found", "composed", "total", "counted")
    else:
        names = ("purity", "categories", "found", "composed", "total")
    return {name: getattr(report, name) for name in names} | shared


def _sections(scores: Iterable[SectionScore]) -> list[dict[str, object]]:
    return [
        {name: value for name, value in asdict(found).items() if value != ""}
        | {"accuracy": found.accuracy, "coverage": found.coverage}
        for found in scores
    ]
