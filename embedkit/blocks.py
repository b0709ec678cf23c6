"""The nearest rows of a matrix in float32, block by block, with both hands: FAISS and threads.

Every thread takes a block of rows at a time and searches it alone. FAISS's own threads would meet
after each small product of matrices, and where other processes want the processors too, each such
meeting waits until the one that was set aside is let on again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.metrics import Metric, UnitRows

__all__ = ["Candidates", "nearest_rows"]

Candidates: TypeAlias = "tuple[NDArray[np.float32], NDArray[np.int64]]"
"""Keys and row numbers, (m, k) each, in no order; -1 is no row."""

_PRODUCT_BATCH = 8  # from so many queries on, one product of matrices beats going row by row
_ALWAYS, _NEVER = 0, 2**31 - 1
_ONE_SEARCH = threading.Lock()  # what FAISS is told below, it is told for the whole process
_WORTH_THREADS = 1 << 23  # multiplications; starting a thread costs as much as a million
_SMALL, _LARGE = 4 << 20, 16 << 20  # bytes of a block that is gone over again and again, or once
_SHARES = 2  # blocks for a thread, at least: one that is held up leaves its share to the others


def nearest_rows(
    rows: NDArray[np.float32] | UnitRows, queries: NDArray[np.float32], k: int, metric: Metric
) -> Candidates:
    """Return the *k* nearest rows to each query, as float32 tells them.

    A key rises with distance: FAISS's squared distance, or a similarity with its sign changed.

    Args:
        rows: (n, d), C-contiguous; of length 1 for cosine.
        queries: (m, d), C-contiguous; of length 1 for cosine.
        k: at most n.
    """
    import faiss

    multiply = not metric.ascending and len(queries) >= _PRODUCT_BATCH
    before = int(faiss.omp_get_max_threads())
    threads = before if rows.size * len(queries) >= _WORTH_THREADS else 1
    step = _block_rows(rows, len(queries), threads, multiply=multiply)
    starts = iter(range(0, len(rows), step))  # one for all threads: whoever is free takes the next

    found: list[Candidates] = []

    def work() -> None:
        faiss.omp_set_num_threads(1)  # of this thread
        best: list[Candidates] = []
        for start, block in _blocks(rows, starts, step):
            scores, ids = faiss.knn(queries, block, min(k, len(block)), metric=metric.faiss_metric)
            keys = scores if metric.ascending else -scores
            best = [_merged([*best, (keys, np.where(ids < 0, ids, ids + start))], k)]
        found.extend(best)

    with _ONE_SEARCH:
        # When FAISS goes row by row and when it multiplies matrices differs from version to
        # version. The latter is several times faster for many queries, but it would expand the
        # square of L2, which loses the digits that matter for near vectors.
        threshold = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = _ALWAYS if multiply else _NEVER
        try:
            _in_threads(work, threads)
            return _merged(found, k)
        finally:
            faiss.cvar.distance_compute_blas_threshold = threshold
            faiss.omp_set_num_threads(before)


def _block_rows(
    rows: NDArray[np.float32] | UnitRows, queries: int, threads: int, *, multiply: bool
) -> int:
    if queries == 1 and threads == 1 and isinstance(rows, np.ndarray):
        return max(len(rows), 1)  # nothing is gone over twice, and nothing is shared out
    fitting = (_LARGE if multiply else _SMALL) // (4 * max(rows.shape[1], 1))
    share = -(-len(rows) // (_SHARES * threads))
    return max(1, int(min(fitting, share)))


def _blocks(
    rows: NDArray[np.float32] | UnitRows, starts: Iterator[int], step: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    scratch = np.empty((0, 0), np.float32)
    for start in starts:
        stop = min(start + step, len(rows))
        if isinstance(rows, UnitRows):
            if not scratch.size:
                scratch = np.empty((min(step, len(rows)), rows.shape[1]), np.float32)
            rows.fill(start, scratch[: stop - start])
            yield start, scratch[: stop - start]
        else:
            yield start, rows[start:stop]


def _in_threads(work: Callable[[], None], threads: int) -> None:
    if threads == 1:
        work()
        return
    # They end with the search: threads that stay would be missing in a process that is forked.
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work) for _ in range(threads - 1)]
        work()
        for other in others:
            other.result()


def _merged(parts: Sequence[Candidates], k: int) -> Candidates:
    keys, ids = parts[0]
    if len(parts) > 1:
        keys = np.concatenate([part[0] for part in parts], axis=1)
        ids = np.concatenate([part[1] for part in parts], axis=1)
    if keys.shape[1] <= k:
        return keys, ids
    best = np.argpartition(keys, k - 1, axis=1)[:, :k]
    return np.take_along_axis(keys, best, 1), np.take_along_axis(ids, best, 1)
