"""Analogies: how often the answer of a - b + c is the right one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, ModelError
from embedkit.evaluation.files import Question, Section, read_analogies
from embedkit.metrics import unit_rows
from embedkit.text import normalize
from embedkit.vectors import WordVectors

__all__ = ["METHODS", "AnalogyReport", "SectionScore", "analogy_accuracy"]

_SCORES = 1 << 23  # of a batch, 32 MB: questions times words
_SKIPPED, _NEVER = -1, np.iinfo(np.int64).max
_EPSILON = np.float32(1e-6)


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
        return np.where(self.ranks == _SKIPPED, unknown, right.astype(np.float64))


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
        method: "3cosadd" (Mikolov et al. 2013, N13-1090) or "3cosmul" (Levy and Goldberg 2014,
            W14-1618), over unit vectors.
        case_sensitive: tell Polish from polish.
        count_unknown: a skipped question is a wrong answer, gensim's ``dummy4unknown``.

    Raises:
        QuestionError: nothing is there or a line cannot be read.
        ConfigurationError: no such method, or a number below 1.
        ModelError: a vector holds what is no finite number.
    """
    if method not in METHODS:
        raise ConfigurationError(f"no analogy method {method!r}; there are {', '.join(METHODS)}")
    if restrict < 1 or top < 1:
        raise ConfigurationError(f"restrict and top are at least 1, not {restrict} and {top}")
    sections = read_analogies(Path(path))
    known = _Known(vectors, sections, restrict, normalize if not case_sensitive else str)
    units = unit_rows(vectors.matrix[: known.size])  # sparse if they are: one-hot ones are V x V
    if not np.isfinite(units.data if vectors.is_sparse else units).all():
        raise ModelError(
            "the vectors hold numbers that are not finite. Remedy: train the model again."
        )
    questions = [question for section in sections for question in section.questions]
    ranks = _all_ranks([known.ask(question) for question in questions], units, METHODS[method])
    scores, start = [], 0
    for section in sections:
        end = start + len(section.questions)
        scores.append(_score(section, ranks[start:end], top, count_unknown=count_unknown))
        start = end
    groups = dict.fromkeys(section.group for section in sections if section.group)
    return AnalogyReport(
        tuple(scores),
        tuple(_sum(group, [score for score in scores if score.group == group]) for group in groups),
        _sum("total", scores),
        ranks,
        top,
    )


class _Asked(NamedTuple):
    """A question in row numbers; the words of a question may have several spellings."""

    a: int
    b: int
    c: int
    excluded: list[int]
    right: list[int]


class _Known:
    """The rows of the words that questions have, by their normalised spelling.

    Args:
        vectors: their most frequent words are known.
        sections: whose words are looked up.
        restrict: how many words are known.
        spell: makes one word of its spellings.
    """

    def __init__(
        self,
        vectors: WordVectors,
        sections: Iterable[Section],
        restrict: int,
        spell: Callable[[str], str],
    ) -> None:
        self.size = min(restrict, len(vectors))
        words = {
            word
            for section in sections
            for question in section.questions
            for word in (question.a, *question.b, question.c, *question.answers)
        }
        self._spelled = {word: spell(word) for word in words}
        self._rows: dict[str, list[int]] = {word: [] for word in self._spelled.values()}
        for row, word in enumerate(vectors.vocabulary.words(range(self.size))):
            if (found := self._rows.get(spell(word))) is not None:
                found.append(row)

    def ask(self, question: Question) -> _Asked | None:
        """Return a question in row numbers, or None if a word of it is not known."""
        a, c = self._of(question.a), self._of(question.c)
        b: list[int] = next(filter(None, map(self._of, question.b)), [])
        right = [row for answer in question.answers for row in self._of(answer)]
        if not (a and b and c and right):
            return None
        return _Asked(a[0], b[0], c[0], [*a, *b, *c], right)

    def _of(self, word: str) -> list[int]:
        return self._rows[self._spelled[word]]


def _dense(rows: Any) -> NDArray[np.float32]:
    return np.asarray(rows if isinstance(rows, np.ndarray) else rows.toarray())


def _add(units: Any, a: Any, b: Any, c: Any) -> NDArray[np.float32]:
    return _dense((units[b] - units[a] + units[c]) @ units.T)


def _multiply(units: Any, a: Any, b: Any, c: Any) -> NDArray[np.float32]:
    # Neighbouring questions share most of their words.
    words, places = np.unique(np.concatenate([a, b, c]), return_inverse=True)
    shifted = (_dense(units[words] @ units.T) + np.float32(1)) / np.float32(2)
    away, *towards = places.reshape(3, -1)
    return np.asarray(shifted[towards[0]] * shifted[towards[1]] / (shifted[away] + _EPSILON))


Method = Callable[[Any, Any, Any, Any], NDArray[np.float32]]
METHODS: Mapping[str, Method] = {"3cosadd": _add, "3cosmul": _multiply}
"""From unit rows (V, d) and the rows of a, b and c, (n,) each, to scores of all words, (n, V)."""


def _all_ranks(questions: Sequence[_Asked | None], units: Any, method: Method) -> NDArray[np.int64]:
    """Return the number of words before the first right answer to each question, or `_SKIPPED`."""
    ranks = np.full(len(questions), _SKIPPED, dtype=np.int64)
    asked = [number for number, question in enumerate(questions) if question is not None]
    batch = max(1, _SCORES // max(1, units.shape[0]))
    for start in range(0, len(asked), batch):
        numbers = asked[start : start + batch]
        ranks[numbers] = _ranks([q for n in numbers if (q := questions[n])], units, method)
    return ranks


def _ranks(questions: list[_Asked], units: Any, method: Method) -> NDArray[np.int64]:
    a, b, c = np.array([question[:3] for question in questions]).T
    scores = method(units, a, b, c)
    scores[_pairs(question.excluded for question in questions)] = -np.inf
    right = _pairs(question.right for question in questions)
    starts = np.flatnonzero(np.diff(right[0], prepend=-1))
    best = np.maximum.reduceat(scores[right], starts)
    ranks: NDArray[np.int64] = np.count_nonzero(scores > best[:, np.newaxis], axis=1)
    for number, question in enumerate(questions):  # among equals the more frequent word comes first
        row = min(row for row in question.right if scores[number, row] == best[number])
        ranks[number] += np.count_nonzero(scores[number, :row] == best[number])
    ranks[np.isneginf(best)] = _NEVER
    return ranks


def _pairs(rows: Iterable[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (place, row) of every row in a sequence of lists."""
    lists = list(rows)
    places = np.repeat(np.arange(len(lists)), [len(found) for found in lists])
    return places, np.concatenate(lists).astype(np.int64)


def _score(
    section: Section, ranks: NDArray[np.int64], top: int, *, count_unknown: bool
) -> SectionScore:
    asked = ranks != _SKIPPED
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
