"""Words and their vectors: immutable, and able to answer questions.

vectors = embedkit.load("model.embedkit")
vectors.analogy("paris", "france", "italy")      # paris - france + italy
vectors.query("king - man + woman")
vectors.neighbors("cat"); vectors.distance(["cat", "bat", "paw"])
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.algebra import ANALOGY_METHODS, Neighbor, combine, multiplicative_scores
from embedkit.errors import ConfigurationError, UnknownWordError
from embedkit.expressions import parse
from embedkit.index import make_index
from embedkit.metrics import distance_matrix, find_metric
from embedkit.store import write_model
from embedkit.text import RESPELLINGS
from embedkit.vocabulary import Vocabulary, refuse_string

__all__ = ["WordVectors"]

_BATCH = 512
_NORM_ROWS = 1 << 14


class WordVectors:
    """A vocabulary and one row of a matrix for each word.

    Args:
        vocabulary: V words.
        matrix: float32 (V, d), dense (a memory map is used where it lies) or scipy.sparse CSR.
        norms: lengths of the rows, float32 (V,), if they are known.
        config: what is known of where the vectors come from; saved with them.
        opener: opens the same vectors again, if they are of a model directory. Then pickling them
            carries no numbers, and processes share the memory map.

    Raises:
        ValueError: the shapes do not agree.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        matrix: Any,
        *,
        norms: NDArray[np.float32] | None = None,
        config: Mapping[str, Any] | None = None,
        opener: Callable[[], WordVectors] | None = None,
    ) -> None:
        if matrix.shape[0] != len(vocabulary):
            raise ValueError(f"{len(vocabulary)} words but {matrix.shape[0]} rows")
        self.vocabulary = vocabulary
        self.config: dict[str, Any] = dict(config or {})
        self.opener = opener
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
        """
        row = self.vocabulary.id(word)
        return self.matrix[[row]] if self.is_sparse else self.matrix[row]

    def __reduce__(self) -> tuple[Callable[..., WordVectors], tuple[Any, ...]]:
        if self.opener is not None:
            return self.opener, ()
        matrix = self.matrix if self.is_sparse else np.asarray(self.matrix)
        return partial(WordVectors, config=self.config), (self.vocabulary, matrix)

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

    def resolve(self, word: str) -> str:
        """Return the word of the vocabulary that a question means.

        That is the word as written, or else case-folded, or else with underscores for spaces.

        Raises:
            UnknownWordError: none of these is known.
        """
        for spelling in (word, *(respell(word) for respell in RESPELLINGS)):
            if spelling in self.vocabulary:
                return spelling
        raise UnknownWordError(word, self.vocabulary.suggest(word))

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        k: int = 10,
        *,
        method: str = "3cosadd",
        metric: str = "cosine",
    ) -> list[Neighbor]:
        """Return the *k* words nearest to a - b + c, without a, b and c themselves.

        Args:
            method: "3cosadd" (Mikolov et al. 2013, N13-1090) or "3cosmul" (Levy and Goldberg 2014).
            metric: "cosine" (unit vectors are summed), "l2" or "dot" (vectors as they are).

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: no such method or metric, or *k* is not at least 1.
        """
        return self.analogies([(a, b, c)], k, method=method, metric=metric)[0]

    def analogies(
        self,
        questions: Iterable[Sequence[str]],
        k: int = 10,
        *,
        method: str = "3cosadd",
        metric: str = "cosine",
    ) -> list[list[Neighbor]]:
        """Answer many analogies, three words each, in one go; see `analogy`."""
        if method not in ANALOGY_METHODS:
            raise ConfigurationError(
                f"no analogy method {method!r}; there are {', '.join(ANALOGY_METHODS)}"
            )
        sums = []
        for question in questions:
            refuse_string(question)
            if len(question) != 3:
                raise ConfigurationError(f"an analogy has three words, not {question!r:.60}")
            a, b, c = map(self._row, question)
            sums.append([(a, 1.0), (b, -1.0), (c, 1.0)])
        if method == "3cosmul" and find_metric(metric).name != "cosine":
            raise ConfigurationError(
                f"3cosmul is a product of cosines; it has no metric {metric!r}."
            )
        if method == "3cosmul":
            return [self._multiplicative(terms, self._checked(k)) for terms in sums]
        return self._nearest_to_sums(sums, k, metric)

    def query(self, expression: str, k: int = 10, *, metric: str = "cosine") -> list[Neighbor]:
        """Return the *k* words nearest to an expression such as ``king - man + woman``.

        The words of the expression are not among the answers. See `embedkit.expressions`.

        Raises:
            ExpressionError: it does not parse.
            UnknownWordError: a word has no vector.
        """
        return self.queries([expression], k, metric=metric)[0]

    def queries(
        self, expressions: Iterable[str], k: int = 10, *, metric: str = "cosine"
    ) -> list[list[Neighbor]]:
        """Answer many expressions in one go; see `query`."""
        sums = [
            [(self._row(term.word), term.weight) for term in parse(expression)]
            for expression in expressions
        ]
        return self._nearest_to_sums(sums, k, metric)

    def neighbors(self, word: str, k: int = 10, *, metric: str = "cosine") -> list[Neighbor]:
        """Return the *k* words nearest to *word*, without itself.

        Raises:
            UnknownWordError: it has no vector.
        """
        return self.neighbors_of([word], k, metric=metric)[0]

    def neighbors_of(
        self, words: Iterable[str], k: int = 10, *, metric: str = "cosine"
    ) -> list[list[Neighbor]]:
        """Return the neighbours of many words in one go; see `neighbors`."""
        if isinstance(words, str):
            refuse_string(words)
        return self._nearest_to_sums([[(self._row(word), 1.0)] for word in words], k, metric)

    def distance(self, words: Sequence[str], *, metric: str = "l2") -> NDArray[np.float64]:
        """Return the table of distances between words, (n, n), exact.

        Args:
            metric: "l2" for Euclidean distances, "cosine" or "dot" for similarities.

        Raises:
            UnknownWordError: a word has no vector.
        """
        refuse_string(words)
        return distance_matrix(self.matrix[[self._row(word) for word in words]], metric)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a model directory.

        Raises:
            OutputExistsError: something is there and *overwrite* is false.
        """
        if self.is_sparse:
            raise ConfigurationError(
                "sparse vectors are not stored: save the encoder they come from."
            )
        write_model(
            Path(path),
            config={"encoder": "vectors", "dimension": self.dimension, **self.config},
            vocabulary=self.vocabulary,
            tensors={"vectors": self.matrix, "norms": self.norms},
            overwrite=overwrite,
        )

    def _row(self, word: str) -> int:
        return self.vocabulary.id(self.resolve(word))

    def _checked(self, k: int) -> int:
        try:
            number = operator.index(k)
        except TypeError:
            number = 0
        if number < 1:
            raise ConfigurationError(f"k is a whole number from 1, not {k!r}")
        return min(number, len(self))

    def _index(self, metric: str) -> Any:
        if metric not in self._indexes:
            norms = self.norms if metric == "cosine" and not self.is_sparse else None
            self._indexes[metric] = make_index(self.matrix, metric, norms)
        return self._indexes[metric]

    def _nearest_to_sums(
        self, sums: Sequence[Sequence[tuple[int, float]]], k: int, metric: str
    ) -> list[list[Neighbor]]:
        k = self._checked(k)
        for terms in sums:
            _refuse_nothing(terms, self.vocabulary)
        index = self._index(find_metric(metric).name)
        answers: list[list[Neighbor]] = []
        for start in range(0, len(sums), _BATCH):
            batch = sums[start : start + _BATCH]
            rows = sorted({row for terms in batch for row, _ in terms})
            place = {row: number for number, row in enumerate(rows)}
            weights = [[(place[row], weight) for row, weight in terms] for terms in batch]
            queries = combine(self.matrix[rows], weights, index.metric)
            exclude = [sorted({row for row, _ in terms}) for terms in batch]
            for ids, scores in index.search(queries, k, exclude):
                answers.append(self._named(ids, scores))
        return answers

    def _multiplicative(self, terms: Sequence[tuple[int, float]], k: int) -> list[Neighbor]:
        if self.is_sparse:
            raise ConfigurationError("3cosmul needs dense vectors; use 3cosadd.")
        units = self._index("cosine").rows
        positive = units[[row for row, weight in terms if weight > 0]]
        negative = units[[row for row, weight in terms if weight < 0]]
        scores = multiplicative_scores(units, positive, negative)
        scores[[row for row, _ in terms]] = -np.inf
        best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
        best = best[np.lexsort((best, -scores[best]))]
        best = best[np.isfinite(scores[best])]
        return self._named(best, scores[best])

    def _named(self, ids: NDArray[np.int64], scores: NDArray[Any]) -> list[Neighbor]:
        words = self.vocabulary.words(ids)
        return [Neighbor(word, float(score)) for word, score in zip(words, scores, strict=True)]


def _refuse_nothing(terms: Sequence[tuple[int, float]], vocabulary: Vocabulary) -> None:
    """Raise `ConfigurationError` if the terms of a sum cancel out: nothing is near to nothing."""
    totals: dict[int, float] = {}
    for row, weight in terms:
        totals[row] = totals.get(row, 0.0) + weight
    largest = max(abs(weight) for _, weight in terms)
    if all(abs(total) <= 1e-9 * largest for total in totals.values()):
        words = ", ".join(vocabulary.words(totals))
        raise ConfigurationError(f"the weights of {words} add up to 0: there is no direction left.")


def row_norms(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the Euclidean lengths of the rows, (n,), without a copy of the matrix."""
    norms = np.empty(len(matrix), dtype=np.float32)
    for start in range(0, len(matrix), _NORM_ROWS):
        rows = matrix[start : start + _NORM_ROWS]
        squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        norms[start : start + len(rows)] = np.sqrt(squares)
    norms.flags.writeable = False
    return norms


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
