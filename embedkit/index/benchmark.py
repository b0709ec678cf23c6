"""Benchmarks of indexes: recall, speed, build time, size on disk and memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.index.approximate import ApproximateIndex, BuildProgress, IndexSettings, build_index
from embedkit.index.exact import DenseIndex
from embedkit.index.protocol import Hits, Index
from embedkit.system.memory import forget_peak_memory, peak_memory

__all__ = ["Measured", "Speed", "measure", "recall", "speed"]

_NEIGHBORS = 10


@dataclass
class Measured:
    """Measurements of an index.

    Attributes:
        settings: how it was built.
        recall: share of the ten nearest rows that it finds.
        speed: queries per second.
        seconds: build time.
        bytes: size on disk.
        peak: peak memory of building and searching in bytes, including the model's mapped files.
    """

    settings: IndexSettings
    recall: float
    speed: Speed
    seconds: float
    bytes: int
    peak: int

    def as_dict(self) -> dict[str, object]:
        """Return the measurements for JSON."""
        return {
            **self.settings.used,
            "recall_at_10": self.recall,
            "one_by_one_per_second": self.speed.one_by_one,
            "together_per_second": self.speed.together,
            "build_seconds": self.seconds,
            "bytes": self.bytes,
            "peak_bytes": self.peak,
        }


def measure(
    exact: DenseIndex,
    kinds: Sequence[IndexSettings],
    questions: int,
    progress: BuildProgress = lambda stage, rows: None,
) -> tuple[list[Measured], ApproximateIndex | None]:
    """Build and measure an index with each of several settings; also return the last index.

    The queries are rows drawn at random, the same for all indexes.

    Args:
        exact: exact index of the rows.
        kinds: the settings; those of the kind "flat" measure the exact index.
        questions: number of queries.
        progress: see `embedkit.index.approximate.BuildProgress`.

    Returns:
        The measurements, and the last index, or None if that is the exact one.
    """
    count, dimension = exact.matrix.shape
    chosen = [one if one.kind == "flat" else one.fitted(count, dimension) for one in kinds]
    draw = np.random.default_rng(kinds[0].seed)
    rows = np.sort(draw.choice(count, min(questions, count), replace=False))
    queries, own = exact.matrix[rows], [[int(row)] for row in rows]
    truth = exact.search(queries, _NEIGHBORS, own)
    measured: list[Measured] = []
    built: ApproximateIndex | None = None
    for settings in chosen:
        forget_peak_memory()
        start = time.perf_counter()
        index: Index = exact
        built = None
        if settings.kind != "flat":
            index = built = build_index(exact, settings, progress)
        seconds = time.perf_counter() - start if built is not None else 0.0
        share = recall(index.search(queries, _NEIGHBORS, own), truth)
        rate = speed(index, queries, own, _NEIGHBORS)
        size = _bytes(built)
        measured.append(Measured(settings, share, rate, seconds, size, peak_memory()))
    return measured, built


def _bytes(built: ApproximateIndex | None) -> int:
    """Return the size of the index as a file, without writing the file."""
    if built is None:
        return 0
    import faiss

    library: Any = faiss
    sizes: list[int] = []
    library.write_index(
        built.index, library.PyCallbackIOWriter(lambda data: sizes.append(len(data)))
    )
    return sum(sizes)


@dataclass(frozen=True)
class Speed:
    """Queries per second: one at a time, and all in one batch."""

    one_by_one: float
    together: float


def speed(
    index: Index, queries: NDArray[np.float32], own: Sequence[Sequence[int]], k: int
) -> Speed:
    """Measure how fast *index* finds the *k* nearest rows to each query, without its *own* rows."""
    few = min(len(queries), 50)
    index.search(queries[:2], k, own[:2])  # warm up: imports, pages of a file
    start = time.perf_counter()
    for number in range(few):
        index.search(queries[[number]], k, own[number : number + 1])
    middle = time.perf_counter()
    index.search(queries, k, own)
    return Speed(few / (middle - start), len(queries) / (time.perf_counter() - middle))


def recall(found: Sequence[Hits], exact: Sequence[Hits]) -> float:
    """Return the share of the exact hits that were found."""
    shared = sum(
        len(np.intersect1d(ids, true)) for (ids, _), (true, _) in zip(found, exact, strict=True)
    )
    return shared / max(sum(len(true) for true, _ in exact), 1)
