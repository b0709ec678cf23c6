"""Scores: analogies and word similarities, the numbers that gensim reports for the same vectors."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import QuestionError
from embedkit.metrics import unit_rows
from embedkit.text import normalize
from embedkit.training.report import EpochReport
from embedkit.vectors import WordVectors

__all__ = [
    "AnalogyReport",
    "EarlyStopping",
    "SectionScore",
    "SimilarityReport",
    "analogy_accuracy",
    "scored_pairs",
    "word_similarity",
]

_BATCH = 256


@dataclass(frozen=True)
class SectionScore:
    """Questions of one section: answered rightly, asked, and skipped for an unknown word."""

    name: str
    correct: int
    asked: int
    skipped: int


@dataclass(frozen=True)
class AnalogyReport:
    """Scores by section and in all."""

    sections: tuple[SectionScore, ...]
    total: SectionScore

    @property
    def accuracy(self) -> float:
        """Share of the asked questions whose first answer is right; NaN if none was asked."""
        return self.total.correct / self.total.asked if self.total.asked else float("nan")


@dataclass(frozen=True)
class SimilarityReport:
    """Rank and linear correlation with human scores, and how many of the pairs were known."""

    spearman: float
    pearson: float
    found: int
    total: int


def analogy_accuracy(
    vectors: WordVectors, path: str | os.PathLike[str], *, restrict: int = 30_000
) -> AnalogyReport:
    """Ask the analogies of a file in Google's format: ``: section`` lines, then four words a line.

    For ``a b c d`` the nearest word to b - a + c (unit vectors, 3CosAdd) should be d. As in
    gensim, case is ignored, the words of the question are no answers, and a question with a word
    that is not among the *restrict* most frequent is skipped.

    Raises:
        QuestionError: the file is missing or a line cannot be read.
    """
    size = min(restrict, len(vectors))
    units = unit_rows(vectors.matrix[:size])  # sparse if they are: one-hot ones are V x V
    index: dict[str, int] = {}
    spelled = [
        index.setdefault(normalize(word), number)
        for number, word in enumerate(vectors.vocabulary.words(range(size)))
    ]
    same = np.array(spelled, dtype=np.int64)  # the most frequent spelling of each word
    sections = [
        _score(name, questions, index, units, same) for name, questions in _sections(Path(path))
    ]
    if not sections:
        raise QuestionError(f"{path} holds no question.")
    total = SectionScore(
        "total",
        sum(section.correct for section in sections),
        sum(section.asked for section in sections),
        sum(section.skipped for section in sections),
    )
    return AnalogyReport(tuple(sections), total)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise QuestionError(f"cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise QuestionError(f"{path} is not UTF-8: {error}.") from error


def _sections(path: Path) -> list[tuple[str, list[list[str]]]]:
    sections: list[tuple[str, list[list[str]]]] = []
    for number, line in _lines(path):
        if line.startswith(":"):
            sections.append((line[1:].strip(), []))
            continue
        words = [normalize(word) for word in line.split()]
        if len(words) != 4:
            raise QuestionError(f"{path}, line {number}: expected four words, got {line!r:.80}.")
        if not sections:
            sections.append(("questions", []))
        sections[-1][1].append(words)
    return sections


def _dense(rows: Any) -> NDArray[np.float32]:
    return np.asarray(rows if isinstance(rows, np.ndarray) else rows.toarray())


def _score(
    name: str,
    questions: list[list[str]],
    index: dict[str, int],
    units: Any,
    same: NDArray[np.int64],
) -> SectionScore:
    known = [[index[word] for word in q] for q in questions if all(word in index for word in q)]
    rows = np.array(known, dtype=np.int64).reshape(-1, 4)
    correct = 0
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        a, b, c, d = batch.T
        scores = _dense((units[b] - units[a] + units[c]) @ units.T)
        for word in (a, b, c):
            scores[same == word[:, np.newaxis]] = -np.inf
        correct += int((same[scores.argmax(axis=1)] == d).sum())
    return SectionScore(name, correct, len(rows), len(questions) - len(rows))


def word_similarity(vectors: WordVectors, path: str | os.PathLike[str]) -> SimilarityReport:
    """Correlate cosine similarities with human scores.

    The file has two words and a number a line, between tabs, commas or spaces; lines that begin
    with # are comments, and a first line without a number names the columns. Pairs with an unknown
    word are left out and counted.

    Raises:
        QuestionError: the file is missing or a line cannot be read, or no pair is known.
    """
    from scipy import stats

    human, ours, total = scored_pairs(vectors, path)
    if np.ptp(human) == 0 or np.ptp(ours) == 0:  # no correlation is defined
        return SimilarityReport(float("nan"), float("nan"), len(human), total)
    return SimilarityReport(
        spearman=float(stats.spearmanr(human, ours).statistic),
        pearson=float(stats.pearsonr(human, ours).statistic),
        found=len(human),
        total=total,
    )


def scored_pairs(
    vectors: WordVectors, path: str | os.PathLike[str]
) -> tuple[NDArray[np.float64], NDArray[np.float32], int]:
    """Return human scores and cosine similarities, (known pairs,) each, and the number of pairs.

    Raises:
        QuestionError: as `word_similarity`.
    """
    lines = [(number, line) for number, line in _lines(Path(path)) if line[0] != "#"]
    if lines and lines[0][0] == 1 and _is_header(lines[0][1]):
        del lines[0]
    pairs = [_pair(Path(path), number, line) for number, line in lines]
    index: dict[str, int] = {}
    for number, word in enumerate(vectors.vocabulary):
        index.setdefault(normalize(word), number)
    left = np.array([index.get(normalize(first), -1) for first, _, _ in pairs], dtype=np.int64)
    right = np.array([index.get(normalize(second), -1) for _, second, _ in pairs], dtype=np.int64)
    known = (left >= 0) & (right >= 0)
    if known.sum() < 2:
        raise QuestionError(
            f"{path}: the model knows {known.sum()} of {len(pairs)} pairs; too few."
        )
    human = np.array([pair[2] for pair in pairs])[known]
    ours = np.einsum(
        "ij,ij->i",
        unit_rows(_dense(vectors.matrix[left[known]])),
        unit_rows(_dense(vectors.matrix[right[known]])),
    )
    return human, ours, len(pairs)


def _is_header(line: str) -> bool:
    columns = re.split(r"[\t,]", line)
    return len(columns) >= 3 and not any(character.isdigit() for character in columns[2])


def _pair(path: Path, number: int, line: str) -> tuple[str, str, float]:
    separator = "\t" if "\t" in line else "," if "," in line else None
    parts = [part.strip() for part in line.split(separator)]
    try:
        first, second, score = parts[0], parts[1], float(parts[2])
        if not math.isfinite(score):
            raise ValueError
    except (IndexError, ValueError):
        raise QuestionError(
            f"{path}, line {number}: expected two words and a number, got {line!r:.80}."
        ) from None
    return first, second, score


class EarlyStopping:
    """Ends training when analogies get no better; pass it as `on_epoch_end`.

    Args:
        path: questions in Google's format.
        patience: epochs without a better score before training ends; None never ends it.
        restrict: answers come from so many of the most frequent words.

    Attributes:
        accuracies: of each epoch so far.

    Raises:
        QuestionError: the file is missing, or a line cannot be read.
    """

    def __init__(
        self, path: str | os.PathLike[str], patience: int | None = None, *, restrict: int = 30_000
    ) -> None:
        self._path = Path(path)
        self._patience = patience
        self._restrict = restrict
        self.accuracies: list[float] = []
        _sections(self._path)  # so that a mistake in the file is found before training begins

    def __call__(self, report: EpochReport) -> bool:
        """Score the epoch's vectors; tell whether training should end.

        Raises:
            QuestionError: no question has words that are all trained.
        """
        vectors = WordVectors(report.vocabulary, report.vectors)
        accuracy = analogy_accuracy(vectors, self._path, restrict=self._restrict).accuracy
        if math.isnan(accuracy):
            raise QuestionError(f"{self._path}: no question has only words of the vocabulary.")
        self.accuracies.append(accuracy)
        best = self.accuracies.index(max(self.accuracies))
        return self._patience is not None and len(self.accuracies) - 1 - best >= self._patience
