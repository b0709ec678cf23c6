"""Word similarity: do cosines rank pairs of words as people do?"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.tokenizers import normalize
from embedkit.errors import ModelError, QuestionError
from embedkit.evaluation.datasets import read_pairs
from embedkit.index.metrics import unit_rows
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["SimilarityReport", "correlation", "rank_correlation", "word_similarity"]


@dataclass(frozen=True)
class SimilarityReport:
    """Rank and linear correlation with human scores, and how many of the pairs were known.

    Attributes:
        human: scores of all pairs, float64 (total,).
        ours: cosines, float64 (total,); NaN where a word is not known.
    """

    spearman: float
    pearson: float
    found: int
    total: int
    human: NDArray[np.float64] = field(repr=False, compare=False)
    ours: NDArray[np.float64] = field(repr=False, compare=False)

    @property
    def coverage(self) -> float:
        """Share of the pairs that were known."""
        return self.found / self.total


def word_similarity(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    restrict: int | None = None,
    count_unknown: bool = False,
    case_sensitive: bool = False,
) -> SimilarityReport:
    """Correlate cosine similarities with human scores; `files.read_pairs` has the format.

    Args:
        restrict: only so many of the most frequent words are known.
        count_unknown: the similarity of a pair with an unknown word is 0, gensim's
            ``dummy4unknown``; by default such pairs are left out.
        case_sensitive: tell Polish from polish.

    Raises:
        QuestionError: the file is missing, a line cannot be read, or fewer than two pairs are left.
        ModelError: a vector holds what is no finite number.
    """
    pairs = read_pairs(Path(path))
    spell = str if case_sensitive else normalize
    rows = {spell(word): -1 for first, second, _ in pairs for word in (first, second)}
    size = len(vectors) if restrict is None else min(restrict, len(vectors))
    for row, word in enumerate(vectors.vocabulary.words(range(size))):
        if rows.get(spelled := spell(word)) == -1:
            rows[spelled] = row
    human = np.array([score for _, _, score in pairs])
    left = np.array([rows[spell(first)] for first, _, _ in pairs], dtype=np.int64)
    right = np.array([rows[spell(second)] for _, second, _ in pairs], dtype=np.int64)
    known = (left >= 0) & (right >= 0)
    found = int(known.sum())
    if (len(pairs) if count_unknown else found) < 2:
        raise QuestionError(f"{path}: the model knows {found} of {len(pairs)} pairs; too few.")
    ours = np.full(len(pairs), 0.0 if count_unknown else np.nan)
    ours[known] = _cosines(vectors, left[known], right[known])
    scored = ~np.isnan(ours)
    return SimilarityReport(
        float(rank_correlation(human[scored], ours[scored])),
        float(correlation(human[scored], ours[scored])),
        found,
        len(pairs),
        human,
        ours,
    )


def _cosines(
    vectors: WordVectors, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    def units(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        chosen = vectors.matrix[rows]
        return np.asarray(unit_rows(chosen.toarray() if vectors.is_sparse else chosen))

    cosines: NDArray[np.float64] = np.einsum(
        "ij,ij->i", units(left), units(right), dtype=np.float64
    )
    if np.isnan(cosines).any():
        raise ModelError(
            "the vectors hold numbers that are not finite.", hint="Train the model again."
        )
    return cosines


def correlation(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Return the linear correlation (Pearson) along the last axis, (..., n) to (...).

    It is NaN where a sample is constant. That of ranks is Spearman's.
    """
    x = first - first.mean(axis=-1, keepdims=True)
    y = second - second.mean(axis=-1, keepdims=True)
    products, lengths = (x * y).sum(axis=-1), np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    varies = (np.ptp(first, axis=-1) > 0) & (np.ptp(second, axis=-1) > 0) & (lengths > 0)
    return np.where(varies, products / np.where(varies, lengths, 1.0), np.nan)


def rank_correlation(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Return the correlation of ranks (Spearman 1904) along the last axis, (..., n) to (...)."""
    from scipy.stats import rankdata

    return correlation(rankdata(first, axis=-1), rankdata(second, axis=-1))
