"""Vectors on a plane: the two principal components of unit vectors (Pearson 1901).

The projection is linear, so an arrow from one word to another is the projection of their
difference, and a - b + c is the fourth corner of the parallelogram of its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Projection", "principal_plane"]

_ROWS = 1 << 12


@dataclass(frozen=True)
class Projection:
    """A plane through the mean of some vectors.

    Attributes:
        mean: where the plane's origin lies, float64 (d,).
        axes: two orthonormal directions, float64 (2, d).
        explained: the share of all variance along each of them, float64 (2,).
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: NDArray[np.float64]

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the places of vectors, (n, d), on the plane, float32 (n, 2)."""
        places = np.empty((len(rows), 2), dtype=np.float32)
        for start in range(0, len(rows), _ROWS):
            block = rows[start : start + _ROWS].astype(np.float64)
            places[start : start + _ROWS] = (block - self.mean) @ self.axes.T
        return places


def principal_plane(rows: NDArray[np.float32]) -> Projection:
    """Return the plane on which vectors, (n, d), keep most of their variance.

    The sign of an axis, which nothing decides, is such that its largest part is positive. Where
    there is no variance left, an axis is 0.
    """
    count, dimension = rows.shape
    total = np.zeros(dimension)
    products = np.zeros((dimension, dimension))
    for start in range(0, count, _ROWS):
        block: NDArray[Any] = rows[start : start + _ROWS].astype(np.float64)
        total += block.sum(axis=0)
        products += block.T @ block
    mean = total / count
    variances, directions = np.linalg.eigh(products / count - np.outer(mean, mean))
    shares = np.zeros(2)
    axes = np.zeros((2, dimension))
    whole = variances.clip(min=0).sum()
    for place in range(min(2, dimension)):
        variance, axis = variances[-1 - place], directions[:, -1 - place]
        if variance > 1e-12 * max(whole, 1.0):
            shares[place] = variance / whole
            axes[place] = axis * np.sign(axis[np.argmax(np.abs(axis))])
    return Projection(mean, axes, shares)
