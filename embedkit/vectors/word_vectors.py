"""Words and their vectors: immutable, and able to answer questions.

vectors = embedkit.load("model.embedkit")
vectors.analogy("paris", "france", "italy")      # paris - france + italy
vectors.query("king - man + woman")
vectors.neighbors("cat"); vectors.distance(["cat", "bat", "paw"])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, ModelError
from embedkit.index.exact import DenseIndex, make_index
from embedkit.index.metrics import row_norms, unit_rows
from embedkit.storage.model_directory import write_model
from embedkit.storage.quantization import pack, unpack
from embedkit.vectors.analogies import Asking
from embedkit.vectors.example_pairs import Relating
from embedkit.vectors.nearest import Terms
from embedkit.vectors.similarity import Comparing
from embedkit.vectors.subwords import Subwords

__all__ = ["Terms", "WordVectors"]

_LONGEST = 1e18  # its square, and that of the distance of two such, is within float32


class WordVectors(Asking, Relating, Comparing):
    """A vocabulary and one row of a matrix for each word.

    Args:
        vocabulary: V words.
        matrix: float32 (V, d), dense (a memory map is used where it lies) or scipy.sparse CSR.
        norms: lengths of the rows, float32 (V,), if they are known.
        units: the rows brought to length 1, float32 (V, d), if they are at hand; dense only.
        config: what is known of where the vectors come from; saved with them.
        opener: opens the same vectors again, if they are of a model directory. Then pickling them
            carries no numbers, and processes share the memory map.
        approximate: given the exact index of a metric, returns the approximate one that takes its
            place, or None; see `saved_index`.
        subwords: what makes vectors of words that are not known from their character n-grams.

    Raises:
        ValueError: the shapes do not agree.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        matrix: Any,
        *,
        norms: NDArray[np.float32] | None = None,
        units: NDArray[np.float32] | None = None,
        config: Mapping[str, Any] | None = None,
        opener: Callable[[], WordVectors] | None = None,
        approximate: Callable[[DenseIndex], Any] | None = None,
        subwords: Subwords | None = None,
    ) -> None:
        if matrix.shape[0] != len(vocabulary):
            raise ValueError(f"{len(vocabulary)} words but {matrix.shape[0]} rows")
        self.vocabulary = vocabulary
        self.config: dict[str, Any] = dict(config or {})
        self.opener = opener
        self.approximate = approximate
        self.subwords = subwords
        self._indexes: dict[str, Any] = {}
        if len(matrix.shape) != 2:
            raise ValueError(f"a matrix has two axes, not {len(matrix.shape)}")
        if isinstance(matrix, np.ndarray):
            matrix = matrix.astype(np.float32, copy=False).view()
            matrix.flags.writeable = False
        else:
            matrix = type(matrix)(
                tuple(_read_only(part) for part in (matrix.data, matrix.indices, matrix.indptr)),
                shape=matrix.shape,
            )
        self.matrix = matrix
        if norms is not None:
            self.__dict__["norms"] = norms
        if units is not None:
            self._indexes["cosine"] = DenseIndex(matrix, "cosine", rows=units)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.matrix.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Whether vectors are scipy.sparse rows."""
        return not isinstance(self.matrix, np.ndarray)

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """Euclidean lengths of the vectors, float32 (V,)."""
        if self.is_sparse:
            squares = self.matrix.multiply(self.matrix).sum(axis=1)
            return np.asarray(np.sqrt(np.asarray(squares)).ravel(), dtype=np.float32)
        return row_norms(self.matrix)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __contains__(self, word: object) -> bool:
        return word in self.vocabulary

    def __getitem__(self, word: str) -> Any:
        """Return the vector of *word*: read-only (d,), or a CSR row (1, d).

        Raises:
            UnknownWordError: it has none.
            TypeError: it is no string.
        """
        if not isinstance(word, str):
            raise TypeError(f"a word is a string, not {word!r:.60}; rows are those of `matrix`")
        row = self.vocabulary.id(word)
        return self.matrix[[row]] if self.is_sparse else self.matrix[row]

    def __reduce__(self) -> tuple[Callable[..., WordVectors], tuple[Any, ...]]:
        if self.opener is not None:
            return self.opener, ()
        matrix = self.matrix if self.is_sparse else np.asarray(self.matrix)
        make = partial(WordVectors, config=self.config, subwords=self.subwords)
        return make, (self.vocabulary, matrix)

    def __deepcopy__(self, memo: dict[int, Any]) -> WordVectors:
        return self  # immutable

    def __repr__(self) -> str:
        return f"WordVectors({len(self):,} words, {self.dimension} dimensions)"

    def encode(self, words: Sequence[str]) -> Any:
        """Return the vectors of *words*, float32 (len(words), d), dense or CSR.

        Raises:
            UnknownWordError: one of them has none.
        """
        return self.matrix[self.vocabulary.known_ids(words)]

    @property
    def units(self) -> Any:
        """The vectors brought to length 1, (V, d), dense or CSR.

        Dense ones are a `metrics.UnitRows`, which works out the rows that are taken from it.
        """
        return self._index("cosine").rows if not self.is_sparse else unit_rows(self.matrix)

    def save(
        self, path: str | os.PathLike[str], *, storage: str = "float32", overwrite: bool = False
    ) -> None:
        """Write a model directory.

        Args:
            storage: "float32", or "float16" or "int8", which round; see `storage.quantization`.

        Raises:
            ConfigurationError: the vectors are sparse, or *storage* cannot hold them.
            OutputExistsError: something is there and *overwrite* is false.
        """
        if self.is_sparse:
            raise ConfigurationError(
                "sparse vectors are not stored: save the encoder they come from."
            )
        tensors = pack(self.matrix, storage)
        norms = self.norms if storage == "float32" else row_norms(unpack(tensors))
        tensors["norms"] = norms
        config = {"encoder": "vectors", "dimension": self.dimension, **self.config}
        if self.subwords is not None:
            config["subwords"] = self.subwords.config
            tensors["ngrams"] = self.subwords.ngrams
        write_model(
            Path(path),
            config=config,
            vocabulary=self.vocabulary,
            tensors=tensors,
            overwrite=overwrite,
        )

    def _index(self, metric: str, size: int | None = None) -> Any:
        if metric not in self._indexes:
            self._refuse_overflow()
            norms = self.norms if metric != "l2" and not self.is_sparse else None
            exact = make_index(self.matrix, metric, norms)
            usable = self.approximate is not None and isinstance(exact, DenseIndex)
            faster = self.approximate(exact) if usable else None  # type: ignore
            self._indexes[metric] = exact if faster is None else faster
        index = self._indexes[metric]
        if size is None or size >= len(self):
            return index
        if self.is_sparse:
            return make_index(self.matrix[:size], metric)
        return index.first(size)

    def _refuse_overflow(self) -> None:
        """Raise `ModelError` if distances would be past float32's range, where all look alike."""
        longest = int(np.argmax(self.norms)) if len(self) else -1
        if longest >= 0 and self.norms[longest] > _LONGEST:
            raise ModelError(
                f"the vector of {self.vocabulary[longest]!r} is longer than {_LONGEST:g}, too long "
                "to be compared in float32.",
                hint="Divide all vectors by the same number.",
            )


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
