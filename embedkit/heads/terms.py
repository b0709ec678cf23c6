"""Texts as bags of words and n-grams, for networks that fine-tune their vectors."""

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

__all__ = ["TermBags"]


class TermBags:
    """Turns texts into bags of terms: words and word n-grams that have a vector.

    An n-gram is written with a space before each of its words, so that it differs from any word.
    The beginning of a text counts as an empty word: "where is it" has the bigrams "  where",
    " where is" and " is it".

    Args:
        vocabulary: the V terms.
        ngrams: maximum length of n-grams, in words; 1 means single words only.
        tokenizer: a name in `embedkit.corpus.tokenizers.TOKENIZERS`.
    """

    def __init__(self, vocabulary: Vocabulary, ngrams: int, tokenizer: str) -> None:
        self.vocabulary = vocabulary
        self.ngrams = ngrams
        self.tokenizer = tokenizer

    @classmethod
    def of(
        cls, texts: Sequence[str], vectors: WordVectors, ngrams: int, tokenizer: str
    ) -> tuple[TermBags, NDArray[np.float32]]:
        """Return the words of *vectors* and the new terms of *texts*, with their vectors, (V, d).

        The vectors of new terms are initially 0.

        Raises:
            ConfigurationError: the vectors are one-hot, so a dense matrix would be V x V.
        """
        if vectors.is_sparse:
            raise ConfigurationError(
                "one-hot vectors cannot be fine-tuned: a dense matrix would need one number for "
                "each pair of words.",
                hint="Use them as fixed features (TextFeatures, --pooling sum).",
            )
        known = vectors.vocabulary
        terms = cls(known, ngrams, tokenizer)
        names = list(dict.fromkeys(chain.from_iterable(map(terms.split, texts))))
        new = [name for name, row in zip(names, known.ids(names), strict=True) if row < 0]
        counts = np.concatenate([known.counts, np.zeros(len(new), dtype=np.int64)])
        terms.vocabulary = Vocabulary([*known, *new], counts)
        zeros = np.zeros((len(new), vectors.dimension), dtype=np.float32)
        return terms, np.concatenate([vectors.matrix, zeros])

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
        """Return float32 CSR (n, V): a row holds 1 / m for each of a text's m known terms."""
        from scipy.sparse import csr_array

        split = [self.split(text) for text in texts]
        ids = self.vocabulary.ids(list(chain.from_iterable(split)))
        owners = np.repeat(np.arange(len(split)), [len(terms) for terms in split])
        owners, ids = owners[ids >= 0], ids[ids >= 0]
        sizes = np.bincount(owners, minlength=len(split))
        shares = (1 / sizes[owners]).astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return csr_array((shares, ids, starts), shape=(len(split), len(self.vocabulary)))
