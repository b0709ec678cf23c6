"""Texts as bags of terms: which word vectors, and how much of each, a text is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.tokenizers import tokenize
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["Terms"]


class Terms:
    """Words and sequences of words (n-grams) that have a vector.

    An n-gram is written with a space before each of its words, so that none is taken for a word
    and the beginning of a text is a term too: "where is it" has the bigrams "  where", " where is"
    and " is it".

    Args:
        vocabulary: V terms.
        ngrams: words of the longest n-gram; 1 is for words alone.
        tokenizer: a name of `embedkit.corpus.tokenizers.TOKENIZERS`.
    """

    def __init__(self, vocabulary: Vocabulary, ngrams: int, tokenizer: str) -> None:
        self.vocabulary = vocabulary
        self.ngrams = ngrams
        self.tokenizer = tokenizer

    @classmethod
    def of(
        cls, texts: Sequence[str], vectors: WordVectors, ngrams: int, tokenizer: str
    ) -> tuple[Terms, NDArray[np.float32]]:
        """Return all words of *vectors* with the new terms of *texts*, and their vectors (V, d).

        The new ones begin at zero: they say nothing until they have learned something.

        Raises:
            ConfigurationError: the vectors are one-hot: trained, they would be V x V numbers.
        """
        if vectors.is_sparse:
            raise ConfigurationError(
                "one-hot vectors cannot be trained further: they have a number for each pair of "
                "words.",
                hint="Keep them as they are (TextFeatures, --pooling sum).",
            )
        known = vectors.vocabulary
        found = cls(known, ngrams, tokenizer)
        terms = list(dict.fromkeys(chain.from_iterable(map(found.split, texts))))
        new = [term for term, row in zip(terms, known.ids(terms), strict=True) if row < 0]
        counts = np.concatenate([known.counts, np.zeros(len(new), dtype=np.int64)])
        found.vocabulary = Vocabulary([*known, *new], counts)
        zeros = np.zeros((len(new), vectors.dimension), dtype=np.float32)
        return found, np.concatenate([vectors.matrix, zeros])

    def split(self, text: str) -> list[str]:
        """Return the terms of a text: its words, then its n-grams."""
        words = tokenize(text, self.tokenizer)
        terms = list(words)
        padded = ["", *words]
        for length in range(2, self.ngrams + 1):
            runs = zip(*(padded[start:] for start in range(length)), strict=False)
            terms += [" " + " ".join(run) for run in runs]
        return terms

    def bags(self, texts: Iterable[str]) -> Any:
        """Return CSR (n, V) float32: each known term of a text has an equal share of its row."""
        from scipy.sparse import csr_array

        split = [self.split(text) for text in texts]
        ids = self.vocabulary.ids(list(chain.from_iterable(split)))
        owners = np.repeat(np.arange(len(split)), [len(terms) for terms in split])
        owners, ids = owners[ids >= 0], ids[ids >= 0]
        sizes = np.bincount(owners, minlength=len(split))
        shares = (1 / sizes[owners]).astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return csr_array((shares, ids, starts), shape=(len(split), len(self.vocabulary)))
