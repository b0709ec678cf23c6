"""Classify texts, with the help of existing word vectors.

classifier = TextClassifier.train(questions, labels, "model.embedkit")
classifier.predict(["where are the bananas?"])
classifier.save("classifier.embedkit")
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.classification.labels import Labels
from embedkit.classification.linear_classifier import LinearClassifier
from embedkit.classification.linear_settings import LinearSettings, Validation
from embedkit.classification.options import HEADS, TASKS
from embedkit.errors import ConfigurationError, ModelError
from embedkit.features.inputs import as_strings
from embedkit.features.lookup import open_vectors
from embedkit.storage.config_file import CONFIG, RESTORE_HINT, read_config, write_config
from embedkit.storage.model_directory import replaced_directory
from embedkit.validation import check_choice

if TYPE_CHECKING:
    from embedkit.classification.network_classifier import NetworkClassifier
    from embedkit.features.transformers import Vectors

    Head: TypeAlias = "LinearClassifier | NetworkClassifier"

__all__ = ["TextClassifier"]

_FORMAT = 1
_KIND = "classifier"


class TextClassifier:
    """Predicts the label, the labels or a number of a text.

    A saved classifier is a self-contained directory: it includes the vectors, so the model that
    they came from may change or be deleted.

    Args:
        head: the fitted `LinearClassifier` or `NetworkClassifier`.
        validation: what held-out texts showed, if the classifier was just trained.
    """

    def __init__(self, head: Head, validation: Validation | None = None) -> None:
        self.head = head
        self.validation = validation

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        labels: Sequence[Any],
        vectors: Vectors | None,
        *,
        head: str = "linear",
        task: str = "label",
        progress: Callable[[Any], object] | None = None,
        **settings: Any,
    ) -> Self:
        """Train on texts and their labels.

        The linear head weighs the words of a text, its word n-grams, the character n-grams of its
        words and their vectors. C, the inverse strength of its penalty, and the temperature of its
        probabilities are chosen on held-out texts; then it is trained on all of them.

        Args:
            texts: n texts.
            labels: n labels; with other tasks, n collections of labels, or n numbers.
            vectors: the path of a model, a `WordVectors`, or an `Encoder`; None for none.
            head: "linear", or "network" for dense layers on the vectors of a text.
            task: "label", "labels" (any number of them for each text) or "number"; a network
                supports the first only.
            progress: called with a `Step` or, for a network, an `Epoch`.
            settings: for the linear head, the fields of `LinearSettings` and `balanced`, which
                gives all labels the same weight. For a network, `pooling`, how `TextFeatures`
                combines the vectors of a text's words (None trains the vectors along with the
                network, whose input is their mean), `tokenizer`, and arguments of
                `DenseClassifier`.

        Raises:
            ConfigurationError: a setting is invalid, or all labels are the same.
            InputError: a text or label is missing or unreadable; the message names the row.
            ModelError: there is no model at the path.
        """
        check_choice("head", head, HEADS)
        check_choice("task", task, TASKS)
        if head == "network":
            return cls._train_network(texts, labels, vectors, task, progress, settings)
        balanced = bool(settings.pop("balanced", False))
        if balanced and task == "number":
            raise ConfigurationError(
                "numbers have no labels that could be given the same weight.",
                hint="Leave out balanced (--balanced).",
            )
        try:
            chosen = LinearSettings(**settings)
        except TypeError as error:
            raise ConfigurationError(
                f"the linear head has no such setting: {error}.",
                hint='Settings of networks need head="network".',
            ) from None
        opened = None if vectors is None else open_vectors(vectors)
        texts = as_strings(texts, "text")
        found, validation = LinearClassifier.train(
            texts, labels, task, opened, chosen, balanced=balanced, progress=progress
        )
        return cls(found, validation)

    @classmethod
    def _train_network(
        cls,
        texts: Sequence[str],
        labels: Sequence[Any],
        vectors: Vectors | None,
        task: str,
        progress: Callable[[Any], object] | None,
        settings: dict[str, Any],
    ) -> Self:
        from embedkit.classification.network_classifier import NetworkClassifier

        if task != "label":
            raise ConfigurationError(
                f"a network predicts one label for each text, not {TASKS[task]}.",
                hint='Use head="linear" (--head linear).',
            )
        if vectors is None:
            raise ConfigurationError(
                "a network needs word vectors.", hint='Use head="linear" (--head linear).'
            )
        pooling, tokenizer = settings.pop("pooling", None), settings.pop("tokenizer", "words")
        return cls(
            NetworkClassifier.train(
                texts, labels, vectors,
                pooling=pooling, tokenizer=tokenizer, progress=progress, **settings,
            )
        )  # fmt: skip

    @property
    def task(self) -> str:
        """What it predicts: "label", "labels" or "number"."""
        return self._labels.task

    @property
    def labels(self) -> NDArray[Any]:
        """The labels that it can predict, sorted, (K,)."""
        return self._labels.classes

    @property
    def _labels(self) -> Labels:
        return self.head.labels

    @property
    def linear(self) -> LinearClassifier:
        """The linear head.

        Raises:
            ConfigurationError: the classifier is a network.
        """
        if isinstance(self.head, LinearClassifier):
            return self.head
        raise ConfigurationError(
            "this classifier is a network.", hint='Train one with head="linear" (--head linear).'
        )

    def predict(self, texts: Sequence[str]) -> Any:
        """Return the most likely label of each text, (n,), or its labels, or its number.

        With any number of labels, the result is a list of n tuples.
        """
        predicted = self.head.predictions(as_strings(texts, "text"))
        return self.chosen(predicted)

    def chosen(self, predictions: NDArray[np.floating[Any]]) -> Any:
        """Return what `predict` returns for these probabilities or numbers, (n, K)."""
        if self.task == "number":
            return predictions[:, 0]
        if self.task == "label":
            return self.labels[predictions.argmax(axis=1)]
        names = self.labels.tolist()
        given = predictions >= self.linear.thresholds
        return [tuple(names[column] for column in np.flatnonzero(row)) for row in given]

    def answer(self, predictions: NDArray[np.floating[Any]]) -> dict[str, object]:
        """Return what is predicted for one text as values that JSON can represent.

        Args:
            predictions: the probabilities of the labels, or the number, (K,).
        """
        if self.task == "number":
            return {"number": float(predictions[0])}
        [chosen] = self.chosen(predictions[np.newaxis])
        probabilities = dict(zip(map(str, self.labels), map(float, predictions), strict=True))
        if self.task == "labels":
            return {"labels": [str(label) for label in chosen], "probabilities": probabilities}
        return {"label": str(chosen), "probabilities": probabilities}

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the probability of each label, float32 (n, K), columns ordered like `labels`.

        Raises:
            ConfigurationError: the classifier predicts numbers.
        """
        if self.task == "number":
            raise ConfigurationError("a classifier that predicts numbers has no probabilities.")
        return self.head.predictions(as_strings(texts, "text")).astype(np.float32, copy=False)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a directory atomically: readers see either the old one or the new one.

        Raises:
            OutputExistsError: the path exists and *overwrite* is false.
            StorageError: the disk is full, or the path is not writable.
        """
        path = Path(os.path.realpath(path))
        name = "linear" if isinstance(self.head, LinearClassifier) else "network"
        with replaced_directory(path, overwrite=overwrite) as folder:
            config = self.head.save(folder)
            write_config(
                folder / CONFIG, {"format": _FORMAT, "kind": _KIND, "head": name, **config}
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a directory that `save` wrote; its vectors stay on disk until they are used.

        Raises:
            ModelError: the directory is missing, incomplete, damaged, too new, or not a classifier.
        """
        path = Path(path)
        _check_is_classifier(path)
        config = read_config(path / CONFIG, _FORMAT, _KIND)
        name = config.get("head", "network")
        if name not in HEADS:
            raise ModelError(f"{path} is damaged: unknown head {name!r}.", hint=RESTORE_HINT)
        if name == "linear":
            return cls(LinearClassifier.load(path, config))
        from embedkit.classification.network_classifier import NetworkClassifier

        return cls(NetworkClassifier.load(path, config))


def _check_is_classifier(path: Path) -> None:
    try:
        path.stat()
    except FileNotFoundError:
        raise ModelError(
            f"there is no classifier at {path}.",
            hint=f"Train one with embedkit classify train EXAMPLES -o {path}, or choose another "
            "with --classifier (or EMBEDKIT_CLASSIFIER).",
        ) from None
    except OSError as error:
        raise ModelError(f"cannot open {path} as a classifier: {error.strerror}.") from error
    if not (path / CONFIG).is_file():
        raise ModelError(
            f"{path} is not a classifier.",
            hint="Pass a directory that embedkit classify train wrote.",
        )
