"""Gradients agree with torch's autograd; integrated gradients add up and match a fine grid."""

from __future__ import annotations

import numpy as np
import pytest

from embedkit.heads.gradients import TOLERANCE, Layers, integrated_gradients
from embedkit.heads.network import ACTIVATIONS, Network

SHAPES = [[5, 3], [5, 7, 3], [5, 8, 6, 3]]


def random_layers(shape: list[int], activation: str, seed: int = 1) -> Layers:
    network = Network.random(shape, activation, seed)
    random = np.random.default_rng(seed)
    biases = tuple(random.normal(0, 0.5, len(b)).astype(np.float32) for b in network.biases)
    return Layers.of(Network(network.weights, biases, activation))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_agree_with_autograd(shape: list[int], activation: str) -> None:
    torch = pytest.importorskip("torch")
    layers = random_layers(shape, activation)
    direction = [1.0, -1.0, 0.5]
    inputs = np.random.default_rng(2).normal(size=(4, 5))
    given = torch.tensor(inputs, requires_grad=True)
    values = given
    for number, (weights, biases) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        values = values @ torch.tensor(weights) + torch.tensor(biases)
        if number < len(layers.weights) - 1:
            values = getattr(torch, activation)(values)
    (values @ torch.tensor(direction, dtype=torch.float64)).sum().backward()
    found = layers.toward(direction).gradients(inputs)
    np.testing.assert_allclose(found, given.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", [*SHAPES, [5, 64, 3], [5, 32, 32, 32, 3]])
def test_integrated_gradients_add_up(shape: list[int], activation: str) -> None:
    layers = random_layers(shape, activation).toward([1, 0, -1])
    for inputs in np.random.default_rng(3).normal(0, 3, (20, 5)):
        found = integrated_gradients(layers, inputs)
        ends = layers.activations(np.stack([np.zeros(5), inputs]))[-1][:, 0]
        assert [found.start, found.end] == pytest.approx(ends.tolist(), rel=1e-12)
        difference = ends[1] - ends[0]
        assert abs(found.gradient @ inputs - difference) <= TOLERANCE * max(1, abs(difference))


def test_integrated_gradients_are_means_along_the_line() -> None:
    layers = random_layers([5, 9, 3], "tanh").toward([1, 0, 0])
    inputs = np.array([1.0, -2, 0.5, 3, 0])
    middles = (np.arange(20_000) + 0.5) / 20_000
    expected = layers.gradients(middles[:, None] * inputs).mean(axis=0)
    np.testing.assert_allclose(integrated_gradients(layers, inputs).gradient, expected, rtol=1e-5)


def test_few_points_are_needed() -> None:
    linear = random_layers([5, 3], "relu").toward([1, -1, 0])
    found = integrated_gradients(linear, np.arange(5.0))
    np.testing.assert_allclose(found.gradient, linear.weights[0][:, 0])
    assert found.points == 1
    # Between the places at which a unit turns on or off, the gradient of one layer is constant.
    relu = random_layers([5, 30, 3], "relu").toward([1, -1, 0])
    assert integrated_gradients(relu, np.arange(5.0)).points <= 4 * 31
    smooth = random_layers([5, 30, 3], "tanh").toward([1, -1, 0])
    assert integrated_gradients(smooth, np.arange(5.0)).points <= 400


def test_columns_leave_out_inputs_that_are_zero() -> None:
    network = Network.random([6, 4, 2], "sigmoid", 1)
    columns = np.array([1, 4])
    inputs = np.zeros((1, 6))
    inputs[0, columns] = 0.3, -2
    whole, part = Layers.of(network), Layers.of(network, columns)
    np.testing.assert_allclose(
        part.activations(inputs[:, columns])[-1], whole.activations(inputs)[-1]
    )
