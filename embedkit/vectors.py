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
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.algebra import ANALOGY_METHODS, Neighbor, combine, multiplicative_scores
from embedkit.errors import ConfigurationError, UnknownWordError
from embedkit.expressions import parse
from embedkit.index import DenseIndex, Hits, make_index
from embedkit.metrics import distance_matrix, find_metric, row_norms, unit_rows
from embedkit.store import write_model
from embedkit.subwords import Subwords
from embedkit.text import RESPELLINGS
from embedkit.vocabulary import Vocabulary, refuse_string

__all__ = ["Terms", "WordVectors"]

Terms: TypeAlias = "list[tuple[int, float]]"
"""A weighted sum of words: row numbers and weights."""

_BATCH = 512
_SCORED = 32  # questions of 3cosmul at a time: each has a score for every word of the vocabulary


class WordVectors:
    """A vocabulary and one row of a matrix for each word.

    Args:
        vocabulary: V words.
        matrix: float32 (V, d), dense (a memory map is used where it lies) or scipy.sparse CSR.
        norms: lengths of the rows, float32 (V,), if they are known.
        units: the rows brought to length 1, float32 (V, d), if they are at hand; dense only.
        config: what is known of where the vectors come from; saved with them.
        opener: opens the same vectors again, if they are of a model directory. Then pickling them
            carries no numbers, and processes share the memory map.
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
        subwords: Subwords | None = None,
    ) -> None:
        if matrix.shape[0] != len(vocabulary):
            raise ValueError(f"{len(vocabulary)} words but {matrix.shape[0]} rows")
        self.vocabulary = vocabulary
        self.config: dict[str, Any] = dict(config or {})
        self.opener = opener
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
        """
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

    def resolve(self, word: str) -> str:
        """Return the word of the vocabulary that a question means.

        That is the word as written, or else case-folded, or else with underscores for spaces.

        Raises:
            UnknownWordError: none of these is known.
        """
        return self.vocabulary[self.row(word)]

    def find(self, word: str) -> int:
        """Return the row of the word that a question means, or -1; see `resolve`."""
        row = self.vocabulary.find(word)
        if row < 0:
            for respell in RESPELLINGS:
                if (row := self.vocabulary.find(respell(word))) >= 0:
                    break
        return row

    def row(self, word: str) -> int:
        """Return the row of the word that a question means; see `resolve`.

        Raises:
            UnknownWordError: it has none.
        """
        row = self.find(word)
        if row < 0:
            raise UnknownWordError(word, self.vocabulary.suggest)
        return row

    def complete(self, prefix: str, limit: int = 10, start: int = 0) -> NDArray[np.int64]:
        """Return the rows of words that begin with *prefix*, most frequent first.

        Where no word does, the prefix is folded as `resolve` folds words.
        """
        found = self.vocabulary.complete(prefix, limit, start)
        return (
            found if len(found) else self.vocabulary.complete(RESPELLINGS[-1](prefix), limit, start)
        )

    def terms(self, weighted: Iterable[tuple[str, float]]) -> Terms:
        """Return a weighted sum of words as `nearest` takes it.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: the weights cancel out, so that no direction is left.
        """
        terms = [(self.row(word), weight) for word, weight in weighted]
        _refuse_nothing(terms, self.vocabulary)
        return terms

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
            sums.append(self.terms(zip(question, (1.0, -1.0, 1.0), strict=True)))
        if method == "3cosmul" and find_metric(metric).name != "cosine":
            raise ConfigurationError(
                f"3cosmul is a product of cosines; it has no metric {metric!r}."
            )
        if method == "3cosmul":
            return self._multiplicative(sums, self._checked(k))
        return self.nearest(sums, k, metric=metric)

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
            self.terms((term.word, term.weight) for term in parse(expression))
            for expression in expressions
        ]
        return self.nearest(sums, k, metric=metric)

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
        return self.nearest([self.terms([(word, 1.0)]) for word in words], k, metric=metric)

    def nearest(
        self, sums: Sequence[Terms], k: int = 10, *, metric: str = "cosine"
    ) -> list[list[Neighbor]]:
        """Answer many sums of `terms` in one go: the *k* words nearest to each, without its own."""
        k = self._checked(k)
        index = self._index(find_metric(metric).name)
        answers: list[list[Neighbor]] = []
        for start in range(0, len(sums), _BATCH):
            batch = sums[start : start + _BATCH]
            rows = sorted({row for terms in batch for row, _ in terms})
            place = {row: number for number, row in enumerate(rows)}
            weights = [[(place[row], weight) for row, weight in terms] for terms in batch]
            queries = combine(self.matrix[rows], weights, index.metric)
            exclude = [sorted({row for row, _ in terms}) for terms in batch]
            answers += self._named(index.search(queries, k, exclude))
        return answers

    @property
    def units(self) -> Any:
        """The vectors brought to length 1, (V, d), dense or CSR; made when they are first used."""
        return self._index("cosine").rows if not self.is_sparse else unit_rows(self.matrix)

    def distance(self, words: Sequence[str], *, metric: str = "l2") -> NDArray[np.float64]:
        """Return the table of distances between words, (n, n), exact.

        Args:
            metric: "l2" for Euclidean distances, "cosine" or "dot" for similarities.

        Raises:
            UnknownWordError: a word has no vector.
        """
        refuse_string(words)
        return distance_matrix(self.matrix[[self.row(word) for word in words]], metric)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a model directory.

        Raises:
            OutputExistsError: something is there and *overwrite* is false.
        """
        if self.is_sparse:
            raise ConfigurationError(
                "sparse vectors are not stored: save the encoder they come from."
            )
        config = {"encoder": "vectors", "dimension": self.dimension, **self.config}
        tensors = {"vectors": self.matrix, "norms": self.norms}
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

    def _multiplicative(self, sums: Sequence[Terms], k: int) -> list[list[Neighbor]]:
        if self.is_sparse:
            raise ConfigurationError("3cosmul needs dense vectors; use 3cosadd.")
        units = self.units
        answers: list[list[Neighbor]] = []
        for start in range(0, len(sums), _SCORED):
            batch = sums[start : start + _SCORED]
            rows = np.array([[row for row, _ in terms] for terms in batch])  # of a, b and c
            scores = multiplicative_scores(units, units[rows[:, [0, 2]]], units[rows[:, [1]]])
            np.put_along_axis(scores, rows, -np.inf, axis=1)
            answers += self._named([_best(row, k) for row in scores])
        return answers

    def _named(self, hits: Sequence[Hits]) -> list[list[Neighbor]]:
        words = iter(self.vocabulary.words(np.concatenate([ids for ids, _ in hits])))
        # The scores come first: zip takes no word that it has no score for.
        return [
            [Neighbor(word, score) for score, word in zip(scores.tolist(), words, strict=False)]
            for _, scores in hits
        ]


def _best(scores: NDArray[np.float32], k: int) -> Hits:
    """Return the places of the *k* largest scores that are finite, and these, the largest first."""
    best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
    best = best[np.lexsort((best, -scores[best]))]
    best = best[np.isfinite(scores[best])]
    return best, scores[best].astype(np.float64)


def _refuse_nothing(terms: Sequence[tuple[int, float]], vocabulary: Vocabulary) -> None:
    """Raise `ConfigurationError` if the terms of a sum cancel out: nothing is near to nothing."""
    totals: dict[int, float] = {}
    for row, weight in terms:
        totals[row] = totals.get(row, 0.0) + weight
    largest = max(abs(weight) for _, weight in terms)
    if all(abs(total) <= 1e-9 * largest for total in totals.values()):
        words = ", ".join(vocabulary.words(totals))
        raise ConfigurationError(f"the weights of {words} add up to 0: there is no direction left.")


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
