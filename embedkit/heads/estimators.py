"""Dense networks with scikit-learn's interface; `embedkit.heads` shows them at work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, column_or_1d, validate_data
from typing_extensions import Self

from embedkit.errors import ConfigurationError
from embedkit.features.inputs import as_strings
from embedkit.features.transformers import Vectors
from embedkit.heads.base import DenseNetwork, check_targets
from embedkit.heads.losses import sigmoid, softmax
from embedkit.heads.scaling import Scaling

__all__ = ["DenseClassifier", "DenseRegressor"]

_HEAVIEST = 1_000_000
_DTYPES = {"U": np.str_, "O": np.object_, "i": np.int64, "u": np.uint64, "f": float, "b": np.bool_}
"""Of labels, by the letter that NumPy has for their kind."""


class DenseClassifier(ClassifierMixin, DenseNetwork):  # type: ignore[misc]
    """A network of dense layers that tells classes apart.

    Two classes are told apart by a sigmoid and binary cross-entropy, more by a softmax and the
    negative log-likelihood. The inputs' columns are brought to mean 0 and deviation 1.

    Args:
        hidden: sizes of the hidden layers; () is logistic regression.
        activation: "relu", "tanh" or "sigmoid".
        optimizer: "adam" or "sgd".
        learning_rate: size of its steps.
        weight_decay: times a weight is added to its gradient; keeps the layers' weights small.
        dropout: share of each layer's inputs that is left out at random while training.
        batch_size: rows that a step learns from.
        epochs: passes over the rows, at most.
        patience: passes without a lower loss on the held-out rows before training ends; None
            never ends it early. The network of the best pass is kept.
        validation_fraction: share of the rows that is held out, of each class; 0 holds out none.
        class_weight: how much a class's rows count, by label; "balanced" lets all classes count the
            same; None, all rows.
        finetune: X are texts, and the vectors of their words are trained along with the network,
            which sees their mean.
        vectors: with `finetune`, where the words' vectors begin.
        ngrams: with `finetune`, runs of so many words have a vector as well.
        tokenizer: with `finetune`, how texts become words: "words" or "whitespace".
        device: "cpu", "cuda", "cuda:1", or "auto", a GPU where there is one, to train on.
        seed: of every random draw; the same seed gives the same network on the same machine.
        progress: is called with an `Epoch` after each pass.

    Attributes:
        classes_: the labels, sorted, (K,).
        network_: the trained `Network`.
        history_: an `Epoch` each, with the losses.
        terms_: the `Terms` that have a vector, with `finetune`.

    Raises:
        ConfigurationError: from `fit`: a setting lies outside its range, or there is one class.
        TrainingError: from `fit`: the loss is no finite number.
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
        class_weight: Mapping[Any, float] | str | None = None,
        finetune: bool = False,
        vectors: Vectors | None = None,
        ngrams: int = 1,
        tokenizer: str = "words",
        device: str = "cpu",
        seed: int = 1,
        progress: Callable[[Any], Any] | None = None,
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

    def fit(self, X: Any, y: Any) -> Self:
        """Learn labels *y* (n,) from *X* (n, features), dense or sparse, or n texts."""
        if self.finetune:
            X = as_strings(X, "text")
            check_targets(X, y)
            y = column_or_1d(y, warn=True)
        else:
            X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float32)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ConfigurationError(
                f"all {len(codes)} rows are of one class, {self.classes_.tolist()[0]!r}: nothing "
                "to tell apart.",
                hint="Add rows of another class.",
            )
        weights = self._class_weights(y)[codes]
        if len(self.classes_) == 2:
            targets = codes.astype(np.float32)
            self._train(X, targets, weights, codes, "binary cross-entropy", 1)
        else:
            self._train(X, codes, weights, codes, "negative log-likelihood", len(self.classes_))
        return self

    def _class_weights(self, y: NDArray[Any]) -> NDArray[np.float32]:
        """Return how much a row of each class counts, (K,)."""
        weights = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        if not weights.any() or not ((weights >= 0) & (weights <= _HEAVIEST)).all():
            raise ConfigurationError(
                f"class_weight has a number from 0 to {_HEAVIEST:,} for each class, and not 0 for "
                f"all, not {self.class_weight!r:.80}"
            )
        return np.asarray(weights, dtype=np.float32)

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each class, float32 (n, K), columns as in `classes_`."""
        logits = self._outputs(X)
        if logits.shape[1] == 1:
            second = sigmoid(logits)
            return np.hstack([1 - second, second])
        return softmax(logits)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest label of each row, (n,)."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def _learned(self) -> dict[str, Any]:
        return {"classes": self.classes_.tolist(), "dtype": self.classes_.dtype.kind}

    def _remember(self, config: dict[str, Any]) -> None:
        self.classes_ = np.array(config["classes"], dtype=_DTYPES[config["dtype"]])
        outputs = len(self.network_.biases[-1])
        if len(self.classes_) != max(outputs, 2):
            raise ValueError(f"{len(self.classes_)} classes, {outputs} outputs")


class DenseRegressor(RegressorMixin, DenseNetwork):  # type: ignore[misc]
    """A network of dense layers that predicts numbers: a linear output and the mean squared error.

    The settings are those of `DenseClassifier`, but for `class_weight`. Columns of inputs and
    targets are brought to mean 0 and deviation 1: a loss of 1 is that of always saying the mean.

    Raises:
        ConfigurationError: from `fit`: a setting lies outside its range.
        TrainingError: from `fit`: the loss is no finite number, or a target is beyond 3.4e38.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Learn numbers *y*, (n,) or (n, outputs), from *X* (n, features) or n texts."""
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
        scaling = Scaling.of(columns)
        rows = len(columns)
        self._train(
            X,
            scaling.apply(columns),
            np.ones(rows, dtype=np.float32),
            np.zeros(rows, dtype=np.int64),
            "squared error",
            columns.shape[1],
        )
        self.network_ = scaling.into_last_layer(self.network_)
        self.network_.check_finite()
        return self

    def predict(self, X: Any) -> NDArray[np.float32]:
        """Return the predicted numbers, float32 (n,) or (n, outputs) as `fit` saw them."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._single_output else outputs

    def _learned(self) -> dict[str, Any]:
        return {"single_output": self._single_output}

    def _remember(self, config: dict[str, Any]) -> None:
        self._single_output = bool(config["single_output"])
