"""Training of dense networks in torch: mini-batches, held-out rows, early stopping."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from embedkit.heads.examples import Examples
from embedkit.heads.losses import LOSSES
from embedkit.heads.network import Network, diverged
from embedkit.heads.settings import NetworkSettings
from embedkit.index.metrics import Matrix
from embedkit.training.engine import device_name

__all__ = ["Epoch", "train_network"]

_MIN_PARALLEL_PRODUCTS = 1 << 26  # multiplications, a few ms on one core
_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "binary cross-entropy": lambda logits, targets: functional.binary_cross_entropy_with_logits(
        logits[:, 0], targets, reduction="none"
    ),
    "negative log-likelihood": lambda logits, targets: functional.cross_entropy(
        logits, targets, reduction="none"
    ),
    "squared error": lambda outputs, targets: functional.mse_loss(
        outputs, targets, reduction="none"
    ).mean(dim=1),
}


class Epoch(NamedTuple):
    """The losses of one epoch; `validation_loss` is None if no examples were held out."""

    epoch: int
    epochs: int
    loss: float
    validation_loss: float | None


def train_network(
    network: Network,
    examples: Examples,
    held_out: Examples,
    loss: str,
    settings: NetworkSettings,
    progress: Callable[[Epoch], object] | None = None,
) -> tuple[Network, list[Epoch]]:
    """Return the trained network and the losses of each epoch.

    With held-out examples, the network of the epoch with the lowest loss on them is returned, and
    training ends when that loss has not decreased for `patience` epochs.

    Args:
        network: the initial network.
        examples: the training examples.
        held_out: examples for validation only; may be empty.
        loss: a name in `LOSSES`.
        settings: see `NetworkSettings`.
        progress: called after each epoch.

    Raises:
        ConfigurationError: the device is not available.
        TrainingError: the loss is not finite.
    """
    device = torch.device(device_name(settings.device))
    history: list[Epoch] = []
    best, lowest = network, math.inf
    # Dropout draws from the global generator: restore its state afterwards.
    with torch.random.fork_rng(), _limited_threads(network, settings.batch_size):
        torch.manual_seed(settings.seed)
        model = _Module(network, settings.dropout).to(device)
        optimizers = _optimizers(model, settings)
        random = np.random.default_rng(settings.seed)
        for epoch in range(1, settings.epochs + 1):
            trained = _one_epoch(model, optimizers, examples, loss, settings.batch_size, random)
            network = model.network()
            held = _mean_loss(network, held_out, loss)
            if not math.isfinite(trained + (held or 0.0)):
                raise diverged("the loss is not finite")
            history.append(Epoch(epoch, settings.epochs, trained, held))
            if progress is not None:
                progress(history[-1])
            if held is None:
                best = network
            elif held < lowest:
                best, lowest = network, held
            elif settings.patience and epoch - 1 - _best_epoch(history) >= settings.patience:
                break
    return best, history


def _mean_loss(network: Network, examples: Examples, loss: str) -> float | None:
    """Return the weighted mean loss, or None if all weights are 0."""
    if not examples.weights.any():
        return None
    losses = LOSSES[loss](network.outputs(examples.inputs), examples.targets)
    return float(np.average(losses, weights=examples.weights))


def _best_epoch(history: list[Epoch]) -> int:
    losses = [epoch.validation_loss or 0.0 for epoch in history]
    return losses.index(min(losses))


def _one_epoch(
    model: _Module,
    optimizers: list[torch.optim.Optimizer],
    examples: Examples,
    loss: str,
    batch_size: int,
    random: np.random.Generator,
) -> float:
    """Train on all examples once, in random order; return the mean loss."""
    model.train()
    total = 0.0
    order = random.permutation(len(examples))
    for start in range(0, len(order), batch_size):
        batch = examples.take(order[start : start + batch_size])
        weights = model.tensor(batch.weights)
        outputs = model(batch.inputs)
        losses = _LOSSES[loss](outputs, model.tensor(batch.targets)) * weights
        for optimizer in optimizers:
            optimizer.zero_grad()
        losses.mean().backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        total += float(losses.detach().sum())
    return total / float(examples.weights.sum())


class _Module(nn.Module):
    """The network as a torch module."""

    def __init__(self, network: Network, dropout: float) -> None:
        super().__init__()
        self._activation = network.activation
        self.embeddings: nn.EmbeddingBag | None = None
        if network.embeddings is not None:
            self.embeddings = nn.EmbeddingBag.from_pretrained(
                torch.tensor(network.embeddings), freeze=False, mode="sum", sparse=True
            )
        steps: list[nn.Module] = []
        for weights, biases in zip(network.weights, network.biases, strict=True):
            linear = nn.Linear(*weights.shape)
            linear.weight.data = torch.tensor(weights.T)
            linear.bias.data = torch.tensor(biases)
            steps += [nn.Dropout(dropout), linear, _ACTIVATIONS[network.activation]()]
        self.layers = nn.Sequential(*steps[:-1])

    def tensor(self, values: NDArray[np.generic]) -> Tensor:
        """Return *values* on the network's device."""
        return torch.as_tensor(values, device=next(self.parameters()).device)

    def forward(self, inputs: Matrix) -> Tensor:
        if self.embeddings is None:
            dense = inputs if isinstance(inputs, np.ndarray) else inputs.toarray()
            return self.layers(self.tensor(dense))  # type: ignore[no-any-return]
        bags = self.embeddings(
            self.tensor(inputs.indices.astype(np.int64)),
            self.tensor(inputs.indptr[:-1].astype(np.int64)),
            per_sample_weights=self.tensor(inputs.data),
        )
        return self.layers(bags)  # type: ignore[no-any-return]

    def network(self) -> Network:
        """Return a copy as NumPy arrays."""
        linears = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        embeddings = None if self.embeddings is None else _copy(self.embeddings.weight)
        return Network(
            tuple(np.ascontiguousarray(_copy(linear.weight).T) for linear in linears),
            tuple(_copy(linear.bias) for linear in linears),
            self._activation,
            embeddings,
        )


def _copy(tensor: Tensor) -> NDArray[np.float32]:
    return np.array(tensor.detach().cpu().numpy())


def _optimizers(model: _Module, settings: NetworkSettings) -> list[torch.optim.Optimizer]:
    """Return an optimizer for the layers, and one for the embeddings, whose gradient is sparse."""
    rate, decay = settings.learning_rate, settings.weight_decay
    dense, sparse = {
        "adam": (torch.optim.Adam, torch.optim.SparseAdam),
        "sgd": (torch.optim.SGD, torch.optim.SGD),
    }[settings.optimizer]
    found = [dense(model.layers.parameters(), lr=rate, weight_decay=decay)]
    if model.embeddings is not None:
        found.append(sparse(model.embeddings.parameters(), lr=rate))
    return found


@contextmanager
def _limited_threads(network: Network, batch_size: int) -> Iterator[None]:
    """Use a single thread for a small network.

    With several threads, the synchronization in each step costs more than a small matrix product,
    and a hundred times as much on a busy machine.
    """
    threads = torch.get_num_threads()
    if batch_size * max(weights.size for weights in network.weights) < _MIN_PARALLEL_PRODUCTS:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
