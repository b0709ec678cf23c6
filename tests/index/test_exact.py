"""Nearest rows against brute force in double precision.

One file for dense and sparse search, longer than others, as both are compared with one oracle.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from embedkit.errors import ConfigurationError
from embedkit.index.exact import DenseIndex, SparseIndex, make_index
from embedkit.index.metrics import METRICS

ROWS, DIMENSION = 211, 17


def exact_scores(matrix: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    wide, query = matrix.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        return np.sqrt(((wide - query) ** 2).sum(axis=1))
    products = wide @ query
    if metric == "dot":
        return products
    lengths = np.linalg.norm(wide, axis=1) * np.linalg.norm(query)
    return products / np.where(lengths == 0, 1, lengths)


def brute_force(
    matrix: np.ndarray, query: np.ndarray, metric: str, k: int, exclude: Sequence[int] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest rows, equal scores by row number."""
    scores = exact_scores(matrix, query, metric)
    order = np.argsort(scores if metric == "l2" else -scores, kind="stable")
    order = order[~np.isin(order, exclude)][:k]
    return order, scores[order]


def random_rows(seed: int, rows: int = ROWS, dimension: int = DIMENSION) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)


def one_hot(rows: int) -> sparse.csr_array:
    return sparse.csr_array(sparse.eye_array(rows, dtype=np.float32))


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    return random_rows(1)


@pytest.fixture(scope="module")
def queries() -> np.ndarray:
    return random_rows(2, rows=53)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 7, ROWS])
def test_dense_hits_match_brute_force(
    matrix: np.ndarray, queries: np.ndarray, metric: str, k: int
) -> None:
    hits = DenseIndex(matrix, metric).search(queries, k)
    assert len(hits) == len(queries)
    for query, (ids, scores) in zip(queries, hits, strict=True):
        expected_ids, expected = brute_force(matrix, query, metric, k)
        np.testing.assert_array_equal(ids, expected_ids)
        np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 7, ROWS])
def test_excluded_rows_are_not_hits(
    matrix: np.ndarray, queries: np.ndarray, metric: str, k: int
) -> None:
    exclude = [
        brute_force(matrix, query, metric, number % 6)[0].tolist()
        for number, query in enumerate(queries)
    ]
    hits = DenseIndex(matrix, metric).search(queries, k, exclude)
    for query, excluded, (ids, _) in zip(queries, exclude, hits, strict=True):
        np.testing.assert_array_equal(ids, brute_force(matrix, query, metric, k, excluded)[0])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 7, 60])
def test_sparse_hits_match_brute_force(metric: str, k: int) -> None:
    rows, queries = random_rows(3, rows=60), random_rows(4, rows=25)
    rows[rows < 0.7] = 0
    queries[queries < 0.7] = 0
    exclude = [[number, (number * 7) % 60] for number in range(len(queries))]
    index = SparseIndex(sparse.csr_array(rows), metric)
    hits = index.search(sparse.csr_array(queries), k, exclude)
    for query, excluded, (ids, scores) in zip(queries, exclude, hits, strict=True):
        expected_ids, expected = brute_force(rows, query, metric, k, excluded)
        np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=2e-6)
        np.testing.assert_allclose(exact_scores(rows, query, metric)[ids], expected, atol=2e-6)
        assert len(ids) == len(expected_ids)
        assert not set(ids) & set(excluded)


@pytest.mark.parametrize(("metric", "score"), [("cosine", 0.0), ("dot", 0.0), ("l2", np.sqrt(2.0))])
def test_sparse_ties_are_ordered_by_row_number(metric: str, score: float) -> None:
    table = one_hot(50)
    [(ids, scores)] = SparseIndex(table, metric).search(table[[4]], 9, [[4]])
    assert ids.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    np.testing.assert_allclose(scores, score, rtol=1e-7)


@pytest.mark.parametrize("metric", METRICS)
def test_sparse_row_finds_itself_first(metric: str) -> None:
    table = one_hot(9)
    [(ids, scores)] = SparseIndex(table, metric).search(table[[6]], 3)
    assert ids.tolist() == [6, 0, 1]
    assert scores[0] == (0 if metric == "l2" else 1)


