"""Analogies in row numbers: which words a file asks for, and how many come before the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedkit.evaluation.datasets import Pair, Question, Section
from embedkit.vectors.options import PAIR_METHODS
from embedkit.vectors.scores import class_probabilities, spread_rows
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["METHODS", "NEVER", "SKIPPED", "Asked", "KnownWords", "ask", "find_ranks"]

SKIPPED = -1
"""Rank of a question that was not asked."""

NEVER = np.iinfo(np.int64).max
"""Rank of a right answer that is a word of the question."""

_SCORES = 1 << 23  # of a batch, 32 MB: questions times words
_EPSILON = np.float32(1e-6)

Rows = NDArray[np.int64]


class Asked(NamedTuple):
    """A question in row numbers; a word of it may have several spellings.

    Attributes:
        words: a, b and c; or a pair, of which the second word is asked for.
        excluded: are no answers.
        right: are.
    """

    words: tuple[int, ...]
    excluded: list[int]
    right: list[int]


class KnownWords:
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

    def of_question(self, question: Question) -> Asked | None:
        """Return a question in row numbers, or None if a word of it is not known."""
        a, b, c = self._of(question.a), self._first_known(question.b), self._of(question.c)
        right = self._of_any(question.answers)
        if not (a and b and c and right):
            return None
        return Asked((a[0], b[0], c[0]), [*a, *b, *c], right)

    def of_pairs(self, pairs: Iterable[Pair]) -> list[Asked | None]:
        """Return the questions for the second words of pairs, None where a word is not known.

        Of pairs that differ in spelling alone there is one: the others would give its answer away.
        """
        asked: dict[tuple[str, ...], Asked | None] = {}
        for word, answers in pairs:
            spelled = tuple(self._spelled[each] for each in (word, *answers))
            asked[spelled] = self._of_pair(word, answers)
        return list(asked.values())

    def _of_pair(self, word: str, answers: Sequence[str]) -> Asked | None:
        start, end = self._of(word), self._first_known(answers)
        if not (start and end):
            return None
        return Asked((start[0], end[0]), start, self._of_any(answers))

    def _of(self, word: str) -> list[int]:
        return self._rows[self._spelled[word]]

    def _first_known(self, words: Iterable[str]) -> list[int]:
        return next(filter(None, map(self._of, words)), [])

    def _of_any(self, words: Iterable[str]) -> list[int]:
        return [row for word in words for row in self._of(word)]


def _dense(rows: Any) -> NDArray[np.float32]:
    return np.asarray(rows if isinstance(rows, np.ndarray) else rows.toarray())


def _add(units: Any, words: Rows, numbers: Rows) -> NDArray[np.float32]:
    a, b, c = words[numbers].T
    return _dense((units[b] - units[a] + units[c]) @ units.T)


def _multiply(units: Any, words: Rows, numbers: Rows) -> NDArray[np.float32]:
    # Neighbouring questions share most of their words.
    rows, places = np.unique(words[numbers].T, return_inverse=True)
    shifted = (_dense(units[rows] @ units.T) + np.float32(1)) / np.float32(2)
    a, b, c = places.reshape(3, -1)
    return np.asarray(shifted[b] * shifted[c] / (shifted[a] + _EPSILON))


def _average(units: Any, words: Rows, numbers: Rows) -> NDArray[np.float32]:
    starts, ends = words.T
    shares = np.full((len(numbers), len(words)), 1 / (len(words) - 1), dtype=np.float32)
    shares[np.arange(len(numbers)), numbers] = 0
    moved = _dense(units[starts[numbers]]) + shares @ (units[ends] - units[starts])
    return np.asarray(moved @ units.T)


def _by_class(units: Any, words: Rows, numbers: Rows) -> NDArray[np.float32]:
    scores = _dense(units[words[numbers, 0]] @ units.T)
    for place, number in enumerate(numbers):
        starts, ends = np.delete(words, number, axis=0).T
        others = [*starts, *spread_rows(len(starts), len(units), ends)]
        scores[place] *= class_probabilities(units, units[ends], units[others])
    return scores


Method = Callable[[Any, Rows, Rows], NDArray[np.float32]]
METHODS: Mapping[str, Method] = {
    "3cosadd": _add,
    "3cosmul": _multiply,
    "3cosavg": _average,
    "lrcos": _by_class,
}
"""From unit rows (V, d), words of all questions (n, 2 or 3) and numbers of m questions to (m, V).

Questions of `PAIR_METHODS` are pairs of one relation: all pairs but its own answer each.
"""


def ask(section: Section, known: KnownWords, units: Any, method: str) -> Rows:
    """Return the ranks of the right answers to the questions of a section, or to its pairs.

    Args:
        units: unit rows of the known words, (V, d), sparse or not.
        method: a key of `METHODS`; those in `PAIR_METHODS` ask for each pair of the section once.

    Returns:
        Numbers of words before the first right answer, `SKIPPED` or `NEVER`, (questions,).
    """
    if method not in PAIR_METHODS:
        return find_ranks(list(map(known.of_question, section.questions)), units, METHODS[method])
    pairs = known.of_pairs(section.pairs)
    if sum(pair is not None for pair in pairs) < 2:  # nothing to learn from
        pairs = [None] * len(pairs)
    return find_ranks(pairs, units, METHODS[method])


def find_ranks(questions: Sequence[Asked | None], units: Any, method: Method) -> Rows:
    """Return the number of words before the first right answer to each question, or `SKIPPED`."""
    ranks = np.full(len(questions), SKIPPED, dtype=np.int64)
    asked = [question for question in questions if question is not None]
    if not asked:
        return ranks
    places = np.array([place for place, question in enumerate(questions) if question is not None])
    words = np.array([question.words for question in asked])
    batch = max(1, _SCORES // units.shape[0])
    for start in range(0, len(asked), batch):
        numbers = np.arange(start, min(start + batch, len(asked)))
        scores = method(units, words, numbers)
        ranks[places[numbers]] = _ranks(scores, asked[start : start + batch])
    return ranks


def _ranks(scores: NDArray[np.float32], questions: Sequence[Asked]) -> Rows:
    scores[_pairs(question.excluded for question in questions)] = -np.inf
    right = _pairs(question.right for question in questions)
    starts = np.flatnonzero(np.diff(right[0], prepend=-1))
    best = np.maximum.reduceat(scores[right], starts)
    ranks: Rows = np.count_nonzero(scores > best[:, np.newaxis], axis=1)
    for number, question in enumerate(questions):  # among equals the more frequent word comes first
        row = min(row for row in question.right if scores[number, row] == best[number])
        ranks[number] += np.count_nonzero(scores[number, :row] == best[number])
    ranks[np.isneginf(best)] = NEVER
    return ranks


def _pairs(rows: Iterable[list[int]]) -> tuple[Rows, Rows]:
    """Return (place, row) of every row in a sequence of lists."""
    lists = list(rows)
    places = np.repeat(np.arange(len(lists)), [len(found) for found in lists])
    return places, np.concatenate(lists).astype(np.int64)
