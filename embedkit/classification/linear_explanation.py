"""The contributions of words and n-grams to the scores of a linear classifier, which are exact."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.contributions import START, Contribution, WordParts
from embedkit.classification.decisions import Decision, HeadExplanation
from embedkit.classification.linear_classifier import LinearClassifier
from embedkit.classification.terms import END
from embedkit.classification.word_views import WordViews
from embedkit.corpus.tokenizers import tokenize

__all__ = ["LinearExplainer"]

_Words = tuple[str, ...]


class LinearExplainer:
    """Explains the scores of n texts.

    Args:
        classifier: the classifier.
        texts: the texts.
    """

    def __init__(self, classifier: LinearClassifier, texts: Sequence[str]) -> None:
        self._classifier, self._texts = classifier, texts
        self._model = classifier.model
        self._found = self._model.explain(texts)
        weights = self._found.weights
        self._columns = [
            weights.indices[start:stop]
            for start, stop in zip(weights.indptr[:-1], weights.indptr[1:], strict=True)
        ]
        self._terms = self._names(np.unique(weights.indices))
        self._by_letters, self._by_vector = self._parts()

    @property
    def scores(self) -> NDArray[np.float64]:
        """The scores of the texts, (n, K)."""
        return self._found.total().astype(np.float64)

    def explain(self, row: int, decision: Decision) -> HeadExplanation:
        """Return what the terms of one text add to a decision."""
        found, direction = self._found, decision.direction
        columns = self._columns[row]
        start = found.weights.indptr[row]
        weights = found.weights.data[start : start + len(columns)].astype(np.float64)
        values = weights * (found.terms[columns].astype(np.float64) @ direction)
        text = self._texts[row].replace("\n", " ")  # as in training
        tokens = tokenize(text, self._classifier.tokenizer)
        counts = Counter(tokens)
        words: dict[str, Contribution] = {}
        ngrams = []
        places = _places(tokens, len(self._model.terms.ngrams) + 1)
        for column, weight, value in zip(columns.tolist(), weights, values.tolist(), strict=True):
            name = self._terms[column]
            if len(name) == 1:
                times = counts[name[0]]
                words[name[0]] = self._word(
                    name[0], column, value / times, weight / times * direction
                )
            else:
                ngrams.append(Contribution(" ".join(name), places[name], value))
        ngrams.sort(key=lambda ngram: -abs(ngram.value))
        bias = float(found.bias.astype(np.float64) @ direction) + decision.offset
        return HeadExplanation(
            words=[_at(words[token], place) for place, token in enumerate(tokens)],
            ngrams=ngrams,
            bias=bias,
            total=bias + math.fsum(values.tolist()),
            method="exact",
        )

    def _word(
        self, word: str, column: int, value: float, direction: NDArray[np.float64]
    ) -> Contribution:
        letters = float(self._by_letters[word] @ direction)
        new = column - (len(self._found.terms) - len(self._found.new_words))
        if new >= 0:  # a new word has no score of its own
            parts = WordParts(0.0, letters, value - letters)
            return Contribution(word, (), value, bool(self._found.has_vector[new]), parts)
        vector = float(self._by_vector[word] @ direction)
        return Contribution(
            word, (), value, True, WordParts(value - letters - vector, letters, vector)
        )

    def _names(self, columns: NDArray[np.integer]) -> Mapping[int, _Words]:
        """Return the words of terms."""
        terms, first = self._model.terms, len(self._model.terms)
        return {
            column: (self._found.new_words[column - first],)
            if column >= first
            else terms.words_of(column, START)
            for column in columns.tolist()
        }

    def _parts(self) -> tuple[Mapping[str, NDArray[np.float64]], Mapping[str, NDArray[np.float64]]]:
        """Return the scores of each word by its letters, and by its vector, (K,)."""
        words = [name[0] for name in self._terms.values() if len(name) == 1]
        views = WordViews.of(words, self._model.vectors).of_buckets(self._model.buckets)
        letters = np.asarray(views.ngrams @ self._model.ngram_scores, dtype=np.float64)
        vectors = np.asarray(views.vectors @ self._model.vector_scores, dtype=np.float64)
        return dict(zip(words, letters, strict=True)), dict(zip(words, vectors, strict=True))


def _at(word: Contribution, place: int) -> Contribution:
    return Contribution(word.term, (place,), word.value, word.known, word.parts)


def _places(tokens: Sequence[str], longest: int) -> Mapping[_Words, tuple[int, ...]]:
    """Return where each n-gram begins; the beginning and the end of a text count as words."""
    found: defaultdict[_Words, list[int]] = defaultdict(list)
    padded = [START, *tokens, END]
    for length in range(2, longest + 1):
        for first in range(len(padded) - length + 1):
            found[tuple(padded[first : first + length])].append(max(first - 1, 0))
    return {words: tuple(places) for words, places in found.items()}
