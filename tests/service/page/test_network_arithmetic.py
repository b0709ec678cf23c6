"""The arithmetic of the network's page, run in the browser, equals that of heads and torch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

from embedkit.heads import losses
from embedkit.heads.examples import Examples
from embedkit.heads.network import Network
from embedkit.heads.settings import NetworkSettings
from embedkit.heads.training import train_network
from tests.service.page.browser import visited
from tests.service.page.network_page import (
    STAGES,
    as_number,
    neurons,
    opened,
    ready,
    stage,
    worked_out,
)

RATE = 0.1

# One sample through the module: what the page shows for it, and the network after its step.
ONE_STEP = """
async ({ network, inputs, target, loss, rate }) => {
  const dense = await import("/page/network/dense.js");
  const trace = dense.forward(network, inputs);
  const found = dense.LOSSES[loss](trace.values.at(-1), target);
  const gradients = dense.backward(network, trace, found.slopes);
  return { ...trace, ...found, gradients, after: dense.descend(network, gradients, rate) };
}
"""
CALL = """
async ({ name, args }) => (await import("/page/network/dense.js"))[name](...args)
"""

LOSSES = {"squared error": 2, "binary cross-entropy": 1, "negative log-likelihood": 3}
"""The losses, each with a number of outputs."""


@pytest.fixture(scope="module")
def page(browser: Any, address: str) -> Iterator[Any]:
    with visited(browser, f"{address}/network") as page:
        yield page


def call(page: Any, name: str, *args: object) -> Any:
    return page.evaluate(CALL, {"name": name, "args": args})


def network_of(activation: str, loss: str, hidden: list[int]) -> tuple[dict[str, Any], Any, Any]:
    """Return a random network, inputs and a target."""
    random = np.random.default_rng(len(hidden) + len(loss))
    sizes = [4, *hidden, LOSSES[loss]]
    network = {
        "weights": [random.normal(size=shape).tolist() for shape in pairwise(sizes)],
        "biases": [random.normal(size=size).tolist() for size in sizes[1:]],
        "activation": activation,
    }
    target: Any = random.normal(size=2).tolist() if loss == "squared error" else LOSSES[loss] - 1
    return network, random.normal(size=4).tolist(), target


def as_heads(network: dict[str, Any]) -> Network:
    weights, biases = (
        tuple(np.array(part, np.float32) for part in network[name])
        for name in ("weights", "biases")
    )
    return Network(weights, biases, network["activation"])


class InTorch:
    """The same network in torch, in float64, with its gradients for one sample."""

    def __init__(self, network: dict[str, Any], inputs: Any, target: Any, loss: str) -> None:
        def tensors(name: str) -> list[torch.Tensor]:
            return [
                torch.tensor(part, dtype=torch.float64, requires_grad=True)
                for part in network[name]
            ]

        self.weights, self.biases = tensors("weights"), tensors("biases")
        activate = getattr(torch, network["activation"])
        values = torch.tensor([inputs], dtype=torch.float64)
        last = len(self.weights) - 1
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = values @ weights + biases
            values = activate(values) if layer < last else values
        wanted = torch.tensor(
            [target], dtype=torch.int64 if loss.startswith("neg") else torch.float64
        )
        if loss == "squared error":
            self.loss = functional.mse_loss(values[0], wanted[0])
        elif loss == "binary cross-entropy":
            self.loss = functional.binary_cross_entropy_with_logits(values[0], wanted)
        else:
            self.loss = functional.cross_entropy(values, wanted)
        self.loss.backward()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("hidden", [[], [3], [5, 4, 3]], ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_a_step_equals_that_of_torch_and_of_heads(
    page: Any, activation: str, loss: str, hidden: list[int]
) -> None:
    network, inputs, target = network_of(activation, loss, hidden)
    shown = page.evaluate(
        ONE_STEP,
        {"network": network, "inputs": inputs, "target": target, "loss": loss, "rate": RATE},
    )

    expected = InTorch(network, inputs, target, loss)
    assert shown["loss"] == pytest.approx(expected.loss.item(), rel=1e-12)
    for name in ("weights", "biases"):
        parameters = getattr(expected, name)
        for found, parameter in zip(shown["gradients"][name], parameters, strict=True):
            np.testing.assert_allclose(found, parameter.grad.numpy(), rtol=1e-10, atol=1e-14)
        torch.optim.SGD(parameters, RATE).step()
        for found, parameter in zip(shown["after"][name], parameters, strict=True):
            np.testing.assert_allclose(found, parameter.detach().numpy(), rtol=1e-12)

    table = np.array([inputs], np.float32)
    targets = np.array([target], np.float32 if loss != "negative log-likelihood" else np.int64)
    outputs = as_heads(network).outputs(table)
    np.testing.assert_allclose([shown["values"][-1]], outputs, rtol=1e-4, atol=1e-6)
    assert shown["loss"] == pytest.approx(losses.LOSSES[loss](outputs, targets)[0], rel=1e-4)
    trained, _ = train_network(
        as_heads(network),
        Examples(table, targets, np.ones(1, np.float32)),
        Examples(table[:0], targets[:0], np.ones(0, np.float32)),
        loss,
        NetworkSettings(
            hidden=hidden,
            activation=activation,
            optimizer="sgd",
            learning_rate=RATE,
            batch_size=1,
            epochs=1,
        ),
    )
    for name in ("weights", "biases"):
        for found, after in zip(shown["after"][name], getattr(trained, name), strict=True):
            np.testing.assert_allclose(found, after, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "scores", [[5, 4, 3, 2, 1], [0, 0], [1000, -1000, 999.5], [-1e4, -1e4 + 1]]
)
def test_softmax_equals_that_of_heads(page: Any, scores: list[float]) -> None:
    expected = losses.softmax(np.array(scores, np.float64))
    np.testing.assert_allclose(call(page, "softmax", scores), expected, rtol=1e-12)


def test_sigmoid_does_not_overflow(page: Any) -> None:
    sums = [-1000.0, -20.0, 0.0, 1e-9, 20.0, 1000.0]
    found = [call(page, "sigmoid", value) for value in sums]
    np.testing.assert_allclose(found, losses.sigmoid(np.array(sums)), rtol=1e-12)


@pytest.mark.parametrize("logit", [-1000.0, -0.5, 0.0, 1000.0])
@pytest.mark.parametrize("target", [0, 1])
def test_cross_entropy_is_finite_for_large_outputs(page: Any, logit: float, target: int) -> None:
    script = """async ([logit, target]) => {
      const { LOSSES } = await import("/page/network/dense.js");
      return LOSSES["binary cross-entropy"]([logit], target).loss;
    }"""
    expected = losses.binary_cross_entropy(np.array([[logit]]), np.array([target]))[0]
    assert page.evaluate(script, [logit, target]) == pytest.approx(expected, rel=1e-12)


def test_columns_are_scaled_as_by_scikit_learn(page: Any) -> None:
    table = np.random.default_rng(3).normal([170, 40, 5], [10, 15, 0], (50, 3))
    scaler = StandardScaler().fit(table)
    found = call(page, "standardize", table.tolist())
    np.testing.assert_allclose(found["rows"], scaler.transform(table), atol=1e-9)
    np.testing.assert_allclose(found["means"], scaler.mean_)
    np.testing.assert_allclose(found["deviations"], scaler.scale_)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_random_weights_have_the_variance_of_heads(page: Any, activation: str) -> None:
    script = """async (activation) => {
      const { generator, randomNetwork } = await import("/page/network/dense.js");
      return randomNetwork([60, 40, 20], activation, generator(5));
    }"""
    found = page.evaluate(script, activation)
    expected = Network.random([60, 40, 20], activation, seed=5)

    def check(ours: NDArray[Any], theirs: NDArray[Any]) -> None:
        assert ours.shape == theirs.shape
        assert abs(ours.mean()) < 0.1 * theirs.std()
        assert ours.std() == pytest.approx(theirs.std(), rel=0.1)
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.02)

    for ours, theirs in zip(found["weights"], expected.weights, strict=True):
        check(np.array(ours), theirs)
    assert [len(bias) for bias in found["biases"]] == [40, 20]
    assert not np.any([*found["biases"][0], *found["biases"][1]])
    again = page.evaluate(script, activation)
    assert again == found


def eval_numbers(written: str) -> float:
    """Return the value of a formula of numbers as the page writes it."""
    assert re.fullmatch(r"[-−+×() .\de]+", written), written
    python = written.replace("−", "-").replace("×", "*")
    return float(eval(python))


@pytest.mark.parametrize(
    "settings", ["layers=2&activation=tanh", "data=words&activation=sigmoid", "data=helpdesk"]
)
def test_gradients_are_worked_out_from_the_output_back(
    browser: Any, address: str, settings: str
) -> None:
    with opened(browser, address, settings) as page:
        ready(page)
        for _ in range(2):
            page.get_by_role("button", name="Next stage").click()
        assert stage(page) == STAGES[2]
        buttons = neurons(page)
        inputs = 10 if "helpdesk" in settings else 2
        for button in buttons[inputs:]:
            button.click()
            text = page.locator("#neuron p").last.inner_text()
            written, result = text.split(". Times")[0].split(" = ")[-2:]
            expected = eval_numbers(written)
            assert as_number(result) == pytest.approx(expected, abs=0.03)
            rows = worked_out(page)
            assert rows[-2][3] == result  # the bias has the gradient of the sum
            for value, _, _, gradient, _ in rows[:-2]:
                product = as_number(value) * as_number(result)
                assert as_number(gradient) == pytest.approx(product, abs=0.03)
        page.get_by_role("button", name="Next stage").click()
        assert "gradient of the sum" not in page.locator("#neuron").inner_text()
