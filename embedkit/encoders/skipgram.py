"""Skip-gram: a word is known by the company it keeps."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, SupportsIndex

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.reader import TextSource
from embedkit.encoders.base import Encoder, as_corpus
from embedkit.errors import ConfigurationError, ModelError
from embedkit.index.metrics import row_norms
from embedkit.storage.index_file import open_index
from embedkit.storage.model_directory import StoredModel, write_model
from embedkit.storage.quantization import unpack
from embedkit.training.config import TrainingConfig
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedkit.system.ranks import Ranks
    from embedkit.training.checkpoint import Checkpoints
    from embedkit.training.report import EpochReport, Progress
    from embedkit.training.warm_start import WarmStart

__all__ = ["SkipGramEncoder"]


class SkipGramEncoder(Encoder):
    """Dense vectors trained by skip-gram with negative sampling (Mikolov et al. 2013).

    Args:
        config: the settings, or
        **settings: fields of `TrainingConfig`, such as dimension, window, epochs.

    Attributes:
        config: the settings.
        context: the output matrix after `fit`, float32 (V, dimension), read-only.
        report: what training did, as `TrainingReport`'s fields, and the corpus's fingerprint.

    Raises:
        ConfigurationError: a setting is unknown or outside its range.
    """

    name: ClassVar[str] = "skipgram"

    def __init__(self, config: TrainingConfig | None = None, **settings: Any) -> None:
        super().__init__()
        self.config = TrainingConfig.of(config, **settings)
        self._dimension = self.config.dimension  # vectors made elsewhere may have any
        self.report: dict[str, Any] = {}
        self.context: NDArray[np.float32] | None = None
        self._vectors: WordVectors | None = None
        self._model: StoredModel | None = None

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        # What a model directory holds is mapped again where it is unpickled, not copied.
        if self._model is not None:
            return type(self).from_model, (self._model,)
        return super().__reduce_ex__(protocol)

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
        start: SkipGramEncoder | None = None,
        checkpoints: Checkpoints | None = None,
        resume: bool = False,
        ranks: Ranks | None = None,
        device: str = "cpu",
    ) -> Self:
        """Train on a text.

        Args:
            corpus: a `Corpus`, or anything that `Corpus.read` takes.
            progress: is called a few times a second, with `training.report.Progress`.
            on_epoch_end: is called after each epoch, with `training.report.EpochReport`; True ends
                training.
            start: a trained encoder to go on from; its words stay, and new ones are added.
            checkpoints: where to write down how far training is; see `training.checkpoint`.
            resume: go on from the last checkpoint, if there is one.
            ranks: processes that train together, each on its share of the text; see `ranks.join`.
            device: "cpu", "cuda", "cuda:1", or "auto", a GPU where there is one.

        Raises:
            CorpusError: too few words are frequent enough.
            ConfigurationError: *start* has another dimension or no output matrix, or the checkpoint
                is of another training.
            TrainingError: the loss became infinite.
        """
        from embedkit.training.loop import TrainingHooks
        from embedkit.training.trainer import train_skipgram

        read = as_corpus(corpus)
        result = train_skipgram(
            read,
            self.config,
            TrainingHooks(progress, on_epoch_end, checkpoints, resume),
            start=self._start(start, read) if start is not None else None,
            ranks=ranks,
            device=device,
        )
        self._model = None
        self._vocabulary = result.vocabulary
        self.context = result.context
        self.report = {
            **asdict(result.report),
            "corpus_fingerprint": read.fingerprint,
            "tokenizer": read.tokenizer,
        }
        if read.phrases is not None:
            self.report["phrases"] = dict(read.phrases)
        norms = row_norms(result.vectors)
        self._vectors = WordVectors(
            result.vocabulary, result.vectors, norms=norms, config=self._stored_config()
        )
        return self

    def _start(self, old: SkipGramEncoder, corpus: Corpus) -> WarmStart:
        from embedkit.training.warm_start import WarmStart, warm_start

        if old.dimension != self.dimension:
            raise ConfigurationError(
                f"dimension={self.dimension}, but the vectors to go on from have {old.dimension}.",
                hint=f"dimension={old.dimension}.",
            )
        if old.context is None:
            raise ConfigurationError(
                "the vectors to go on from come without their output matrix, which training needs.",
                hint="Go on from a model that embedkit trained.",
            )
        before = WarmStart(old.vocabulary, old.vectors().matrix, old.context)
        return warm_start(before, corpus, self.config)

    def encode(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the trained vectors of *words*, float32 (len(words), dimension).

        Raises:
            UnknownWordError: a word was not trained.
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
        write_model(
            Path(path),
            config=self._stored_config(),
            vocabulary=self.vocabulary,
            tensors=tensors,
            overwrite=overwrite,
        )

    def _stored_config(self) -> dict[str, Any]:
        return {
            "encoder": self.name,
            "dimension": self.dimension,
            "settings": asdict(self.config),
            "training": self.report,
        }

    @classmethod
    def from_vectors(cls, vectors: WordVectors) -> Self:
        """Return an encoder of vectors that were trained elsewhere."""
        encoder = cls()
        encoder._dimension = vectors.dimension
        encoder._vocabulary = vectors.vocabulary
        encoder._vectors = vectors
        return encoder

    @classmethod
    def from_model(cls, model: StoredModel) -> Self:
        """Return the encoder that was saved; its matrices stay on disk until they are used."""
        known = {field.name for field in fields(TrainingConfig)}
        settings = model.config.get("settings", {})
        if "vectors" not in model.tensors:
            raise ModelError(
                f"{model.path} is incomplete: it holds no vectors.", hint="Train it again."
            )
        encoder = cls(**{name: settings[name] for name in known & settings.keys()})
        encoder._dimension = model.tensors["vectors"].shape[1]
        encoder.report = dict(model.config.get("training", {}))
        encoder.context = model.tensors.get("context")
        encoder._vocabulary = model.vocabulary
        encoder._vectors = _stored_vectors(model)
        encoder._model = model
        return encoder


def _stored_vectors(model: StoredModel) -> WordVectors:
    return WordVectors(
        model.vocabulary,
        unpack(model.tensors),
        norms=model.tensors.get("norms"),
        units=model.tensors.get("units"),
        subwords=Subwords.of_model(model.config, model.tensors),
        config=model.config,
        opener=partial(_stored_vectors, model),
        approximate=partial(open_index, model),
    )
