"""Principal components (Pearson 1901), and the projection onto the plane of the first two.

The projection is linear, so the arrow between two projected words is the projected difference of
their vectors, and a - b + c is the fourth corner of a parallelogram.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Projection", "principal_axes", "principal_plane"]

_ROWS = 1 << 12


@dataclass(frozen=True)
class Projection:
    """A projection onto k axes through the mean of some vectors; two axes span a plane.

    Attributes:
        mean: the origin, float64 (d,).
        axes: orthonormal directions, float64 (k, d).
        explained: share of the variance along each axis, float64 (k,).
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: NDArray[np.float64]

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the coordinates, float32 (n, k), of vectors, (n, d)."""
        places = np.empty((len(rows), len(self.axes)), dtype=np.float32)
        for start in range(0, len(rows), _ROWS):
            block = rows[start : start + _ROWS].astype(np.float64)
            places[start : start + _ROWS] = (block - self.mean) @ self.axes.T
        return places


def principal_plane(rows: NDArray[np.float32]) -> Projection:
    """Return the projection onto the plane that keeps most of the variance of vectors, (n, d)."""
    return principal_axes(rows, 2)


def principal_axes(rows: NDArray[np.float32], count: int) -> Projection:
    """Return the projection onto the *count* principal components of vectors, (n, d).

    The axes are eigenvectors of the covariance matrix, which is summed in float64 block by block.
    The sign of an axis is arbitrary, so its largest component is made positive. An axis without
    variance is all zeros.
    """
    size, dimension = rows.shape
    total = np.zeros(dimension)
    products = np.zeros((dimension, dimension))
    for start in range(0, size, _ROWS):
        block: NDArray[np.float64] = rows[start : start + _ROWS].astype(np.float64)
        total += block.sum(axis=0)
        products += block.T @ block
    mean = total / size
    variances, directions = np.linalg.eigh(products / size - np.outer(mean, mean))
    shares = np.zeros(count)
    axes = np.zeros((count, dimension))
    whole = variances.clip(min=0).sum()
    for place in range(min(count, dimension)):
        variance, axis = variances[-1 - place], directions[:, -1 - place]
        if variance > 1e-12 * max(whole, 1.0):
            shares[place] = variance / whole
            axes[place] = axis * np.sign(axis[np.argmax(np.abs(axis))])
    return Projection(mean, axes, shares)
