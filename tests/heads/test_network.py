"""A network by hand, and what its first weights are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from embedkit.heads.network import Network


def array(*rows: object) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


TWO_LAYERS = (array([1, -1], [2, 0]), array([1], [3])), (array(0, 1), array(-2))


def test_outputs_by_hand() -> None:
    # [1, 1] @ [[1, -1], [2, 0]] + [0, 1] = [3, 0]; relu keeps [3, 0]; 3 * 1 + 0 * 3 - 2 = 1
    # [0, -1]: [-2, 1] becomes [0, 1]; 3 - 2 = 1.  [2, 0]: [2, -1] becomes [2, 0]; 2 - 2 = 0
    network = Network(*TWO_LAYERS, "relu")
    np.testing.assert_allclose(network.outputs(array([1, 1], [0, -1], [2, 0])), [[1], [1], [0]])


@pytest.mark.parametrize(
    ("activation", "function"),
    [("tanh", np.tanh), ("sigmoid", lambda values: 1 / (1 + np.exp(-values)))],
)
def test_activations(activation: str, function: object) -> None:
    expected = function(np.array([3.0, 0.0])) @ [1, 3] - 2
    outputs = Network(*TWO_LAYERS, activation).outputs(array([1, 1]))
    assert outputs[0, 0] == pytest.approx(expected, rel=1e-6)


def test_embeddings_are_summed_by_weight() -> None:
    words = array([1, 0], [0, 1], [5, 5])
    network = Network((array([1], [10]),), (array(0),), "relu", words)
    bags = csr_array(np.array([[0.5, 0.5, 0], [0, 0, 0], [0, 2, 1]], dtype=np.float32))
    np.testing.assert_allclose(network.outputs(bags), [[5.5], [0], [75]])


def test_many_rows_and_none() -> None:
    network = Network.random([3, 4, 2], "tanh", seed=0)
    inputs = np.random.default_rng(0).normal(size=(5000, 3)).astype(np.float32)
    one_by_one = np.vstack([network.outputs(inputs[row : row + 1]) for row in (0, 4095, 4096)])
    np.testing.assert_allclose(network.outputs(inputs)[[0, 4095, 4096]], one_by_one, rtol=1e-5)
    assert network.outputs(inputs[:0]).shape == (0, 2)


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 300), ("tanh", 2 / 500)])
def test_first_weights_have_the_variance_of_the_papers(activation: str, variance: float) -> None:
    network = Network.random([300, 200], activation, seed=3)
    assert network.weights[0].var() == pytest.approx(variance, rel=0.02)
    assert network.weights[0].mean() == pytest.approx(0, abs=1e-3)
    assert not network.biases[0].any()
