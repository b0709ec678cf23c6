"""Dense networks with the interface of scikit-learn; see `embedkit.heads` for examples."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, column_or_1d, validate_data
from typing_extensions import Self

from embedkit.errors import ConfigurationError, counted
from embedkit.features.inputs import as_strings
from embedkit.features.transformers import Vectors
from embedkit.heads.base import DenseNetwork
from embedkit.heads.examples import Examples
from embedkit.heads.losses import sigmoid, softmax
from embedkit.heads.scaling import fit_scaler, scale, unscale_outputs
from embedkit.heads.targets import check_targets
from embedkit.index.metrics import Matrix

if TYPE_CHECKING:
    from embedkit.heads.training import Epoch

__all__ = ["DenseClassifier", "DenseRegressor"]

_MAX_CLASS_WEIGHT = 1_000_000
_DTYPES = {"U": np.str_, "O": np.object_, "i": np.int64, "u": np.uint64, "f": float, "b": np.bool_}
"""The type of labels, by NumPy's code for their kind."""


class DenseClassifier(ClassifierMixin, DenseNetwork):  # type: ignore[misc]
    """A classifier: a network of dense layers.

    Two classes use a sigmoid and binary cross-entropy, more classes a softmax and the negative
    log-likelihood. The columns of dense inputs are standardized.

    Args:
        hidden: sizes of the hidden layers; () is logistic regression.
        activation: "relu", "tanh" or "sigmoid".
        optimizer: "adam" or "sgd".
        learning_rate: learning rate of the optimizer.
        weight_decay: factor of the L2 penalty on the weights of the layers.
        dropout: share of each layer's inputs that is set to 0 at random during training.
        batch_size: rows per step.
        epochs: maximum number of passes over the rows.
        patience: number of epochs without a lower loss on the held-out rows after which training
            ends; None disables early stopping. The network of the best epoch is kept.
        validation_fraction: share of the rows of each class that is held out; 0 for none.
        class_weight: weight of each class's rows, by label; "balanced" gives all classes the same
            total weight; None gives all rows the same weight.
        finetune: X contains texts, and the vectors of their words are trained along with the
            network, whose input is their mean.
        vectors: with `finetune`, the initial word vectors.
        ngrams: with `finetune`, also train vectors of word n-grams up to this length.
        tokenizer: with `finetune`, the tokenizer, "words", "words+emoji" or "whitespace".
        device: where to train: "cpu", "cuda", "cuda:1", or "auto", a GPU if there is one.
        seed: seed of all random draws; on the same machine, training is deterministic.
        progress: called with an `Epoch` after each epoch.

    Attributes:
        classes_: the labels, sorted, (K,).
        network_: the trained `Network`.
        history_: an `Epoch` with the losses for each epoch.
        terms_: with `finetune`, the `TermBags` of the terms that have a vector.

    Raises:
        ConfigurationError: from `fit`: a setting is outside its range, or there is only one class.
        TrainingError: from `fit`: the loss is not finite.
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
        class_weight: Mapping[Hashable, float] | str | None = None,
        finetune: bool = False,
        vectors: Vectors | None = None,
        ngrams: int = 1,
        tokenizer: str = "words",
        device: str = "cpu",
        seed: int = 1,
        progress: Callable[[Epoch], object] | None = None,
    ) -> None:
        super().__init__(
            hidden,
            activation=activation,
            optimizer=optimizer,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            dropout=dropout,
            batch_size=batch_size,
            epochs=epochs,
            patience=patience,
            validation_fraction=validation_fraction,
            finetune=finetune,
            vectors=vectors,
            ngrams=ngrams,
            tokenizer=tokenizer,
            device=device,
            seed=seed,
            progress=progress,
        )
        self.class_weight = class_weight

    def fit(self, X: Matrix, y: Any) -> Self:
        """Train on *X*, (n, features) dense or sparse, or n texts, and labels *y*, (n,)."""
        if self.finetune:
            X = as_strings(X, "text")
            check_targets(X, y)
            y = column_or_1d(y, warn=True)
        else:
            X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float32)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            label = self.classes_.tolist()[0]
            raise ConfigurationError(
                f"there is only one class, {label!r}, in {counted(len(codes), 'row')}.",
                hint="Add rows of another class.",
            )
        weights = self._class_weights(y)[codes]
        if len(self.classes_) == 2:
            targets = codes.astype(np.float32)
            self._train(Examples(X, targets, weights), codes, "binary cross-entropy", 1)
        else:
            self._train(
                Examples(X, codes, weights), codes, "negative log-likelihood", len(self.classes_)
            )
        return self

    def _class_weights(self, y: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the weight of each class's rows, (K,)."""
        weights = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        if not weights.any() or not ((weights >= 0) & (weights <= _MAX_CLASS_WEIGHT)).all():
            raise ConfigurationError(
                f"class_weight must have a number between 0 and {_MAX_CLASS_WEIGHT:,} for each "
                f"class, and at least one above 0, got {self.class_weight!r:.80}"
            )
        return np.asarray(weights, dtype=np.float32)

    def predict_proba(self, X: Matrix) -> NDArray[np.float32]:
        """Return the probability of each class, float32 (n, K), columns as in `classes_`."""
        logits = self._outputs(X)
        if logits.shape[1] == 1:
            second = sigmoid(logits)
            return np.hstack([1 - second, second])
        return softmax(logits)

    def predict(self, X: Matrix) -> NDArray[np.generic]:
        """Return the most probable label of each row, (n,)."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def _learned(self) -> dict[str, object]:
        return {"classes": self.classes_.tolist(), "dtype": self.classes_.dtype.kind}

    def _restore(self, config: dict[str, Any]) -> None:
        self.classes_ = np.array(config["classes"], dtype=_DTYPES[config["dtype"]])
        outputs = len(self.network_.biases[-1])
        if len(self.classes_) != max(outputs, 2):
            raise ValueError(f"{len(self.classes_)} classes, {counted(outputs, 'output')}")


class DenseRegressor(RegressorMixin, DenseNetwork):  # type: ignore[misc]
    """A regressor: a network of dense layers with linear outputs and mean squared error.

    The settings are those of `DenseClassifier`, without `class_weight`. The columns of inputs and
    targets are standardized, so always predicting the mean gives a loss of 1.

    Raises:
        ConfigurationError: from `fit`: a setting is outside its range.
        TrainingError: from `fit`: the loss is not finite, or a target exceeds float32 (3.4e38).
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Matrix, y: Any) -> Self:
        """Train on *X*, (n, features) or n texts, and numbers *y*, (n,) or (n, outputs)."""
        if self.finetune:
            X = as_strings(X, "text")
            check_targets(X, y)
            y = check_array(y, dtype=np.float64, ensure_2d=False)
        else:
            X, y = validate_data(
                self, X, y, accept_sparse="csr", dtype=np.float32, multi_output=True, y_numeric=True
            )
        self._single_output = y.ndim == 1
        columns = y.reshape(len(y), -1)
        scaler = fit_scaler(columns)
        rows = len(columns)
        self._train(
            Examples(X, scale(scaler, columns), np.ones(rows, dtype=np.float32)),
            np.zeros(rows, dtype=np.int64),
            "squared error",
            columns.shape[1],
        )
        self.network_ = unscale_outputs(self.network_, scaler)
        self.network_.check_finite()
        return self

    def predict(self, X: Matrix) -> NDArray[np.float32]:
        """Return the predictions, float32, (n,) or (n, outputs) like the targets of `fit`."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._single_output else outputs

    def _learned(self) -> dict[str, object]:
        return {"single_output": self._single_output}

    def _restore(self, config: dict[str, Any]) -> None:
        self._single_output = bool(config["single_output"])
