"""Random walks on a graph: uniform, weighted, or biased as in node2vec."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.reader import no_progress
from embedkit.corpus.walks.graph import Graph
from embedkit.system.compression import compress
from embedkit.system.files import output_stream
from embedkit.system.memory import processors
from embedkit.system.random import epoch_key
from embedkit.system.threads import map_in_order
from embedkit.validation import number, whole_number

__all__ = ["WalkConfig", "WalkCounts", "Walks", "random_walks", "write_walks"]

_BIASES = (1e-6, 1e6)
_WHOLE = {
    "walks": (1, 1_000_000),
    "length": (1, 1_000_000),
    "seed": (0, 2**63 - 1),
    "workers": (1, 1024),
}
_BLOCK_NODES = 1 << 18

Result = TypeVar("Result")


@dataclass(frozen=True)
class WalkConfig:
    """Settings of random walks.

    Attributes:
        walks: number of walks from each node.
        length: number of nodes in a walk, including the first; a walk ends early at a dead end.
        p: return parameter of node2vec: above 1, walks rarely return to the previous node.
        q: in-out parameter of node2vec: above 1, walks stay near the previous node; below 1, they
            move away. With p = q = 1, the probability of a step is proportional to its weight.
        seed: seed of all random draws.
        workers: number of threads; None means one per processor. The walks do not depend on it.

    Raises:
        ConfigurationError: a value is outside its range.
    """

    walks: int = 10
    length: int = 40
    p: float = 1.0
    q: float = 1.0
    seed: int = 1
    workers: int | None = None

    def __post_init__(self) -> None:
        for name, limits in _WHOLE.items():
            if name != "workers" or self.workers is not None:
                whole_number(name, getattr(self, name), *limits)
        for name in ("p", "q"):
            number(name, getattr(self, name), *_BIASES)


class WalkCounts(NamedTuple):
    """The number of walks written, and the total number of their nodes."""

    walks: int
    nodes: int


@dataclass(frozen=True)
class Walks:
    """A block of walks on a graph.

    Attributes:
        graph: the graph.
        nodes: (walks, length) int32; filled with -1 after a dead end.
    """

    graph: Graph
    nodes: NDArray[np.int32]

    def __len__(self) -> int:
        """Number of walks."""
        return len(self.nodes)

    @property
    def size(self) -> int:
        """Number of nodes in all walks."""
        return int(np.count_nonzero(self.nodes >= 0))

    def names(self) -> list[list[str]]:
        """Return the node names of each walk."""
        return self._names().to_pylist()  # type: ignore[no-any-return]

    def text(self) -> bytes:
        """Return one line per walk, names joined by spaces, in UTF-8."""
        lines = pc.binary_join(self._names(), " ")
        single = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
        joined: bytes = pc.binary_join(single, "\n")[0].as_buffer().to_pybytes()
        return joined + b"\n"

    def _names(self) -> pa.ListArray:
        taken = self.nodes >= 0
        offsets = np.zeros(len(self.nodes) + 1, dtype=np.int32)
        np.cumsum(taken.sum(axis=1), out=offsets[1:])
        names = self.graph.names.take(pa.array(self.nodes[taken]))
        return pa.ListArray.from_arrays(pa.array(offsets), names)


def random_walks(
    graph: Graph, config: WalkConfig | None = None, **settings: Any
) -> Iterator[Walks]:
    """Yield blocks of random walks; in each round, every node starts one, in a new random order.

    A walk that came from t to v continues to x with a probability proportional to the weight of the
    edge (v, x), times 1/p if x = t, 1 if there is an edge from t to x, and 1/q otherwise (Grover
    and Leskovec 2016, section 3.2; on a directed graph, distances are from t to x).

    Args:
        graph: the graph.
        config: settings of the walks.
        **settings: fields of `WalkConfig`; they override those of *config*.

    Raises:
        ConfigurationError: a setting is outside its range.
    """
    config = replace(config or WalkConfig(), **settings)
    return _map_walks(lambda walks: walks, graph, config)


def write_walks(
    graph: Graph,
    path: str | os.PathLike[str],
    config: WalkConfig | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[int], None] = no_progress,
    **settings: Any,
) -> WalkCounts:
    """Write random walks to a file, one per line, atomically.

    Args:
        graph: the graph.
        path: the file, or "-" for standard output; compressed if the name ends in ``.gz``,
            ``.bz2``, ``.xz`` or ``.zst``.
        overwrite: replace an existing file.
        progress: called with the number of walks written since the last call.
        config: settings of the walks.
        **settings: fields of `WalkConfig`; they override those of *config*.

    Returns:
        The number of walks and nodes written.

    Raises:
        ConfigurationError: a setting is outside its range.
        OutputExistsError: the file exists and *overwrite* is false.
        StorageError: the disk is full, the path is not writable, or standard output is closed.
    """
    config = replace(config or WalkConfig(), **settings)
    with output_stream(path, overwrite=overwrite) as raw, compress(raw, Path(path)) as file:
        return _write(file, graph, config, progress)


def _write(
    file: BinaryIO, graph: Graph, config: WalkConfig, progress: Callable[[int], None]
) -> WalkCounts:
    walks = nodes = 0
    blocks = _map_walks(lambda walks: (len(walks), walks.size, walks.text()), graph, config)
    for count, steps, text in blocks:
        file.write(text)
        walks += count
        nodes += steps
        progress(count)
    return WalkCounts(walks, nodes)


def _map_walks(
    function: Callable[[Walks], Result], graph: Graph, config: WalkConfig
) -> Iterator[Result]:
    """Yield the result of *function* for each block of walks, computed on several threads."""
    from embedkit.corpus.walks import steps

    sums = np.zeros(0)
    if graph.weights is not None:
        sums = steps.cumulative_weights(graph.offsets, graph.weights)
    arrays = (graph.offsets, graph.neighbors, sums)
    key = np.uint64(epoch_key(config.seed, 0))
    biases = (1.0 / config.p, 1.0 / config.q)

    def take(begin: tuple[int, NDArray[np.int32]]) -> Result:
        first, starts = begin
        nodes = np.full((len(starts), config.length), -1, dtype=np.int32)
        steps.walk(arrays, starts, first, key, biases, nodes)
        return function(Walks(graph, nodes))

    return map_in_order(take, _starts(graph, config), config.workers or processors())


def _starts(graph: Graph, config: WalkConfig) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """Yield for each block the number of its first walk, and the first nodes of its walks."""
    size = max(1, _BLOCK_NODES // config.length)
    first = 0
    waiting: list[NDArray[np.int32]] = []
    for round_ in range(config.walks):
        order = np.random.default_rng((config.seed, round_)).permutation(len(graph))
        waiting.append(order.astype(np.int32))
        last = round_ == config.walks - 1
        if last or sum(map(len, waiting)) >= size:  # the rounds of a small graph share a block
            starts = np.concatenate(waiting)
            whole = len(starts) if last else len(starts) // size * size
            for place in range(0, whole, size):
                yield first + place, starts[place : min(place + size, whole)]
            waiting = [starts[whole:]]
            first += whole
