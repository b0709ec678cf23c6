"""The training loop, in torch: mini-batches, held-out rows, an early stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from embedkit.heads.losses import LOSSES
from embedkit.heads.network import Network, diverged
from embedkit.heads.settings import Settings
from embedkit.training.engine import device_name

__all__ = ["Epoch", "Examples", "train"]

_WORTH_THREADS = 1 << 26  # multiplications, a few ms on one core
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
    """What one pass over the examples did; `validation_loss` is None if none were held out."""

    epoch: int
    epochs: int
    loss: float
    validation_loss: float | None


@dataclass(frozen=True)
class Examples:
    """Inputs (n, features), dense or CSR, float32; targets (n, ...); weights (n,), float32."""

    inputs: Any
    targets: NDArray[Any]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: NDArray[np.int64]) -> Examples:
        """Return the examples of *rows*."""
        return Examples(self.inputs[rows], self.targets[rows], self.weights[rows])


def train(
    network: Network,
    examples: Examples,
    held_out: Examples,
    loss: str,
    settings: Settings,
    progress: Callable[[Epoch], Any] | None = None,
) -> tuple[Network, list[Epoch]]:
    """Return the trained network and what each epoch did.

    With held-out examples it is the network of the epoch with the least loss on them, and training
    ends when that has not come down for `patience` epochs.

    Args:
        network: where training begins.
        examples: to learn from.
        held_out: to look at only; may be empty.
        loss: a name of `LOSSES`.
        progress: is called after each epoch.

    Raises:
        ConfigurationError: the device is not there.
        TrainingError: the loss is no finite number.
    """
    device = torch.device(device_name(settings.device))
    history: list[Epoch] = []
    best, least = network, math.inf
    # Dropout draws from the global generator: leave it as it was.
    with torch.random.fork_rng(), _few_threads(network, settings.batch_size):
        torch.manual_seed(settings.seed)
        model = _Module(network, settings.dropout).to(device)
        optimizers = _optimizers(model, settings)
        random = np.random.default_rng(settings.seed)
        for epoch in range(1, settings.epochs + 1):
            trained = _one_epoch(model, optimizers, examples, loss, settings.batch_size, random)
            network = model.network()
            held = None
            if held_out.weights.any():
                losses = LOSSES[loss](network.outputs(held_out.inputs), held_out.targets)
                held = float(np.average(losses, weights=held_out.weights))
            if not math.isfinite(trained + (held or 0.0)):
                raise diverged("the loss is no longer a finite number")
            history.append(Epoch(epoch, settings.epochs, trained, held))
            if progress is not None:
                progress(history[-1])
            if held is None:
                best = network
            elif held < least:
                best, least = network, held
            elif settings.patience and epoch - 1 - _least(history) >= settings.patience:
                break
    return best, history


def _least(history: list[Epoch]) -> int:
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
    """Learn from all examples once, in random order; return the mean loss."""
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
    """The network in torch."""

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

    def tensor(self, values: NDArray[Any]) -> Tensor:
        """Return *values* on the network's device."""
        return torch.as_tensor(values, device=next(self.parameters()).device)

    def forward(self, inputs: Any) -> Tensor:
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
        """Return a copy in NumPy."""
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


def _optimizers(model: _Module, settings: Settings) -> list[torch.optim.Optimizer]:
    """Return the optimiser of the layers, and that of the embeddings, whose gradient is sparse."""
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
def _few_threads(network: Network, batch_size: int) -> Iterator[None]:
    """Let one thread train a small network.

    Two take turns at every step and wait for each other in between, which costs more than a small
    product, and on a machine with other work to do a hundred times as much.
    """
    threads = torch.get_num_threads()
    if batch_size * max(weights.size for weights in network.weights) < _WORTH_THREADS:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
