"""A network that classifies texts by the vectors of their words.

classifier.embedkit/
  config.json           format version, pooling, fingerprint of the vectors
  network/              the `DenseClassifier`, with its fine-tuned vectors
  vectors/              a model directory, unless the vectors were fine-tuned
  pooling.safetensors   statistics that the pooling learned from the texts, if any
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.classification.labels import Labels
from embedkit.classification.stored_vectors import load_vectors, save_vectors
from embedkit.errors import ModelError, counted
from embedkit.features import TextFeatures
from embedkit.features.lookup import open_vectors
from embedkit.features.options import POOLINGS
from embedkit.features.transformers import Vectors
from embedkit.heads import DenseClassifier
from embedkit.index.metrics import Matrix
from embedkit.storage.config_file import RESTORE_HINT
from embedkit.storage.tensors import read_tensors, write_tensors

__all__ = ["SETTINGS", "NetworkClassifier"]

_NETWORK, _VECTORS, _POOLING = "network", "vectors", "pooling.safetensors"
_LEARNED = {"tfidf": ("idf_", "_idf_of_others"), "sif": ("component_",)}
"""The attributes that `TextFeatures.fit` learns from the texts, by pooling."""

SETTINGS: Mapping[str, Any] = {
    "hidden": (128,), "ngrams": 3, "dropout": 0.5, "learning_rate": 0.003,
}  # fmt: skip
"""Default settings of `DenseClassifier` for texts."""


@dataclass(frozen=True)
class NetworkClassifier:
    """A network on the vectors of texts.

    Attributes:
        features: the fitted features if the vectors are fixed; None if the head fine-tuned them.
        head: the fitted network.
    """

    features: TextFeatures | None
    head: DenseClassifier

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        labels: Sequence[Hashable],
        vectors: Vectors,
        *,
        pooling: str | None,
        tokenizer: str,
        **settings: Any,
    ) -> Self:
        """Train on n texts and their labels; see `TextClassifier.train`."""
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
    def labels(self) -> Labels:
        """The labels that it can predict."""
        return Labels("label", self.head.classes_)

    def predictions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the probability of each label, float32 (n, K)."""
        return self.head.predict_proba(self._inputs(texts))

    def _inputs(self, texts: Sequence[str]) -> Matrix | Sequence[str]:
        return texts if self.features is None else self.features.transform(texts)

    def summary(self) -> dict[str, object]:
        """Return how it was just trained, as values that JSON can represent."""
        last = self.head.history_[-1]
        return {
            "head": "network", "epochs": last.epoch, "loss": last.loss,
            "validation_loss": last.validation_loss,
        }  # fmt: skip

    def described(self) -> str:
        """Return a line about how it was just trained."""
        last = self.head.history_[-1]
        loss = last.validation_loss
        validation = "" if loss is None else f", validation loss {loss:.4f}"
        return f"{counted(last.epoch, 'epoch')}, loss {last.loss:.4f}{validation}"

    def save(self, folder: Path) -> dict[str, object]:
        """Write the files of the classifier into *folder*; return what belongs in config.json."""
        self.head.save(folder / _NETWORK)
        config: dict[str, object] = {"pooling": None}
        if self.features is not None:
            config["pooling"] = self.features.pooling
            config["tokenizer"] = self.features.tokenizer
            config["vectors"] = save_vectors(self.features.vectors_, folder / _VECTORS)
            if names := _LEARNED.get(self.features.pooling):
                learned = {name: getattr(self.features, name) for name in names}
                tensors = {name: np.atleast_1d(value) for name, value in learned.items()}
                write_tensors(folder / _POOLING, tensors)
        return config

    @classmethod
    def load(cls, folder: Path, config: Mapping[str, Any]) -> Self:
        """Open what `save` wrote; the vectors stay on disk until they are used.

        Raises:
            ModelError: the directory is incomplete or damaged.
        """
        head = DenseClassifier.load(folder / _NETWORK)
        if head.finetune:
            return cls(None, head)
        return cls(_load_features(folder, config), head)


def _load_features(path: Path, config: Mapping[str, object]) -> TextFeatures:
    vectors = load_vectors(path, _VECTORS, config)
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
