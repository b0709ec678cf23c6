"""How the GPU kernel cuts the steps of training into tiles."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LaunchShape", "launch_shape"]

_NARROW, _WIDE = 16, 32  # lanes of a tile; 16 is the smallest that tensor cores multiply
_COLUMNS = 64
_MOST_CENTERS = 8
_MANY_WORDS = 1000
_NUMBERS_PER_WARP = 4200  # of rows and pairs of a step, in registers; from measurements on an H200
_NUMBERS_PER_PAIR = 4
_MAX_WARPS = 8


class LaunchShape(NamedTuple):
    """How steps are cut into tiles.

    Attributes:
        centers: centers of a step.
        rows: lanes for their output rows.
        contexts: context rows of a tile.
        tiles: tiles of context rows of a step.
        width: numbers of a column tile, which divides the length of a row.
        warps: warps of a program.
    """

    centers: int
    rows: int
    contexts: int
    tiles: int
    width: int
    warps: int


def launch_shape(words: int, stride: int, window: int, negative: int) -> LaunchShape:
    """Return how steps are cut into tiles, for matrices from `device_matrix`, (words, stride).

    The number of centers per step is the one that needs the fewest lanes per center. With a small
    vocabulary it is one, because the changes of words that recur within a step add up.
    """
    most = _MOST_CENTERS if words >= _MANY_WORDS else 1
    shapes = []
    for centers in range(1, most + 1):
        rows = max(_power_of_2(centers * (negative + 1)), _NARROW)
        near = 2 * window + centers
        contexts = _NARROW if near <= _NARROW else _WIDE
        tiles = -(-near // contexts)
        if rows <= _WIDE:
            shapes.append(((rows + contexts * tiles) / centers, centers, rows, contexts, tiles))
    _, centers, rows, contexts, tiles = min(shapes)
    numbers = rows * (stride + _NUMBERS_PER_PAIR * contexts * tiles)
    warps = min(_power_of_2(-(-numbers // _NUMBERS_PER_WARP)), _MAX_WARPS)
    return LaunchShape(centers, rows, contexts, tiles, min(stride, _COLUMNS), warps)


def _power_of_2(least: int) -> int:
    """Return the lowest power of two that is at least *least*."""
    return 1 << (least - 1).bit_length()
