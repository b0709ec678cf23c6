"""The interface of encoders: fit to a text, turn words into vectors, save and load."""

from __future__ import annotations

import copy
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.reader import TextSource
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import CorpusError, EmbedkitError, ModelError, counted, plural
from embedkit.index.metrics import Matrix
from embedkit.storage.model_directory import StoredModel, read_model
from embedkit.training.config import RANGES
from embedkit.validation import whole_number
from embedkit.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedkit.training.report import Progress

__all__ = ["Encoder", "NotFittedError"]


class NotFittedError(EmbedkitError):
    """An encoder was used before `fit`."""


class Encoder(ABC):
    """Turns words into vectors.

    Attributes:
        name: one of `embedkit.encoders.names.ENCODER_NAMES`, on the command line and in model
            directories.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self._vocabulary: Vocabulary | None = None

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return copy.copy(self)  # `fit` makes new arrays and never changes old ones

    def __sklearn_clone__(self) -> Self:
        # Pipelines clone their steps before each fit; an encoder in a step must stay fitted.
        return copy.copy(self)

    def __repr__(self) -> str:
        defaults = signature(type(self)).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value != defaults[name].default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def get_params(self, *, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name, as scikit-learn's estimators do.

        Args:
            deep: ignored; settings are plain values.
        """
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the text, most frequent first.

        Raises:
            NotFittedError: `fit` was not called.
        """
        if self._vocabulary is None:
            raise self.not_fitted()
        return self._vocabulary

    def not_fitted(self) -> NotFittedError:
        """Return the error for an encoder that was not fitted."""
        return NotFittedError(
            f"this {type(self).__name__} is not fitted.", hint="Call fit(corpus) first."
        )

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of a vector."""

    @abstractmethod
    def fit(
        self, corpus: Corpus | TextSource, *, progress: Callable[[Progress], None] | None = None
    ) -> Self:
        """Learn from a text.

        Args:
            corpus: a `Corpus`, or anything that `Corpus.read` takes.
            progress: called repeatedly by encoders that train, with `training.report.Progress`.

        Raises:
            CorpusError: the text is missing, empty, or without a word that is frequent enough.
        """

    @abstractmethod
    def encode(self, words: Iterable[str]) -> Matrix:
        """Return the vectors of *words*: float32 (n, dimension), dense or CSR.

        Raises:
            UnknownWordError: a word has no vector.
        """

    @abstractmethod
    def vectors(self) -> WordVectors:
        """Return the vectors of the whole vocabulary."""

    @abstractmethod
    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a model directory.

        Args:
            path: the directory.
            overwrite: replace an existing output.

        Raises:
            OutputExistsError: the output exists and *overwrite* is false.
            StorageError: the disk is full, or the path is not writable.
        """

    @classmethod
    @abstractmethod
    def from_model(cls, model: StoredModel) -> Self:
        """Return the encoder that was saved as *model*."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a model directory written by `save`.

        Raises:
            ModelError: it is missing, damaged, or was written by another encoder.
        """
        model = read_model(Path(path))
        name = model.config.get("encoder")
        if name != cls.name:
            raise ModelError(
                f"{path} was written by the encoder {name!r}, not {cls.name!r}.",
                hint="Open it with embedkit.load_encoder(path).",
            )
        return cls.from_model(model)


def as_corpus(source: Corpus | TextSource) -> Corpus:
    """Return *source* itself if it is a corpus, and read it otherwise."""
    return source if isinstance(source, Corpus) else Corpus.read(source)


def frequent_words(corpus: Corpus, min_count: int) -> Vocabulary:
    """Return the words that occur at least *min_count* times.

    Raises:
        ConfigurationError: *min_count* is out of range.
        CorpusError: there is no such word.
    """
    whole_number("min_count", min_count, *map(int, RANGES["min_count"]))
    vocabulary = corpus.vocabulary.at_least(min_count)
    if not len(vocabulary):
        raise CorpusError(
            f"no word occurs at least min_count={min_count} {plural(min_count, 'time')}, of "
            f"{counted(len(corpus.vocabulary), 'distinct word')}; the most frequent one occurs "
            f"{counted(corpus.vocabulary.counts[0], 'time')}.",
            hint="Lower --min-count (min_count).",
        )
    return vocabulary
