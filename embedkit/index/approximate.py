"""FAISS's approximate indexes: answers in a fraction of the time, nearly always the nearest ones.

An index finds candidates; their scores, and their order, are those of float64 like in exact search.
What it misses is told by `recall`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, ModelError
from embedkit.index.exact import DenseIndex, Hits, ranked, without
from embedkit.index.metrics import find_metric, unit_rows
from embedkit.validation import whole_number

__all__ = [
    "KINDS",
    "USED",
    "ApproximateIndex",
    "IndexSettings",
    "build_index",
]

KINDS = ("flat", "hnsw", "ivf", "ivfpq")
"""Exact search, a graph (Malkov and Yashunin 2018), inverted lists, and these with product
quantisation (Jegou et al. 2011)."""

USED: Mapping[str, tuple[str, ...]] = {
    "flat": (),
    "hnsw": ("m", "ef_construction", "ef_search"),
    "ivf": ("nlist", "nprobe", "seed"),
    "ivfpq": ("nlist", "nprobe", "pq_m", "seed"),
}
"""The settings that a kind heeds, besides its metric."""

_RANGES = {
    "m": (2, 512),
    "ef_construction": (1, 1_000_000),
    "ef_search": (1, 1_000_000),
    "nlist": (1, 2**31 - 1),
    "nprobe": (1, 2**31 - 1),
    "pq_m": (1, 2**31 - 1),
    "seed": (0, 2**31 - 1),
}
_FITTED = ("nlist", "nprobe", "pq_m")  # chosen by the size of the vectors unless they are given
_SPARE = 8  # candidates beyond those asked for
_REFINED = 5  # times as many of product-quantised vectors, which are told apart only roughly
_FEWEST_WORDS = 1_000  # below, exact search takes no time and there is little to train on
_TRAINED_ON = 50  # vectors a list
_QUANTISED_ON = 64  # vectors a centroid of product quantisation
_ADDED = 1 << 14  # vectors at a time


@dataclass(frozen=True)
class IndexSettings:
    """How an index is built and searched; what is 0 is chosen by the size of the vectors.

    Attributes:
        kind: one of `KINDS`.
        metric: a name of `metrics.METRICS`; questions in other metrics are answered exactly.
        m: links of a vector in HNSW's graph; twice as many at the bottom.
        ef_construction: vectors that HNSW looks at to place one.
        ef_search: vectors that HNSW keeps in view while it searches.
        nlist: inverted lists.
        nprobe: inverted lists that are searched.
        pq_m: bytes that a vector is quantised to; a divisor of the dimension.
        seed: of what is drawn at random.

    Raises:
        ConfigurationError: a value lies outside its range.
    """

    kind: str = "hnsw"
    metric: str = "cosine"
    m: int = 16
    ef_construction: int = 64
    ef_search: int = 128
    nlist: int = 0
    nprobe: int = 0
    pq_m: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigurationError(f"no index {self.kind!r}; there are {', '.join(KINDS)}")
        find_metric(self.metric)
        for name, limits in _RANGES.items():
            value = getattr(self, name)
            if name not in _FITTED or value != 0 or isinstance(value, bool):
                object.__setattr__(self, name, whole_number(name, value, *limits))

    def fitted(self, words: int, dimension: int) -> IndexSettings:
        """Return the settings with everything chosen, for so many vectors.

        Raises:
            ConfigurationError: they do not go with the vectors.
        """
        if words < _FEWEST_WORDS:
            raise ConfigurationError(
                f"{words:,} words are searched exactly in no time: an index is for "
                f"{_FEWEST_WORDS:,} or more.",
                hint="Leave it out; flat is the default.",
            )
        nlist = self.nlist or round(2 * words**0.5)
        if nlist > words:
            raise ConfigurationError(
                f"nlist={nlist}, but there are {words:,} words.",
                hint="Use as many lists as there are words, or fewer.",
            )
        pieces = [m for m in range(1, dimension + 1) if dimension % m == 0]
        pq_m = self.pq_m or max(m for m in pieces if m <= max(dimension // 4, 1))
        if pq_m not in pieces:
            raise ConfigurationError(
                f"pq_m={pq_m} does not divide the dimension {dimension}.",
                hint=f"Use one of {', '.join(map(str, pieces))}.",
            )
        nprobe = min(self.nprobe or max(8, nlist // 12), nlist)
        return replace(self, nlist=nlist, nprobe=nprobe, pq_m=pq_m)

    @property
    def used(self) -> dict[str, int | str]:
        """The settings that this kind heeds, by name."""
        return {name: getattr(self, name) for name in ("kind", "metric", *USED[self.kind])}


class ApproximateIndex:
    """Approximate search; asked like `DenseIndex`.

    Args:
        index: FAISS's, of the rows of *exact*.
        exact: the same rows; it answers where too few candidates were found.
        settings: as `IndexSettings.fitted` returns them.
    """

    def __init__(self, index: Any, exact: DenseIndex, settings: IndexSettings) -> None:
        self.index = index
        self.metric = exact.metric
        self.settings = settings
        self._exact = exact

    @property
    def rows(self) -> Any:
        """The rows at length 1, as those of `DenseIndex`."""
        return self._exact.rows

    def first(self, size: int) -> DenseIndex:
        """Return an exact index of the first *size* rows only."""
        return self._exact.first(size)

    def search(
        self, queries: NDArray[np.float32], k: int, exclude: Sequence[Sequence[int]] = ()
    ) -> list[Hits]:
        """Like `DenseIndex.search`; some of the nearest rows may be missing.

        As many hits come back as exact search gives: a query for which too few were found is
        searched for exactly.
        """
        rows = len(self._exact.rows)
        exclude = list(exclude) or [()] * len(queries)
        asked = unit_rows(queries) if self.metric.normalize else queries
        wanted = k + max(map(len, exclude), default=0) + _SPARE
        fetched = min(wanted * (_REFINED if self.settings.kind == "ivfpq" else 1), rows)
        _, ids = self.index.search(
            np.ascontiguousarray(asked, dtype=np.float32), fetched, params=self._effort(fetched)
        )
        ids, scores = ranked(self._exact.matrix, queries, ids, self.metric)
        hits = without(ids, scores, exclude, k)
        short = [
            number
            for number, (found, _) in enumerate(hits)
            if len(found) < min(k, rows - len(set(exclude[number])))
        ]
        refilled = self._exact.search(queries[short], k, [exclude[number] for number in short])
        for number, found in zip(short, refilled, strict=True):
            hits[number] = found
        return hits

    def _effort(self, fetched: int) -> Any:
        faiss = _faiss()
        if self.settings.kind == "hnsw":
            return faiss.SearchParametersHNSW(efSearch=max(self.settings.ef_search, fetched))
        return faiss.SearchParametersIVF(nprobe=self.settings.nprobe)


def build_index(
    exact: DenseIndex,
    settings: IndexSettings,
    progress: Callable[[int], object] = lambda rows: None,
) -> ApproximateIndex:
    """Build an approximate index of all rows.

    Inverted lists come out the same for the same seed; HNSW's graph depends a little on which
    thread is first.

    Args:
        settings: of a kind that is not "flat", as `IndexSettings.fitted` returns them.
        progress: is told now and then that so many more rows are in.

    Raises:
        ModelError: a vector holds numbers that are not finite.
    """
    rows = exact.rows
    count, dimension = rows.shape
    index = _empty_index(dimension, exact.metric.faiss_metric, settings)
    if not index.is_trained:
        draw = np.random.default_rng(settings.seed)
        wanted = min(max(_TRAINED_ON * settings.nlist, _QUANTISED_ON << 8), count)
        sample = np.sort(draw.choice(count, wanted, replace=False))
        index.train(_finite(rows[sample]))
    for start in range(0, count, _ADDED):
        block = _finite(rows[start : start + _ADDED])
        index.add(block)
        progress(len(block))
    return ApproximateIndex(index, exact, settings)


def _empty_index(dimension: int, metric: int, settings: IndexSettings) -> Any:
    faiss = _faiss()
    if settings.kind == "hnsw":
        graph = faiss.IndexHNSWFlat(dimension, settings.m, metric)
        graph.hnsw.efConstruction = settings.ef_construction
        return graph
    pieces = f"PQ{settings.pq_m}" if settings.kind == "ivfpq" else "Flat"
    lists = faiss.index_factory(dimension, f"IVF{settings.nlist},{pieces}", metric)
    lists.cp.seed, lists.cp.min_points_per_centroid = settings.seed, 1
    if settings.kind == "ivfpq":
        quantiser = lists.pq.cp
        quantiser.seed, quantiser.min_points_per_centroid = settings.seed, 1
        quantiser.max_points_per_centroid = _QUANTISED_ON
    return lists


def _faiss() -> Any:
    """Return the library; what it says of its own types leaves out what is made at import."""
    import faiss

    return faiss


def _finite(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(rows).all():
        raise ModelError(
            "a vector holds numbers that are not finite: no index is built of such vectors.",
            hint="Train the model again.",
        )
    return np.ascontiguousarray(rows, dtype=np.float32)
