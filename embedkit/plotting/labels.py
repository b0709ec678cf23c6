"""Placing labels beside points so that no two overlap: each takes the best free position.

The picture is a raster: marks make a position expensive, labels make it unavailable. Labels are
placed one by one, the most important first (greedy point-feature labeling, as in Christensen, Marks
and Shieber 1995). Distant positions, with a line back to the point, are tried only for labels that
must be placed.

The library adjustText was also tried. It took about 10 times as long, and left labels on arrows
and, where points are dense, on other labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "LabelCanvas"]

_CELL = 2.0  # pixels
_DIRECTIONS = 16
_NEAR, _FAR = 1, 14  # rings
_RING = 9.0  # pixels from one ring to the next
_RING_COST, _SIDE_COST = 30.0, 0.6


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, its lower left corner first."""

    left: float
    bottom: float
    width: float
    height: float

    def nearest(self, x: float, y: float, *, beyond: float) -> tuple[float, float] | None:
        """Return the box's point nearest to (x, y), or None if it is within *beyond* pixels."""
        tip = (
            min(max(x, self.left), self.left + self.width),
            min(max(y, self.bottom), self.bottom + self.height),
        )
        return tip if math.dist((x, y), tip) > beyond else None


class LabelCanvas:
    """The area of a picture for labels, and which parts of it are occupied.

    Args:
        left, bottom, width, height: the area in pixels; all labels lie inside it.
    """

    def __init__(self, left: float, bottom: float, width: float, height: float) -> None:
        self._frame = Box(left, bottom, width, height)
        shape = int((bottom + height) // _CELL) + 1, int((left + width) // _CELL) + 1
        self._ink: NDArray[np.float32] = np.zeros(shape, dtype=np.float32)
        self._taken: NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)

    def dot(self, x: float, y: float, radius: float, cost: float = 4.0) -> None:
        """Add a point that labels should not cover."""
        box = Box(x - radius, y - radius, 2 * radius, 2 * radius)
        self._ink[self._cells(box)] += cost

    def line(self, start: tuple[float, float], end: tuple[float, float], cost: float = 2.0) -> None:
        """Add a line that labels should not cross."""
        steps = int(max(abs(end[0] - start[0]), abs(end[1] - start[1])) // _CELL) + 2
        xs = np.linspace(start[0], end[0], steps)
        ys = np.linspace(start[1], end[1], steps)
        self._ink[(ys // _CELL).astype(int), (xs // _CELL).astype(int)] += cost

    def place(
        self, x: float, y: float, width: float, height: float, *, gap: float, must: bool = False
    ) -> Box | None:
        """Occupy the best free position for the label of a point; return None if there is none.

        Args:
            x, y: the point, in pixels.
            width, height: the size of the label, in pixels.
            gap: the distance between the point and its label, in pixels.
            must: whether to try distant positions as well.
        """
        best: Box | None = None
        least = np.inf
        for ring in range(_FAR if must else _NEAR):
            if ring * _RING_COST >= least:  # more distant positions cost more
                break
            for side, box in _around(x, y, width, height, gap + ring * _RING):
                cost = ring * _RING_COST + side
                if cost < least and self._is_free(box):
                    cost += float(self._ink[self._cells(box)].sum())
                    if cost < least:
                        best, least = box, cost
        if best is not None:
            self._taken[self._cells(best)] = True
        return best

    def _is_free(self, box: Box) -> bool:
        frame = self._frame
        inside = (
            frame.left <= box.left <= frame.left + frame.width - box.width
            and frame.bottom <= box.bottom <= frame.bottom + frame.height - box.height
        )
        return inside and not self._taken[self._cells(box)].any()

    def _cells(self, box: Box) -> tuple[slice, slice]:
        """Return the cells that a box overlaps."""
        top = int((box.bottom + box.height) // _CELL) + 1
        right = int((box.left + box.width) // _CELL) + 1
        return (
            slice(max(int(box.bottom // _CELL), 0), max(top, 0)),
            slice(max(int(box.left // _CELL), 0), max(right, 0)),
        )


def _around(
    x: float, y: float, width: float, height: float, gap: float
) -> Iterator[tuple[float, Box]]:
    """Yield boxes around a point and the cost of their direction; right of the point is best."""
    for step in range(_DIRECTIONS):
        angle = 2 * np.pi * step / _DIRECTIONS
        # Around a square rather than a circle, so that boxes at corners are as close as at sides.
        across, up = np.clip(1.4 * np.cos(angle), -1, 1), np.clip(1.4 * np.sin(angle), -1, 1)
        slant = np.hypot(across, up)
        left = x + across * (width / 2 + gap / slant) - width / 2
        bottom = y + up * (height / 2 + gap / slant) - height / 2
        yield _SIDE_COST * (1 - np.cos(angle)), Box(left, bottom, width, height)
