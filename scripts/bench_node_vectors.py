#!/usr/bin/env python3
"""Node vectors of a graph with known communities, for scripts/bench_walks.

    scripts/bench_node_vectors.py EDGES OUTPUT SETTINGS

makes vectors with PecanPy and gensim in its own process; SETTINGS is a JSON object. The last line
of the output is a JSON object with the seconds of each step, without compiling, and the peak
memory. With NumPy 2, install PecanPy without its dependencies, because nptyping, which it uses for
annotations, does not accept that version:

    pip install --no-deps pecanpy nptyping numba-progress
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["classification_scores", "has_pecanpy", "write_block_model"]

_REMOVED_FROM_NUMPY = {
    "bool8": np.bool_, "object0": np.object_, "int0": np.intp, "uint0": np.uintp,
    "float_": np.float64, "longfloat": np.longdouble, "singlecomplex": np.complex64,
    "complex_": np.complex128, "cfloat": np.complex128, "clongfloat": np.clongdouble,
    "longcomplex": np.clongdouble, "void0": np.void, "bytes0": np.bytes_, "string_": np.bytes_,
    "str0": np.str_, "unicode_": np.str_,
}  # fmt: skip
_SPLITS = 5
_LABELED = 0.05  # share of the nodes whose community is known


def write_block_model(
    path: Path, nodes: int, edges: int, blocks: int, within: float, seed: int
) -> NDArray[np.int64]:
    """Write a graph with communities of equal size; return the community of each node.

    Args:
        path: two columns of node numbers.
        nodes: number of nodes, in random order of their communities.
        edges: number of edges; those drawn twice are written twice.
        blocks: number of communities.
        within: share of the edges that join two nodes of one community. The others join any two.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    community = random.permutation(nodes) % blocks
    members = np.argsort(community, kind="stable")
    starts = np.searchsorted(community[members], np.arange(blocks + 1))
    sources, targets = random.integers(0, nodes, (2, edges))
    inside = random.random(edges) < within
    low, high = starts[community[sources]], starts[community[sources] + 1]
    near = members[low + (random.random(edges) * (high - low)).astype(np.int64)]
    targets = np.where(inside, near, targets)
    kept = sources != targets
    with path.open("w") as file:
        pairs = zip(sources[kept].tolist(), targets[kept].tolist(), strict=True)
        file.writelines(f"{a}\t{b}\n" for a, b in pairs)
    return community


def classification_scores(
    vectors: NDArray[np.float32], communities: NDArray[np.int64], seed: int
) -> dict[str, float]:
    """Return the accuracy of predicting communities, for several choices of the labeled nodes.

    A logistic regression learns from the unit vectors of a few nodes and predicts the others. With
    communities of equal size, accuracy is micro-F1.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedShuffleSplit

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    splits = StratifiedShuffleSplit(_SPLITS, train_size=_LABELED, random_state=seed)
    scores = [
        LogisticRegression(C=10.0, max_iter=500)
        .fit(unit[known], communities[known])
        .score(unit[others], communities[others])
        for known, others in splits.split(unit, communities)
    ]
    return {"accuracy": float(np.mean(scores)), "deviation": float(np.std(scores, ddof=1))}


def has_pecanpy() -> bool:
    """Tell whether PecanPy is installed."""
    return all(map(find_spec, ("pecanpy", "nptyping", "numba_progress", "gensim")))


def pecanpy_vectors(edges: str, output: str, settings: dict[str, Any]) -> dict[str, float]:
    """Write names and vectors of all nodes; return the seconds of each step."""
    for name, kind in _REMOVED_FROM_NUMPY.items():
        if not hasattr(np, name):
            setattr(np, name, kind)
    from gensim.models import Word2Vec
    from pecanpy import pecanpy

    def graph_of(path: str) -> Any:
        unbiased = settings["p"] == settings["q"] == 1
        kind = pecanpy.FirstOrderUnweighted if unbiased else pecanpy.SparseOTF
        graph = kind(
            settings["p"], settings["q"], settings["workers"], random_state=settings["seed"]
        )
        graph.read_edg(path, weighted=False, directed=False)
        return graph

    small = Path(output).with_suffix(".small")
    small.write_text("0\t1\n1\t2\n2\t0\n")
    steps = settings["length"] - 1
    graph_of(str(small)).simulate_walks(1, steps)  # compiles
    start = time.perf_counter()
    graph = graph_of(edges)
    read = time.perf_counter()
    walks = graph.simulate_walks(settings["walks"], steps)
    walked = time.perf_counter()
    model = Word2Vec(
        walks, vector_size=settings["dimension"], window=settings["window"], sg=1, min_count=0,
        workers=settings["workers"], epochs=settings["epochs"], seed=settings["seed"],
    )  # fmt: skip
    trained = time.perf_counter()
    np.savez(output, names=np.array(model.wv.index_to_key), vectors=model.wv.vectors)
    return {
        "reading": read - start,
        "walking": walked - read,
        "training": trained - walked,
        "seconds": trained - start,
    }


def main() -> None:
    edges, output, settings = sys.argv[1:]
    figures = pecanpy_vectors(edges, output, json.loads(settings))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({**figures, "peak_mb": peak}))


if __name__ == "__main__":
    main()
