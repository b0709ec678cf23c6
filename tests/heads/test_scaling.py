"""Scaling written into the layers gives what scaling outside of them gives."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import StandardScaler

from embedkit.heads.network import Network
from embedkit.heads.scaling import Scaling

RANDOM = np.random.default_rng(0)
COLUMNS = RANDOM.normal([170, 40, 7], [10, 20, 0], (200, 3))


def test_columns_as_scikit_learn_scales_them() -> None:
    np.testing.assert_allclose(
        Scaling.of(COLUMNS).apply(COLUMNS), StandardScaler().fit_transform(COLUMNS), atol=1e-5
    )


def test_layers_take_the_scaling_in() -> None:
    network = Network.random([3, 5, 2], "tanh", seed=0)
    inputs, outputs = Scaling.of(COLUMNS), Scaling(np.array([70.0, 3.0]), np.array([12.0, 0.5]))
    unscaled = outputs.into_last_layer(inputs.into_first_layer(network))
    expected = network.outputs(inputs.apply(COLUMNS)) * outputs.deviation + outputs.mean
    np.testing.assert_allclose(unscaled.outputs(COLUMNS.astype(np.float32)), expected, rtol=1e-4)


def test_a_network_of_one_layer_takes_both() -> None:
    network = Network.random([3, 1], "relu", seed=0)
    scaling, target = Scaling.of(COLUMNS), Scaling(np.array([70.0]), np.array([12.0]))
    unscaled = target.into_last_layer(scaling.into_first_layer(network))
    expected = network.outputs(scaling.apply(COLUMNS)) * 12 + 70
    np.testing.assert_allclose(unscaled.outputs(COLUMNS.astype(np.float32)), expected, rtol=1e-4)
