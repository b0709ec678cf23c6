"""Word similarity: correlation of cosines with human scores."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import QuestionError, counted
from embedkit.evaluation.datasets import read_pairs
from embedkit.evaluation.words import BenchmarkWords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["SimilarityReport", "correlation", "rank_correlation", "word_similarity"]


@dataclass(frozen=True)
class SimilarityReport:
    """Correlations with human scores.

    Attributes:
        spearman: rank correlation; NaN if all human scores or all cosines are equal.
        pearson: linear correlation; NaN in the same cases.
        found: number of pairs whose words are known or composed.
        total: number of pairs.
        human: human scores of all pairs, float64 (total,).
        ours: cosines, float64 (total,); NaN for pairs that are left out.
        composed: number of found pairs with a word that was composed of character n-grams.
    """

    spearman: float
    pearson: float
    found: int
    total: int
    human: NDArray[np.float64] = field(repr=False, compare=False)
    ours: NDArray[np.float64] = field(repr=False, compare=False)
    composed: int = 0

    @property
    def counted(self) -> int:
        """Number of pairs that are correlated: those found, or all with *count_unknown*."""
        return int((~np.isnan(self.ours)).sum())

    @property
    def coverage(self) -> float:
        """Share of pairs whose words are known or composed."""
        return self.found / self.total

    @property
    def undefined(self) -> str:
        """Why there is no correlation, or "" if there is one."""
        if not np.isnan(self.spearman):
            return ""
        scores = self.human[~np.isnan(self.ours)]
        whose = "human scores" if np.ptp(scores) == 0 else "cosines"
        return f"no correlation, because all {whose} are equal"


def word_similarity(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    restrict: int | None = None,
    count_unknown: bool = False,
    case_sensitive: bool = False,
    oov: str = "subwords",
) -> SimilarityReport:
    """Correlate cosine similarities with the human scores in a file; see `datasets.read_pairs`.

    Args:
        vectors: the vectors to score.
        path: the file.
        restrict: number of the most frequent words that are known; None for all.
        count_unknown: count the similarity of a pair with an unknown word as 0, like gensim's
            ``dummy4unknown``; by default, such pairs are left out.
        case_sensitive: distinguish Polish from polish.
        oov: "subwords" composes the vectors of words that are not in the vocabulary of character
            n-grams, if the vectors have them, as in published scores of fastText; "skip" does not.

    Raises:
        QuestionError: the file is missing or has no pairs, a line cannot be read, or too few pairs
            are known.
        ModelError: a vector contains NaN or infinity.
    """
    pairs = read_pairs(Path(path))
    words = BenchmarkWords(
        vectors,
        [word for first, second, _ in pairs for word in (first, second)],
        restrict=restrict,
        case_sensitive=case_sensitive,
        oov=oov,
    )
    human = np.array([score for _, _, score in pairs])
    left = np.array([words.number(first) for first, _, _ in pairs], dtype=np.int64)
    right = np.array([words.number(second) for _, second, _ in pairs], dtype=np.int64)
    known = (left >= 0) & (right >= 0)
    found = int(known.sum())
    if (len(pairs) if count_unknown else found) < 2:
        raise QuestionError(
            f"{path}: too few known pairs: the model knows {found} of "
            f"{counted(len(pairs), 'pair')}, and a correlation needs two."
        )
    ours = np.full(len(pairs), 0.0 if count_unknown else np.nan)
    ours[known] = _cosines(words, left[known], right[known])
    scored = ~np.isnan(ours)
    return SimilarityReport(
        float(rank_correlation(human[scored], ours[scored])),
        float(correlation(human[scored], ours[scored])),
        found,
        len(pairs),
        human,
        ours,
        int((known & (np.maximum(left, right) >= words.size)).sum()),
    )


def _cosines(
    words: BenchmarkWords, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    def units(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        found = words.units(numbers)
        return np.asarray(found if isinstance(found, np.ndarray) else found.toarray())

    return np.asarray(np.einsum("ij,ij->i", units(left), units(right), dtype=np.float64))


def correlation(first: NDArray[np.number], second: NDArray[np.number]) -> NDArray[np.float64]:
    """Return Pearson's linear correlation along the last axis, (..., n) to (...).

    It is NaN if a sample is constant.
    """
    # scipy.stats.pearsonr is not used: it has the axis that the bootstrap needs only since SciPy
    # 1.14, is three times slower over 1,000 samples, and warns about constant samples. spearmanr
    # has no such axis.
    x = first - first.mean(axis=-1, keepdims=True)
    y = second - second.mean(axis=-1, keepdims=True)
    products, lengths = (x * y).sum(axis=-1), np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    varies = (np.ptp(first, axis=-1) > 0) & (np.ptp(second, axis=-1) > 0) & (lengths > 0)
    return np.where(varies, products / np.where(varies, lengths, 1.0), np.nan)


def rank_correlation(first: NDArray[np.number], second: NDArray[np.number]) -> NDArray[np.float64]:
    """Return Spearman's rank correlation along the last axis, (..., n) to (...)."""
    from scipy.stats import rankdata

    return correlation(rankdata(first, axis=-1), rankdata(second, axis=-1))
