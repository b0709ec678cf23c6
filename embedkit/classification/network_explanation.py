"""The contributions of words and n-grams to the outputs of a network, by integrated gradients.

The vector of a text is a sum of shares of its tokens and n-grams. So the average gradient from the
empty text, whose vector is zeros, to the text gives each of them a contribution of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.classification.contributions import START, Contribution
from embedkit.classification.decisions import Decision, HeadExplanation
from embedkit.classification.network_classifier import NetworkClassifier
from embedkit.heads.gradients import Layers, integrated_gradients

__all__ = ["NetworkExplainer", "TextShares", "shown_term", "text_shares"]


@dataclass(frozen=True)
class TextShares:
    """The shares of m tokens and k n-grams in the vector of their text.

    Attributes:
        names: of the tokens, then of the n-grams, which may repeat.
        places: the token at which each begins.
        tokens: m.
        known: whether each has a vector, bool (m + k,).
        values: float64 (m + k, c).
        columns: the columns of the vector, int64 (c,); all others are 0.
    """

    names: Sequence[str]
    places: Sequence[int]
    tokens: int
    known: NDArray[np.bool_]
    values: NDArray[np.float64]
    columns: NDArray[np.int64]


class NetworkExplainer:
    """Explains the outputs for n texts.

    Args:
        classifier: the classifier.
        texts: the texts.
    """

    def __init__(self, classifier: NetworkClassifier, texts: Sequence[str]) -> None:
        self._network = classifier.head.network_
        self._shares = [text_shares(classifier, text) for text in texts]

    @property
    def scores(self) -> NDArray[np.float64]:
        """The logits of the texts, (n, K)."""
        logits = np.zeros((len(self._shares), len(self._network.biases[-1])))
        for row, shares in enumerate(self._shares):
            layers = Layers.of(self._network, shares.columns)
            logits[row] = layers.activations(shares.values.sum(axis=0)[np.newaxis])[-1]
        # With two classes, the only output is the log-odds of the second.
        return np.hstack([np.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits

    def explain(self, row: int, decision: Decision) -> HeadExplanation:
        """Return what the terms of one text add to a decision."""
        shares = self._shares[row]
        outputs = len(self._network.biases[-1])
        layers = Layers.of(self._network, shares.columns).toward(decision.direction[-outputs:])
        found = integrated_gradients(layers, shares.values.sum(axis=0))
        values = (shares.values @ found.gradient).tolist()
        words: list[Contribution] = []
        ngrams: dict[str, Contribution] = {}
        for number, (name, place) in enumerate(zip(shares.names, shares.places, strict=True)):
            if number < shares.tokens:
                known = bool(shares.known[number])
                words.append(Contribution(name, (place,), values[number], known))
            elif shares.known[number]:
                before = ngrams.get(name, Contribution(name, (), 0.0))
                ngrams[name] = Contribution(
                    name, (*before.places, place), before.value + values[number]
                )
        return HeadExplanation(
            words=words,
            ngrams=sorted(ngrams.values(), key=lambda ngram: -abs(ngram.value)),
            bias=found.start + decision.offset,
            total=found.end + decision.offset,
            method="integrated gradients",
        )


def text_shares(classifier: NetworkClassifier, text: str) -> TextShares:
    """Return what the tokens and n-grams of a text add to its vector."""
    if classifier.features is None:
        return _finetuned_shares(classifier, text)
    shares = classifier.features.shares(text)
    tokens = len(shares.tokens)
    return TextShares(
        shares.tokens, range(tokens), tokens, shares.known, shares.values, shares.columns
    )


def _finetuned_shares(classifier: NetworkClassifier, text: str) -> TextShares:
    terms, embeddings = classifier.head.terms_, classifier.head.network_.embeddings
    assert embeddings is not None  # noqa: S101 - a network that fine-tuned vectors
    names = terms.split(text)
    tokens = next((n for n, name in enumerate(names) if name.startswith(" ")), len(names))
    places = list(range(tokens))
    for length in range(2, terms.ngrams + 1):
        places += [max(first - 1, 0) for first in range(tokens + 2 - length)]
    ids, composed = terms.numbered(names)
    known = ids >= 0
    values = np.zeros((len(names), embeddings.shape[1]))
    inside = known & (ids < len(embeddings))
    values[inside] = embeddings[ids[inside]]
    if composed is not None:
        values[known & ~inside] = composed[ids[known & ~inside] - len(embeddings)]
    values /= max(int(known.sum()), 1)
    shown = [shown_term(name) for name in names]
    return TextShares(shown, places, tokens, known, values, np.arange(embeddings.shape[1]))


def shown_term(name: str) -> str:
    """Return a term of a `TermBags` as people write it; an empty word begins a text."""
    if not name.startswith(" "):
        return name
    return " ".join(word or START for word in name[1:].split(" "))
