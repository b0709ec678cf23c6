"""A graph as a compressed sparse row matrix with named nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from embedkit.errors import InputError, counted, plural, quoted

__all__ = ["INVALID_NAME", "Graph", "invalid_name"]

INVALID_NAME = r"[\x00-\x20]|^$"
"""RE2 pattern for strings that cannot be a token of a text."""


def invalid_name(name: str) -> str:
    """Return what is wrong with a name that `INVALID_NAME` matches."""
    if not name:
        return "invalid node name '': it is empty"
    has_space = any(character in " \t\n\v\f\r" for character in name)
    what = "white space" if has_space else "a control character"
    return f"invalid node name {quoted(name)}: it contains {what}"


_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True)
class Graph:
    """An immutable graph.

    Attributes:
        names: the node names, (nodes,).
        offsets: the neighbors of node v are neighbors[offsets[v]:offsets[v + 1]]; int64,
            (nodes + 1,).
        neighbors: sorted for each node; int32, (neighbors,). An undirected edge is stored twice, a
            self-loop once.
        weights: the edge weights, float64, (neighbors,), or None if all are equal.
        directed: whether the edges are directed.
    """

    names: pa.StringArray
    offsets: NDArray[np.int64]
    neighbors: NDArray[np.int32]
    weights: NDArray[np.float64] | None
    directed: bool

    @classmethod
    def of(cls, matrix: object, names: object = None, *, directed: bool = True) -> Graph:
        """Make a graph from an adjacency matrix.

        Args:
            matrix: (nodes, nodes), sparse or dense; row v has the weights of the edges from v, and
                0 means no edge.
            names: the node names, distinct and without white space; default: their numbers.
            directed: if false, the matrix is symmetric, and each edge is in it twice.

        Raises:
            InputError: a name or weight is invalid, or the shapes do not match.
        """
        adjacency = sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
        nodes = adjacency.shape[0]
        numbers = np.arange(nodes) if names is None else names
        words = pa.array(numbers).cast(pa.string())
        if adjacency.shape != (nodes, nodes) or len(words) != nodes:
            raise InputError(
                f"the matrix has the shape {adjacency.shape}, but there "
                f"{plural(len(words), 'is', 'are')} {counted(len(words), 'name')}.",
                hint="Pass one row, one column and one name for each node.",
            )
        invalid = words.filter(pc.match_substring_regex(words, INVALID_NAME))
        if len(invalid):
            raise InputError(f"{invalid_name(invalid[0].as_py())}.")
        if len(words.unique()) < nodes or words.null_count:
            raise InputError("two nodes have the same name, or a node has no name.")
        adjacency.sum_duplicates()  # also sorts the neighbors
        adjacency.eliminate_zeros()
        weights = adjacency.data
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise InputError("edge weights must be finite and not negative.")
        if len(weights) and weights.max() > _LARGEST / len(weights):
            raise InputError(
                "the sum of the edge weights exceeds the range of float64.",
                hint="Divide all weights by the same number.",
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
        return f"Graph({counted(len(self), 'node')}, {counted(self.edges, 'edge')}{kinds})"
