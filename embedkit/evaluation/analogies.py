"""Analogies: how often the answer of a - b + c is the right one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.tokenizers import normalize
from embedkit.errors import ConfigurationError, ModelError
from embedkit.evaluation.analogy_ranks import METHODS, SKIPPED, KnownWords, answer_ranks
from embedkit.evaluation.datasets import Section, read_analogies
from embedkit.index.metrics import unit_rows
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["AnalogyReport", "SectionScore", "analogy_accuracy"]


@dataclass(frozen=True)
class SectionScore:
    """Questions of one section: answered rightly, asked, and skipped for an unknown word."""

    name: str
    correct: int
    asked: int
    skipped: int
    group: str = ""
    count_unknown: bool = field(default=False, repr=False)

    @property
    def accuracy(self) -> float:
        """Share of right answers: to questions asked, or to all with *count_unknown*; or NaN."""
        counted = self.asked + self.skipped * self.count_unknown
        return self.correct / counted if counted else float("nan")

    @property
    def coverage(self) -> float:
        """Share of the questions that were asked; NaN without any."""
        total = self.asked + self.skipped
        return self.asked / total if total else float("nan")


@dataclass(frozen=True)
class AnalogyReport:
    """Scores by section, by group of sections where the file has groups, and in all.

    Attributes:
        ranks: for each question how many words come before a right answer, (questions,); -1 where
            it was skipped, and the largest number where a word of the question is the answer.
            By the methods that learn from pairs a question is a pair.
        top: a rank below this is right.
    """

    sections: tuple[SectionScore, ...]
    groups: tuple[SectionScore, ...]
    total: SectionScore
    ranks: NDArray[np.int64] = field(repr=False, compare=False)
    top: int = 1

    @property
    def accuracy(self) -> float:
        """Share of all questions that are answered rightly; see `SectionScore.accuracy`."""
        return self.total.accuracy

    @property
    def coverage(self) -> float:
        """Share of all questions that were asked."""
        return self.total.coverage

    @property
    def outcomes(self) -> NDArray[np.float64]:
        """1 for a right answer, 0 for a wrong one, NaN for what does not count, (questions,)."""
        right = (self.ranks >= 0) & (self.ranks < self.top)
        unknown = 0.0 if self.total.count_unknown else np.nan
        return np.where(self.ranks == SKIPPED, unknown, right.astype(np.float64))


def analogy_accuracy(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    restrict: int = 30_000,
    top: int = 1,
    method: str = "3cosadd",
    case_sensitive: bool = False,
    count_unknown: bool = False,
) -> AnalogyReport:
    """Ask the analogies of a file or folder; `files.read_analogies` has the formats.

    For ``a b c d`` the nearest word to b - a + c should be d. As in gensim, case is ignored, the
    words of the question are no answers, and a question with a word that is not among the
    *restrict* most frequent is skipped. Where several answers are right, any of them counts.

    Args:
        restrict: how many of the most frequent words there are.
        top: a right answer counts among the first so many.
        method: over unit vectors, "3cosadd" (Mikolov et al. 2013, N13-1090) or "3cosmul" (Levy and
            Goldberg 2014, W14-1618); or "3cosavg" or "lrcos" (Drozd et al. 2016, C16-1332), which
            ask for the second word of each pair of a section once, with all its other pairs as
            examples; answers may be words of those.
        case_sensitive: tell Polish from polish.
        count_unknown: a skipped question is a wrong answer, gensim's ``dummy4unknown``.

    Raises:
        QuestionError: nothing is there or a line cannot be read.
        ConfigurationError: no such method, none for one-hot vectors, or a number below 1.
        ModelError: a vector holds what is no finite number.
    """
    if method not in METHODS:
        raise ConfigurationError(f"no analogy method {method!r}; there are {', '.join(METHODS)}")
    if restrict < 1 or top < 1:
        raise ConfigurationError(f"restrict and top are at least 1, not {restrict} and {top}")
    if method == "lrcos" and vectors.is_sparse:
        raise ConfigurationError("lrcos needs dense vectors; use 3cosavg.")
    sections = read_analogies(Path(path))
    known = KnownWords(vectors, sections, restrict, normalize if not case_sensitive else str)
    units = unit_rows(vectors.matrix[: known.size])  # sparse if they are: one-hot ones are V x V
    if not np.isfinite(units.data if vectors.is_sparse else units).all():
        raise ModelError(
            "the vectors hold numbers that are not finite.", hint="Train the model again."
        )
    ranks = [answer_ranks(section, known, units, method) for section in sections]
    scores = [
        _score(section, own, top, count_unknown=count_unknown)
        for section, own in zip(sections, ranks, strict=True)
    ]
    groups = dict.fromkeys(section.group for section in sections if section.group)
    return AnalogyReport(
        tuple(scores),
        tuple(_sum(group, [score for score in scores if score.group == group]) for group in groups),
        _sum("total", scores),
        np.concatenate(ranks),
        top,
    )


def _score(
    section: Section, ranks: NDArray[np.int64], top: int, *, count_unknown: bool
) -> SectionScore:
    asked = ranks != SKIPPED
    correct = int((asked & (ranks < top)).sum())
    return SectionScore(
        section.name, correct, int(asked.sum()), int((~asked).sum()), section.group, count_unknown
    )


def _sum(name: str, scores: Sequence[SectionScore]) -> SectionScore:
    return SectionScore(
        name,
        sum(score.correct for score in scores),
        sum(score.asked for score in scores),
        sum(score.skipped for score in scores),
        count_unknown=scores[0].count_unknown,
    )
