"""The base class of the dense networks: settings, inputs, training, saving."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data
from typing_extensions import Self

from embedkit.errors import ConfigurationError, ModelError
from embedkit.features.inputs import as_strings
from embedkit.features.lookup import open_vectors, warn_of_unknown
from embedkit.features.transformers import Vectors
from embedkit.heads.examples import Examples
from embedkit.heads.network import Network
from embedkit.heads.scaling import fit_scaler, scale, unscale_inputs
from embedkit.heads.settings import NetworkSettings
from embedkit.heads.storage import read_network, write_network
from embedkit.heads.terms import TermBags
from embedkit.index.metrics import Matrix

if TYPE_CHECKING:
    from embedkit.heads.training import Epoch

__all__ = ["DenseNetwork"]

_SETTINGS = [field.name for field in fields(NetworkSettings)]
_STORED = [*_SETTINGS, "finetune", "tokenizer"]


class DenseNetwork(BaseEstimator):  # type: ignore[misc]
    """The base class of `DenseClassifier` and `DenseRegressor`.

    Attributes:
        network_: the trained `Network`.
        history_: an `Epoch` with the losses for each epoch.
        terms_: with `finetune`, the `TermBags` of the terms that have a vector.
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
        progress: Callable[[Epoch], object] | None = None,
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
        """Validate the settings now, as `fit` does.

        Raises:
            ConfigurationError: a setting is outside its range.
        """
        self._settings()

    def _settings(self) -> NetworkSettings:
        return NetworkSettings(**{name: getattr(self, name) for name in _SETTINGS})

    def _train(
        self,
        examples: Examples,
        strata: NDArray[np.int64],
        loss: str,
        outputs: int,
    ) -> None:
        """Train the network, and hold out the same share of each stratum for validation.

        Args:
            examples: the training examples; with `finetune`, their inputs are texts.
            strata: the stratum of each row, (n,).
            loss: a name in `LOSSES`.
            outputs: number of outputs of the network.
        """
        from embedkit.heads.training import train_network  # imports torch

        settings = self._settings()
        inputs, embeddings, scaler = examples.inputs, None, None
        if self.finetune:
            inputs, embeddings = self._bags(inputs)
        elif isinstance(inputs, np.ndarray):
            scaler = fit_scaler(inputs)
            inputs = scale(scaler, inputs)
        features = inputs.shape[1] if embeddings is None else embeddings.shape[1]
        start = Network.random(
            [features, *settings.hidden, outputs], settings.activation, settings.seed, embeddings
        )
        held_out = _held_out(strata, settings.validation_fraction, settings.seed)
        examples = replace(examples, inputs=inputs)
        trained, self.history_ = train_network(
            start,
            examples.take(np.flatnonzero(~held_out)),
            examples.take(np.flatnonzero(held_out)),
            loss,
            settings,
            self.progress,
        )
        self.network_ = unscale_inputs(trained, scaler) if scaler else trained
        self.network_.check_finite()

    def _bags(self, texts: list[str]) -> tuple[Matrix, NDArray[np.float32]]:
        """Return texts as bags of terms, and the initial vectors of the terms."""
        if self.vectors is None:
            raise ConfigurationError(
                "finetune=True needs word vectors.", hint="Pass them as vectors=..."
            )
        initial = open_vectors(self.vectors)
        self.terms_, embeddings = TermBags.of(texts, initial, self.ngrams, self.tokenizer)
        bags = self.terms_.bags(texts)
        starts = np.ones(len(embeddings), dtype=np.float32)  # whether a vector is known or composed
        starts[len(initial) :] = embeddings[len(initial) :].any(axis=1)
        warn_of_unknown(bags @ starts == 0, effect="begin as zeros", stacklevel=5)
        return bags, embeddings

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write settings, layers and, with `finetune`, terms to a directory, without pickle.

        Arguments that only training needs are not saved: `vectors`, `class_weight`, `progress`.

        Raises:
            OutputExistsError: the directory exists and *overwrite* is false.
            StorageError: the disk is full, or the path is not writable.
        """
        check_is_fitted(self, "network_")
        settings = {name: value for name, value in self.get_params().items() if name in _STORED}
        settings |= asdict(self._settings())  # a parameter search may have set NumPy scalars
        settings["hidden"] = [int(size) for size in self.hidden]
        config = {"kind": type(self).__name__, "settings": settings, **self._learned()}
        terms = self.terms_ if self.finetune else None
        write_network(Path(path), config, self.network_, terms, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a directory written by `save`; its arrays are memory-mapped.

        Raises:
            ModelError: the directory is missing, damaged, too new, or of another class.
        """
        config, network, words = read_network(Path(path), cls.__name__)
        try:
            loaded = cls(**{name: config["settings"][name] for name in _STORED})
            loaded.network_ = network
            loaded._restore(config)
            if words is not None:
                loaded.terms_ = TermBags(
                    words.vocabulary, loaded.ngrams, loaded.tokenizer, words.subwords
                )
            else:
                loaded.n_features_in_ = len(network.weights[0])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{path} is damaged: invalid settings for {cls.__name__} ({error!r}).",
                hint="Train the network again.",
            ) from error
        return loaded

    def _learned(self) -> dict[str, object]:
        """Return what `fit` determined besides the network, as JSON values."""
        raise NotImplementedError

    def _restore(self, config: dict[str, Any]) -> None:
        """Restore the values of `_learned`."""
        raise NotImplementedError

    def _outputs(self, inputs: Matrix) -> NDArray[np.float32]:
        """Return the outputs of the last layer, (n, outputs)."""
        check_is_fitted(self, "network_")
        if self.finetune:
            bags, others = self.terms_.composed_bags(as_strings(inputs, "text"))
            warn_of_unknown(np.diff(bags.indptr) == 0, stacklevel=4)
            return self.network_.outputs(bags, others)
        return self.network_.outputs(
            validate_data(self, inputs, reset=False, accept_sparse="csr", dtype=np.float32)
        )


def _held_out(strata: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return a mask of the rows for validation: a fraction of each stratum, rounded down."""
    random = np.random.default_rng(seed)
    held_out = np.zeros(len(strata), dtype=bool)
    for stratum in np.unique(strata):
        rows = random.permutation(np.flatnonzero(strata == stratum))
        held_out[rows[: int(fraction * len(rows))]] = True
    return held_out
