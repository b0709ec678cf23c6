"""Words and their vectors: immutable, and able to answer questions.

    vectors = embedkit.load("model.embedkit")
    vectors.analogy("paris", "france", "italy")      # paris - france + italy
    vectors.query("king - man + woman")
    vectors.neighbors("cat")
    vectors.distance(["cat", "bat", "paw"])

The file is longer than others because it documents every question in one place; each method calls
one function of `search`, `analogies`, `example_pairs`, `similarity` or `lookup`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray
from typing_extensions import Unpack

from embedkit.corpus.spelling import normal_forms
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, UnknownWordError, counted
from embedkit.index.metrics import Matrix, row_norms
from embedkit.storage.model_directory import write_model
from embedkit.storage.quantization import pack, unpack
from embedkit.vectors.analogies import nearest_neighbors, solve_analogies, solve_expressions
from embedkit.vectors.checks import check_subwords, check_vectors, read_only_matrix, vocabulary_of
from embedkit.vectors.display import html_summary
from embedkit.vectors.example_pairs import solve_from_pairs, transfer_words
from embedkit.vectors.formulas import Neighbor
from embedkit.vectors.lookup import (
    Composer,
    Lookup,
    RowOrVector,
)
from embedkit.vectors.options import SearchKeywords, SearchOptions
from embedkit.vectors.search import Approximate, Search, WeightedSum
from embedkit.vectors.similarity import distance_table, neighbor_rank, odd_one_out, set_similarity
from embedkit.vectors.subwords import Subwords

__all__ = ["WordVectors"]

_NOT_LISTED = frozenset(  # by `dir`
    {"context", "from_checked", "look_up", "search", "terms", "vectors_at", "with_opener"}
)


class _Parts(TypedDict, total=False):
    """The keyword arguments of `WordVectors`."""

    norms: NDArray[np.float32] | None
    units: NDArray[np.float32] | None
    config: Mapping[str, Any] | None
    subwords: Composer | None
    context: NDArray[np.float32] | None
    opener: Callable[[], WordVectors] | None
    approximate: Approximate | None


class WordVectors:
    """A vocabulary and a matrix with one row for each word.

    Questions take the keyword arguments *restrict*, *exclude*, *include_question* and *oov*; see
    `embedkit.vectors.options.SearchOptions`.

    Args:
        vocabulary: V words, or a list of distinct words, most frequent first.
        matrix: float32 (V, d), a NumPy array (a memory map is not copied) or scipy.sparse CSR.
        norms: lengths of the rows, float32 (V,), if they are known.
        units: the rows scaled to length 1, float32 (V, d), if they are known; dense only.
        config: what is known about the origin of the vectors; saved with them.
        subwords: composes vectors of words that are not in the vocabulary.
        context: the output matrix of the training run, float32 (V, d), if it is known.
        opener: opens the same vectors again. Then pickling them copies no numbers, and processes
            share the memory map of a model directory.
        approximate: returns the approximate index to use in place of the exact index of a metric,
            or None; see `embedkit.storage.index_file.open_index`.

    Raises:
        ConfigurationError: the words and the rows do not match, a word is empty or is listed twice,
            the rows of n-grams have another length, or a number is NaN or infinite as float32.
    """

    __slots__ = ("__weakref__", "_config", "_lookup", "_opener", "_parts", "_search")

    def __init__(
        self,
        vocabulary: Vocabulary | Sequence[str],
        matrix: Matrix,
        *,
        norms: NDArray[np.float32] | None = None,
        units: NDArray[np.float32] | None = None,
        config: Mapping[str, Any] | None = None,
        subwords: Composer | None = None,
        context: NDArray[np.float32] | None = None,
        opener: Callable[[], WordVectors] | None = None,
        approximate: Approximate | None = None,
    ) -> None:
        words = vocabulary_of(vocabulary)
        rows = read_only_matrix(matrix)
        check_vectors(words, rows)
        check_subwords(subwords, rows.shape[1])
        self._keep(
            words,
            rows,
            {
                "norms": norms,
                "units": units,
                "config": config,
                "subwords": subwords,
                "context": context,
                "opener": opener,
                "approximate": approximate,
            },
        )

    @classmethod
    def from_checked(
        cls, vocabulary: Vocabulary, matrix: Matrix, **parts: Unpack[_Parts]
    ) -> WordVectors:
        """Return vectors without reading their numbers, which were checked when they were written.

        Opening a model directory thus reads no more of its memory map than a question needs.
        """
        vectors = cls.__new__(cls)
        vectors._keep(vocabulary, read_only_matrix(matrix), parts)
        return vectors

    def _keep(self, vocabulary: Vocabulary, matrix: Matrix, parts: _Parts) -> None:
        self._lookup = Lookup(
            vocabulary,
            matrix,
            parts.get("subwords"),
            folds=bool((parts.get("config") or {}).get("training")),
        )
        self._search = Search(
            self._lookup,
            norms=parts.get("norms"),
            units=parts.get("units"),
            approximate=parts.get("approximate"),
        )
        self._config = MappingProxyType(dict(parts.get("config") or {}))
        self._opener = parts.get("opener")
        self._parts = parts

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, most frequent first."""
        return self._lookup.vocabulary

    @property
    def matrix(self) -> Matrix:
        """The vectors, read-only float32 (V, d), dense or CSR."""
        return self._lookup.matrix

    @property
    def config(self) -> Mapping[str, Any]:
        """What is known about the origin of the vectors; read-only."""
        return self._config

    @property
    def subwords(self) -> Any:
        """What composes vectors of words that are not in the vocabulary, or None."""
        return self._lookup.subwords

    @property
    def context(self) -> NDArray[np.float32] | None:
        """The output matrix of the training run, float32 (V, d), or None if it is not known."""
        return self._parts.get("context")

    @property
    def search(self) -> Search:
        """The search that answers the questions."""
        return self._search

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._lookup.dimension

    @property
    def shape(self) -> tuple[int, int]:
        """Number of words and length of a vector, (V, d)."""
        return len(self), self.dimension

    @property
    def is_sparse(self) -> bool:
        """Whether vectors are scipy.sparse rows."""
        return self._lookup.is_sparse

    @property
    def norms(self) -> NDArray[np.float32]:
        """Euclidean lengths of the vectors, float32 (V,)."""
        return self._search.norms

    @property
    def units(self) -> Matrix:
        """The vectors scaled to length 1, (V, d): CSR, or rows that are computed when used."""
        return self._search.units

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __iter__(self) -> Iterator[str]:
        return iter(self.vocabulary)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and any(form in self.vocabulary for form in normal_forms(word))

    @overload
    def __getitem__(self, key: slice) -> WordVectors: ...

    @overload
    def __getitem__(self, key: str | Sequence[str]) -> Matrix: ...

    def __getitem__(self, key: str | Sequence[str] | slice) -> Matrix | WordVectors:
        """Return the vector of a word, of a list of words, or the vectors of a slice of words.

        ``vectors["king"]`` is read-only (d,), ``vectors[["king", "queen"]]`` is (2, d), and
        ``vectors[:100]`` are the `WordVectors` of the 100 most frequent words. Sparse vectors give
        CSR rows.

        Raises:
            UnknownWordError: a word has no vector.
            TypeError: the key is something else, such as a row number.
        """
        if isinstance(key, slice):
            return self._slice(key)
        if isinstance(key, str):
            rows = self.encode([key])
            if isinstance(rows, np.ndarray):
                rows = rows[0]
                rows.flags.writeable = False
            return rows
        words = list(key) if isinstance(key, Iterable) else [key]
        if all(isinstance(word, str) for word in words):
            return self.encode(words)
        raise TypeError(
            f"expected a word, a list of words or a slice, got {key!r:.60}; "
            "for row numbers use vectors.matrix"
        )

    def _slice(self, rows: slice) -> WordVectors:
        for number in (rows.start, rows.stop, rows.step):
            if number is not None and not hasattr(number, "__index__"):
                raise TypeError(
                    f"a slice of vectors goes by place, as in vectors[:100], got {number!r:.60}; "
                    "for some words use vectors[[...]]"
                )
        if rows.step is not None and rows.step < 0:
            raise ConfigurationError("a slice of vectors must have a positive step")
        vocabulary = Vocabulary(self.vocabulary.arrow[rows], self.vocabulary.counts[rows])
        parts: _Parts = {**self._parts, "opener": None, "approximate": None}
        norms, units = parts.get("norms"), parts.get("units")
        parts["norms"] = None if norms is None else norms[rows]
        parts["units"] = None if units is None else units[rows]
        parts["context"] = None if self.context is None else self.context[rows]
        return WordVectors.from_checked(vocabulary, self.matrix[rows], **parts)

    def get(self, word: str, default: object = None) -> Any:
        """Return the vector of *word*, or *default* if it has none."""
        if self.subwords is None and word not in self:
            return default
        try:
            return self[word]
        except UnknownWordError:
            return default

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        if self.is_sparse:
            raise TypeError("sparse vectors do not convert to an array; use vectors.matrix")
        if copy is None:  # NumPy 1 does not know None
            return np.asarray(self.matrix, dtype=dtype)
        return np.array(self.matrix, dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple[Callable[..., WordVectors], tuple[object, ...]]:
        if self._opener is not None:
            return self._opener, ()
        matrix = self.matrix if self.is_sparse else np.asarray(self.matrix)
        make = partial(
            WordVectors.from_checked,
            config=dict(self.config),
            subwords=self.subwords,
            context=self.context,
        )
        return make, (self.vocabulary, matrix)

    def __deepcopy__(self, memo: dict[int, object]) -> WordVectors:
        return self  # immutable

    def __repr__(self) -> str:
        return f"WordVectors({counted(len(self), 'word')} x {self.dimension})"

    def _repr_html_(self) -> str:
        return html_summary(self.config, self.vocabulary, self.matrix)

    def __dir__(self) -> list[str]:
        return [name for name in dir(type(self)) if name[0] != "_" and name not in _NOT_LISTED]

    def with_exact_search(self) -> WordVectors:
        """Return the same vectors without an approximate index."""
        parts: _Parts = {**self._parts, "approximate": None}
        return WordVectors.from_checked(self.vocabulary, self.matrix, **parts)

    def with_opener(self, opener: Callable[[], WordVectors]) -> WordVectors:
        """Return the same vectors, pickled as a call of *opener*."""
        parts: _Parts = {**self._parts, "opener": opener}
        return WordVectors.from_checked(self.vocabulary, self.matrix, **parts)

    def encode(self, words: Iterable[str]) -> Matrix:
        """Return the vectors of *words*, float32 (n, d), dense or CSR; see `Lookup.encode`.

        Raises:
            UnknownWordError: a word has no vector.
        """
        return self._lookup.encode(words)

    def find(self, word: str) -> int:
        """Return the row of *word* as written or in another spelling, or -1; see `Lookup.find`."""
        return self._lookup.find(word)

    def composed_form(self, word: str) -> str:
        """Return the spelling of an unknown word that is composed; see `Lookup.composed_form`."""
        return self._lookup.composed_form(word)

    def compose(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of unknown words, and which ones have one; see `Lookup.compose`."""
        return self._lookup.compose(words)

    def row(self, word: str) -> int:
        """Return the row of *word*, looked up as by `find`.

        Raises:
            UnknownWordError: there is none.
        """
        return self._lookup.row(word)

    def resolve(self, word: str) -> str:
        """Return the word of the vocabulary that *word* refers to, looked up as by `find`.

        Raises:
            UnknownWordError: there is none.
        """
        return self.vocabulary[self.row(word)]

    def complete(self, prefix: str, limit: int = 10, start: int = 0) -> NDArray[np.int64]:
        """Return the rows of words that begin with *prefix*, most frequent first.

        Args:
            prefix: case-folded if no word begins with it as written.
            limit: number of rows.
            start: number of words to skip.
        """
        return self._lookup.complete(prefix, limit, start)

    def look_up(self, words: Iterable[str], oov: str = "error") -> dict[str, RowOrVector | None]:
        """Return the row or the vector of each word; see `Lookup.look_up`."""
        return self._lookup.look_up(words, oov)

    def vectors_at(self, found: Sequence[RowOrVector]) -> Matrix:
        """Return the vectors of rows and vectors, float32 (len(found), d), dense or CSR."""
        return self._lookup.vectors_at(found)

    def terms(self, weighted: Iterable[tuple[str, float]], *, oov: str = "error") -> WeightedSum:
        """Return a weighted sum of words as `nearest` takes it; see `Search.weighted_sums`."""
        return self._search.weighted_sums([list(weighted)], oov)[0]

    def neighbors(
        self, word: str, k: int = 10, *, metric: str = "cosine", **options: Unpack[SearchKeywords]
    ) -> list[Neighbor]:
        """Return the *k* words nearest to *word*, without *word* itself.

        Raises:
            UnknownWordError: it has no vector.
        """
        if not isinstance(word, str):
            raise ConfigurationError(
                f"expected one word, got {word!r:.60}.", hint="neighbors_of takes several words."
            )
        return self.neighbors_of([word], k, metric=metric, **options)[0]

    def neighbors_of(
        self,
        words: Iterable[str],
        k: int = 10,
        *,
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Return the neighbors of many words at once; see `neighbors`."""
        return nearest_neighbors(self._search, words, SearchOptions.of(k, metric, **options))

    def query(
        self,
        expression: str,
        k: int = 10,
        *,
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[Neighbor]:
        """Return the *k* words nearest to an expression such as ``king - man + woman``.

        The words of the expression are not answers. See `embedkit.vectors.expressions`.

        Raises:
            ExpressionError: the expression does not parse.
            UnknownWordError: a word has no vector.
        """
        return self.queries([expression], k, metric=metric, **options)[0]

    def queries(
        self,
        expressions: Iterable[str],
        k: int = 10,
        *,
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Answer many expressions at once; see `query`."""
        return solve_expressions(self._search, expressions, SearchOptions.of(k, metric, **options))

    def nearest(
        self,
        sums: Sequence[Sequence[tuple[str | RowOrVector, float]]],
        k: int = 10,
        *,
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Return the *k* words nearest to each weighted sum, without the words of the sum.

        Args:
            sums: lists of (term, weight), where a term is a word, a row number, or a vector of your
                own, float32 (d,).
            k: number of answers to each.
            metric: "cosine" (unit vectors are summed), "l2" or "dot".
            options: see `embedkit.vectors.options.SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: a vector has the wrong shape, or contains NaN or infinity; or by
                cosine a sum is the zero vector.
        """
        return self._search.nearest(sums, SearchOptions.of(k, metric, **options))

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        k: int = 10,
        *,
        method: str = "3cosadd",
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[Neighbor]:
        """Return the *k* words d that are to c as a is to b: those nearest to a - b + c.

        The words a, b and c are not answers.

        Args:
            a: first word.
            b: second word.
            c: third word.
            k: number of answers.
            method: "3cosadd" (Mikolov et al. 2013, N13-1090); "3cosmul" or "pairdirection", the
                cosine of d - c and a - b (both in Levy and Goldberg 2014, W14-1618).
            metric: "cosine" (unit vectors are summed), or with 3cosadd "l2" or "dot".
            options: see `embedkit.vectors.options.SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: an option is unknown or out of range, or the method is
                "pairdirection" and a equals b.
        """
        return self.analogies([(a, b, c)], k, method=method, metric=metric, **options)[0]

    def analogies(
        self,
        questions: Iterable[Sequence[str]],
        k: int = 10,
        *,
        method: str = "3cosadd",
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Answer many analogies, three words each, at once; see `analogy`."""
        chosen = SearchOptions.of(k, metric, **options)
        return solve_analogies(self._search, questions, method, chosen)

    def analogy_from_pairs(
        self,
        pairs: Sequence[tuple[str, str]],
        word: str,
        k: int = 10,
        *,
        method: str = "3cosavg",
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[Neighbor]:
        """Return the *k* words that are to *word* as the second word of each pair to its first.

        The words of the question, including those of the pairs, are not answers. With one pair,
        3CosAvg is 3CosAdd. Both methods are by Drozd, Gladkova and Matsuoka 2016, C16-1332.

        Args:
            pairs: examples such as ``[("man", "woman"), ("king", "queen")]``; a pair with a skipped
                word is left out.
            word: the word that is asked for.
            k: number of answers.
            method: "3cosavg", the words nearest to *word* plus the mean difference of the pairs; or
                "lrcos", the probability of a word to belong to the class of the second words, by
                logistic regression, times its cosine with *word*. The negative class are the first
                words, and as many others spread evenly over the searched words.
            metric: "cosine" (unit vectors are summed), or with 3cosavg "l2" or "dot".
            options: see `embedkit.vectors.options.SearchOptions`.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: there is no pair, the pairs cancel out, or an option is unknown.
        """
        found = self.analogies_from_pairs(pairs, [word], k, method=method, metric=metric, **options)
        return found[0]

    def analogies_from_pairs(
        self,
        pairs: Sequence[tuple[str, str]],
        words: Iterable[str],
        k: int = 10,
        *,
        method: str = "3cosavg",
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Ask for many words at once what `analogy_from_pairs` asks for one."""
        chosen = SearchOptions.of(k, metric, **options)
        return solve_from_pairs(self._search, pairs, words, method, chosen)

    def transfer(
        self,
        pairs: Sequence[tuple[str, str]],
        words: Iterable[str],
        k: int = 10,
        *,
        strength: float = 1.0,
        metric: str = "cosine",
        **options: Unpack[SearchKeywords],
    ) -> list[list[Neighbor]]:
        """Move words along the mean difference of pairs; return the nearest words there.

        Unlike in `analogy_from_pairs`, only the word that is moved is not an answer.

        Args:
            pairs: examples, from and to.
            words: n words.
            k: number of answers for each.
            strength: factor of the mean difference; -1 goes the other way.
            metric: "cosine" (unit vectors are summed), "l2" or "dot".
            options: see `embedkit.vectors.options.SearchOptions`.

        Returns:
            n lists.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: there is no pair, the pairs cancel out, or *strength* is 0 or not
                finite.
        """
        chosen = SearchOptions.of(k, metric, **options)
        return transfer_words(self._search, pairs, words, strength, chosen)

    def distance(
        self, words: Iterable[str], *, metric: str = "l2", oov: str = "error"
    ) -> NDArray[np.float64]:
        """Return the distance of each word to each, (n, n), in float64.

        Args:
            words: n words.
            metric: "l2" for Euclidean distances, "cosine" or "dot" for similarities.
            oov: see `SearchOptions`; skipped words have no row and no column.

        Raises:
            UnknownWordError: a word has no vector.
        """
        return distance_table(self._lookup, words, metric, oov)

    def similarity(
        self,
        first: str | Iterable[str],
        second: str | Iterable[str],
        *,
        metric: str = "cosine",
        oov: str = "error",
    ) -> float:
        """Return the similarity of two words, or of the mean vectors of two sets of words.

        As in gensim's ``n_similarity``, the vectors are averaged without scaling.

        Args:
            first: a word or a set of words.
            second: a word or a set of words.
            metric: "cosine", "dot", or "l2" for the distance.
            oov: see `SearchOptions`; skipped words are left out, and an empty rest gives NaN.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: a set is empty.
        """
        return set_similarity(self._lookup, first, second, metric, oov)

    def odd_one_out(
        self, words: Iterable[str], *, metric: str = "cosine", oov: str = "error"
    ) -> list[Neighbor]:
        """Return the words with their similarity to the mean of all, the odd one first.

        Args:
            words: at least three; a word that is given twice counts once.
            metric: "cosine" (unit vectors are averaged, as in gensim's ``doesnt_match``), "l2" or
                "dot" (vectors are averaged without scaling).
            oov: see `SearchOptions`; skipped words are left out, and fewer than three give [].

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: there are fewer than three different words.
        """
        return odd_one_out(self._lookup, words, metric, oov)

    def rank(
        self,
        a: str,
        b: str,
        *,
        metric: str = "cosine",
        restrict: int | None = None,
        oov: str = "error",
    ) -> int | None:
        """Return the place of *b* among the neighbors of *a*, from 1.

        Args:
            a: a word.
            b: another word.
            metric: "cosine", "l2" or "dot".
            restrict: rank only among the *restrict* most frequent words.
            oov: see `SearchOptions`; if one of the two is skipped, the result is None.

        Raises:
            UnknownWordError: a word has no vector.
            ConfigurationError: both words are the same, or with "cosine" a vector is all zeros.
        """
        options = SearchOptions(metric=metric, restrict=restrict, oov=oov)
        return neighbor_rank(self._search, a, b, options)

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame, (V, d), with the words as its index.

        Raises:
            ConfigurationError: pandas is not installed.
            TypeError: the vectors are sparse.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ConfigurationError(
                "to_pandas needs pandas, which is not installed.", hint="Run pip install pandas."
            ) from error
        return pd.DataFrame(np.asarray(self), index=pd.Index(self.vocabulary.words(), name="word"))

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        storage: str = "float32",
        overwrite: bool = False,
        context: bool = False,
    ) -> None:
        """Write a model directory.

        Args:
            path: the directory.
            storage: "float32", or "float16" or "int8", which round; see `storage.quantization`.
                Rows of n-grams are rounded too; with "float32", they are stored as they are.
            overwrite: replace an existing output.
            context: write the output matrix, too, if it is known; training can continue from it.

        Raises:
            ConfigurationError: the vectors are sparse, or *storage* cannot represent them.
            OutputExistsError: the output exists and *overwrite* is false.
        """
        if self.is_sparse:
            raise ConfigurationError(
                "sparse vectors cannot be saved.", hint="Save the encoder that made them."
            )
        tensors = pack(self.matrix, storage)
        tensors["norms"] = self.norms if storage == "float32" else row_norms(unpack(tensors))
        if context and self.context is not None:
            tensors["context"] = self.context
        config = {"encoder": "vectors", "dimension": self.dimension, **self.config}
        config.pop("subwords", None)
        if isinstance(self.subwords, Subwords):
            config["subwords"] = self.subwords.config
            tensors |= self.subwords.packed(storage).tensors
        write_model(
            Path(path),
            config=config,
            vocabulary=self.vocabulary,
            tensors=tensors,
            overwrite=overwrite,
        )
