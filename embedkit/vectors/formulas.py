"""The formulas: weighted sums, 3CosAdd, 3CosMul, PairDirection, 3CosAvg and LRCos."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import Matrix, Metric, UnitRows, nonzero, unit_rows
from embedkit.index.scan import Blocks, products, scan

__all__ = [
    "ANALOGY_WEIGHTS",
    "Neighbor",
    "analogy_targets",
    "class_probabilities",
    "combine",
    "contrast_rows",
    "cosmul",
    "held_out_targets",
    "lrcos_scores",
    "mean_difference",
    "multiplicative_scores",
    "pair_direction_scores",
    "shifted",
]

ANALOGY_WEIGHTS = (1.0, -1.0, 1.0)
"""Weights of a, b and c in 3CosAdd (Mikolov et al. 2013, N13-1090): a - b + c."""

_EPSILON = np.float32(1e-6)  # keeps 3CosMul from dividing by 0; the value is Levy and Goldberg's
_NEAR = 1e-2  # below this squared distance, expanding the square loses digits

T = TypeVar("T")


class Neighbor(NamedTuple):
    """A word and its score: a similarity, or with the metric "l2" a distance."""

    word: str
    score: float


def analogy_targets(a: Matrix, b: Matrix, c: Matrix) -> Matrix:
    """Return the 3CosAdd targets a - b + c of rows, (m, d) each."""
    return a - b + c


def combine(rows: Matrix, weights: Sequence[Sequence[tuple[int, float]]], metric: Metric) -> Matrix:
    """Return weighted sums of rows, (m, d), dense or CSR like *rows*.

    For cosine, rows are scaled to length 1 before they are summed, as in word2vec, gensim and
    fastText; otherwise the longest vector would dominate.

    Args:
        rows: (n, d), dense or CSR.
        weights: for each of the m sums, pairs of (row number, weight).
        metric: decides whether rows are scaled to length 1.
    """
    if metric.normalize:
        rows = unit_rows(rows)
    places: list[tuple[int, int]] = []
    factors: list[float] = []
    for number, terms in enumerate(weights):
        # For cosine, only the ratios of weights matter; tiny weights would underflow in float32.
        largest = max((abs(weight) for _, weight in terms), default=0.0)
        scale = largest if metric.normalize and largest > 0 else 1.0
        places += [(number, row) for row, _ in terms]
        factors += [weight / scale for _, weight in terms]
    sums, chosen = np.array(places, dtype=np.int64).reshape(-1, 2).T
    scales = np.array(factors, dtype=np.float32)
    if isinstance(rows, np.ndarray):
        # No matrix product: it would start BLAS threads that compete with those of the search.
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

    The score is the product of the shifted similarities to the positive terms, divided by the
    product of those to the negative terms. Unlike in a sum, no single large similarity outweighs
    the others.

    Args:
        units: unit rows, (n, d).
        positive, negative: unit rows of the terms of each question, (..., p, d) and (..., q, d).
    """
    scores = np.empty((*positive.shape[:-2], len(units)), dtype=np.float32)

    def similarities(block: NDArray[np.float32], terms: NDArray[np.float32]) -> NDArray[np.float32]:
        found = products(block, terms.reshape(-1, block.shape[1]))
        return shifted(found.reshape(*terms.shape[:-1], len(block)))

    def work(blocks: Blocks) -> None:
        for start, block in blocks:
            towards = np.prod(similarities(block, positive), axis=-2)
            away = np.prod(similarities(block, negative), axis=-2)
            scores[..., start : start + len(block)] = cosmul(towards, away)

    scan(units, positive[..., 0].size + negative[..., 0].size, work)
    return scores


def pair_direction_scores(
    units: NDArray[np.float32] | UnitRows,
    starts: NDArray[np.float32],
    directions: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the cosines of (row - start) and direction, (m, n): PairDirection.

    Levy and Goldberg 2014, W14-1618. Only the direction to the answer matters, not its distance.
    The cosine is 0 where a row equals the start, or the direction is 0.

    Args:
        units: unit rows, (n, d).
        starts: unit rows, (m, d).
        directions: (m, d), of any length.
    """
    directions = directions / nonzero(np.linalg.norm(directions, axis=1))[:, np.newaxis]
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
            scores[:, first : first + len(block)] = along / np.sqrt(nonzero(apart))

    scan(units, len(starts) + len(directions), work)
    return scores


def class_probabilities(
    units: NDArray[np.float32], positive: NDArray[np.float32], negative: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the probability, (n,), that each row belongs to the class of the *positive* rows.

    LRCos multiplies it by a cosine. It comes from scikit-learn's logistic regression with default
    settings.

    Args:
        units: unit rows, (n, d).
        positive, negative: unit rows of the two classes, (p, d) and (q, d).
    """
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate([positive, negative])
    classes = np.repeat([True, False], [len(positive), len(negative)])
    model = LogisticRegression().fit(rows, classes)
    return np.asarray(model.predict_proba(units)[:, 1], dtype=np.float32)


def lrcos_scores(
    probabilities: NDArray[np.float32], similarities: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return LRCos scores, (n,): class probability times cosine (Drozd et al. 2016, C16-1332)."""
    return probabilities * similarities


def contrast_rows(count: int, size: int, positive: Collection[int]) -> list[int]:
    """Return *count* evenly spaced row numbers below *size*, without those in *positive*.

    In the negative class of LRCos, they represent all other words, in addition to the first words
    of the pairs. Unlike a random sample, they are the same every time.
    """
    rows = np.linspace(0, size - 1, count).astype(int)
    return [int(row) for row in rows if row not in positive]


def mean_difference(pairs: Sequence[tuple[T, T]], strength: float = 1.0) -> list[tuple[T, float]]:
    """Return *strength* times the mean of end - start over pairs, as terms with weights.

    3CosAvg (Drozd et al. 2016, C16-1332) adds them to a word.
    """
    share = strength / len(pairs)
    return [term for start, end in pairs for term in ((end, share), (start, -share))]


def held_out_targets(units: Matrix, pairs: NDArray[np.int64], numbers: NDArray[np.int64]) -> Matrix:
    """Return the 3CosAvg targets of pairs, (m, d): their starts plus the mean of all other pairs.

    Args:
        units: unit rows, (n, d), dense or CSR.
        pairs: row numbers of start and end, (p, 2).
        numbers: numbers of the pairs to return targets for, (m,).
    """
    starts, ends = pairs.T
    shares = np.full((len(numbers), len(pairs)), 1 / (len(pairs) - 1), dtype=np.float32)
    shares[np.arange(len(numbers)), numbers] = 0
    own = units[starts[numbers]]
    return (own if isinstance(own, np.ndarray) else own.toarray()) + shares @ (
        units[ends] - units[starts]
    )


def shifted(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return cosines mapped from [-1, 1] to [0, 1], as 3CosMul requires."""
    return np.asarray((cosines + np.float32(1.0)) * np.float32(0.5))


def cosmul(towards: NDArray[np.float32], away: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 3CosMul scores from the products of shifted similarities."""
    return np.asarray(towards / (away + _EPSILON))
