"""FAISS's approximate indexes: much faster than exact search, with nearly the same answers.

An index finds candidates, which are scored and ordered in float64 as in exact search.
`embedkit.index.benchmark.recall` measures what it misses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError
from embedkit.index.exact import DenseIndex, ranked, without
from embedkit.index.metrics import find_metric, require_finite, unit_rows
from embedkit.index.options import INDEX_KINDS, INDEX_SETTINGS
from embedkit.index.protocol import Hits
from embedkit.validation import check_choice, check_ranges

__all__ = [
    "ApproximateIndex",
    "BuildProgress",
    "IndexSettings",
    "build_index",
]

_RANGES = {
    "m": (2, 512),
    "ef_construction": (1, 1_000_000),
    "ef_search": (1, 1_000_000),
    "nlist": (1, 2**31 - 1),
    "nprobe": (1, 2**31 - 1),
    "pq_m": (1, 2**31 - 1),
    "seed": (0, 2**31 - 1),
}
_AUTOMATIC = ("nlist", "nprobe", "pq_m")  # if 0, chosen by the number and length of the vectors
_EXTRA = 8  # candidates fetched beyond those wanted
_REFINEMENT = {"ivfpq": 5, "pq": 10}
"""Times as many candidates for product-quantized vectors, whose scores are rough."""

_CENTROIDS = {"ivf": 256, "ivfpq": 256, "pq": 16}  # of each part of a vector
_FEWEST_WORDS = 1_000  # for fewer, exact search is fast enough and there is little to train on
_TRAINING_ROWS_PER_LIST = 50
_TRAINING_ROWS_PER_CENTROID = 64  # of product quantization
_BLOCK_ROWS = 1 << 14  # added at a time

BuildProgress: TypeAlias = "Callable[[str, int], object]"
"""Called with a stage and a number of rows.

