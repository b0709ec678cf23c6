"""Categorization: purity of clusters of vectors, given the categories that people chose."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import QuestionError, counted
from embedkit.evaluation.datasets import read_categories
from embedkit.evaluation.words import BenchmarkWords
from embedkit.index.metrics import Matrix
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["CategoryReport", "category_purity", "in_majority"]

_STARTS = 10


@dataclass(frozen=True)
class CategoryReport:
    """Purity of the clusters.

    Attributes:
        purity: share of words in the majority category of their cluster.
        categories: number of categories, and of clusters.
        found: number of words that are known or composed.
        total: number of words.
        outcomes: for each word, 1 if its category is that of the majority of its cluster, else 0,
            (total,); NaN for an unknown word.
        composed: number of found words that were composed of character n-grams.
    """

    purity: float
    categories: int
    found: int
    total: int
    outcomes: NDArray[np.float64] = field(repr=False, compare=False)
    composed: int = 0

    @property
    def coverage(self) -> float:
        """Share of words that are known or composed."""
        return self.found / self.total


def category_purity(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    seed: int = 1,
    case_sensitive: bool = False,
    oov: str = "subwords",
) -> CategoryReport:
    """Cluster words and compare the clusters with the categories in a file; see `read_categories`.

    Unit vectors are clustered by k-means, the best of 10 initializations, with one cluster for each
    category of the known words. Purity is the share of words whose category is the most frequent
    one in their cluster (Manning et al. 2008, 16.3; Baroni et al. 2014, P14-1023, apply it to
    words).

    Args:
        vectors: the vectors to score.
        path: the file.
        seed: seed of k-means.
        case_sensitive: distinguish Polish from polish.
        oov: "subwords" composes the vectors of words that are not in the vocabulary of character
            n-grams, if the vectors have them; "skip" leaves such words out.

    Raises:
        QuestionError: the file is missing or has no words, a line cannot be read, or too few words
            are known.
        ModelError: a vector contains NaN or infinity.
    """
    lines = read_categories(Path(path))
    words = BenchmarkWords(
        vectors, [word for word, _ in lines], case_sensitive=case_sensitive, oov=oov
    )
    places = np.array([words.number(word) for word, _ in lines], dtype=np.int64)
    known = places >= 0
    _, labels = np.unique([category for _, category in lines], return_inverse=True)
    count = len(np.unique(labels[known]))
    if count < 2 or known.sum() <= count:
        raise QuestionError(
            f"{path}: too few known words to cluster: the model knows {known.sum()} of "
            f"{counted(len(lines), 'word')}, in {counted(count, 'category', 'categories')}."
        )
    clusters = _clusters(words.units(places[known].tolist()), count, seed)
    outcomes = np.full(len(lines), np.nan)
    outcomes[known] = in_majority(clusters, labels[known])
    found = outcomes[known]
    composed = int((places >= words.size).sum())
    return CategoryReport(float(found.mean()), count, len(found), len(lines), outcomes, composed)


def _clusters(units: Matrix, count: int, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():  # equal vectors leave some clusters empty
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(units)
    return np.asarray(found, dtype=np.int64)


def in_majority(clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return 1 for each word with the most frequent label of its cluster, 0 for others, (n,)."""
    table = np.zeros((clusters.max() + 1, labels.max() + 1), dtype=np.int64)
    np.add.at(table, (clusters, labels), 1)
    right: NDArray[np.bool_] = table.argmax(axis=1)[clusters] == labels
    return right.astype(np.float64)
