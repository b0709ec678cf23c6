"""One-hot vectors: each word is a dimension."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.reader import TextSource
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders.base import Encoder, as_corpus, frequent_words
from embedkit.index.metrics import Matrix
from embedkit.storage.model_directory import StoredModel, write_model
from embedkit.vectors.lookup import word_list
from embedkit.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedkit.training.report import Progress

__all__ = ["OneHotEncoder"]


class OneHotEncoder(Encoder):
    """Words as unit vectors with one dimension per word, in scipy.sparse CSR.

    The distance between any two different words is sqrt(2): the vectors encode identity only.

    Args:
        min_count: leave out words that are rarer.
    """

    name: ClassVar[str] = "onehot"

    def __init__(self, *, min_count: int = 1) -> None:
        super().__init__()
        self.min_count = min_count

    @classmethod
    def from_vocabulary(cls, vocabulary: Vocabulary) -> Self:
        """Return an encoder of the words of *vocabulary*."""
        encoder = cls()
        encoder._vocabulary = vocabulary
        return encoder

    @property
    def dimension(self) -> int:
        """Number of words."""
        return len(self.vocabulary)

    def fit(
        self, corpus: Corpus | TextSource, *, progress: Callable[[Progress], None] | None = None
    ) -> Self:
        """Read the vocabulary of a text; nothing is trained."""
        self._vocabulary = frequent_words(as_corpus(corpus), self.min_count)
        return self

    def encode(self, words: Iterable[str]) -> Matrix:
        """Return a scipy.sparse CSR array, float32 (n, dimension), with a single 1 in each row.

        Raises:
            UnknownWordError: a word is not in the vocabulary.
        """
        return _one_hot(self.vocabulary.known_ids(word_list(words)), self.dimension)

    def vectors(self) -> WordVectors:
        """Return the identity matrix in CSR, which stores V numbers."""
        matrix = _one_hot(np.arange(self.dimension), self.dimension)
        return WordVectors(self.vocabulary, matrix, config={"encoder": self.name})

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a model directory with the vocabulary only."""
        config = {
            "encoder": self.name,
            "dimension": self.dimension,
            "settings": {"min_count": self.min_count},
        }
        write_model(Path(path), config=config, vocabulary=self.vocabulary, overwrite=overwrite)

    @classmethod
    def from_model(cls, model: StoredModel) -> Self:
        """Return the encoder that was saved."""
        encoder = cls.from_vocabulary(model.vocabulary)
        encoder.min_count = int(model.config.get("settings", {}).get("min_count", 1))
        return encoder


def _one_hot(columns: NDArray[np.int64], width: int) -> Matrix:
    from scipy import sparse

    ones = np.ones(len(columns), dtype=np.float32)
    starts = np.arange(len(columns) + 1)
    return sparse.csr_array((ones, columns, starts), shape=(len(columns), width))
