"""Going over the rows of a matrix in float32, block by block, with both hands: FAISS and threads.

Every thread takes a block of rows at a time and deals with it alone. The threads of FAISS and BLAS
would meet after each small product of matrices, and where other processes want the processors too,
each such meeting waits until the one that was set aside is let on again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.index.metrics import Metric, UnitRows

__all__ = ["Blocks", "Candidates", "go_over", "nearest_rows", "products"]

Candidates: TypeAlias = "tuple[NDArray[np.float32], NDArray[np.int64]]"
"""Keys and row numbers, (m, k) each, in no order; -1 is no row."""

Blocks: TypeAlias = "Iterator[tuple[int, NDArray[np.float32]]]"
"""The number of a first row, and the rows from it on, (b, d)."""

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
    found: list[Candidates] = []

    def work(blocks: Blocks) -> None:
        faiss.omp_set_num_threads(1)  # of this thread
        best: list[Candidates] = []
        for start, block in blocks:
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
            _share_out(rows, step, threads, work)
            return _merged(found, k)
        finally:
            faiss.cvar.distance_compute_blas_threshold = threshold
            faiss.omp_set_num_threads(before)


def go_over(
    rows: NDArray[np.float32] | UnitRows, terms: int, work: Callable[[Blocks], None]
) -> None:
    """Have *work* go over all rows, each thread over blocks of its own.

    Args:
        rows: (n, d).
        terms: vectors that each row is multiplied by.
        work: is given blocks as `Blocks` tells; it must not change them or keep them.
    """
    import faiss

    # Large products have BLAS's threads; only the small ones, done without it, need ours.
    few = terms < _PRODUCT_BATCH and rows.size * terms >= _WORTH_THREADS
    threads = int(faiss.omp_get_max_threads()) if few else 1
    fitting = _SMALL // (4 * max(rows.shape[1] + terms, 1))  # of a block and of its products
    share = -(-len(rows) // (_SHARES * threads))
    _share_out(rows, max(1, min(fitting, share)), threads, work)


def products(block: NDArray[np.float32], terms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the product of each term with each row, (m, b), for a block that `go_over` gives.

    Args:
        block: (b, d).
        terms: (m, d).
    """
    if len(terms) < _PRODUCT_BATCH:
        # Term by term, without BLAS: its threads would stand in the way of those that are here.
        found = np.empty((len(terms), len(block)), dtype=np.float32)
        for term, out in zip(terms, found, strict=True):
            np.einsum("ij,j->i", block, term, out=out)
        return found
    # This way round: BLAS is slow with few rows on the left.
    return np.ascontiguousarray((block @ terms.T).T)


def _block_rows(
    rows: NDArray[np.float32] | UnitRows, queries: int, threads: int, *, multiply: bool
) -> int:
    if queries == 1 and threads == 1 and isinstance(rows, np.ndarray):
        return max(len(rows), 1)  # nothing is gone over twice, and nothing is shared out
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


def _share_out(
    rows: NDArray[np.float32] | UnitRows, step: int, threads: int, work: Callable[[Blocks], None]
) -> None:
    starts = iter(range(0, len(rows), step))  # one for all threads: whoever is free takes the next
    if threads == 1:
        work(_blocks(rows, starts, step))
        return
    # They end with the search: threads that stay would be missing in a process that is forked.
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
