"""What every encoder can do: fit to a text, turn words into vectors, be saved and opened again."""

from __future__ import annotations

import copy
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import Self

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.reader import TextSource
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import CorpusError, EmbedkitError, ModelError
from embedkit.storage.model_directory import StoredModel, read_model
from embedkit.training.config import RANGES
from embedkit.validation import whole_number
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["Encoder", "NotFittedError"]


class NotFittedError(EmbedkitError):
    """An encoder was used before `fit`."""


class Encoder(ABC):
    """Words to vectors.

    Attributes:
        name: as it is called on the command line and in a model directory.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self._vocabulary: Vocabulary | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return copy.copy(self)  # `fit` makes new arrays; those that are there never change

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
        """Return the error of an encoder that has seen no text."""
        return NotFittedError(
            f"this {type(self).__name__} has seen no text.", hint="Call fit(corpus) first."
        )

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of a vector."""

    @abstractmethod
    def fit(
        self, corpus: Corpus | TextSource, *, progress: Callable[[Any], None] | None = None
    ) -> Self:
        """Learn from a text: a `Corpus`, or anything that `Corpus.read` takes.

        Args:
            progress: is called now and then by encoders that train, with `training.Progress`.

        Raises:
            CorpusError: the text is missing, empty or without a word that is frequent enough.
        """

    @abstractmethod
    def encode(self, words: Sequence[str]) -> Any:
        """Return the vectors of *words*: float32 (len(words), dimension), dense or CSR.

        Raises:
            UnknownWordError: a word has no vector.
        """

    @abstractmethod
    def vectors(self) -> WordVectors:
        """Return the vectors of the whole vocabulary."""

    @abstractmethod
    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a model directory.

        Raises:
            OutputExistsError: something is there and *overwrite* is false.
            StorageError: the place cannot be written to.
        """

    @classmethod
    @abstractmethod
    def from_model(cls, model: StoredModel) -> Self:
        """Return the encoder that was saved."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a model directory written by `save`.

        Raises:
            ModelError: it is missing, damaged or of another encoder.
        """
        model = read_model(Path(path))
        name = model.config.get("encoder")
        if name != cls.name:
            raise ModelError(
                f"{path} is of the encoder {name!r}, not {cls.name!r}.",
                hint="embedkit.load_encoder(path) opens any.",
            )
        return cls.from_model(model)


def as_corpus(source: Corpus | TextSource) -> Corpus:
    """Return *source* itself if it is a corpus already, and read it otherwise."""
    return source if isinstance(source, Corpus) else Corpus.read(source)


def frequent_words(corpus: Corpus, min_count: int) -> Vocabulary:
    """Return the words that occur *min_count* times.

    Raises:
        ConfigurationError: *min_count* lies outside its range.
        CorpusError: there is none.
    """
    whole_number("min_count", min_count, *map(int, RANGES["min_count"]))
    vocabulary = corpus.vocabulary.at_least(min_count)
    if not len(vocabulary):
        raise CorpusError(
            f"none of the {len(corpus.vocabulary):,} distinct words occurs at least "
            f"min_count={min_count} times; the most frequent one occurs "
            f"{corpus.vocabulary.counts[0]:,} times.",
            hint="Lower --min-count (min_count).",
        )
    return vocabulary
