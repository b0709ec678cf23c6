"""Pooling compared with NumPy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from embedkit.features.pooling import Bags, first_component, maxima, weighted_sums


def test_pooling_does_not_import_scikit_learn() -> None:
    script = "import embedkit.features.pooling, sys; print('sklearn' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


BAGS = st.lists(st.lists(st.integers(0, 6), max_size=5), max_size=6)


@given(BAGS)
def test_sparse_and_dense_maxima_agree(lists: list[list[int]]) -> None:
    table = np.array(
        [[0, 0, 0], [-1, 2, 0], [-3, 0, 1], [4, -5, 0], [0, -2, -2], [-7, -1, 3], [2, 2, -9]],
        dtype=np.float32,
    )
    wanted = np.array(
        [table[bag].max(axis=0) if bag else [0, 0, 0] for bag in lists], dtype=np.float32
    ).reshape(-1, 3)
    bags = Bags.of(lists)

    def pooled(kind: Callable[[np.ndarray], Any]) -> Any:
        return maxima(kind(table[:5]), bags, kind(table[5:]))  # the last two are extra rows

    assert pooled(np.asarray).tolist() == wanted.tolist()
    assert pooled(sparse.csr_array).toarray().tolist() == wanted.tolist()


@given(BAGS)
def test_sums_agree_with_numpy(lists: list[list[int]]) -> None:
    table = np.random.default_rng(0).integers(-9, 9, (7, 3)).astype(np.float32)
    wanted = [table[bag].sum(axis=0).tolist() if bag else [0, 0, 0] for bag in lists]
    bags = Bags.of(lists)
    assert weighted_sums(table, bags).tolist() == wanted
    assert weighted_sums(table[:5], bags, table[5:]).tolist() == wanted


def test_first_component_is_that_of_the_svd() -> None:
    table = np.random.default_rng(0).normal(size=(9_000, 20)).astype(np.float32) + 0.3
    first = np.linalg.svd(table.astype(float), full_matrices=False)[2][0]
    assert abs(first_component(table) @ first) == pytest.approx(1, abs=1e-9)
    assert not first_component(np.zeros((3, 4), dtype=np.float32)).any()
