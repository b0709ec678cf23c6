"""Gradients by finite differences, sparse ones too; early stopping; what cannot be trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from embedkit.errors import ConfigurationError, TrainingError
from embedkit.heads.examples import Examples
from embedkit.heads.losses import LOSSES
from embedkit.heads.network import Network
from embedkit.heads.settings import NetworkSettings
from embedkit.heads.training import Epoch, train_network

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(40, 3)).astype(np.float32)
WEIGHTS = RANDOM.uniform(0.5, 2, 40).astype(np.float32)
TARGETS: dict[str, Any] = {
    "binary cross-entropy": (INPUTS[:, 0] > 0).astype(np.float32),
    "negative log-likelihood": (INPUTS[:, 0] > 0).astype(np.int64) + (INPUTS[:, 1] > 0),
    "squared error": INPUTS[:, :2] @ np.array([[1, 2], [0, 1]], dtype=np.float32),
}
OUTPUTS = {"binary cross-entropy": 1, "negative log-likelihood": 3, "squared error": 2}
BAGS = csr_array(np.abs(INPUTS) * (RANDOM.random((40, 3)) < 0.6))
BAGS.data = BAGS.data.astype(np.float32)
WORDS = RANDOM.normal(size=(4, 5)).astype(np.float32)  # the last one is in no bag
BAGS = csr_array((BAGS.data, BAGS.indices, BAGS.indptr), shape=(40, 4))


def mean_loss(network: Network, examples: Examples, loss: str) -> float:
    losses = LOSSES[loss](network.outputs(examples.inputs).astype(np.float64), examples.targets)
    return float((losses * examples.weights).mean())


def nothing(examples: Examples) -> Examples:
    return examples.take(np.array([], dtype=np.int64))


def one_step(network: Network, examples: Examples, loss: str) -> Network:
    """Go one step of gradient descent, with rate 1, over all examples at once."""
    settings = NetworkSettings(optimizer="sgd", learning_rate=1, batch_size=40, epochs=1)
    return train_network(network, examples, nothing(examples), loss, settings)[0]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("bags", [False, True], ids=["table", "bags"])
def test_a_step_is_the_gradient(loss: str, bags: bool) -> None:
    start = Network.random([5 if bags else 3, 4, OUTPUTS[loss]], "tanh", 7, WORDS if bags else None)
    examples = Examples(BAGS if bags else INPUTS, TARGETS[loss], WEIGHTS)
    after = one_step(start, examples, loss)
    step = 1e-2

    def slope(change: Any, matrix: np.ndarray, place: tuple[int, ...]) -> float:
        found = []
        for sign in (1, -1):
            moved = matrix.copy()
            moved[place] += sign * step
            found.append(mean_loss(change(moved), examples, loss))
        return (found[0] - found[1]) / (2 * step)

    for layer in range(2):
        for name in ("weights", "biases"):
            matrices = getattr(start, name)

            def change(moved: np.ndarray, name: str = name, layer: int = layer) -> Network:
                matrices = list(getattr(start, name))
                matrices[layer] = moved
                return replace(start, **{name: tuple(matrices)})

            moved_by = getattr(start, name)[layer] - getattr(after, name)[layer]
            for place in np.ndindex(matrices[layer].shape):
                expected = slope(change, matrices[layer], place)
                assert moved_by[place] == pytest.approx(expected, abs=2e-4)
    if bags:
        for place in np.ndindex(WORDS.shape):
            expected = slope(lambda moved: replace(start, embeddings=moved), WORDS, place)
            moved_by = (WORDS - after.embeddings)[place]
            assert moved_by == pytest.approx(expected, abs=2e-4)
        np.testing.assert_array_equal(after.embeddings[3], WORDS[3])  # untouched, bit for bit


def test_adam_moves_only_the_vectors_of_words_it_saw() -> None:
    start = Network.random([5, 1], "relu", 7, WORDS)
    examples = Examples(BAGS, TARGETS["binary cross-entropy"], WEIGHTS)
    after, _ = train_network(
        start, examples, nothing(examples), "binary cross-entropy", NetworkSettings(epochs=20)
    )
    assert (np.abs(after.embeddings[:3] - WORDS[:3]) > 0.01).all()
    np.testing.assert_array_equal(after.embeddings[3], WORDS[3])


def test_the_best_epoch_is_kept_and_patience_ends_training() -> None:
    noise = np.random.default_rng(1).integers(0, 2, 40).astype(np.float32)
    examples = Examples(INPUTS, noise, np.ones(40, dtype=np.float32))
    held_out = examples.take(np.arange(20))
    seen: list[Epoch] = []
    settings = NetworkSettings(learning_rate=0.1, epochs=500, patience=7)
    network, history = train_network(
        Network.random([3, 16, 1], "relu", 0), examples.take(np.arange(20, 40)), held_out,
        "binary cross-entropy", settings, seen.append,
    )  # fmt: skip
    losses = [epoch.validation_loss for epoch in history]
    assert seen == history
    assert len(history) < 500
    assert len(history) - 1 - int(np.argmin(losses)) == 7
    assert mean_loss(network, held_out, "binary cross-entropy") == pytest.approx(min(losses))


def test_without_held_out_rows_the_last_epoch_is_kept() -> None:
    examples = Examples(INPUTS, TARGETS["binary cross-entropy"], WEIGHTS)
    start = Network.random([3, 1], "relu", 0)
    settings = NetworkSettings(epochs=5, patience=1)
    _, history = train_network(start, examples, nothing(examples), "binary cross-entropy", settings)
    assert [epoch.epoch for epoch in history] == [1, 2, 3, 4, 5]
    assert all(epoch.validation_loss is None for epoch in history)


def test_a_weight_of_zero_leaves_an_example_out() -> None:
    some = np.arange(40) < 30
    start = Network.random([3, 2], "relu", 0)
    target = TARGETS["squared error"]
    wrong = np.where(some[:, np.newaxis], target, 1e3).astype(np.float32)
    steps = [
        one_step(start, Examples(INPUTS, targets, some.astype(np.float32)), "squared error")
        for targets in (target, wrong)
    ]
    np.testing.assert_array_equal(steps[0].weights[0], steps[1].weights[0])


def test_the_global_generator_is_left_as_it_was() -> None:
    examples = Examples(INPUTS, TARGETS["binary cross-entropy"], WEIGHTS)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    settings = NetworkSettings(dropout=0.5, epochs=2)
    train_network(
        Network.random([3, 4, 1], "relu", 0), examples, nothing(examples),
        "binary cross-entropy", settings,
    )  # fmt: skip
    torch.testing.assert_close(torch.rand(3), expected)


def test_a_small_network_takes_one_thread_and_gives_the_others_back() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    seen: list[int] = []
    examples = Examples(INPUTS, TARGETS["binary cross-entropy"], WEIGHTS)

    def look(_: Epoch) -> None:
        seen.append(torch.get_num_threads())

    try:
        for size, batch in ((4, 32), (1 << 16, 1024)):
            start = Network.random([3, size, 1], "relu", 0)
            settings = NetworkSettings(epochs=1, batch_size=batch)
            train_network(
                start, examples, nothing(examples), "binary cross-entropy", settings, look
            )
        assert seen == [1, 2]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_loss_that_is_not_finite_is_an_error() -> None:
    examples = Examples(INPUTS, TARGETS["squared error"], WEIGHTS)
    settings = NetworkSettings(optimizer="sgd", learning_rate=100, epochs=200)
    start = Network.random([3, 8, 2], "relu", 0)
    with pytest.raises(TrainingError, match=r"the loss is not finite\. Lower"):
        train_network(start, examples, nothing(examples), "squared error", settings)


def test_validation_loss_that_is_not_finite_is_an_error() -> None:
    examples = Examples(INPUTS, TARGETS["squared error"], WEIGHTS)
    beyond = Examples(INPUTS * np.float32(1e30), TARGETS["squared error"], WEIGHTS)
    start = Network.random([3, 8, 2], "relu", 0)
    with pytest.raises(TrainingError, match="the loss is not finite"), np.errstate(all="ignore"):
        train_network(start, examples, beyond, "squared error", NetworkSettings(epochs=3))


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda:99", "no CUDA device|no device 'cuda:99'; the last"),
        ("abacus", "unknown device 'abacus'; choose from auto, cpu, cuda, cuda:N"),
    ],
)
def test_unavailable_device_is_rejected(device: str, message: str) -> None:
    examples = Examples(INPUTS, TARGETS["squared error"], WEIGHTS)
    start = Network.random([3, 2], "relu", 0)
    with pytest.raises(ConfigurationError, match=message):
        train_network(start, examples, examples, "squared error", NetworkSettings(device=device))
