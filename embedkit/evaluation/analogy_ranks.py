"""Ranks of the right answers to analogies: the questions as row numbers, and their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.evaluation.datasets import Question, Section, WordAnswers
from embedkit.evaluation.words import BenchmarkWords
from embedkit.index.metrics import Matrix
from embedkit.vectors.formulas import (
    analogy_targets,
    class_probabilities,
    contrast_rows,
    cosmul,
    held_out_targets,
    lrcos_scores,
    shifted,
)
from embedkit.vectors.options import PAIR_METHODS
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["METHODS", "NEVER", "SKIPPED", "KnownWords", "SectionRanks", "answer_ranks"]

SKIPPED = -1
"""Rank of a question that was not asked, because a word is unknown."""

NEVER = np.iinfo(np.int64).max
"""Rank of a right answer that is excluded, because it is a word of the question."""

_BATCH_SCORES = 1 << 23  # questions times words of a batch, 32 MB

RowNumbers: TypeAlias = "NDArray[np.int64]"


class RowQuestion(NamedTuple):
    """A question as row numbers; a word may have several spellings.

    Attributes:
        words: a, b and c; or a pair whose second word is the answer. Those that are composed have
            numbers from `BenchmarkWords.size` on.
        excluded: rows that are not answers.
        right: rows that are right answers.
    """

    words: tuple[int, ...]
    excluded: list[int]
    right: list[int]


class KnownWords:
    """The numbers of the words of questions; see `BenchmarkWords`.

    Args:
        vectors: where the words are looked up.
        sections: the questions.
        restrict: number of the most frequent words that are known.
        case_sensitive: distinguish Polish from polish.
        oov: one of `EVALUATION_OOV`; right answers are never composed.
    """

    def __init__(
        self,
        vectors: WordVectors,
        sections: Iterable[Section],
        *,
        restrict: int,
        case_sensitive: bool,
        oov: str,
    ) -> None:
        words = {
            word
            for section in sections
            for question in section.questions
            for word in (question.a, *question.b, question.c, *question.answers)
        }
        self._words = BenchmarkWords(
            vectors, words, restrict=restrict, case_sensitive=case_sensitive, oov=oov
        )
        self.size = self._words.size
        self.units = self._words.all_units()

    def of_question(self, question: Question) -> RowQuestion | None:
        """Return a question as row numbers, or None if a word of it is not known."""
        a, b, c = self._of(question.a), self._first_known(question.b), self._of(question.c)
        right = self._rows_of_any(question.answers)
        if not (a and b and c and right):
            return None
        return RowQuestion((a[0], b[0], c[0]), self._rows([*a, *b, *c]), right)

    def of_pairs(self, pairs: Iterable[WordAnswers]) -> list[RowQuestion | None]:
        """Return the questions for the second words of pairs, None if a word is not known.

        Pairs that differ only in spelling count once: the others would reveal the answer.
        """
        asked: dict[tuple[str, ...], RowQuestion | None] = {}
        for word, answers in pairs:
            spelled = tuple(self._words.spelled(each) for each in (word, *answers))
            asked[spelled] = self._of_pair(word, answers)
        return list(asked.values())

    def _of_pair(self, word: str, answers: Sequence[str]) -> RowQuestion | None:
        start, right = self._of(word), self._rows_of_any(answers)
        if not (start and right):
            return None
        return RowQuestion((start[0], right[0]), self._rows(start), right)

    def _of(self, word: str) -> list[int]:
        return self._words.all_numbers(word)

    def _rows(self, numbers: Iterable[int]) -> list[int]:
        return [number for number in numbers if number < self.size]

    def _first_known(self, words: Sequence[str]) -> list[int]:
        """Return the numbers of the first word in the vocabulary, or else of one composed."""
        found = [numbers for word in words if (numbers := self._of(word))]
        return next((numbers for numbers in found if self._rows(numbers)), [*found, []][0])

    def _rows_of_any(self, words: Iterable[str]) -> list[int]:
        return [row for word in words for row in self._rows(self._of(word))]


def _dense(rows: Matrix) -> NDArray[np.float32]:
    return np.asarray(rows if isinstance(rows, np.ndarray) else rows.toarray())


class _Units(NamedTuple):
    """Unit vectors.

    Attributes:
        all: of the words of questions, (V + composed words, d), dense or CSR.
        answers: the first V of them, which can be answers.
    """

    all: Matrix
    answers: Matrix


def _add(units: _Units, words: RowNumbers, numbers: RowNumbers) -> NDArray[np.float32]:
    a, b, c = words[numbers].T
    return _dense(analogy_targets(units.all[b], units.all[a], units.all[c]) @ units.answers.T)


def _multiply(units: _Units, words: RowNumbers, numbers: RowNumbers) -> NDArray[np.float32]:
    # Questions that follow each other share most of their words.
    rows, places = np.unique(words[numbers].T, return_inverse=True)
    similarities = shifted(_dense(units.all[rows] @ units.answers.T))
    a, b, c = places.reshape(3, -1)
    return cosmul(similarities[b] * similarities[c], similarities[a])


def _average(units: _Units, words: RowNumbers, numbers: RowNumbers) -> NDArray[np.float32]:
    return np.asarray(held_out_targets(units.all, words, numbers) @ units.answers.T)


def _by_class(units: _Units, words: RowNumbers, numbers: RowNumbers) -> NDArray[np.float32]:
    known = units.answers
    scores = _dense(units.all[words[numbers, 0]] @ known.T)
    for place, number in enumerate(numbers):
        starts, ends = np.delete(words, number, axis=0).T
        others = [*starts, *contrast_rows(len(starts), len(known), ends)]
        probabilities = class_probabilities(known, known[ends], units.all[others])
        scores[place] = lrcos_scores(probabilities, scores[place])
    return scores


ScoreFunction: TypeAlias = Callable[[_Units, RowNumbers, RowNumbers], NDArray[np.float32]]
METHODS: Mapping[str, ScoreFunction] = {
    "3cosadd": _add,
    "3cosmul": _multiply,
    "3cosavg": _average,
    "lrcos": _by_class,
}
"""Functions that return the scores of all words for m questions, (m, V).

