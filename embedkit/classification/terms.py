"""Texts as bags of terms: words and word n-grams, weighted by tf-idf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from embedkit.corpus.tokenizers import tokenizer as tokenizer_named
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.features.pooling import Bags, divide_rows
from embedkit.features.tokens import TokenizedTexts, tokenize_texts

__all__ = ["END", "TermCounts", "TextTerms"]

_START = "<start>"  # how the beginning of a text is shown in an n-gram
END = "<end>"
"""How the end of a text is shown in an n-gram."""


class TermCounts(NamedTuple):
    """n texts as bags of T known terms and k words that are not among them.

    Attributes:
        counts: how often each term occurs in each text, float32 CSR (n, T + k).
        new_words: the k words.
    """

    counts: sparse.csr_array
    new_words: list[str]

    def take(self, rows: NDArray[np.int64]) -> TermCounts:
        """Return the bags of *rows*."""
        return TermCounts(self.counts[rows], self.new_words)


@dataclass(frozen=True)
class TextTerms:
    """The terms of the training texts: W words, then their n-grams, T in all.

    An n-gram is stored as its last word and the n-gram before it. The beginning and the end of a
    text count as words, so the first and the last word of a text have bigrams of their own.

    Attributes:
        words: the words, in order of first appearance.
        ngrams: for bigrams, trigrams, ...: the number of the part before the last word (a word, W
            for the beginning of a text, or an n-gram of the previous length, counted from 0) and of
            the last word, W for the end of a text; int32 (n-grams, 2), sorted.
        document_frequencies: in how many training texts each term occurs, int32 (T,).
        texts: number of training texts.
        tokenizer: a name in `embedkit.corpus.tokenizers.TOKENIZERS`.
    """

    words: Vocabulary
    ngrams: tuple[NDArray[np.int32], ...]
    document_frequencies: NDArray[np.int32]
    texts: int
    tokenizer: str

    @classmethod
    def of(
        cls, texts: Sequence[str], *, longest: int, tokenizer: str, most: int
    ) -> tuple[TextTerms, TermCounts]:
        """Return the terms of training texts, and the texts as bags of them.

        Args:
            texts: n texts.
            longest: the length of the longest n-grams, in words; 1 means words only.
            tokenizer: a name in `embedkit.corpus.tokenizers.TOKENIZERS`.
            most: if there are more terms, the rarest n-grams are left out.

        Raises:
            InputError: a text cannot be encoded as UTF-8. The message names the row.
        """
        tokens = tokenize_texts(texts, tokenizer_named(tokenizer))
        counts = np.bincount(tokens.indices, minlength=len(tokens.words)).astype(np.int64)
        words = Vocabulary(tokens.words, counts)
        ngrams: list[NDArray[np.int32]] = []
        runs = _Runs(tokens, tokens.indices.astype(np.int64), len(words))
        for _ in range(2, longest + 1):
            kept = _most_frequent(runs.keys(), most - len(words) - sum(map(len, ngrams)))
            ngrams.append(np.column_stack(np.divmod(kept, runs.base)).astype(np.int32))
            runs.extend(kept)
        terms = cls(words, tuple(ngrams), np.zeros(0, np.int32), len(texts), tokenizer)
        bags = terms._bags(tokens, tokens.indices.astype(np.int64), [])
        frequencies = np.bincount(bags.counts.indices, minlength=len(terms)).astype(np.int32)
        return cls(words, tuple(ngrams), frequencies, len(texts), tokenizer), bags

    def __len__(self) -> int:
        return len(self.words) + sum(map(len, self.ngrams))

    def check(self) -> None:
        """Raise ValueError if a number is out of its range."""
        words = len(self.words)
        before = words + 1
        for length, pairs in enumerate(self.ngrams, start=2):
            if pairs.ndim != 2 or pairs.shape[1] != 2:
                raise ValueError(f"ngrams.{length} has the shape {pairs.shape}")
            if ((pairs < 0) | (pairs >= [before, words + 1])).any():
                raise ValueError(f"ngrams.{length} is out of range")
            before = len(pairs)
        frequencies = self.document_frequencies
        if frequencies.shape != (len(self),):
            raise ValueError(f"document_frequencies has the shape {frequencies.shape}")
        if ((frequencies < 0) | (frequencies > self.texts)).any():
            raise ValueError("document_frequencies is out of range")

    def bags(self, texts: Sequence[str]) -> TermCounts:
        """Return texts as bags of terms."""
        tokens = tokenize_texts(texts, tokenizer_named(self.tokenizer))
        known = self.words.ids(tokens.words)
        new = np.flatnonzero(known < 0)
        rows = known.copy()
        rows[new] = len(self) + np.arange(len(new))
        return self._bags(
            tokens, rows[tokens.indices], tokens.words.take(pa.array(new)).to_pylist()
        )

    def weights(self, bags: TermCounts) -> sparse.csr_array:
        """Return the tf-idf weights of texts, float32 CSR (n, T + k); rows have length 1 or 0.

        The weight of a term that occurs c times is (1 + log c) times its inverse document frequency
        log((1 + n) / (1 + df)) + 1, as in scikit-learn. N-grams that no training text has are left
        out.
        """
        counts = bags.counts
        frequencies = np.zeros(counts.shape[1])
        frequencies[: len(self)] = self.document_frequencies
        inverse = (np.log((1 + self.texts) / (1 + frequencies)) + 1).astype(np.float32)
        inverse[len(self.words) : len(self)][frequencies[len(self.words) : len(self)] == 0] = 0
        data = (1 + np.log(counts.data)) * inverse[counts.indices]
        lengths = np.sqrt(Bags(counts.indices, data * data, counts.indptr).totals())
        weights = sparse.csr_array(
            (data.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape
        )
        divide_rows(weights, lengths)
        return weights

    def trained_on(self, bags: TermCounts) -> TextTerms:
        """Return the terms as if only some of the training texts, *bags*, had been there."""
        frequencies = np.bincount(bags.counts.indices, minlength=len(self)).astype(np.int32)
        return replace(self, document_frequencies=frequencies, texts=bags.counts.shape[0])

    def words_of(self, term: int, start: str = _START) -> tuple[str, ...]:
        """Return the words of a term; *start* stands for the beginning of a text."""
        if term < len(self.words):
            return (self.words[term],)
        first, length = len(self.words), 0
        while term >= first + len(self.ngrams[length]):
            first += len(self.ngrams[length])
            length += 1
        before, number = self.ngrams[length][term - first].tolist()
        last = END if number == len(self.words) else self.words[number]
        if length:
            before += first - len(self.ngrams[length - 1])
        elif before == len(self.words):
            return start, last
        return *self.words_of(before, start), last

    def _bags(self, tokens: TokenizedTexts, rows: NDArray[np.int64], new: list[str]) -> TermCounts:
        """Count words, whose numbers are *rows*, (tokens,), and n-grams."""
        runs = _Runs(tokens, np.where(rows < len(self.words), rows, -1), len(self.words))
        owners = np.repeat(np.arange(len(tokens.bounds) - 1), np.diff(tokens.bounds))
        texts, columns, first = [owners], [rows], len(self.words)
        for pairs in self.ngrams:
            found = runs.extend(pairs[:, 0].astype(np.int64) * runs.base + pairs[:, 1])
            texts.append(runs.owners[found >= 0])
            columns.append(found[found >= 0] + first)
            first += len(pairs)
        places = (np.concatenate(texts), np.concatenate(columns))
        ones = np.ones(len(places[0]), dtype=np.float32)
        shape = (len(tokens.bounds) - 1, len(self) + len(new))
        counts = sparse.coo_array((ones, places), shape=shape).tocsr()  # adds duplicates
        return TermCounts(counts, new)


class _Runs:
    """The runs of words that end at each token, one word longer after each `extend`.

    The end of each text that is not empty is one more token, with the number of words.

    Args:
        tokens: the n texts.
        rows: the number of each token, int64 (tokens,); -1 ends a run.
        words: the number of words.

    Attributes:
        owners: the number of the text of each token, int64 (tokens + n,).
    """

    def __init__(self, tokens: TokenizedTexts, rows: NDArray[np.int64], words: int) -> None:
        self.base = words + 1
        sizes = np.diff(tokens.bounds)
        self.owners = np.repeat(np.arange(len(sizes)), sizes + 1)
        self._rows = np.insert(rows, tokens.bounds[1:], np.where(sizes > 0, words, -1))
        self._starts = tokens.bounds[:-1] + np.arange(len(sizes))
        self._before = np.concatenate([[words], self._rows[:-1]]) if len(sizes) else self._rows
        self._before[self._starts] = words

    def keys(self) -> NDArray[np.int64]:
        """Return a number for the run of each token, -1 if there is none, int64 (tokens,)."""
        whole = (self._before >= 0) & (self._rows >= 0)
        return np.where(whole, self._before * self.base + self._rows, -1)

    def extend(self, kept: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the place of each token's run among the sorted keys *kept*, or -1; go on to runs
        of one more word, which contain only kept ones.
        """
        keys = self.keys()
        found = np.searchsorted(kept, keys)
        found[found == len(kept)] = -1
        if len(kept):
            found[kept[found] != keys] = -1
        self._before = np.concatenate([[-1], found[:-1]]) if len(found) else found
        self._before[self._starts] = -1
        return found


def _most_frequent(keys: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return the distinct keys from 0 on, sorted; if they are more than *most*, only frequent ones.

    Keys that occur equally often are all kept or all left out.
    """
    distinct, counts = np.unique(keys[keys >= 0], return_counts=True)
    if len(distinct) <= most:
        return distinct
    ordered = np.sort(counts)[::-1]
    return np.asarray(distinct[counts > ordered[max(most, 0)]])