@pytest.mark.parametrize("metric", METRICS)
def test_sparse_search_does_not_depend_on_the_other_queries(metric: str) -> None:
    table = sparse.csr_array(np.abs(random_rows(5, rows=30)))
    index = SparseIndex(table, metric)
    together = index.search(table[:10], 5)
    alone = [index.search(table[[number]], 5)[0] for number in range(10)]
    for (ids, scores), (expected_ids, expected) in zip(together, alone, strict=True):
        np.testing.assert_array_equal(ids, expected_ids)
        np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_more_hits_than_rows_gives_all_rows(metric: str, layout: type) -> None:
    rows = layout(random_rows(6, rows=8))
    hits = make_index(rows, metric).search(rows[:3], 100, [[0], [1], [2, 5]])
    assert [len(ids) for ids, _ in hits] == [7, 7, 6]
    assert sorted(hits[2][0]) == [0, 1, 3, 4, 6, 7]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_all_rows_excluded_gives_no_hit(metric: str, layout: type) -> None:
    rows = layout(random_rows(7, rows=4))
    [(ids, scores)] = make_index(rows, metric).search(rows[:1], 2, [[0, 1, 2, 3]])
    assert (len(ids), len(scores)) == (0, 0)


@pytest.mark.parametrize("queries", [1, 16, 17, 20, 21, 64])
def test_l2_is_exact_for_code_points_of_cjk_size(queries: int) -> None:
    random = np.random.default_rng(8)
    rows = random.integers(0x4E00, 0x9FFF, size=(300, 4)).astype(np.float32)
    rows[1::2] = rows[::2]
    rows[1::2, 0] += 1  # one code point away
    hits = DenseIndex(rows, "l2").search(rows[:queries], 5)
    for number, (ids, scores) in enumerate(hits):
        expected_ids, expected = brute_force(rows, rows[number], "l2", 5)
        np.testing.assert_array_equal(ids, expected_ids)
        np.testing.assert_array_equal(scores, expected)
        assert scores[:2].tolist() == [0.0, 1.0]


def test_l2_ties_are_ordered_by_row_number() -> None:
    rows = np.zeros((12, 2), dtype=np.float32)
    rows[[9, 3, 6]] = [[0, 1], [1, 0], [-1, 0]]
    [(ids, scores)] = DenseIndex(rows[[9, 3, 6, 0]], "l2").search(rows[:1], 4)
    assert ids.tolist() == [3, 0, 1, 2]
    assert scores.tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "view",
    [
        lambda rows: rows[::3],
        lambda rows: rows[:, ::2],
        lambda rows: rows[::-1],
        lambda rows: np.asfortranarray(rows),
        lambda rows: rows[:, 3:9],
    ],
    ids=["every third row", "every second column", "backwards", "Fortran order", "padded"],
)
def test_matrix_need_not_be_contiguous(metric: str, view: object) -> None:
    rows = view(random_rows(9))  # type: ignore[operator]
    hits = DenseIndex(rows, metric).search(rows[:30], 6)
    for query, (ids, _) in zip(rows, hits, strict=False):
        np.testing.assert_array_equal(ids, brute_force(rows, query, metric, 6)[0])


@pytest.mark.parametrize("metric", METRICS)
def test_matrix_may_be_a_read_only_memory_map(metric: str, tmp_path: Path) -> None:
    rows = random_rows(10)
    rows.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.float32, "r", shape=rows.shape)
    hits = DenseIndex(mapped, metric).search(mapped[:5], 6)
    for query, (ids, _) in zip(rows, hits, strict=False):
        np.testing.assert_array_equal(ids, brute_force(rows, query, metric, 6)[0])


@pytest.mark.parametrize("metric", ["l2", "dot"])
def test_a_contiguous_matrix_is_not_copied(metric: str) -> None:
    rows = random_rows(11)
    assert np.shares_memory(DenseIndex(rows, metric).rows, rows)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_zero_rows_are_far_but_finite(metric: str, layout: type) -> None:
    rows = random_rows(12, rows=20)
    rows[[2, 11]] = 0
    hits = make_index(layout(rows), metric).search(layout(rows[:3]), 20)
    for query, (ids, scores) in zip(rows, hits, strict=False):
        assert sorted(ids) == list(range(20))
        assert np.isfinite(scores).all()
        np.testing.assert_allclose(
            scores, exact_scores(rows, query, metric)[ids], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("length", [1e-8, 1.0, 1e8])
def test_cosine_does_not_depend_on_the_lengths_of_queries(
    matrix: np.ndarray, queries: np.ndarray, length: float
) -> None:
    index = DenseIndex(matrix, "cosine")
    scaled = index.search(queries * np.float32(length), 5)
    for query, (ids, scores) in zip(queries, scaled, strict=True):
        expected_ids, expected = brute_force(matrix, query, "cosine", 5)
        np.testing.assert_array_equal(ids, expected_ids)
        np.testing.assert_allclose(scores, expected, atol=2e-6)


def test_search_changes_neither_matrix_nor_queries(matrix: np.ndarray, queries: np.ndarray) -> None:
    before = matrix.copy(), queries.copy()
    DenseIndex(matrix, "cosine").search(queries, 3)
    np.testing.assert_array_equal(matrix, before[0])
    np.testing.assert_array_equal(queries, before[1])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_no_queries_give_no_hits(metric: str, layout: type) -> None:
    rows = layout(random_rows(13, rows=5))
    assert make_index(rows, metric).search(rows[:0], 3) == []


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_hits_are_int64_row_numbers_and_float64_scores(metric: str, layout: type) -> None:
    rows = layout(random_rows(14, rows=9))
    [(ids, scores)] = make_index(rows, metric).search(rows[:1], 3)
    assert (ids.dtype, scores.dtype) == (np.int64, np.float64)
    assert np.all(np.diff(scores) >= 0) if metric == "l2" else np.all(np.diff(scores) <= 0)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [(random_rows(15), DenseIndex), (one_hot(5), SparseIndex)],
    ids=["dense", "sparse"],
)
def test_make_index_suits_the_matrix(rows: object, kind: type) -> None:
    assert type(make_index(rows, "cosine")) is kind


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_an_unknown_metric_is_rejected(layout: type) -> None:
    with pytest.raises(ConfigurationError, match="manhattan"):
        make_index(layout(random_rows(16)), "manhattan")


