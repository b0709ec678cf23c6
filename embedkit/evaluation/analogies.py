"""Accuracy of analogies."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, QuestionError, counted
from embedkit.evaluation.analogy_ranks import SKIPPED, KnownWords, SectionRanks, answer_ranks
from embedkit.evaluation.datasets import Section, read_analogies
from embedkit.evaluation.options import EVALUATION_METHODS
from embedkit.validation import check_choice, whole_number
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["AnalogyReport", "SectionScore", "analogy_accuracy"]


@dataclass(frozen=True)
class SectionScore:
    """Numbers of the questions of a section.

    Attributes:
        name: the section.
        correct: number of right answers.
        asked: number of questions that count, right or wrong.
        skipped: number of questions that are left out for an unknown word.
        unknown: number of questions with an unknown word: they are skipped, or with
            *count_unknown* they are asked, and wrong.
        group: the group of the section, or "".
        composed: number of questions asked with a word that was composed of character n-grams.
    """

    name: str
    correct: int
    asked: int
    skipped: int
    unknown: int
    group: str = ""
    composed: int = 0

    @property
    def accuracy(self) -> float:
        """Share of the questions asked whose answers are correct; NaN if none was asked."""
        return self.correct / self.asked if self.asked else float("nan")

    @property
    def coverage(self) -> float:
        """Share of the questions whose words are known or composed; NaN without questions."""
        total = self.asked + self.skipped
        return (total - self.unknown) / total if total else float("nan")


@dataclass(frozen=True)
class AnalogyReport:
    """Scores by section, by group of sections if the file has groups, and in total.

    Attributes:
        sections: scores of sections.
        groups: scores of groups of sections.
        total: scores of all questions.
        ranks: for each question the number of words before the right answer, (questions,);
            `SKIPPED` for one with an unknown word, `NEVER` if the answer is a word of the question.
            For the methods that learn from pairs, each pair is a question.
        top: an answer with a rank below this is correct.
        count_unknown: whether questions with an unknown word count as wrong.
    """

    sections: tuple[SectionScore, ...]
    groups: tuple[SectionScore, ...]
    total: SectionScore
    ranks: NDArray[np.int64] = field(repr=False, compare=False)
    top: int = 1
    count_unknown: bool = False

    @property
    def accuracy(self) -> float:
        """Share of the questions asked whose answers are correct."""
        return self.total.accuracy

    @property
    def coverage(self) -> float:
        """Share of all questions whose words are known or composed."""
        return self.total.coverage

    @property
    def outcomes(self) -> NDArray[np.float64]:
        """1 for a correct answer, 0 for a wrong one, NaN if it does not count, (questions,)."""
        right = (self.ranks >= 0) & (self.ranks < self.top)
        unknown = 0.0 if self.count_unknown else np.nan
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
    oov: str = "skip",
) -> AnalogyReport:
    """Score the analogies of a file or folder, in a format of `datasets.read_analogies`.

    For ``a b c d`` the nearest word to b - a + c should be d. As in gensim, case is ignored, the
    words of the question are not answers, and a question with a word outside the *restrict* most
    frequent ones is skipped. If a question has several right answers, any of them counts.

    Args:
        vectors: the vectors to score.
        path: a file or folder of questions.
        restrict: number of the most frequent words that are known.
        top: N; an answer is correct if it is in the top N.
        method: one of `EVALUATION_METHODS`.
        case_sensitive: distinguish Polish from polish.
        count_unknown: count a skipped question as wrong, like gensim's ``dummy4unknown``.
        oov: "skip" leaves out questions with words that are not in the vocabulary, as in published
            scores of fastText and in gensim; "subwords" composes the vectors of a, b and c of
            character n-grams, if the vectors have them. The answer must be in the vocabulary, and
            less frequent words than the *restrict* most frequent ones are left out in either case.

    Raises:
        QuestionError: the file is missing or has no questions, a line cannot be read, or no
            question is known and *count_unknown* is false.
        ConfigurationError: the method is unknown or does not support sparse vectors, or a number is
            out of range.
        ModelError: a vector contains NaN or infinity.
    """
    check_choice("analogy method", method, EVALUATION_METHODS)
    whole_number("restrict", restrict, 1)
    whole_number("top", top, 1)
    if method == "lrcos" and vectors.is_sparse:
        raise ConfigurationError("lrcos needs dense vectors.", hint="Choose the method 3cosavg.")
    sections = read_analogies(Path(path))
    known = KnownWords(vectors, sections, restrict=restrict, case_sensitive=case_sensitive, oov=oov)
    found = [answer_ranks(section, known, method) for section in sections]
    report = _report(sections, found, top, count_unknown=count_unknown)
    if not count_unknown and not report.total.asked:
        raise QuestionError(
            f"{path}: too few known questions: the model knows 0 of "
            f"{counted(report.total.skipped, 'question')}, with its "
            f"{counted(known.size, 'most frequent word')}."
        )
    return report


def _report(
    sections: Sequence[Section],
    found: Sequence[SectionRanks],
    top: int,
    *,
    count_unknown: bool,
) -> AnalogyReport:
    scores = [
        _score(section, own, top, count_unknown=count_unknown)
        for section, own in zip(sections, found, strict=True)
    ]
    groups = dict.fromkeys(section.group for section in sections if section.group)
    return AnalogyReport(
        tuple(scores),
        tuple(_sum(group, [score for score in scores if score.group == group]) for group in groups),
        _sum("total", scores),
        np.concatenate([own.ranks for own in found]),
        top,
        count_unknown,
    )


def _score(section: Section, found: SectionRanks, top: int, *, count_unknown: bool) -> SectionScore:
    ranks = found.ranks
    known = ranks != SKIPPED
    correct = int((known & (ranks < top)).sum())
    unknown = int((~known).sum())
    skipped = 0 if count_unknown else unknown
    return SectionScore(
        section.name,
        correct,
        len(ranks) - skipped,
        skipped,
        unknown,
        section.group,
        found.composed,
    )


def _sum(name: str, scores: Sequence[SectionScore]) -> SectionScore:
    return SectionScore(
        name,
        sum(score.correct for score in scores),
        sum(score.asked for score in scores),
        sum(score.skipped for score in scores),
        sum(score.unknown for score in scores),
        composed=sum(score.composed for score in scores),
    )
