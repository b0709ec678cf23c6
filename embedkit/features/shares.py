"""What each token of a text adds to the pooled vector of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from embedkit.features.lookup import WordRows
from embedkit.features.tokens import TokenizedTexts
from embedkit.index.metrics import Matrix

__all__ = ["TokenShares", "pooled_shares"]


@dataclass(frozen=True)
class TokenShares:
    """The shares of m tokens in the vector of their text, whose sum is that vector.

    Attributes:
        tokens: the m tokens.
        known: whether each has a vector, bool (m,).
        values: float64 (m, c).
        columns: the c columns of the vector in which it may be other than 0, int64 (c,).
    """

    tokens: Sequence[str]
    known: NDArray[np.bool_]
    values: NDArray[np.float64]
    columns: NDArray[np.int64]

    def without(self, component: NDArray[np.float64]) -> TokenShares:
        """Return the shares minus their projections on *component*, (c,), of length 1 or 0."""
        projected = np.outer(self.values @ component, component)
        return replace(self, values=self.values - projected)


def pooled_shares(
    matrix: Matrix,
    tokens: TokenizedTexts,
    found: WordRows,
    weights: NDArray[np.float64],
    pooling: str,
) -> TokenShares:
    """Return the shares of the tokens of one text.

    With "max", each dimension belongs to the token that has its maximum; tokens that all have it
    share it equally. All other poolings are weighted sums.

    Args:
        matrix: the vectors of the model, (V, d), dense or CSR.
        tokens: one text.
        found: where the vectors of its words are.
        weights: of each distinct word, as `TextFeatures` computes them.
        pooling: a name in `embedkit.features.options.POOLINGS`.
    """
    rows, given = found.rows[tokens.indices], weights[tokens.indices]
    used = np.flatnonzero(rows >= 0)
    vectors, columns = _gathered(matrix, rows[used], found)
    if pooling == "max":
        shares = _maxima(vectors)
    elif pooling == "sum" or not len(used):
        shares = vectors * given[used, np.newaxis]
    else:
        total = given[used].sum() if pooling == "tfidf" else len(used)
        shares = vectors * (given[used, np.newaxis] / total)
    values = np.zeros((len(rows), len(columns)))
    values[used] = shares
    words = tokens.words.take(pa.array(tokens.indices)).to_pylist()
    return TokenShares(words, found.known[tokens.indices], values, columns)


def _gathered(
    matrix: Matrix, rows: NDArray[np.int64], found: WordRows
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return vectors, float64 (m, c), and their columns; of CSR only those that are stored."""
    size = matrix.shape[0]
    inside = rows < size
    if not sparse.issparse(matrix):
        vectors = np.zeros((len(rows), matrix.shape[1]))
        vectors[inside] = matrix[rows[inside]]
        vectors[~inside] = found.extra[rows[~inside] - size]
        return vectors, np.arange(matrix.shape[1])
    chosen = sparse.vstack([matrix[rows[inside]], found.extra[rows[~inside] - size]], format="csr")
    order = np.argsort(np.concatenate([np.flatnonzero(inside), np.flatnonzero(~inside)]))
    columns = np.unique(chosen.indices).astype(np.int64)
    stored: NDArray[np.float64] = chosen[order][:, columns].toarray().astype(np.float64)
    return stored, columns


def _maxima(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return *vectors*, (m, c), with 0 except where a column has its maximum."""
    if not len(vectors):
        return vectors
    largest = vectors == vectors.max(axis=0)
    shares: NDArray[np.float64] = np.where(largest, vectors, 0) / largest.sum(axis=0)
    return shares
