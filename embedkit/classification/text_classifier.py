"""Classify texts with a network trained on top of existing word vectors.

classifier = TextClassifier.train(questions, labels, "model.embedkit")
classifier.predict(["where are the bananas?"])
classifier.save("classifier.embedkit")
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.encoders import ENCODERS, load, untrained
from embedkit.errors import ModelError
from embedkit.features import TextFeatures
from embedkit.features.lookup import open_vectors
from embedkit.features.options import POOLINGS
from embedkit.features.transformers import Vectors
from embedkit.heads import DenseClassifier
from embedkit.heads.storage import read_config, write_config
from embedkit.index.metrics import Matrix
from embedkit.storage.config_file import CONFIG, RESTORE_HINT
from embedkit.storage.model_directory import read_model, replaced_directory
from embedkit.storage.tensors import read_tensors, write_tensors
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["SETTINGS", "TextClassifier"]

_KIND = "classifier"
_NETWORK, _VECTORS, _POOLING = "network", "vectors", "pooling.safetensors"
_LEARNED = {"tfidf": ("idf_", "_idf_of_others"), "sif": ("component_",)}
"""The attributes that `TextFeatures.fit` learns from the texts, by pooling."""


SETTINGS: Mapping[str, Any] = {
    "hidden": (128,), "ngrams": 3, "dropout": 0.5, "learning_rate": 0.003,
}  # fmt: skip
"""Default settings of `DenseClassifier` for texts."""


class TextClassifier:
    """A network that predicts the label of a text from the vectors of its words.

    A saved classifier is a self-contained directory: it includes the vectors, so the model that
    they came from may change or be deleted.

      classifier.embedkit/
        config.json           format version, pooling, fingerprint of the vectors
        network/              the `DenseClassifier`, with its fine-tuned vectors
        vectors/              a model directory, unless the vectors were fine-tuned
        pooling.safetensors   statistics that the pooling learned from the texts, if any

    Args:
        features: the fitted features if the vectors are fixed; None if the head fine-tuned them.
        head: the fitted network.
    """

    def __init__(self, features: TextFeatures | None, head: DenseClassifier) -> None:
        self.features = features
        self.head = head

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        labels: Sequence[Hashable],
        vectors: Vectors,
        *,
        pooling: str | None = None,
        tokenizer: str = "words",
        **settings: Any,
    ) -> Self:
        """Train on texts and their labels.

        Args:
            texts: n texts.
            labels: n labels.
            vectors: the path of a model, a `WordVectors`, or an `Encoder`.
            pooling: how `TextFeatures` combines the vectors of a text's words; None fine-tunes the
                vectors together with the network, whose input is their mean.
            tokenizer: "words", "words+emoji" or "whitespace", as for training.
            settings: arguments of `DenseClassifier` that override `SETTINGS`, which were chosen by
                cross-validation on real questions.

        Raises:
            ConfigurationError: a setting is invalid, or all labels are the same.
            ModelError: there is no model at the path.
        """
        settings = {**SETTINGS, **settings}
        if pooling is None:
            settings |= {"finetune": True, "vectors": vectors, "tokenizer": tokenizer}
        head = DenseClassifier(**settings)
        head.check_settings()  # before the work on the texts, which may take long
        if pooling is None:
            return cls(None, head.fit(texts, labels))
        features = TextFeatures(open_vectors(vectors), pooling, tokenizer=tokenizer)
        return cls(features, head.fit(features.fit_transform(texts), labels))

    @property
    def labels(self) -> NDArray[np.generic]:
        """The labels that it can predict, sorted, (K,)."""
        return self.head.classes_

    def predict(self, texts: Sequence[str]) -> NDArray[np.generic]:
        """Return the most likely label of each text, (n,)."""
        return self.head.predict(self._inputs(texts))

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the probability of each label, float32 (n, K), columns ordered like `labels`."""
        return self.head.predict_proba(self._inputs(texts))

    def _inputs(self, texts: Sequence[str]) -> Matrix | Sequence[str]:
        return texts if self.features is None else self.features.transform(texts)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a directory atomically: readers see either the old one or the new one.

        Raises:
            OutputExistsError: the path exists and *overwrite* is false.
            StorageError: the disk is full, or the path is not writable.
        """
        path = Path(os.path.realpath(path))
        with replaced_directory(path, overwrite=overwrite) as folder:
            self.head.save(folder / _NETWORK)
            config: dict[str, object] = {"kind": _KIND, "pooling": None}
            if self.features is not None:
                config["pooling"] = self.features.pooling
                config["tokenizer"] = self.features.tokenizer
                _save_vectors(self.features.vectors_, folder / _VECTORS)
                config["vectors"] = read_model(folder / _VECTORS).fingerprint
                if names := _LEARNED.get(self.features.pooling):
                    learned = {name: getattr(self.features, name) for name in names}
                    tensors = {name: np.atleast_1d(value) for name, value in learned.items()}
                    write_tensors(folder / _POOLING, tensors)
            write_config(folder / CONFIG, config)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a directory that `save` wrote; its vectors stay on disk until they are used.

        Raises:
            ModelError: the directory is missing, incomplete, damaged, too new, or not a classifier.
        """
        path = Path(path)
        try:
            path.stat()
        except FileNotFoundError:
            raise ModelError(
                f"there is no classifier at {path}.",
                hint=f"Train one with embedkit classify train EXAMPLES -o {path}, or choose "
                "another with --classifier (or EMBEDKIT_CLASSIFIER).",
            ) from None
        except OSError as error:
            raise ModelError(f"cannot open {path} as a classifier: {error.strerror}.") from error
        if not (path / CONFIG).is_file():
            raise ModelError(
                f"{path} is not a classifier.",
                hint="Pass a directory that embedkit classify train wrote.",
            )
        config = read_config(path / CONFIG, _KIND)
        head = DenseClassifier.load(path / _NETWORK)
        if head.finetune:
            return cls(None, head)
        return cls(_load_features(path, config), head)


def _save_vectors(vectors: WordVectors, path: Path) -> None:
    name = str(vectors.config.get("encoder"))
    if name in ENCODERS and vectors.is_sparse:  # one-hot: the words are enough
        untrained(name, vectors.vocabulary).save(path)
    else:
        vectors.save(path)


def _load_features(path: Path, config: Mapping[str, object]) -> TextFeatures:
    if not (path / _VECTORS).is_dir():
        raise ModelError(f"{path} is incomplete: its {_VECTORS} are missing.", hint=RESTORE_HINT)
    if read_model(path / _VECTORS).fingerprint != config.get("vectors"):
        raise ModelError(
            f"{path / _VECTORS} does not contain the vectors that the classifier was trained on.",
            hint=RESTORE_HINT,
        )
    vectors = load(path / _VECTORS)
    pooling = str(config.get("pooling"))
    if pooling not in POOLINGS:
        raise ModelError(f"{path} is damaged: unknown pooling {pooling!r}.", hint=RESTORE_HINT)
    features = TextFeatures(vectors, pooling, tokenizer=str(config.get("tokenizer")))
    features.vectors_ = vectors
    learned = read_tensors(path / _POOLING) if (path / _POOLING).exists() else {}
    for name in _LEARNED.get(pooling, ()):
        if name not in learned:
            raise ModelError(f"{path} is incomplete: its {name!r} is missing.", hint=RESTORE_HINT)
        setattr(features, name, learned[name] if name.endswith("_") else learned[name][0])
    return features
