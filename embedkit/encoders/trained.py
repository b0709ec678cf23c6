"""What the encoders that are trained on a text have in common."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.counting.limits import LeftOut
from embedkit.corpus.ngrams import word_bytes
from embedkit.corpus.reader import TextSource
from embedkit.encoders.base import Encoder, as_corpus
from embedkit.encoders.continuation import (
    NO_CONTEXT,
    check_start,
    ngrams_of,
    settings_of,
)
from embedkit.errors import HighLossWarning, ModelError
from embedkit.index.metrics import row_norms
from embedkit.storage.index_file import open_index
from embedkit.storage.model_directory import StoredModel, write_model
from embedkit.storage.quantization import unpack
from embedkit.training.config import TrainingConfig, ngram_settings
from embedkit.training.divergence import high_loss
from embedkit.vectors.subwords import Subwords, stored_subwords
from embedkit.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedkit.system.ranks import Ranks
    from embedkit.training.checkpoint import Checkpoints
    from embedkit.training.options import Device
    from embedkit.training.report import EpochReport, Progress, TrainingResult
    from embedkit.training.warm_start import WarmStart

__all__ = ["TrainedEncoder"]


class TrainedEncoder(Encoder):
    """Dense vectors that are trained on a text, by one of word2vec's architectures.

    Attributes:
        config: the settings.
        report: the fields of `TrainingReport`, and the fingerprint and tokenizer of the corpus.
        problem: why training cannot continue from this encoder, as a sentence.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.config = TrainingConfig(**settings)
        self._dimension = self.config.dimension  # vectors made elsewhere may have another dimension
        self.report: dict[str, Any] = {}
        self.problem = NO_CONTEXT
        self._vectors: WordVectors | None = None
        self._own: NDArray[np.float32] | None = None
        self._positions: NDArray[np.float32] | None = None
        self._model: StoredModel | None = None

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        # Unpickling maps the model directory again instead of copying its matrices.
        if self._model is not None:
            return type(self).from_model, (self._model,)
        return super().__reduce_ex__(protocol)

    def get_params(self, *, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name, as scikit-learn's estimators do."""
        return {name: getattr(self.config, name) for name in signature(type(self)).parameters}

    @classmethod
    def from_config(cls, config: TrainingConfig | None = None, **settings: Any) -> Self:
        """Return an encoder with the settings of *config*, which *settings* override.

        Without *config*, the other settings have their defaults.

        Raises:
            ConfigurationError: a setting is unknown or out of range.
        """
        held = asdict(TrainingConfig.of(config, **settings))
        return cls(**{name: held[name] for name in signature(cls).parameters})

    @property
    def context(self) -> NDArray[np.float32] | None:
        """The output matrix, float32 (V, dimension), read-only; None if it is not known."""
        return None if self._vectors is None else self._vectors.context

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def fit(
        self,
        corpus: Corpus | TextSource,
        *,
        progress: Callable[[Progress], None] | None = None,
        on_epoch_end: Callable[[EpochReport], bool | None] | None = None,
        start: TrainedEncoder | None = None,
        checkpoints: Checkpoints | None = None,
        resume: bool = False,
        ranks: Ranks | None = None,
        device: str | Device = "cpu",
    ) -> Self:
        """Train on a text.

        Args:
            corpus: a `Corpus`, or anything that `Corpus.read` takes.
            progress: called a few times per second with `training.report.Progress`.
            on_epoch_end: called after each epoch with `training.report.EpochReport`; returning True
                ends training.
            start: a trained encoder to continue from; its words are kept, and new ones added.
            checkpoints: where to save the state of training; see `training.checkpoint`.
            resume: continue from the last checkpoint, if there is one.
            ranks: processes that train together, each on a part of the text; see `ranks.join`.
            device: "cpu", "cuda", "cuda:1", or "auto" for a GPU if there is one (the default of
                `embedkit train`, but not of this method); or `training.options.Device`, which also
                says how to train on a GPU.

        Raises:
            CorpusError: too few words are frequent enough.
            ConfigurationError: *start* has another dimension or no output matrix, or the checkpoint
                belongs to another training run.
            TrainingError: training diverged, so that the loss is not finite or above 5 nats.

        Warns:
            HighLossWarning: almost nothing was learned, or training diverged.
            ShortTimeWarning: the time budget is too short for one epoch.
        """
        from embedkit.training.loop import TrainingHooks
        from embedkit.training.trainer import train

        read = as_corpus(corpus)
        result = train(
            read,
            self.config,
            TrainingHooks(progress, on_epoch_end, checkpoints, resume),
            start=self._start(start, read) if start is not None else None,
            ranks=ranks,
            device=device,
        )
        if problem := high_loss(result.report.loss, result.report.sample):
            warnings.warn(problem, HighLossWarning, stacklevel=2)
        self._store_result(result, read)
        return self

    def _store_result(self, result: TrainingResult, corpus: Corpus) -> None:
        """Store what training has learned from a corpus."""
        self._model = self._own = None
        self._positions = result.positions
        self._vocabulary = result.vocabulary
        self.report = {
            **asdict(result.report),
            "corpus_fingerprint": corpus.fingerprint,
            "tokenizer": corpus.tokenizer,
        }
        if result.report.plan is None:
            del self.report["plan"]
        if corpus.left_out != LeftOut():
            self.report["left_out"] = asdict(corpus.left_out)
        if corpus.phrases is not None:
            self.report["phrases"] = dict(corpus.phrases)
        self._vectors = WordVectors(
            result.vocabulary,
            result.vectors,
            norms=row_norms(result.vectors),
            config=self._stored_config(),
            subwords=result.subwords,
            context=result.context,
        )

    def _start(self, old: TrainedEncoder, corpus: Corpus) -> WarmStart:
        from embedkit.training.warm_start import WarmStart, warm_start

        vectors = old.vectors()
        context = check_start(vectors, old.problem, self.config)
        before = WarmStart(
            old.vocabulary, old._own_rows(), context, vectors.subwords, old._positions
        )
        return warm_start(before, corpus, self.config)

    def _own_rows(self) -> NDArray[np.float32]:
        """Return the words' own rows of the input matrix, float32 (V, dimension)."""
        if self._own is not None:
            return self._own
        vectors = self.vectors()
        matrix: NDArray[np.float32] = vectors.matrix
        if isinstance(vectors.subwords, Subwords):
            words = word_bytes(self.vocabulary.words())
            return vectors.subwords.own_rows(words, matrix)
        return matrix

    def encode(self, words: Iterable[str]) -> NDArray[np.float32]:
        """Return the trained vectors of *words*, float32 (n, dimension).

        Raises:
            UnknownWordError: a word has no vector.
        """
        found: NDArray[np.float32] = self.vectors().encode(words)
        return found

    def vectors(self) -> WordVectors:
        """Return the trained vectors, the input matrix."""
        if self._vectors is None:
            raise self.not_fitted()
        return self._vectors

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a model directory with both matrices."""
        vectors = self.vectors()
        tensors = {"vectors": vectors.matrix, "norms": vectors.norms}
        if self.context is not None:
            tensors["context"] = self.context
        if self._positions is not None:
            tensors["positions"] = self._positions
        config = self._stored_config()
        if vectors.subwords is not None:
            tensors |= vectors.subwords.tensors
            config["subwords"] = vectors.subwords.config
        write_model(
            Path(path),
            config=config,
            vocabulary=self.vocabulary,
            tensors=tensors,
            overwrite=overwrite,
        )

    def _stored_config(self) -> dict[str, Any]:
        return {
            "encoder": self.name,
            "dimension": self.dimension,
            "settings": {**self.get_params(), **ngram_settings(self.config.ngrams)},
            "training": self.report,
        }

    @classmethod
    def from_vectors(
        cls,
        vectors: WordVectors,
        *,
        settings: Mapping[str, Any] | None = None,
        own: NDArray[np.float32] | None = None,
        problem: str = NO_CONTEXT,
    ) -> Self:
        """Return an encoder of vectors that were trained elsewhere.

        Args:
            settings: of that training; those that are unknown or out of range are not used.
            own: the words' own rows of the input matrix; computed from *vectors* if None.
            problem: see the attribute.
        """
        encoder = cls(**settings_of(vectors, settings or {}, signature(cls).parameters))
        encoder.problem, encoder._own = problem, own
        encoder._dimension = vectors.dimension
        encoder._vocabulary = vectors.vocabulary
        encoder._vectors = vectors
        return encoder

    @classmethod
    def from_model(cls, model: StoredModel) -> Self:
        """Return the encoder that was saved; its matrices are memory-mapped."""
        if "vectors" not in model.tensors:
            raise ModelError(
                f"{model.path} is incomplete: it contains no vectors.",
                hint="Train the model again.",
            )
        vectors = _stored_vectors(model)
        settings = {**model.config.get("settings", {}), **ngram_settings(ngrams_of(vectors))}
        known = set(signature(cls).parameters)
        encoder = cls(**{name: settings[name] for name in known & settings.keys()})
        encoder._dimension = vectors.dimension
        encoder.report = dict(model.config.get("training", {}))
        encoder._vocabulary = model.vocabulary
        encoder._vectors = vectors
        encoder._positions = model.tensors.get("positions")
        encoder._model = model
        return encoder


def _stored_vectors(model: StoredModel) -> WordVectors:
    return WordVectors.from_checked(
        model.vocabulary,
        unpack(model.tensors),
        norms=model.tensors.get("norms"),
        units=model.tensors.get("units"),
        subwords=stored_subwords(model.path, model.config, model.tensors),
        config=model.config,
        context=model.tensors.get("context"),
        opener=partial(_stored_vectors, model),
        approximate=partial(open_index, model),
    )
