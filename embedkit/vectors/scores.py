"""Vector algebra: what ``a - b + c`` means, and which words answer it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import Metric, UnitRows, unit_rows
from embedkit.index.scan import Blocks, scan, products

__all__ = [
    "Neighbor",
    "class_probabilities",
    "combine",
    "multiplicative_scores",
    "pair_direction_scores",
    "spread_rows",
]

_EPSILON = 1e-6
_NEAR = 1e-2  # squared distances below it lose their digits when they are expanded


class Neighbor(NamedTuple):
    """A word and how near it is: a similarity, or with the metric "l2" a distance."""

    word: str
    score: float


def combine(rows: Any, weights: Sequence[Sequence[tuple[int, float]]], metric: Metric) -> Any:
    """Return weighted sums of rows, (m, d), dense or CSR like *rows*.

    Terms are brought to length 1 before they are summed where the metric asks for it, as word2vec,
    gensim and fastText do: otherwise the longest vector, not the meaning, would decide.

    Args:
        rows: (n, d), dense or CSR.
        weights: for each of the m sums, pairs of (row number, weight).
        metric: says whether rows are normalised.
    """
    if metric.normalize:
        rows = unit_rows(rows)
    places: list[tuple[int, int]] = []
    factors: list[float] = []
    for number, terms in enumerate(weights):
        # Only the proportions count for cosine; tiny weights would be lost in float32.
        largest = max((abs(weight) for _, weight in terms), default=0.0)
        scale = largest if metric.normalize and largest > 0 else 1.0
        places += [(number, row) for row, _ in terms]
        factors += [weight / scale for _, weight in terms]
    sums, chosen = np.array(places, dtype=np.int64).reshape(-1, 2).T
    scales = np.array(factors, dtype=np.float32)
    if isinstance(rows, np.ndarray):
        # No product of matrices: BLAS would start threads that then stand in the search's way.
        total = np.zeros((len(weights), rows.shape[1]), dtype=np.float32)
        np.add.at(total, sums, rows[chosen] * scales[:, np.newaxis])
        return total
    from scipy import sparse

    table = sparse.coo_array((scales, (sums, chosen)), shape=(len(weights), rows.shape[0]))
    return table.tocsr() @ sparse.csr_array(rows)


def multiplicative_scores(
    units: NDArray[np.float32] | UnitRows,
    positive: NDArray[np.float32],
    negative: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the 3CosMul score of every row, (..., n) (Levy and Goldberg 2014, W14-1618).

    The product of the similarities to the positive terms over that to the negative ones, each
    shifted from -1..1 to 0..1; no single large similarity can outweigh the others as in a sum.

    Args:
        units: unit rows, (n, d).
        positive, negative: unit rows of the terms of each question, (..., p, d) and (..., q, d).
    """
    scores = np.empty((*positive.shape[:-2], len(units)), dtype=np.float32)

    def work(blocks: Blocks) -> None:
        for start, block in blocks:
            towards = np.prod(_shifted(block, positive), axis=-2)
            away = np.prod(_shifted(block, negative), axis=-2)
            scores[..., start : start + len(block)] = towards / (away + np.float32(_EPSILON))

    scan(units, positive[..., 0].size + negative[..., 0].size, work)
    return scores


def pair_direction_scores(
    units: NDArray[np.float32] | UnitRows,
    starts: NDArray[np.float32],
    directions: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the cosines of (row - start) and direction, (m, n): PairDirection.

    Levy and Goldberg 2014, W14-1618: which way the answer lies counts, and not how far. The cosine
    is 0 where a row is the start, or the direction is 0.

    Args:
        units: unit rows, (n, d).
        starts: unit rows, (m, d).
        directions: (m, d), of any length.
    """
    lengths = np.linalg.norm(directions, axis=1)
    directions = directions / (lengths + (lengths == 0))[:, np.newaxis]
    offsets = np.einsum("ij,ij->i", starts, directions)[:, np.newaxis]
    squares = np.einsum("ij,ij->i", starts, starts)[:, np.newaxis]
    scores = np.empty((len(starts), len(units)), dtype=np.float32)

    def work(blocks: Blocks) -> None:
        for first, block in blocks:
            along = products(block, directions) - offsets
            apart = np.einsum("ij,ij->i", block, block) - 2 * products(block, starts) + squares
            for question, row in zip(*np.nonzero(apart < _NEAR), strict=True):
                step = block[row].astype(np.float64) - starts[question]
                along[question, row] = step @ directions[question]
                apart[question, row] = step @ step
            # The row that is the start has gone nowhere, in any direction.
            scores[:, first : first + len(block)] = along / np.sqrt(apart + (apart == 0))

    scan(units, len(starts) + len(directions), work)
    return scores


def class_probabilities(
    units: NDArray[np.float32], positive: NDArray[np.float32], negative: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the probability of each row, (n,), to be of the class of *positive* rows.

    That is the first half of LRCos (Drozd et al. 2016, C16-1332), by scikit-learn's logistic
    regression as it comes.

    Args:
        units: unit rows, (n, d).
        positive, negative: unit rows of the two classes, (p, d) and (q, d).
    """
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate([positive, negative])
    classes = np.repeat([True, False], [len(positive), len(negative)])
    model = LogisticRegression().fit(rows, classes)
    return np.asarray(model.predict_proba(units)[:, 1], dtype=np.float32)


def spread_rows(count: int, size: int, apart_from: Collection[int]) -> list[int]:
    """Return *count* rows of *size*, evenly spread, without those of *apart_from*.

    They stand for all other words in `class_probabilities`. Unlike a draw, a spread gives the same
    answers every time.
    """
    rows = np.linspace(0, size - 1, count).astype(int)
    return [int(row) for row in rows if row not in apart_from]


def _shifted(block: NDArray[np.float32], terms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return similarities of terms (..., d) to the rows of a block (b, d), 0 to 1, (..., b)."""
    similarities = products(block, terms.reshape(-1, block.shape[1]))
    similarities = similarities.reshape(*terms.shape[:-1], len(block))
    return np.asarray((similarities + np.float32(1.0)) * np.float32(0.5))
