"""Scanning all rows of a matrix in float32: blocks of rows, shared among threads.

Each thread takes one block of rows at a time and works on it alone. FAISS's and BLAS's own threads
would synchronize after each small matrix product, and on a busy machine every such barrier waits
for the thread that the scheduler has paused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import Metric, UnitRows

__all__ = ["Blocks", "Candidates", "nearest_rows", "products", "scan"]

Candidates: TypeAlias = "tuple[NDArray[np.float32], NDArray[np.int64]]"
"""Keys and row numbers, (m, k) each, in any order; the row number -1 marks an empty slot."""

Blocks: TypeAlias = "Iterator[tuple[int, NDArray[np.float32]]]"
"""Blocks of rows, (b, d), each with the number of its first row."""

_PRODUCT_BATCH = 8  # from this number of queries on, a matrix product is faster than row by row
_ALWAYS, _NEVER = 0, 2**31 - 1
_ONE_SEARCH = threading.Lock()  # the settings of FAISS changed below are global
_WORTH_THREADS = 1 << 23  # multiplications; starting a thread costs about a million
_SMALL, _LARGE = 4 << 20, 16 << 20  # bytes of a block that is read many times, or once
_SHARES = 2  # blocks per thread, or more, so that others can take over from a delayed thread


def nearest_rows(
    rows: NDArray[np.float32] | UnitRows, queries: NDArray[np.float32], k: int, metric: Metric
) -> Candidates:
    """Return the *k* nearest rows to each query, compared in float32.

    A key grows with distance: FAISS's squared distance, or the negative similarity.

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
    found: list[Candidates] = []

    def work(blocks: Blocks) -> None:
        faiss.omp_set_num_threads(1)  # only for calls from this thread
        best: list[Candidates] = []
        for start, block in blocks:
            scores, ids = faiss.knn(queries, block, min(k, len(block)), metric=metric.faiss_metric)
            keys = scores if metric.ascending else -scores
            best = [_merged([*best, (keys, np.where(ids < 0, ids, ids + start))], k)]
        found.extend(best)

    with _ONE_SEARCH:
        # FAISS goes row by row or multiplies matrices; the threshold depends on its version. The
        # product is several times faster for many queries. But for L2 it expands the square, which
        # loses the digits that matter for near vectors.
        threshold = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = _ALWAYS if multiply else _NEVER
        try:
            _run_threads(rows, step, threads, work)
            return _merged(found, k)
        finally:
            faiss.cvar.distance_compute_blas_threshold = threshold
            faiss.omp_set_num_threads(before)


def scan(rows: NDArray[np.float32] | UnitRows, terms: int, work: Callable[[Blocks], None]) -> None:
    """Call *work* on all rows, in several threads, each with its own blocks.

    Args:
        rows: (n, d).
        terms: number of vectors that each row is multiplied by.
        work: called with an iterator of blocks; it must neither change nor keep them.
    """
    import faiss

    # Large products use BLAS's threads; only small ones, computed without BLAS, need ours.
    few = terms < _PRODUCT_BATCH and rows.size * terms >= _WORTH_THREADS
    threads = int(faiss.omp_get_max_threads()) if few else 1
    fitting = _SMALL // (4 * max(rows.shape[1] + terms, 1))  # rows of a block with their products
    share = -(-len(rows) // (_SHARES * threads))
    _run_threads(rows, max(1, min(fitting, share)), threads, work)


def products(block: NDArray[np.float32], terms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the product of each term with each row, (m, b), for a block of `scan`.

    Args:
        block: (b, d).
        terms: (m, d).
    """
    if len(terms) < _PRODUCT_BATCH:
        # Term by term, without BLAS, whose threads would compete with ours.
        found = np.empty((len(terms), len(block)), dtype=np.float32)
        for term, out in zip(terms, found, strict=True):
            np.einsum("ij,j->i", block, term, out=out)
        return found
    # In this order, because BLAS is slow with few rows on the left.
    return np.ascontiguousarray((block @ terms.T).T)


def _block_rows(
    rows: NDArray[np.float32] | UnitRows, queries: int, threads: int, *, multiply: bool
) -> int:
    if queries == 1 and threads == 1 and isinstance(rows, np.ndarray):
        return max(len(rows), 1)  # one pass by one thread needs no blocks
    fitting = (_LARGE if multiply else _SMALL) // (4 * max(rows.shape[1], 1))
    share = -(-len(rows) // (_SHARES * threads))
    return max(1, int(min(fitting, share)))


def _blocks(rows: NDArray[np.float32] | UnitRows, starts: Iterator[int], step: int) -> Blocks:
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


def _run_threads(
    rows: NDArray[np.float32] | UnitRows, step: int, threads: int, work: Callable[[Blocks], None]
) -> None:
    starts = iter(range(0, len(rows), step))  # shared by all threads: each takes the next one
    if threads == 1:
        work(_blocks(rows, starts, step))
        return
    # The threads end with the search, because a forked process would lack threads that stay.
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work, _blocks(rows, starts, step)) for _ in range(threads - 1)]
        work(_blocks(rows, starts, step))
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
