"""Why a classifier decided as it did: what the bias, each word and each n-gram added to a score."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from embedkit.corpus.tokenizers import normalize

__all__ = [
    "LEVELS", "START", "Contribution", "Explanation", "WordParts", "intensity", "token_spans",
]  # fmt: skip

START = "<start>"
"""How the beginning of a text is shown in an n-gram."""
LEVELS = 6
"""The number of intensities in which contributions are colored."""
_LETTER = re.compile(r".[\u0300-\u036f]*", re.DOTALL)  # and the marks on it


@dataclass(frozen=True)
class WordParts:
    """What a word added by its own score, by its character n-grams, and by its vector."""

    own: float
    letters: float
    vector: float


@dataclass(frozen=True)
class Contribution:
    """What a word at one place, or an n-gram at all its places, added to a decision.

    Attributes:
        term: the word, or the n-gram with spaces between its words.
        places: the tokens at which it begins, counted from 0.
        value: what it added.
        known: False for a word that the classifier has no score or vector of.
        parts: of a word of a linear classifier; None for n-grams and networks.
    """

    term: str
    places: tuple[int, ...]
    value: float
    known: bool = True
    parts: WordParts | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the contribution as values that JSON can represent."""
        found: dict[str, object] = {"term": self.term, "contribution": self.value}
        if self.parts is not None:
            found |= {
                "own": self.parts.own, "letters": self.parts.letters, "vector": self.parts.vector,
            }  # fmt: skip
        return found


@dataclass(frozen=True)
class Explanation:
    """How a decision about a text is made up.

    The bias and all contributions add up to `total`: for a linear classifier up to float precision,
    for a network up to `embedkit.heads.gradients.TOLERANCE`.

    Attributes:
        text: the text.
        label: the label that is explained; None if the classifier predicts numbers.
        against: the label that it is compared with, or None.
        probability: of the label; None if the classifier predicts numbers.
        against_probability: of the other label, or None.
        words: a contribution for each token; the same word has the same share at each place.
        ngrams: contributions of n-grams, the strongest first.
        bias: the decision about a text without words.
        total: the difference between the scores (logits) of the two labels; without another label,
            the score of the label; or the number.
        method: "exact" or "integrated gradients".
    """

    text: str
    label: Any
    against: Any
    probability: float | None
    against_probability: float | None
    words: tuple[Contribution, ...]
    ngrams: tuple[Contribution, ...]
    bias: float
    total: float
    method: str

    @property
    def of_words(self) -> float:
        """What all words added."""
        return math.fsum(word.value for word in self.words)

    @property
    def of_ngrams(self) -> float:
        """What all n-grams added."""
        return math.fsum(ngram.value for ngram in self.ngrams)

    def pieces(self) -> list[tuple[str, Contribution | None]]:
        """Cut the text into tokens, with their contributions, and what stands between them.

        Tokens are shown as they are written in the text where they can be found in it, and
        otherwise as the classifier reads them.
        """
        tokens = [word.term for word in self.words]
        spans = token_spans(self.text, tokens)
        found: list[tuple[str, Contribution | None]] = []
        if spans is None:
            for word in self.words:
                found += [(word.term, word), (" ", None)]
            return found[:-1]
        end = 0
        for (first, last), word in zip(spans, self.words, strict=True):
            found += [(self.text[end:first], None), (self.text[first:last], word)]
            end = last
        return [piece for piece in [*found, (self.text[end:], None)] if piece[0]]

    def as_dict(self) -> dict[str, object]:
        """Return the explanation as values that JSON can represent."""
        found: dict[str, object] = {"text": self.text}
        if self.label is not None:
            found |= {"label": str(self.label), "probability": self.probability}
        if self.against is not None:
            found |= {
                "against": str(self.against), "against_probability": self.against_probability,
            }  # fmt: skip
        return {
            **found, "method": self.method, "total": self.total, "bias": self.bias,
            "words": [{**word.as_dict(), "known": word.known} for word in self.words],
            "ngrams": [
                {**ngram.as_dict(), "tokens": list(ngram.places)} for ngram in self.ngrams
            ],
        }  # fmt: skip


def intensity(value: float, largest: float) -> int:
    """Return how strongly to color a contribution beside the largest one, from 0 to `LEVELS`."""
    return round(LEVELS * abs(value) / largest) if largest > 0 else 0


def token_spans(text: str, tokens: Sequence[str]) -> list[tuple[int, int]] | None:
    """Return where each token begins and ends in the text it was made of, or None if one is not
    found.
    """
    as_written = text, [(place, place + 1) for place in range(len(text))]
    for letters, sources in (_folded(text), as_written):
        spans, start = [], 0
        for token in tokens:
            place = letters.find(token, start)
            if place < 0:
                break
            start = place + len(token)
            spans.append((sources[place][0], sources[start - 1][1]))
        else:
            return spans
    return None


def _folded(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a text as tokenizers fold it, and where each of its letters comes from."""
    if text.isascii():
        return text.lower(), [(place, place + 1) for place in range(len(text))]
    letters: list[str] = []
    sources: list[tuple[int, int]] = []
    for found in _LETTER.finditer(text):
        folded = normalize(found[0])
        letters.append(folded)
        sources += [found.span()] * len(folded)
    return "".join(letters), sources