The stage is "training" before an index is trained on that many rows, which may take a minute, and
"adding" after a block of that many rows has been added.
"""


@dataclass(frozen=True)
class IndexSettings:
    """How an index is built and searched; `fitted` chooses the settings that are 0.

    Attributes:
        kind: one of `embedkit.index.options.INDEX_KINDS`.
        metric: a name of `metrics.METRICS`; other metrics are searched exactly.
        m: links of a vector in HNSW's graph; twice as many in the lowest layer.
        ef_construction: size of HNSW's candidate list while the graph is built.
        ef_search: size of HNSW's candidate list in a search.
        nlist: number of inverted lists.
        nprobe: number of inverted lists that a query searches.
        pq_m: parts of a vector, each quantized to 8 bits, or to 4 bits by "pq"; a divisor of the
            dimension.
        seed: seed of the random draws.

    Raises:
        ConfigurationError: a value is out of range.
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
        check_choice("index", self.kind, INDEX_KINDS)
        find_metric(self.metric)
        check_ranges(self, _RANGES, optional=_AUTOMATIC, unset=0)

    def fitted(self, words: int, dimension: int) -> IndexSettings:
        """Return the settings with a value in place of each 0.

        Args:
            words: number of vectors.
            dimension: length of a vector.

        Raises:
            ConfigurationError: there are too few vectors, or a setting does not suit them.
        """
        if words < _FEWEST_WORDS:
            raise ConfigurationError(
                f"an approximate index needs at least {_FEWEST_WORDS:,} words, got {words:,}.",
                hint="Use exact search (flat), which is fast for so few words.",
            )
        nlist = self.nlist or round(2 * words**0.5)
        if nlist > words:
            raise ConfigurationError(
                f"nlist must be at most the number of words, {words:,}, got {nlist:,}.",
                hint="Use fewer lists; 0 chooses a suitable number.",
            )
        divisors = [m for m in range(1, dimension + 1) if dimension % m == 0]
        if self.kind == "pq":
            pq_m = self.pq_m or min(m for m in divisors if 2 * m >= dimension)
        else:
            pq_m = self.pq_m or max(m for m in divisors if m <= max(dimension // 4, 1))
        if pq_m not in divisors:
            raise ConfigurationError(
                f"pq_m must divide the dimension, {dimension}, got {pq_m}.",
                hint=f"Choose from {', '.join(map(str, divisors))}.",
            )
        nprobe = min(self.nprobe or max(8, nlist // 12), nlist)
        return replace(self, nlist=nlist, nprobe=nprobe, pq_m=pq_m)

    @property
    def used(self) -> dict[str, int | str]:
        """The settings that this kind of index uses, by name."""
        names = ("kind", "metric", *INDEX_SETTINGS[self.kind])
        return {name: getattr(self, name) for name in names}


class ApproximateIndex:
    """Approximate search over a dense matrix; an `Index`.

    Args:
        index: FAISS's index of the rows of *exact*.
        exact: exact index of the same rows, for queries with too few candidates.
        settings: as `IndexSettings.fitted` returns them.
    """

    def __init__(self, index: Any, exact: DenseIndex, settings: IndexSettings) -> None:
        self.index = index
        self.metric = exact.metric
        self.settings = settings
        self._exact = exact

    def first(self, size: int) -> DenseIndex:
        """Return an exact index of the first *size* rows."""
        return self._exact.first(size)

    def search(
        self, queries: NDArray[np.float32], k: int, exclude: Sequence[Sequence[int]] = ()
    ) -> list[Hits]:
        """Return the *k* nearest rows to each query, although some may be missed; see `Index`.

        There are as many hits as in exact search: a query with too few candidates is searched
        exactly.
        """
        rows = len(self._exact.rows)
        exclude = list(exclude) or [()] * len(queries)
        asked = unit_rows(queries) if self.metric.normalize else queries
        wanted = k + max(map(len, exclude), default=0) + _EXTRA
        fetched = min(wanted * _REFINEMENT.get(self.settings.kind, 1), rows)
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
        if self.settings.kind == "pq":
            return None  # it scans everything
        if self.settings.kind == "hnsw":
            return faiss.SearchParametersHNSW(efSearch=max(self.settings.ef_search, fetched))
        return faiss.SearchParametersIVF(nprobe=self.settings.nprobe)


def build_index(
    exact: DenseIndex,
    settings: IndexSettings,
    progress: BuildProgress = lambda stage, rows: None,
) -> ApproximateIndex:
    """Build an approximate index of all rows.

    The same seed gives the same inverted lists; HNSW's graph depends slightly on the order in which
    threads insert rows.

    Args:
        exact: exact index of the rows.
        settings: settings of any kind except "flat", as `IndexSettings.fitted` returns them.
        progress: see `BuildProgress`.

    Raises:
        ModelError: a vector contains NaN or infinity.
    """
    rows = exact.rows
    count, dimension = rows.shape
    index = _empty_index(dimension, exact.metric.faiss_metric, settings)
    if not index.is_trained:
        draw = np.random.default_rng(settings.seed)
        wanted = min(_training_rows(settings), count)
        sample = np.sort(draw.choice(count, wanted, replace=False))
        progress("training", wanted)
        _train(index, _checked(rows[sample]), settings)
    for start in range(0, count, _BLOCK_ROWS):
        block = _checked(rows[start : start + _BLOCK_ROWS])
        index.add(block)
        progress("adding", len(block))
    return ApproximateIndex(index, exact, settings)


def _empty_index(dimension: int, metric: int, settings: IndexSettings) -> Any:
    faiss = _faiss()
    if settings.kind == "hnsw":
        graph = faiss.IndexHNSWFlat(dimension, settings.m, metric)
        graph.hnsw.efConstruction = settings.ef_construction
        return graph
    if settings.kind == "pq":
        scanned = faiss.IndexPQFastScan(dimension, settings.pq_m, 4, metric)
        _set_quantizer(scanned.pq.cp, settings)
        return scanned
    pieces = f"PQ{settings.pq_m}" if settings.kind == "ivfpq" else "Flat"
    lists = faiss.index_factory(dimension, f"IVF{settings.nlist},{pieces}", metric)
    lists.cp.seed, lists.cp.min_points_per_centroid = settings.seed, 1
    if settings.kind == "ivfpq":
        # Polysemous training would take most of the time, and its Hamming distances are not used.
        lists.do_polysemous_training = False
        _set_quantizer(lists.pq.cp, settings)
    return lists


def _set_quantizer(clustering: Any, settings: IndexSettings) -> None:
    clustering.seed, clustering.min_points_per_centroid = settings.seed, 1
    clustering.max_points_per_centroid = _TRAINING_ROWS_PER_CENTROID


def _training_rows(settings: IndexSettings) -> int:
    rows = _TRAINING_ROWS_PER_CENTROID * _CENTROIDS[settings.kind]
    return rows if settings.kind == "pq" else max(rows, _TRAINING_ROWS_PER_LIST * settings.nlist)


def _train(index: Any, rows: NDArray[np.float32], settings: IndexSettings) -> None:
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    if settings.kind == "pq":  # so little work that threads would mostly wait for one another
        faiss.omp_set_num_threads(1)
    try:
        index.train(rows)
    finally:
        faiss.omp_set_num_threads(before)


def _faiss() -> Any:
    """Return the library as Any, because its type hints lack names that are created at import."""
    import faiss

    return faiss


def _checked(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    require_finite(rows)
    return np.ascontiguousarray(rows, dtype=np.float32)
