"""Scaling written into the layers gives what scaling outside of them gives."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import StandardScaler

from embedkit.heads.network import Network
from embedkit.heads.scaling import fit_scaler, scale, unscale_inputs, unscale_outputs

RANDOM = np.random.default_rng(0)
COLUMNS = RANDOM.normal([170, 40, 7], [10, 20, 0], (200, 3))


def scaler_of(means: list[float], deviations: list[float]) -> StandardScaler:
    """Fit on two rows that have these means and standard deviations."""
    rows = np.array(means) + np.outer([-1, 1], deviations)
    return fit_scaler(rows)


def test_columns_as_scikit_learn_scales_them() -> None:
    np.testing.assert_allclose(
        scale(fit_scaler(COLUMNS), COLUMNS), StandardScaler().fit_transform(COLUMNS), atol=1e-5
    )


def test_columns_by_the_formula_in_float64() -> None:
    columns = COLUMNS[:, :2].astype(np.float32)
    wide = columns.astype(np.float64)
    expected = (wide - wide.mean(axis=0)) / wide.std(axis=0)
    found = scale(fit_scaler(columns), columns)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.astype(np.float32), rtol=1e-6, atol=1e-7)


def test_constant_columns_become_zero() -> None:
    constant = np.full((1_000, 1), 1 / 3)  # its standard deviation is rounded to 1.5e-15, not 0
    assert np.abs(scale(fit_scaler(constant), constant)).max() < 1e-15


def test_layers_take_the_scaling_in() -> None:
    network = Network.random([3, 5, 2], "tanh", seed=0)
    inputs, outputs = fit_scaler(COLUMNS), scaler_of([70.0, 3.0], [12.0, 0.5])
    unscaled = unscale_outputs(unscale_inputs(network, inputs), outputs)
    expected = network.outputs(scale(inputs, COLUMNS)) * [12.0, 0.5] + [70.0, 3.0]
    np.testing.assert_allclose(unscaled.outputs(COLUMNS.astype(np.float32)), expected, rtol=1e-4)


def test_single_layer_takes_both_scalings_in() -> None:
    network = Network.random([3, 1], "relu", seed=0)
    inputs, outputs = fit_scaler(COLUMNS), scaler_of([70.0], [12.0])
    unscaled = unscale_outputs(unscale_inputs(network, inputs), outputs)
    expected = network.outputs(scale(inputs, COLUMNS)) * 12 + 70
    np.testing.assert_allclose(unscaled.outputs(COLUMNS.astype(np.float32)), expected, rtol=1e-4)
