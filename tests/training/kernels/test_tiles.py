"""How steps are cut into tiles."""

from __future__ import annotations

from embedkit.training.kernels.tiles import launch_shape


def test_lanes_and_tiles_hold_a_step() -> None:
    for words in (10, 100_000):
        for stride in (32, 64, 128, 320, 1024):
            for window in (1, 2, 5, 8, 16, 60):
                for negative in (1, 5, 7, 10, 15, 16, 25):
                    shape = launch_shape(words, stride, window, negative)
                    assert shape.centers * (negative + 1) <= shape.rows
                    assert 2 * window + shape.centers <= shape.contexts * shape.tiles
                    assert stride % shape.width == 0
                    assert shape.centers == 1 or words > 1000


def test_a_step_has_the_centers_that_need_the_fewest_lanes_each() -> None:
    # Five centers have 30 output rows and 15 contexts: 48 lanes. Two have 12 rows and 12 contexts.
    assert launch_shape(100_000, 128, 5, 5).centers == 5
    assert launch_shape(100_000, 128, 5, 10).centers == 2
    assert launch_shape(100_000, 128, 5, 25).centers == 1
