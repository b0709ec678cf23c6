"""One vector per passage: weighted means of word vectors, without their common direction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, ModelError
from embedkit.features.lookup import find_rows
from embedkit.features.pooling import (
    Bags,
    divide_rows,
    document_frequencies,
    first_component,
    weighted_sums,
)
from embedkit.features.tokens import TokenizedTexts
from embedkit.index.metrics import unit_rows
from embedkit.storage.config_file import RESTORE_HINT
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["PassageWords", "Pooling", "check_vectors", "fingerprint"]

_SAMPLE = 1 << 14  # passages from which the common direction is learned
_FEWEST = 100  # of fewer, the common direction is what one of them says
_BLOCK = 1 << 13  # passages pooled at a time
_HASHED_ROWS = 256


@dataclass(frozen=True)
class PassageWords:
    """The words of n passages as rows.

    Attributes:
        bags: the rows of each passage's words: below V, a row of the model's matrix; from V on, a
            row of *extra*. Words without a vector are left out.
        extra: vectors that were composed of character n-grams, float32 (k, d).
    """

    bags: Bags
    extra: NDArray[np.float32]


@dataclass(frozen=True)
class Pooling:
    """Turns the words of passages into unit vectors.

    Attributes:
        vectors: the word vectors.
        name: one of `embedkit.retrieval.options.SEARCH_POOLINGS`.
        sif_a: the constant a of "sif".
        idf: for "tfidf", the inverse document frequency of each word, float32 (V,), followed by
            that of all other words, so (V + 1,); empty before `fit` and for "sif".
        component: the direction that is removed from every vector, float32 (d,); empty before
            `fit`.
    """

    vectors: WordVectors
    name: str
    sif_a: float
    idf: NDArray[np.float32]
    component: NDArray[np.float32]

    @classmethod
    def unfitted(cls, vectors: WordVectors, name: str | None, sif_a: float) -> Pooling:
        """Return a pooling whose statistics `fit` will learn.

        Raises:
            ConfigurationError: the vectors have no counts, which "sif" needs.
        """
        has_counts = bool(vectors.vocabulary.counts.any())
        if name == "sif" and not has_counts:
            raise ConfigurationError(
                'pooling "sif" needs word counts, and these vectors have none.',
                hint='Use "tfidf", which counts the words of the documents.',
            )
        nothing = np.zeros(0, dtype=np.float32)
        chosen = name or ("sif" if has_counts else "tfidf")
        return cls(vectors, chosen, sif_a, nothing, nothing)

    @property
    def is_fitted(self) -> bool:
        """Whether it has the statistics of some passages."""
        return len(self.component) > 0

    @classmethod
    def from_tensors(
        cls,
        vectors: WordVectors,
        name: str,
        sif_a: float,
        tensors: Mapping[str, NDArray[np.generic]],
    ) -> Pooling:
        """Return the pooling whose `tensors` were saved.

        Raises:
            ModelError: they do not suit the vectors.
        """
        component = np.asarray(tensors.get("component", np.zeros(0)), dtype=np.float32)
        idf = np.asarray(tensors.get("idf", np.zeros(0)), dtype=np.float32)
        if component.shape != (vectors.dimension,) or (
            name == "tfidf" and idf.shape != (len(vectors) + 1,)
        ):
            raise ModelError("the statistics of the pooling are damaged.", hint=RESTORE_HINT)
        return cls(vectors, name, sif_a, idf, component)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return what `fit` learned, to be saved."""
        return {"component": self.component, **({"idf": self.idf} if len(self.idf) else {})}

    def words(self, tokens: TokenizedTexts, *, folded: bool) -> PassageWords:
        """Look up the words of passages.

        Args:
            tokens: the words.
            folded: whether the tokenizer has folded them; otherwise other spellings are tried.
        """
        oov = "skip" if self.vectors.subwords is None else "subwords"
        found = find_rows(self.vectors, tokens, oov, folded=folded)
        rows = found.rows[tokens.indices]
        bags = Bags(rows, np.ones(len(rows), dtype=np.float32), tokens.bounds)
        if found.rows.min(initial=0) < 0:
            bags = bags.where(rows >= 0)
        return PassageWords(bags, found.extra)

    def fit(self, words: PassageWords) -> Pooling:
        """Return the pooling with statistics of these passages."""
        known = words.bags.where(words.bags.rows < len(self.vectors))
        fitted = self
        if self.name == "tfidf":
            frequencies = document_frequencies(known, len(self.vectors))
            count = 1 + len(known)
            idf = np.log(count / (1.0 + np.append(frequencies, 0))) + 1
            fitted = replace(self, idf=idf.astype(np.float32))
        if len(known) < _FEWEST:
            return replace(fitted, component=np.zeros(self.vectors.dimension, dtype=np.float32))
        sample = PassageWords(_every(words.bags, -(-len(known) // _SAMPLE)), words.extra)
        component = first_component(fitted.means(sample))
        return replace(fitted, component=component.astype(np.float32))

    def means(self, words: PassageWords) -> NDArray[np.float32]:
        """Return the weighted mean of each passage's word vectors, float32 (n, d)."""
        bags = words.bags
        weights = self.weights[np.minimum(bags.rows, len(self.vectors))]
        sums: NDArray[np.float32] = weighted_sums(
            self.vectors.matrix, Bags(bags.rows, weights, bags.bounds), words.extra
        )
        divide_rows(sums, bags.sizes())
        return sums

    def pool(self, words: PassageWords) -> NDArray[np.float32]:
        """Return a vector of length 1 for each passage, float32 (n, d); zeros without a word."""
        pooled = self.means(words)
        for start in range(0, len(pooled), _BLOCK):
            rows = pooled[start : start + _BLOCK]
            rows -= np.outer(rows @ self.component, self.component)
        found: NDArray[np.float32] = unit_rows(pooled)
        return found

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """The weight of each word, float32 (V,), followed by that of all other words."""
        if self.name == "tfidf":
            return self.idf
        counts = np.append(self.vectors.vocabulary.counts, 0)
        weights: NDArray[np.float64] = self.sif_a / (self.sif_a + counts / counts.sum())
        return weights.astype(np.float32)


def _every(bags: Bags, step: int) -> Bags:
    """Return one of *step* bags."""
    sizes = bags.sizes()
    kept = np.arange(len(bags)) % step == 0
    tokens = np.repeat(kept, sizes)
    bounds = np.concatenate([[0], np.cumsum(sizes[kept])])
    return Bags(bags.rows[tokens], bags.weights[tokens], bounds)


def check_vectors(vectors: WordVectors) -> None:
    """Raise `ConfigurationError` if these vectors cannot be pooled."""
    if vectors.is_sparse:
        raise ConfigurationError(
            "one-hot vectors do not tell which words are similar, so they cannot be searched by "
            "meaning.",
            hint="Use a trained model.",
        )


def fingerprint(vectors: WordVectors) -> str:
    """Return a hash that changes with the words and the vectors, of a sample of them."""
    rows = np.unique(np.linspace(0, max(len(vectors) - 1, 0), _HASHED_ROWS).astype(np.int64))
    rows = rows[: len(vectors)]
    digest = hashlib.blake2b(repr(vectors.shape).encode(), digest_size=16)
    digest.update("\0".join(vectors.vocabulary.words(rows)).encode())
    digest.update(np.ascontiguousarray(vectors.matrix[rows], dtype="<f4").tobytes())
    digest.update(np.ascontiguousarray(vectors.vocabulary.counts[rows], dtype="<i8").tobytes())
    return digest.hexdigest()
