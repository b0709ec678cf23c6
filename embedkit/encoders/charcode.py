"""Character codes, a naive baseline: a word is the code points of its characters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.reader import TextSource
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders.base import Encoder, as_corpus, frequent_words
from embedkit.errors import WordTooLongError
from embedkit.storage.model_directory import StoredModel, write_model
from embedkit.vectors.lookup import word_list
from embedkit.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedkit.training.report import Progress

__all__ = ["CharCodeEncoder"]


class CharCodeEncoder(Encoder):
    """Words as their Unicode code points, padded with 0 to the length of the longest word.

    ``cat`` is [99, 97, 116], close to ``bat`` and far from ``feline``. These vectors encode
    spelling but not meaning, so comparing them with trained vectors shows what training adds.

    Args:
        min_count: leave out words that are rarer.
        truncate: cut words that are too long in `encode` instead of raising `WordTooLongError`.
    """

    name: ClassVar[str] = "charcode"

    def __init__(self, *, min_count: int = 1, truncate: bool = False) -> None:
        super().__init__()
        self.min_count = min_count
        self.truncate = truncate
        self._dimension = 0

    @classmethod
    def from_vocabulary(cls, vocabulary: Vocabulary, *, truncate: bool = False) -> Self:
        """Return an encoder of the words of *vocabulary*."""
        encoder = cls(truncate=truncate)
        encoder._vocabulary = vocabulary
        encoder._dimension = max(map(len, vocabulary), default=0)
        return encoder

    @property
    def dimension(self) -> int:
        """Length of the longest word of the vocabulary."""
        if self._vocabulary is None:
            raise self.not_fitted()
        return self._dimension

    def fit(
        self, corpus: Corpus | TextSource, *, progress: Callable[[Progress], None] | None = None
    ) -> Self:
        """Read the vocabulary of a text; nothing is trained."""
        self._vocabulary = frequent_words(as_corpus(corpus), self.min_count)
        self._dimension = max(map(len, self._vocabulary))
        return self

    def encode(self, words: Iterable[str]) -> NDArray[np.float32]:
        """Return code points, float32 (n, dimension), even for words outside the vocabulary.

        Raises:
            WordTooLongError: a word is longer than the longest word of the vocabulary.
        """
        words, width = word_list(words), self.dimension
        for word in words:
            if len(word) > width and not self.truncate:
                raise WordTooLongError(word, width)
        return _code_points(words, width)

    def vectors(self) -> WordVectors:
        """Return the code points of the whole vocabulary."""
        matrix = _code_points(self.vocabulary.words(), self.dimension)
        return WordVectors(self.vocabulary, matrix, config={"encoder": self.name})

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a model directory with the vocabulary only."""
        config = {
            "encoder": self.name,
            "dimension": self.dimension,
            "settings": {"min_count": self.min_count, "truncate": self.truncate},
        }
        write_model(Path(path), config=config, vocabulary=self.vocabulary, overwrite=overwrite)

    @classmethod
    def from_model(cls, model: StoredModel) -> Self:
        """Return the encoder that was saved."""
        settings = model.config.get("settings", {})
        encoder = cls.from_vocabulary(
            model.vocabulary, truncate=bool(settings.get("truncate", False))
        )
        encoder.min_count = int(settings.get("min_count", 1))
        return encoder


def _code_points(words: Sequence[str], width: int) -> NDArray[np.float32]:
    """Return code points padded with 0, (len(words), width), as NumPy stores strings."""
    if not len(words) or not width:
        return np.zeros((len(words), width), dtype=np.float32)
    table = np.array(words, dtype=f"U{width}")
    return table.view(np.uint32).reshape(len(words), width).astype(np.float32)
