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
from embedkit.vectors.lookup import Composer, compose
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
        subwords: composes vectors of words that are not terms, of character n-grams.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        ngrams: int,
        tokenizer: str,
        subwords: Composer | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.ngrams = ngrams
        self.tokenizer = tokenizer
        self.subwords = subwords

    @classmethod
    def of(
        cls, texts: Sequence[str], vectors: WordVectors, ngrams: int, tokenizer: str
    ) -> tuple[TermBags, NDArray[np.float32]]:
        """Return the words of *vectors* and the new terms of *texts*, with their vectors, (V, d).

        The vectors of new words are composed of character n-grams if *vectors* have them; those of
        other new terms are initially 0.

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
        terms = cls(known, ngrams, tokenizer, vectors.subwords)
        names = list(dict.fromkeys(chain.from_iterable(map(terms.split, texts))))
        new = [name for name, row in zip(names, known.ids(names), strict=True) if row < 0]
        counts = np.concatenate([known.counts, np.zeros(len(new), dtype=np.int64)])
        terms.vocabulary = Vocabulary([*known, *new], counts)
        initial = np.zeros((len(new), vectors.dimension), dtype=np.float32)
        words = [number for number, name in enumerate(new) if _is_word(name)]
        if vectors.subwords is not None and words:
            initial[words] = compose(vectors.subwords, [new[number] for number in words])[0]
        return terms, np.concatenate([vectors.matrix, initial])

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
        split = [self.split(text) for text in texts]
        ids = self.vocabulary.ids(list(chain.from_iterable(split)))
        return self._bags(split, ids, len(self.vocabulary))

    def composed_bags(self, texts: Iterable[str]) -> tuple[Any, NDArray[np.float32] | None]:
        """Return bags as `bags` does, (n, V + k), and the vectors of k composed words, (k, d).

        Without n-grams, or without words to compose, the vectors are None.
        """
        split = [self.split(text) for text in texts]
        ids, vectors = self.numbered(list(chain.from_iterable(split)))
        size = len(self.vocabulary) + (0 if vectors is None else len(vectors))
        return self._bags(split, ids, size), vectors

    def numbered(
        self, names: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
        """Return the number of each term, and the vectors of k composed words, (k, d).

        The numbers of terms with a vector begin at 0, those of composed words at V; -1 stands for a
        term without a vector. Without n-grams, or without words to compose, the vectors are None.
        """
        ids = self.vocabulary.ids(names)
        size = len(self.vocabulary)
        places = [place for place in np.flatnonzero(ids < 0).tolist() if _is_word(names[place])]
        if self.subwords is None or not places:
            return ids, None
        words = list(dict.fromkeys(names[place] for place in places))
        vectors, composed = compose(self.subwords, words)
        known = np.flatnonzero(composed)
        numbers = {words[place]: size + number for number, place in enumerate(known.tolist())}
        ids[places] = [numbers.get(names[place], -1) for place in places]
        return ids, vectors[known]

    @staticmethod
    def _bags(split: Sequence[Sequence[str]], ids: NDArray[np.int64], size: int) -> Any:
        from scipy.sparse import csr_array

        owners = np.repeat(np.arange(len(split)), [len(terms) for terms in split])
        owners, ids = owners[ids >= 0], ids[ids >= 0]
        sizes = np.bincount(owners, minlength=len(split))
        weights = (1 / sizes[owners]).astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return csr_array((weights, ids, starts), shape=(len(split), size))


def _is_word(term: str) -> bool:
    return not term.startswith(" ")
