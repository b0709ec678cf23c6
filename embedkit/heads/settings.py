"""Settings of a dense network and its training, and their ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embedkit.errors import ConfigurationError
from embedkit.heads.network import ACTIVATIONS
from embedkit.validation import Ranges, check_choice, check_ranges, is_whole

__all__ = ["OPTIMIZERS", "NetworkSettings"]

OPTIMIZERS = ("adam", "sgd")
_LARGEST_LAYER = 10_000  # the weights between two layers of this size take 400 MB
_RANGES: Ranges = {
    "batch_size": (1, 2**31 - 1),
    "epochs": (1, 1_000_000),
    "patience": (1, 1_000_000),
    "ngrams": (1, 10),
    "seed": (0, 2**63 - 1),
    "learning_rate": (0.0, 100.0),
    "weight_decay": (0.0, 100.0),
    "dropout": (0.0, 0.99),
    "validation_fraction": (0.0, 0.9),
}


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of a network and its training; see `DenseClassifier` for their meaning.

    Raises:
        ConfigurationError: a value is outside its range.
    """

    hidden: Sequence[int] = (3, 3)
    activation: str = "relu"
    optimizer: str = "adam"
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    dropout: float = 0.0
    batch_size: int = 32
    epochs: int = 200
    patience: int | None = 20
    validation_fraction: float = 0.1
    ngrams: int = 1
    device: str = "cpu"
    seed: int = 1

    def __post_init__(self) -> None:
        for name, choices in (("activation", tuple(ACTIVATIONS)), ("optimizer", OPTIMIZERS)):
            check_choice(name, getattr(self, name), choices)
        check_ranges(self, _RANGES, optional=["patience"])
        sizes: object = self.hidden
        if not isinstance(sizes, Sequence) or not all(
            is_whole(size, 1, _LARGEST_LAYER) for size in sizes
        ):
            raise ConfigurationError(
                "hidden must be a list of layer sizes, such as (3, 3), each between 1 and "
                f"{_LARGEST_LAYER:,}, got {sizes!r:.80}"
            )
