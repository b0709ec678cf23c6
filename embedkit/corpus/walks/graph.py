"""Nodes and what they are joined to, in the layout of a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from embedkit.errors import InputError

__all__ = ["NO_NAME", "Graph"]

NO_NAME = r"[\x00-\x20]|^$"
"""What makes a string unfit to be a word of a text, in RE2."""


_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True)
class Graph:
    """An immutable graph.

    Attributes:
        names: of the nodes, (nodes,).
        offsets: the neighbours of node v are neighbors[offsets[v]:offsets[v + 1]]; int64,
            (nodes + 1,).
        neighbors: ascending within a node; int32, (neighbours,). An edge that is not directed is
            held twice, a loop once.
        weights: of the edges, (neighbours,) float64, or None if all are the same.
        directed: whether an edge leads one way only.
    """

    names: pa.StringArray
    offsets: NDArray[np.int64]
    neighbors: NDArray[np.int32]
    weights: NDArray[np.float64] | None
    directed: bool

    @classmethod
    def of(cls, matrix: Any, names: Any = None, *, directed: bool = True) -> Graph:
        """Make a graph of an adjacency matrix.

        Args:
            matrix: (nodes, nodes) of a sparse or dense kind that SciPy takes; row v holds the
                weights of the edges that leave v, and a zero is no edge.
            names: of the nodes, distinct and without white space; by default their numbers.
            directed: if false, the matrix is symmetric, and two of its entries are one edge.

        Raises:
            InputError: a name or a weight is unfit, or the shapes do not match.
        """
        adjacency = sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
        nodes = adjacency.shape[0]
        numbers = np.arange(nodes) if names is None else names
        words = pa.array(numbers).cast(pa.string())
        if adjacency.shape != (nodes, nodes) or len(words) != nodes:
            raise InputError(
                f"a matrix of shape {adjacency.shape} and {len(words)} names make no graph.",
                hint="One row, one column and one name for every node.",
            )
        unfit = words.filter(pc.match_substring_regex(words, NO_NAME))
        if len(unfit):
            raise InputError(f"the name {unfit[0].as_py()!r} is empty or holds white space.")
        if len(words.unique()) < nodes or words.null_count:
            raise InputError("two nodes have the same name, or one has none.")
        adjacency.sum_duplicates()  # sorts the neighbours as well
        adjacency.eliminate_zeros()
        weights = adjacency.data
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise InputError("a weight is negative or no finite number.")
        if len(weights) and weights.max() > _LARGEST / len(weights):
            raise InputError(
                "the weights add up to more than a number can hold.", hint="Divide them all."
            )
        same = not len(weights) or bool((weights == weights[0]).all())
        return cls(
            words,
            adjacency.indptr.astype(np.int64),
            adjacency.indices.astype(np.int32),
            None if same else weights,
            directed,
        )

    @property
    def edges(self) -> int:
        """Number of edges."""
        if self.directed:
            return len(self.neighbors)
        sources = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        loops = int(np.count_nonzero(self.neighbors == sources))
        return (len(self.neighbors) + loops) // 2

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self.names)

    def __repr__(self) -> str:
        kinds = ", directed" * self.directed + ", weighted" * (self.weights is not None)
        return f"Graph({len(self):,} nodes, {self.edges:,} edges{kinds})"
