"""Ranks of the right answers to analogies: the questions as row numbers, and their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.evaluation.datasets import Question, Section, WordAnswers
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

__all__ = ["METHODS", "NEVER", "SKIPPED", "KnownWords", "RowQuestion", "answer_ranks", "find_ranks"]

SKIPPED = -1
"""Rank of a question that was not asked, because a word is unknown."""

NEVER = np.iinfo(np.int64).max
"""Rank of a right answer that is excluded, because it is a word of the question."""

_BATCH_SCORES = 1 << 23  # questions times words of a batch, 32 MB

RowNumbers: TypeAlias = "NDArray[np.int64]"


class RowQuestion(NamedTuple):
    """A question as row numbers; a word may have several spellings.

    Attributes:
        words: a, b and c; or a pair whose second word is the answer.
        excluded: rows that are not answers.
        right: rows that are right answers.
    """

    words: tuple[int, ...]
    excluded: list[int]
    right: list[int]


class KnownWords:
    """The rows of the words of questions, by normalized spelling.

    Args:
        vectors: where the words are looked up.
        sections: the questions.
        restrict: number of the most frequent words that are known.
        spell: normalizes the spelling of a word.
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

    def of_question(self, question: Question) -> RowQuestion | None:
        """Return a question as row numbers, or None if a word of it is not known."""
        a, b, c = self._of(question.a), self._first_known(question.b), self._of(question.c)
        right = self._of_any(question.answers)
        if not (a and b and c and right):
            return None
        return RowQuestion((a[0], b[0], c[0]), [*a, *b, *c], right)

    def of_pairs(self, pairs: Iterable[WordAnswers]) -> list[RowQuestion | None]:
        """Return the questions for the second words of pairs, None if a word is not known.

        Pairs that differ only in spelling count once: the others would reveal the answer.
        """
        asked: dict[tuple[str, ...], RowQuestion | None] = {}
        for word, answers in pairs:
            spelled = tuple(self._spelled[each] for each in (word, *answers))
            asked[spelled] = self._of_pair(word, answers)
        return list(asked.values())

    def _of_pair(self, word: str, answers: Sequence[str]) -> RowQuestion | None:
        start, end = self._of(word), self._first_known(answers)
        if not (start and end):
            return None
        return RowQuestion((start[0], end[0]), start, self._of_any(answers))

    def _of(self, word: str) -> list[int]:
        return self._rows[self._spelled[word]]

    def _first_known(self, words: Iterable[str]) -> list[int]:
        return next(filter(None, map(self._of, words)), [])

    def _of_any(self, words: Iterable[str]) -> list[int]:
        return [row for word in words for row in self._of(word)]


def _dense(rows: Matrix) -> NDArray[np.float32]:
    return np.asarray(rows if isinstance(rows, np.ndarray) else rows.toarray())


def _add(units: Matrix, words: RowNumbers, numbers: RowNumbers) -> NDArray[np.float32]:
    a, b, c = words[numbers].T
    return _dense(analogy_targets(units[b], units[a], units[c]) @ units.T)


def _multiply(units: Matrix, words: RowNumbers, numbers: RowNumbers) -> NDArray[np.float32]:
    # Questions that follow each other share most of their words.
    rows, places = np.unique(words[numbers].T, return_inverse=True)
    similarities = shifted(_dense(units[rows] @ units.T))
    a, b, c = places.reshape(3, -1)
    return cosmul(similarities[b] * similarities[c], similarities[a])


def _average(units: Matrix, words: RowNumbers, numbers: RowNumbers) -> NDArray[np.float32]:
    return np.asarray(held_out_targets(units, words, numbers) @ units.T)


def _by_class(units: Matrix, words: RowNumbers, numbers: RowNumbers) -> NDArray[np.float32]:
    scores = _dense(units[words[numbers, 0]] @ units.T)
    for place, number in enumerate(numbers):
        starts, ends = np.delete(words, number, axis=0).T
        others = [*starts, *contrast_rows(len(starts), len(units), ends)]
        probabilities = class_probabilities(units, units[ends], units[others])
        scores[place] = lrcos_scores(probabilities, scores[place])
    return scores


ScoreFunction: TypeAlias = Callable[[Matrix, RowNumbers, RowNumbers], NDArray[np.float32]]
METHODS: Mapping[str, ScoreFunction] = {
    "3cosadd": _add,
    "3cosmul": _multiply,
    "3cosavg": _average,
    "lrcos": _by_class,
}
"""Functions that return the scores of all words for m questions, (m, V).

Their arguments are the unit rows, (V, d), the words of all questions, (n, 2 or 3), and the numbers
of the m questions, (m,). The questions of `PAIR_METHODS` are the pairs of one relation; for each
pair, the others are the examples.
"""


def answer_ranks(section: Section, known: KnownWords, units: Matrix, method: str) -> RowNumbers:
    """Return the ranks of the right answers to the questions of a section, or to its pairs.

    Args:
        section: the questions.
        known: the rows of their words.
        units: unit rows of the known words, (V, d), dense or CSR.
        method: one of `EVALUATION_METHODS`; `PAIR_METHODS` ask for each pair of the section once.

    Returns:
        The number of words before the first right answer, `SKIPPED` or `NEVER`, (questions,).
    """
    if method not in PAIR_METHODS:
        return find_ranks(list(map(known.of_question, section.questions)), units, METHODS[method])
    pairs = known.of_pairs(section.pairs)
    if sum(pair is not None for pair in pairs) < 2:  # a single pair has no examples
        pairs = [None] * len(pairs)
    return find_ranks(pairs, units, METHODS[method])


def find_ranks(
    questions: Sequence[RowQuestion | None], units: Matrix, method: ScoreFunction
) -> RowNumbers:
    """Return the number of words before the first right answer to each question, or `SKIPPED`."""
    ranks = np.full(len(questions), SKIPPED, dtype=np.int64)
    asked = [question for question in questions if question is not None]
    if not asked:
        return ranks
    places = np.array([place for place, question in enumerate(questions) if question is not None])
    words = np.array([question.words for question in asked])
    batch = max(1, _BATCH_SCORES // units.shape[0])
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
