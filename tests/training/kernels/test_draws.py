"""The part of the corpus that a chunk needs; `test_staging` tests the draws."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from embedkit.system.random import draw, epoch_key  # noqa: E402
from embedkit.training.kernels.draws import context_span, device_matrix  # noqa: E402

KEY = epoch_key(3, 1)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def test_a_range_includes_its_context_within_the_sentence() -> None:
    rare = 3  # most words are not kept, so context is far away
    tokens = np.zeros(10_000, dtype=np.int32)
    boundaries = np.array([0, 100, 9_900, 10_000])
    keep = np.array([2**32 // 1000 * rare], dtype=np.uint32)
    low, high = context_span(tokens, boundaries, 5_000, 5_010, keep, 3, KEY)
    sides = [range(low, 5_000), range(5_010, high)]
    for side in sides:
        assert sum(draw(KEY, p) >> 32 <= int(keep[0]) for p in side) >= 3
    assert 100 <= low < 4_990
    assert 5_020 < high <= 9_900
    assert context_span(tokens, boundaries, 100, 9_900, keep, 15, KEY) == (100, 9_900)
    assert context_span(tokens, boundaries, 102, 103, keep, 15, KEY)[0] == 100


@pytest.mark.parametrize(
    ("dimension", "stride"), [(1, 32), (32, 32), (33, 64), (100, 128), (300, 320)]
)
def test_rows_are_padded_to_whole_column_tiles(dimension: int, stride: int) -> None:
    matrix = device_matrix(3, dimension, "cpu")
    assert matrix.shape == (3, stride)
    assert not matrix.any()
