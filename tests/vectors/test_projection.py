"""The plane against scikit-learn's principal components."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from embedkit.vectors.projection import principal_plane


@pytest.mark.parametrize(("rows", "dimension"), [(9_000, 12), (5, 40), (3, 2)])
def test_the_plane_matches_scikit_learn(rows: int, dimension: int) -> None:
    random = np.random.default_rng(1)
    points = (random.normal(size=(rows, dimension)) * np.arange(1, dimension + 1) + 3).astype("f4")
    plane = principal_plane(points)
    expected = PCA(2).fit(points.astype(np.float64))
    np.testing.assert_allclose(plane.mean, expected.mean_, rtol=1e-9)
    np.testing.assert_allclose(plane.explained, expected.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(np.abs(plane.axes), np.abs(expected.components_), atol=1e-6)
    places = expected.transform(points.astype(np.float64))
    np.testing.assert_allclose(np.abs(plane.apply(points)), np.abs(places), rtol=1e-4, atol=1e-4)
    assert all(axis[np.argmax(np.abs(axis))] > 0 for axis in plane.axes)


@pytest.mark.parametrize("rows", [[[1, 2, 3]], [[1, 2, 3]] * 4, [[5]], [[1], [2]]])
def test_an_axis_without_variance_is_zero(rows: list[list[float]]) -> None:
    points = np.array(rows, dtype=np.float32)
    plane = principal_plane(points)
    varies = len(np.unique(points, axis=0)) > 1
    np.testing.assert_array_equal(plane.explained, [float(varies), 0.0])
    assert np.abs(plane.apply(points)).max() == (0.5 if varies else 0.0)
