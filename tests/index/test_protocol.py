"""What every index must do, checked once over all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from embedkit.index.approximate import IndexSettings, build_index
from embedkit.index.exact import DenseIndex, SparseIndex
from embedkit.index.metrics import METRICS
from embedkit.index.protocol import Hits, Index

ROWS = np.random.default_rng(31).normal(size=(1_200, 8)).astype(np.float32)


def approximate(metric: str) -> Index:
    settings = IndexSettings(kind="hnsw", metric=metric).fitted(*ROWS.shape)
    return build_index(DenseIndex(ROWS, metric), settings)


INDEXES: dict[str, Callable[[str], Index]] = {
    "dense": lambda metric: DenseIndex(ROWS, metric),
    "sparse": lambda metric: SparseIndex(sparse.csr_array(ROWS), metric),
    "hnsw": approximate,
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", INDEXES)
def test_all_indexes_give_the_same_hits(kind: str, metric: str) -> None:
    """Nearest first, without excluded rows, with the scores of float64."""
    index = INDEXES[kind](metric)
    assert index.metric is METRICS[metric]
    numbers = [0, 7, 1_199]
    queries = ROWS[numbers] if kind != "sparse" else sparse.csr_array(ROWS[numbers])
    found = index.search(queries, 5, [[number] for number in numbers])
    for number, hits in zip(numbers, found, strict=True):
        assert isinstance(hits, Hits)
        wide = ROWS.astype(np.float64)
        scores = {
            "l2": np.linalg.norm(wide - wide[number], axis=1),
            "dot": wide @ wide[number],
            "cosine": wide @ wide[number] / np.linalg.norm(wide, axis=1),
        }[metric]
        scores = scores / np.linalg.norm(wide[number]) if metric == "cosine" else scores
        order = np.argsort(scores if metric == "l2" else -scores)
        expected = [row for row in order if row != number][:5]
        assert len(set(hits.rows) & set(expected)) >= (4 if kind == "hnsw" else 5)
        np.testing.assert_allclose(hits.scores, scores[hits.rows], rtol=1e-6)


@pytest.mark.parametrize("kind", INDEXES)
def test_the_first_rows_are_an_index_too(kind: str) -> None:
    first = INDEXES[kind]("l2").first(20)
    queries = ROWS[30:32] if kind != "sparse" else sparse.csr_array(ROWS[30:32])
    for hits in first.search(queries, 50):
        assert sorted(hits.rows) == list(range(20))
