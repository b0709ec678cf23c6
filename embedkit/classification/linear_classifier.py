"""A linear classifier of texts: a fitted model, its labels, and what held-out texts showed.

classifier.embedkit/
  config.json           format version, labels, settings, results on held-out texts
  linear.safetensors    scores of terms, character n-grams and vector dimensions; n-grams of words
  words.arrow           the words of the training texts
  vectors/              a model directory with the word vectors, if there are any
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.classification.calibration import best_thresholds
from embedkit.classification.labels import Labels
from embedkit.classification.linear_model import LinearModel, TextScores
from embedkit.classification.linear_settings import LinearSettings, Step, Validation
from embedkit.classification.objectives import OBJECTIVES
from embedkit.classification.stored_vectors import load_vectors, save_vectors
from embedkit.classification.terms import TextTerms
from embedkit.classification.training import train_linear
from embedkit.classification.word_views import CHARACTER_NGRAMS
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ModelError, counted
from embedkit.features.lookup import warn_of_unknown
from embedkit.storage.config_file import RESTORE_HINT
from embedkit.storage.model_directory import checksum
from embedkit.storage.tensors import read_tensors, write_tensors
from embedkit.system.steps import Steps
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["LinearClassifier"]

_TENSORS, _WORDS, _VECTORS = "linear.safetensors", "words.arrow", "vectors"
_WHOLE = {"buckets": ("I32",), "document_frequencies": ("I32",)}
_INTEGERS = {**_WHOLE, **{f"ngrams.{length}": ("I32",) for length in range(2, 11)}}


@dataclass(frozen=True)
class LinearClassifier:
    """A linear classifier.

    Attributes:
        model: the fitted model, calibrated.
        labels: what its K outputs mean.
        thresholds: with any number of labels, the probability from which a label is given, (K,).
        settings: with which it was trained.
        validation: C, temperature, number of held-out texts and their mean loss.
    """

    model: LinearModel
    labels: Labels
    thresholds: NDArray[np.float32]
    settings: LinearSettings
    validation: Mapping[str, float | int | None]

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        targets: Sequence[Any],
        task: str,
        vectors: WordVectors | None,
        settings: LinearSettings,
        *,
        balanced: bool = False,
        progress: Callable[[Step], object] | None = None,
    ) -> tuple[Self, Validation]:
        """Train on n texts and their labels, collections of labels, or numbers.

        Returns:
            The classifier, and what the held-out texts showed.
        """
        labels, rows = Labels.of(task, texts, targets)
        weights = rows.balanced_weights() if balanced else None
        model, validation = train_linear(
            texts, rows.rows, task, vectors, settings, weights=weights, progress=progress
        )
        thresholds = np.full(rows.rows.shape[1], 0.5, dtype=np.float32)
        if task == "labels" and len(validation.rows):
            probabilities = OBJECTIVES[task].predictions(validation.scores)
            thresholds = best_thresholds(probabilities, rows.rows[validation.rows])
        summary = {
            "C": validation.C,
            "temperature": validation.temperature,
            "held_out": len(validation.rows),
            "loss": validation.loss if len(validation.rows) else None,
        }
        return cls(model, labels, thresholds, settings, summary), validation

    @property
    def tokenizer(self) -> str:
        """The name of the tokenizer."""
        return self.model.terms.tokenizer

    def predictions(self, texts: Sequence[str]) -> NDArray[np.floating[Any]]:
        """Return the probability of each label, float32 (n, K), or the numbers, float64 (n, 1)."""
        explained = self.model.explain(texts)
        empty = explained.unknown & (np.diff(explained.weights.indptr) == 0)
        effect = "come from letters alone"
        if empty.any():
            effect = "are zeros" if empty.sum() == explained.unknown.sum() else f"{effect}, if any"
        warn_of_unknown(explained.unknown, effect=effect, stacklevel=4)
        return self._predicted(explained)

    def predictions_in_steps(self, texts: Sequence[str]) -> Steps[NDArray[np.floating[Any]]]:
        """Do what `predictions` does, for few texts, in steps of about a millisecond; no warning
        tells which of them have no known word.
        """
        return self._predicted((yield from self.model.explain_in_steps(texts)))

    def _predicted(self, explained: TextScores) -> NDArray[np.floating[Any]]:
        scores = explained.total()
        if self.labels.task == "number":
            return scores.astype(np.float64) * self.labels.standard_deviation + self.labels.mean
        return np.asarray(OBJECTIVES[self.labels.task].predictions(scores), dtype=np.float32)

    def summary(self) -> dict[str, object]:
        """Return how it was trained, as values that JSON can represent."""
        found: dict[str, object] = {"head": "linear", "terms": len(self.model.terms)}
        found |= self.validation
        if self.labels.task == "labels":
            found["thresholds"] = self.thresholds.tolist()
        return found

    def described(self) -> str:
        """Return a line about how it was trained."""
        terms = counted(len(self.model.terms), "term")
        if not self.validation["held_out"]:
            return f"{terms}, C {self.validation['C']:g}, too few texts to hold out"
        texts = counted(int(self.validation["held_out"] or 0), "held-out text")
        temperature = f"temperature {self.validation['temperature']:.2f}, "
        if self.labels.task == "number":  # has no probabilities to calibrate
            temperature = ""
        return (
            f"{terms}, C {self.validation['C']:g}, {temperature}"
            f"loss {self.validation['loss']:.4f} on {texts}"
        )

    def save(self, folder: Path) -> dict[str, object]:
        """Write the files of the classifier into *folder*; return what belongs in config.json."""
        model = self.model
        tensors: dict[str, NDArray[Any]] = {
            "term_scores": model.term_scores, "ngram_scores": model.ngram_scores,
            "vector_scores": model.vector_scores, "bias": model.bias,
            "thresholds": self.thresholds, "buckets": model.buckets,
            "document_frequencies": model.terms.document_frequencies,
        }  # fmt: skip
        for length, pairs in enumerate(model.terms.ngrams, start=2):
            tensors[f"ngrams.{length}"] = pairs
        write_tensors(folder / _TENSORS, tensors)
        model.terms.words.save(folder / _WORDS)
        config: dict[str, object] = {
            "checksums": {name: checksum(folder / name) for name in (_TENSORS, _WORDS)},
            "labels": self.labels.as_dict(), "settings": asdict(self.settings),
            "texts": model.terms.texts, "validation": dict(self.validation), "vectors": None,
        }  # fmt: skip
        if model.vectors is not None:
            config["vectors"] = save_vectors(model.vectors, folder / _VECTORS)
        return config

    @classmethod
    def load(cls, folder: Path, config: Mapping[str, Any]) -> Self:
        """Open what `save` wrote; arrays are memory-mapped.

        Raises:
            ModelError: the directory is incomplete or damaged.
        """
        vectors = None
        if config.get("vectors") is not None:
            vectors = load_vectors(folder, _VECTORS, config)
        _check_files(folder, config)
        tensors = read_tensors(folder / _TENSORS, _INTEGERS)
        words = Vocabulary.open(folder / _WORDS)
        try:
            settings = LinearSettings(**config["settings"])
            terms = TextTerms(
                words,
                tuple(tensors[f"ngrams.{length}"] for length in range(2, settings.ngrams + 1)),
                tensors["document_frequencies"],
                int(config["texts"]),
                settings.tokenizer,
            )
            model = LinearModel(
                terms=terms,
                term_scores=tensors["term_scores"],
                buckets=tensors["buckets"],
                ngram_scores=tensors["ngram_scores"],
                vector_scores=tensors["vector_scores"],
                bias=tensors["bias"],
                vectors=vectors,
            )
            labels = Labels.from_dict(config["labels"])
            found = cls(model, labels, tensors["thresholds"], settings, config["validation"])
            found._check()
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelError(f"{folder} is damaged: {error!r}.", hint=RESTORE_HINT) from error
        return found

    def _check(self) -> None:
        self._check_shapes()
        self.model.terms.check()
        edges = np.concatenate([[-1], self.model.buckets, [CHARACTER_NGRAMS.buckets]])
        if (np.diff(edges) <= 0).any():
            raise ValueError("buckets are not sorted, or out of range")
        numbers: dict[str, Any] = {
            "term_scores": self.model.term_scores, "ngram_scores": self.model.ngram_scores,
            "vector_scores": self.model.vector_scores, "bias": self.model.bias,
            "thresholds": self.thresholds, "mean": self.labels.mean,
            "standard_deviation": self.labels.standard_deviation,
        }  # fmt: skip
        for name, values in numbers.items():
            if not np.isfinite(values).all():
                raise ValueError(f"{name} is not finite")
        if self.labels.standard_deviation <= 0:
            raise ValueError("standard_deviation is not positive")
        self.described()  # reads the results on held-out texts

    def _check_shapes(self) -> None:
        model, outputs = self.model, len(self.model.bias)
        dimension = 0
        if model.vectors is not None and not model.vectors.is_sparse:
            dimension = model.vectors.dimension
        shapes = {
            "term_scores": (model.term_scores, len(model.terms)),
            "ngram_scores": (model.ngram_scores, len(model.buckets)),
            "vector_scores": (model.vector_scores, dimension),
        }
        for name, (matrix, rows) in shapes.items():
            if matrix.shape != (rows, outputs):
                raise ValueError(f"{name} has the shape {matrix.shape}, not {(rows, outputs)}")
        labels = outputs if self.labels.task == "number" else len(self.labels.classes)
        if labels != outputs or self.thresholds.shape != (outputs,):
            raise ValueError(f"{labels} labels, but {outputs} outputs")


def _check_files(folder: Path, config: Mapping[str, Any]) -> None:
    stored = config.get("checksums")
    for name in (_TENSORS, _WORDS):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} is incomplete: {name} is missing.", hint=RESTORE_HINT)
        try:
            found = checksum(folder / name)
        except OSError as error:
            raise ModelError(f"cannot read {folder / name}: {error.strerror or error}.") from error
        if not isinstance(stored, dict) or stored.get(name) != found:
            raise ModelError(
                f"{folder / name} is damaged: its checksum is wrong.", hint=RESTORE_HINT
            )