@settings(deadline=None, max_examples=60)
@given(
    rows=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 40), st.integers(1, 5)),
        elements=st.integers(-40_000, 40_000).map(np.float32),
    ),
    k=st.integers(1, 45),
    data=st.data(),
)
def test_l2_of_whole_numbers_is_exact(rows: np.ndarray, k: int, data: st.DataObject) -> None:
    excluded = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=4, unique=True))
    [(ids, scores)] = DenseIndex(rows, "l2").search(rows[:1], k, [excluded])
    _, expected = brute_force(rows, rows[0], "l2", k, excluded)
    assert not set(ids) & set(excluded)
    np.testing.assert_allclose(scores, expected, rtol=1e-14)


@pytest.mark.parametrize("metric", ["cosine", "l2", "dot"])
def test_rows_with_nan_are_never_hits(metric: str) -> None:
    matrix = np.eye(4, dtype=np.float32)
    matrix[2] = np.nan
    ((ids, scores),) = DenseIndex(matrix, metric).search(matrix[:1], 4)
    assert 2 not in ids
    assert np.isfinite(scores).all()


@settings(deadline=None, max_examples=150)
@given(
    rows=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 60), st.integers(1, 5)),
        elements=st.integers(-3, 3).map(np.float32),
    ),
    k=st.integers(1, 70),
    metric=st.sampled_from([*METRICS]),
    data=st.data(),
)
def test_equal_rows_are_ordered_by_number(
    rows: np.ndarray, k: int, metric: str, data: st.DataObject
) -> None:
    """Few different numbers: rows of zeros, rows that are the same, and k beyond the end."""
    excluded = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=4, unique=True))
    queries = rows[: data.draw(st.integers(1, 12))]
    hits = DenseIndex(rows, metric).search(queries, k, [excluded] * len(queries))
    for query, (ids, scores) in zip(queries, hits, strict=True):
        expected_ids, expected = brute_force(rows, query, metric, k, excluded)
        np.testing.assert_allclose(scores, expected, rtol=1e-14, atol=1e-14)
        assert set(ids) == set(expected_ids) or metric == "cosine"
        same = np.flatnonzero(np.diff(scores) == 0)
        assert (ids[same] < ids[same + 1]).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("asked", [1, 3, 8, 40])
def test_among_many_equal_rows_the_first_are_hits(metric: str, asked: int) -> None:
    rows = random_rows(20, rows=3_000)
    same = np.arange(17, 3_000, 3)
    rows[same] = rows[17] * (1 if metric != "dot" else 30)
    [*hits] = DenseIndex(rows, metric).search(np.repeat(rows[[17]], asked, axis=0), 5)
    assert [ids.tolist() for ids, _ in hits] == [same[:5].tolist()] * asked


@pytest.mark.parametrize("metric", METRICS)
def test_scores_do_not_depend_on_the_other_queries(matrix: np.ndarray, metric: str) -> None:
    index = DenseIndex(matrix, metric)
    together = index.search(matrix, 5)
    for number in range(0, ROWS, 30):
        [(ids, scores)] = index.search(matrix[[number]], 5)
        np.testing.assert_array_equal(ids, together[number][0])
        np.testing.assert_array_equal(scores, together[number][1])


@pytest.mark.parametrize("metric", METRICS)
def test_an_index_of_the_first_rows(matrix: np.ndarray, queries: np.ndarray, metric: str) -> None:
    hits = DenseIndex(matrix, metric).first(50).search(queries, 4)
    for query, (ids, _) in zip(queries, hits, strict=True):
        np.testing.assert_array_equal(ids, brute_force(matrix[:50], query, metric, 4)[0])
