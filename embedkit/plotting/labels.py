"""Labels beside points so that no two overlap: each takes the best free place around its point.

The picture is a raster: what is drawn makes a place dear, what is labelled makes it impossible.
Labels are placed one after the other, the most important first (greedy point-feature labelling, as
in Christensen, Marks and Shieber 1995); far places, with a line back to the point, are tried only
for labels that must be there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "Paper"]

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
        """Return the box's nearest place to a point, if it is farther than *beyond*."""
        tip = (
            min(max(x, self.left), self.left + self.width),
            min(max(y, self.bottom), self.bottom + self.height),
        )
        return tip if math.dist((x, y), tip) > beyond else None


class Paper:
    """The part of a picture that labels may stand on, and what of it is taken.

    Args:
        left, bottom, width, height: in pixels; no label leaves it.
    """

    def __init__(self, left: float, bottom: float, width: float, height: float) -> None:
        self._frame = Box(left, bottom, width, height)
        shape = int((bottom + height) // _CELL) + 1, int((left + width) // _CELL) + 1
        self._ink: NDArray[np.float32] = np.zeros(shape, dtype=np.float32)
        self._taken: NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)

    def dot(self, x: float, y: float, radius: float, cost: float = 4.0) -> None:
        """Mark a point, which labels should not cover."""
        box = Box(x - radius, y - radius, 2 * radius, 2 * radius)
        self._ink[self._cells(box)] += cost

    def line(self, start: tuple[float, float], end: tuple[float, float], cost: float = 2.0) -> None:
        """Mark a line inside the picture, which labels should not cross."""
        steps = int(max(abs(end[0] - start[0]), abs(end[1] - start[1])) // _CELL) + 2
        xs = np.linspace(start[0], end[0], steps)
        ys = np.linspace(start[1], end[1], steps)
        self._ink[(ys // _CELL).astype(int), (xs // _CELL).astype(int)] += cost

    def place(
        self, x: float, y: float, width: float, height: float, *, gap: float, must: bool = False
    ) -> Box | None:
        """Take the best free place for a label of a point, or return None where there is none.

        Args:
            x, y: the point, in pixels.
            width, height: of the label, in pixels.
            gap: between the point and a label that is beside it, in pixels.
            must: try far places as well.
        """
        best: Box | None = None
        least = np.inf
        for ring in range(_FAR if must else _NEAR):
            if ring * _RING_COST >= least:  # nothing farther can be better
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
        """Return the cells that a box touches."""
        top = int((box.bottom + box.height) // _CELL) + 1
        right = int((box.left + box.width) // _CELL) + 1
        return (
            slice(max(int(box.bottom // _CELL), 0), max(top, 0)),
            slice(max(int(box.left // _CELL), 0), max(right, 0)),
        )


def _around(
    x: float, y: float, width: float, height: float, gap: float
) -> Iterator[tuple[float, Box]]:
    """Yield boxes around a point and what their direction costs: right of it is read best."""
    for step in range(_DIRECTIONS):
        angle = 2 * np.pi * step / _DIRECTIONS
        # A square about the point rather than a circle: a corner touches where a side would.
        across, up = np.clip(1.4 * np.cos(angle), -1, 1), np.clip(1.4 * np.sin(angle), -1, 1)
        slant = np.hypot(across, up)
        left = x + across * (width / 2 + gap / slant) - width / 2
        bottom = y + up * (height / 2 + gap / slant) - height / 2
        yield _SIDE_COST * (1 - np.cos(angle)), Box(left, bottom, width, height)
