"""What the dense networks share: settings, inputs, training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from embedkit.errors import ConfigurationError
from embedkit.heads.bags import Terms, checked_texts
from embedkit.heads.network import Network
from embedkit.heads.scaling import Scaling
from embedkit.heads.settings import Settings
from embedkit.vectors import WordVectors

__all__ = ["DenseNetwork", "same_length"]

_SETTINGS = [field.name for field in fields(Settings)]


class DenseNetwork(BaseEstimator):
    """What the classifier and the regressor share: inputs and training.

    Attributes:
        network_: the trained `Network`.
        history_: an `Epoch` each, with the losses.
        terms_: the `Terms` that have a vector, with `finetune`.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (3, 3),
        *,
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 0.01,
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        batch_size: int = 32,
        epochs: int = 200,
        patience: int | None = 20,
        validation_fraction: float = 0.1,
        finetune: bool = False,
        vectors: WordVectors | None = None,
        ngrams: int = 1,
        tokenizer: str = "words",
        device: str = "cpu",
        seed: int = 1,
        progress: Callable[[Any], Any] | None = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.finetune = finetune
        self.vectors = vectors
        self.ngrams = ngrams
        self.tokenizer = tokenizer
        self.device = device
        self.seed = seed
        self.progress = progress

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.finetune
        tags.input_tags.string = self.finetune
        tags.input_tags.two_d_array = not self.finetune
        tags.non_deterministic = False
        return tags

    def _train(
        self,
        inputs: Any,
        targets: NDArray[Any],
        weights: NDArray[np.float32],
        strata: NDArray[np.int64],
        loss: str,
        outputs: int,
    ) -> None:
        """Learn *targets* (n, ...) from *inputs*; rows are held out from each of the *strata*."""
        from embedkit.heads.training import Examples, train  # torch, which answers do not need

        settings = Settings(**{name: getattr(self, name) for name in _SETTINGS})
        embeddings, scaling = None, None
        if self.finetune:
            if self.vectors is None:
                raise ConfigurationError(
                    "finetune=True trains word vectors. Remedy: say which, with vectors=..."
                )
            self.terms_, embeddings = Terms.of(inputs, self.vectors, self.ngrams, self.tokenizer)
            inputs = self.terms_.bags(inputs)
        elif isinstance(inputs, np.ndarray):
            scaling = Scaling.of(inputs)
            inputs = scaling.apply(inputs)
        features = inputs.shape[1] if embeddings is None else embeddings.shape[1]
        start = Network.random(
            [features, *settings.hidden, outputs], settings.activation, settings.seed, embeddings
        )
        held_out = _held_out(strata, settings.validation_fraction, settings.seed)
        examples = Examples(inputs, targets, weights)
        trained, self.history_ = train(
            start,
            examples.take(np.flatnonzero(~held_out)),
            examples.take(np.flatnonzero(held_out)),
            loss,
            settings,
            self.progress,
        )
        self.network_ = scaling.into_first_layer(trained) if scaling else trained

    def _outputs(self, inputs: Any) -> NDArray[np.float32]:
        """Return what the last layer says, (n, outputs)."""
        check_is_fitted(self, "network_")
        if self.finetune:
            return self.network_.outputs(self.terms_.bags(checked_texts(inputs)))
        return self.network_.outputs(
            validate_data(self, inputs, reset=False, accept_sparse="csr", dtype=np.float32)
        )


def _held_out(strata: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return which rows are only looked at: the same share of each stratum, rounded down."""
    random = np.random.default_rng(seed)
    held_out = np.zeros(len(strata), dtype=bool)
    for stratum in np.unique(strata):
        rows = random.permutation(np.flatnonzero(strata == stratum))
        held_out[rows[: int(fraction * len(rows))]] = True
    return held_out


def same_length(texts: Sequence[str], targets: NDArray[Any]) -> None:
    if len(texts) != len(targets):
        raise ConfigurationError(f"{len(texts)} texts, but {len(targets)} targets")
