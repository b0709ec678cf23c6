"""What the dense networks share: settings, inputs, training."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data
from typing_extensions import Self

from embedkit.errors import ConfigurationError, InputError, ModelError
from embedkit.features.inputs import as_strings
from embedkit.features.lookup import open_vectors, warn_of_unknown
from embedkit.features.transformers import Vectors
from embedkit.heads.network import Network
from embedkit.heads.scaling import Scaling
from embedkit.heads.settings import Settings
from embedkit.heads.storage import read_network, write_network
from embedkit.heads.terms import Terms

__all__ = ["DenseNetwork", "check_targets"]

_SETTINGS = [field.name for field in fields(Settings)]
_STORED = [*_SETTINGS, "finetune", "tokenizer"]


class DenseNetwork(BaseEstimator):  # type: ignore[misc]
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
        vectors: Vectors | None = None,
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
        tags.input_tags.one_d_array = self.finetune
        tags.input_tags.two_d_array = not self.finetune
        tags.non_deterministic = False
        return tags

    def check_settings(self) -> None:
        """Look at the settings now, as `fit` does.

        Raises:
            ConfigurationError: one lies outside its range.
        """
        self._settings()

    def _settings(self) -> Settings:
        return Settings(**{name: getattr(self, name) for name in _SETTINGS})

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

        settings = self._settings()
        embeddings, scaling = None, None
        if self.finetune:
            inputs, embeddings = self._bags(inputs)
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
        self.network_.check_finite()

    def _bags(self, texts: list[str]) -> tuple[Any, NDArray[np.float32]]:
        """Return texts as bags of terms, and the vectors that the terms begin with."""
        if self.vectors is None:
            raise ConfigurationError(
                "finetune=True trains word vectors.", hint="Say which, with vectors=..."
            )
        begin = open_vectors(self.vectors)
        self.terms_, embeddings = Terms.of(texts, begin, self.ngrams, self.tokenizer)
        bags = self.terms_.bags(texts)
        unknown = np.diff(bags[:, : len(begin)].indptr) == 0
        warn_of_unknown(unknown, effect="begin as zeros", stacklevel=5)
        return bags, embeddings

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a directory, without pickle: settings, layers, and with `finetune` the terms.

        What only training needs, `vectors`, `class_weight` and `progress`, is left out.

        Raises:
            OutputExistsError: something is there and *overwrite* is false.
            StorageError: the place cannot be written to.
        """
        check_is_fitted(self, "network_")
        settings = {name: value for name, value in self.get_params().items() if name in _STORED}
        settings |= asdict(self._settings())  # a search may have set NumPy's numbers
        settings["hidden"] = [int(size) for size in self.hidden]
        config = {"kind": type(self).__name__, "settings": settings, **self._learned()}
        vocabulary = self.terms_.vocabulary if self.finetune else None
        write_network(Path(path), config, self.network_, vocabulary, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a directory that `save` wrote; its arrays stay on disk until they are used.

        Raises:
            ModelError: it is missing, damaged, too new, or of another class.
        """
        config, network, vocabulary = read_network(Path(path), cls.__name__)
        try:
            found = cls(**{name: config["settings"][name] for name in _STORED})
            found.network_ = network
            found._remember(config)
            if vocabulary is not None:
                found.terms_ = Terms(vocabulary, found.ngrams, found.tokenizer)
            else:
                found.n_features_in_ = len(network.weights[0])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{path} is damaged: its settings make no {cls.__name__} ({error!r}).",
                hint="Train it again.",
            ) from error
        return found

    def _learned(self) -> dict[str, Any]:
        """Return what `fit` found out besides the network, as JSON holds it."""
        raise NotImplementedError

    def _remember(self, config: dict[str, Any]) -> None:
        """Take over what `_learned` gave."""
        raise NotImplementedError

    def _outputs(self, inputs: Any) -> NDArray[np.float32]:
        """Return what the last layer says, (n, outputs)."""
        check_is_fitted(self, "network_")
        if self.finetune:
            bags = self.terms_.bags(as_strings(inputs, "text"))
            warn_of_unknown(np.diff(bags.indptr) == 0, stacklevel=4)
            return self.network_.outputs(bags)
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


def check_targets(texts: Sequence[str], targets: Any) -> None:
    """Raise `InputError` unless there are texts, and a target that is not missing for each."""
    if not texts:
        raise InputError("there are no texts to learn from.")
    targets = list(targets)
    if len(texts) != len(targets):
        raise InputError(f"{len(texts)} texts, but {len(targets)} targets")
    for row, target in enumerate(targets):
        if target is None or (isinstance(target, float) and math.isnan(target)):
            raise InputError(
                f"row {row} (counted from 0) has the target {target}.",
                hint="Fill it in, or leave the row out.",
            )