Their arguments are unit vectors, the words of all questions, (n, 2 or 3), and the numbers of the m
questions, (m,). The questions of `PAIR_METHODS` are the pairs of one relation; for each
pair, the others are the examples.
"""


class SectionRanks(NamedTuple):
    """Ranks of the right answers to the questions of a section.

    Attributes:
        ranks: the number of words before the first right answer, `SKIPPED` or `NEVER`,
            (questions,).
        composed: number of questions that were asked with a composed vector.
    """

    ranks: RowNumbers
    composed: int


def answer_ranks(section: Section, known: KnownWords, method: str) -> SectionRanks:
    """Return the ranks of the right answers to the questions of a section, or to its pairs.

    Args:
        section: the questions.
        known: the words of the questions, and their vectors.
        method: one of `EVALUATION_METHODS`; `PAIR_METHODS` ask for each pair of the section once.
    """
    if method in PAIR_METHODS:
        questions = known.of_pairs(section.pairs)
        if sum(pair is not None for pair in questions) < 2:  # a single pair has no examples
            questions = [None] * len(questions)
    else:
        questions = list(map(known.of_question, section.questions))
    composed = sum(max(q.words) >= known.size for q in questions if q is not None)
    units = known.units
    answers = units if units.shape[0] == known.size else units[: known.size]
    return SectionRanks(_find_ranks(questions, _Units(units, answers), METHODS[method]), composed)


def _find_ranks(
    questions: Sequence[RowQuestion | None], units: _Units, method: ScoreFunction
) -> RowNumbers:
    """Return the number of words before the first right answer to each question, or `SKIPPED`."""
    ranks = np.full(len(questions), SKIPPED, dtype=np.int64)
    asked = [question for question in questions if question is not None]
    if not asked:
        return ranks
    places = np.array([place for place, question in enumerate(questions) if question is not None])
    words = np.array([question.words for question in asked])
    batch = max(1, _BATCH_SCORES // units.answers.shape[0])
    for start in range(0, len(asked), batch):
        numbers = np.arange(start, min(start + batch, len(asked)))
        scores = method(units, words, numbers)
        ranks[places[numbers]] = _ranks(scores, asked[start : start + batch])
    return ranks


def _ranks(scores: NDArray[np.float32], questions: Sequence[RowQuestion]) -> RowNumbers:
    scores[_pairs(question.excluded for question in questions)] = -np.inf
    right = _pairs(question.right for question in questions)
    starts = np.flatnonzero(np.diff(right[0], prepend=-1))
    best = np.maximum.reduceat(scores[right], starts)
    ranks: RowNumbers = np.count_nonzero(scores > best[:, np.newaxis], axis=1)
    # Of words with equal scores, the more frequent one comes first.
    for number, question in enumerate(questions):
        row = min(row for row in question.right if scores[number, row] == best[number])
        ranks[number] += np.count_nonzero(scores[number, :row] == best[number])
    ranks[np.isneginf(best)] = NEVER
    return ranks


def _pairs(rows: Iterable[list[int]]) -> tuple[RowNumbers, RowNumbers]:
    """Return the number of the list and the row, for every row of a sequence of lists."""
    lists = list(rows)
    places = np.repeat(np.arange(len(lists)), [len(found) for found in lists])
    return places, np.concatenate(lists).astype(np.int64)
