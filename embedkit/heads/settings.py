"""The settings of a dense network's training, with the ranges that make sense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from embedkit.errors import ConfigurationError
from embedkit.heads.network import ACTIVATIONS

__all__ = ["OPTIMIZERS", "Settings"]

OPTIMIZERS = ("adam", "sgd")
_WHOLE = {"batch_size": 1, "epochs": 1, "patience": 1, "ngrams": 1, "seed": 0}
_FRACTIONS = {
    "learning_rate": (0.0, 100.0),
    "weight_decay": (0.0, 100.0),
    "dropout": (0.0, 0.99),
    "validation_fraction": (0.0, 0.9),
}


@dataclass(frozen=True)
class Settings:
    """Settings of a network and its training; `DenseClassifier` says what they mean.

    Raises:
        ConfigurationError: a value lies outside its range.
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
        for name, known in (("activation", tuple(ACTIVATIONS)), ("optimizer", OPTIMIZERS)):
            if getattr(self, name) not in known:
                raise ConfigurationError(
                    f"no {name} {getattr(self, name)!r}; there are {', '.join(known)}"
                )
        for name, lowest in _WHOLE.items():
            value = getattr(self, name)
            if value is None and name == "patience":
                continue
            if not _is_whole(value) or value < lowest:
                raise ConfigurationError(f"{name} is a whole number from {lowest}, not {value!r}")
        for name, (low, high) in _FRACTIONS.items():
            value = getattr(self, name)
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if not is_number or not low <= value <= high:
                raise ConfigurationError(
                    f"{name} is a number from {low:g} to {high:g}, not {value!r}"
                )
        sizes: object = self.hidden
        if not isinstance(sizes, Sequence) or not all(_is_whole(s) and s > 0 for s in sizes):
            raise ConfigurationError(
                f"hidden names the sizes of the hidden layers, as (3, 3), not {sizes!r}"
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
