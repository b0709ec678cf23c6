"""Arrays that grow."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.system.growing import GrowingArray


@pytest.mark.parametrize(("kind", "columns"), [(np.uint64, 4), (np.uint8, 0)])
def test_array_keeps_its_contents_as_it_grows(kind: type[np.generic], columns: int) -> None:
    growing = GrowingArray(kind, 3, columns)
    expected = np.zeros((0, columns) if columns else 0, dtype=kind)
    for size in (1, 3, 4, 1_000, 300_000):
        growing.reserve(size)
        assert len(growing.array) >= size
        np.testing.assert_array_equal(growing.array[: len(expected)], expected)
        assert not growing.array[len(expected) :].any()
        growing.array[:size] = np.random.default_rng(size).integers(
            0, 256, growing.array[:size].shape
        )
        expected = growing.array[:size].copy()


def test_room_that_is_there_is_used() -> None:
    growing = GrowingArray(np.int64, 10)
    before = growing.array
    growing.reserve(10)
    assert growing.array is before
