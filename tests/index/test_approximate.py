"""Approximate indexes against brute force in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.errors import ConfigurationError, ModelError
from embedkit.index.approximate import ApproximateIndex, IndexSettings, build_index
from embedkit.index.benchmark import recall
from embedkit.index.exact import DenseIndex

APPROXIMATE = ["hnsw", "ivf", "ivfpq", "pq"]
METRICS = ["cosine", "l2", "dot"]


def clustered(words: int = 4_000, dimension: int = 24) -> np.ndarray:
    draw = np.random.default_rng(0)
    centers = draw.normal(size=(40, dimension))
    rows = centers[draw.integers(0, 40, words)] + draw.normal(size=(words, dimension)) * 0.5
    return (rows * draw.uniform(0.5, 2.0, (words, 1))).astype(np.float32)


def build(rows: np.ndarray, **settings: object) -> ApproximateIndex:
    chosen = IndexSettings(**settings).fitted(*rows.shape)  # type: ignore[arg-type]
    return build_index(DenseIndex(rows, chosen.metric), chosen)


def scores_of(rows: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    wide, query = rows.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        return np.sqrt(((wide - query) ** 2).sum(axis=1))
    products = wide @ query
    if metric == "cosine":
        products /= np.sqrt((wide**2).sum(axis=1)) * np.sqrt((query**2).sum())
    return products


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return clustered()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", APPROXIMATE)
def test_most_nearest_rows_are_found_with_exact_scores(
    rows: np.ndarray, kind: str, metric: str
) -> None:
    hits = build(rows, kind=kind, metric=metric).search(rows[:60], 10, [[n] for n in range(60)])
    found = 0
    for number, (ids, scores) in enumerate(hits):
        exact = scores_of(rows, rows[number], metric)
        np.testing.assert_allclose(scores, exact[ids], rtol=1e-10, atol=1e-12)
        keys = exact if metric == "l2" else -exact
        keys[number] = np.inf
        assert (np.diff(keys[ids]) >= -1e-12).all()
        assert number not in ids
        found += len(set(ids) & set(np.argsort(keys, kind="stable")[:10]))
    assert found / 600 > 0.9


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_queries_with_too_few_candidates_are_searched_exactly(rows: np.ndarray, kind: str) -> None:
    index = build(rows, kind=kind, nprobe=1, nlist=200, ef_search=1)
    exclude = [list(range(0, 4_000, 2))] * 3
    hits = index.search(rows[:3], 1_500, exclude)
    exact = DenseIndex(rows).search(rows[:3], 1_500, exclude)
    for (ids, scores), (true, expected) in zip(hits, exact, strict=True):
        assert len(ids) == 1_500
        assert (ids % 2 == 1).all()
        if kind != "hnsw":  # one list of two hundred does not hold so many
            np.testing.assert_array_equal(ids, true)
            np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_k_beyond_the_number_of_rows_gives_all_rows(rows: np.ndarray, kind: str) -> None:
    index = build(rows[:1_000], kind=kind)
    [(ids, _)] = index.search(rows[:1], 5_000, [[0, 7]])
    assert sorted(ids) == sorted(set(range(1_000)) - {0, 7})


@pytest.mark.parametrize("kind", ["ivf", "ivfpq"])
def test_the_same_seed_gives_the_same_answers(rows: np.ndarray, kind: str) -> None:
    first, second, other = (
        build(rows, kind=kind, nprobe=2, seed=seed).index.search(rows[:200], 10)[1]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_recall_grows_with_nprobe(rows: np.ndarray) -> None:
    exact = DenseIndex(rows).search(rows[:200], 10)
    few, many = (
        recall(build(rows, kind="ivf", nlist=60, nprobe=probes).search(rows[:200], 10), exact)
        for probes in (1, 60)
    )
    assert few < many
    assert many == 1.0


def test_recall_is_the_share_of_hits_found() -> None:
    def hits(*rows: int) -> tuple[np.ndarray, np.ndarray]:
        return np.array(rows), np.zeros(len(rows))

    assert recall([hits(1, 2, 3), hits(4, 5)], [hits(3, 2, 9), hits(5, 6)]) == 3 / 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "lsh"}, "unknown index 'lsh'; choose from flat, hnsw, ivf, ivfpq, pq"),
        ({"metric": "manhattan"}, "manhattan"),
        ({"m": 1}, "m must be an integer between 2 and 512, got 1"),
        ({"m": 99_999_999}, "m must be an integer between 2 and 512, got 99999999"),
        ({"ef_construction": 10**9}, "ef_construction must be an integer between 1 and 1,000,000"),
        ({"ef_search": 0}, "ef_search must be an integer between 1 and 1,000,000, got 0"),
        ({"ef_search": 10**11}, "ef_search must be an integer between 1 and 1,000,000"),
        ({"nlist": -1}, "nlist must be an integer between 1 and 2,147,483,647"),
        ({"nprobe": 10**11}, "nprobe must be an integer between 1 and 2,147,483,647"),
        ({"pq_m": False}, "pq_m must be an integer between 1 and 2,147,483,647, got False"),
        ({"seed": True}, "seed must be an integer between 0 and 2,147,483,647"),
        ({"seed": 2**31}, "seed must be an integer between 0 and 2,147,483,647, got 2147483648"),
    ],
)
def test_settings_out_of_range_are_rejected(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        IndexSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "words", "message"),
    [
        ({}, 999, "needs at least 1,000 words, got 999"),
        (
            {"kind": "ivf", "nlist": 2_001},
            2_000,
            "number of words, 2,000, got 2,001",
        ),
        (
            {"kind": "ivfpq", "pq_m": 7},
            2_000,
            r"got 7\. Choose from 1, 2, 3, 4, 6, 8, 12, 24",
        ),
    ],
)
def test_settings_that_do_not_suit_the_vectors_are_rejected(
    settings: dict[str, object], words: int, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        IndexSettings(**settings).fitted(words, 24)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_vectors_with_nan_are_rejected(rows: np.ndarray, kind: str) -> None:
    broken = rows.copy()
    broken[3_999, 3] = np.nan
    with pytest.raises(ModelError, match="contain NaN or infinity"):
        build(broken, kind=kind)
