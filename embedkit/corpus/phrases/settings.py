"""What makes two words a phrase: settings and their ranges."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from embedkit.errors import ConfigurationError
from embedkit.validation import whole_number

__all__ = ["CONNECTORS", "DEFAULT_THRESHOLDS", "MOST_PASSES", "PhraseSettings"]

CONNECTORS: dict[str, tuple[str, ...]] = {
    "none": (),
    "english": (
        "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with",
        "without",
    ),
}  # fmt: skip
"""Words that a phrase may hold inside; gensim's `ENGLISH_CONNECTOR_WORDS` are the English ones."""

DEFAULT_THRESHOLDS = {"mikolov": 10.0, "npmi": 0.5}
MOST_PASSES = 10


@dataclass(frozen=True)
class PhraseSettings:
    """Settings of phrases.

    Attributes:
        passes: times that the text is looked at; each may join what the one before it joined, so
            that n passes give phrases of up to 2**n words, not counting connectors.
        scoring: "mikolov", (count(ab) - min_count) * V / (count(a) * count(b)), where V is the
            number of distinct words and candidates (Mikolov et al. 2013, arXiv:1310.4546, as gensim
            has it), or "npmi", normalised pointwise mutual information, from -1 to 1 (Bouma 2009).
        threshold: a phrase has a higher score; None takes 10 for mikolov, 0.5 for npmi.
        min_count: a phrase occurs so often, with mikolov more often.
        connectors: words that a phrase may hold inside, but not at its ends, as "of" in "state of
            the art"; they are not counted by themselves.
        delimiter: what stands between the words of a phrase.

    Raises:
        ConfigurationError: a value lies outside its range.
    """

    passes: int = 1
    scoring: str = "mikolov"
    threshold: float | None = None
    min_count: int = 5
    connectors: Iterable[str] = ()
    delimiter: str = "_"

    @classmethod
    def of(cls, settings: PhraseSettings | None = None, **changes: Any) -> PhraseSettings:
        """Return *settings*, or the default ones, with some changed.

        Raises:
            ConfigurationError: a setting is unknown or outside its range.
        """
        known = [field.name for field in fields(cls)]
        for name in changes:
            if name not in known:
                raise ConfigurationError(f"no setting {name!r}; there are {', '.join(known)}")
        return replace(settings or cls(), **changes)

    def __post_init__(self) -> None:
        whole_number("passes", self.passes, 1, MOST_PASSES)
        whole_number("min_count", self.min_count, 1, 2**31)
        if self.scoring not in DEFAULT_THRESHOLDS:
            raise ConfigurationError(
                f"no scoring {self.scoring!r}; there are {', '.join(DEFAULT_THRESHOLDS)}"
            )
        self._check_threshold()
        self._check_words()

    def _check_threshold(self) -> None:
        threshold = self.threshold
        if threshold is None:
            threshold = DEFAULT_THRESHOLDS[self.scoring]
        number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
        if self.scoring == "npmi" and not (number and -1 <= threshold <= 1):
            raise ConfigurationError(
                f"threshold is a number from -1 to 1 with npmi, not {threshold!r}"
            )
        if self.scoring == "mikolov" and not (number and 0 < threshold < math.inf):
            raise ConfigurationError(
                f"threshold is a finite number above 0 with mikolov, not {threshold!r}"
            )
        object.__setattr__(self, "threshold", float(threshold))

    def _check_words(self) -> None:
        delimiter = self.delimiter
        if not isinstance(delimiter, str) or not delimiter or _has_spaces(delimiter):
            raise ConfigurationError(
                f"delimiter is one character or more, none of them white space, not {delimiter!r}"
            )
        if isinstance(self.connectors, str):
            raise ConfigurationError(
                f"connectors is a list of words, not the string {self.connectors!r:.60}"
            )
        connectors = tuple(sorted(set(self.connectors)))
        for word in connectors:
            if not isinstance(word, str) or not word or _has_spaces(word):
                raise ConfigurationError(f"a connector is one word, not {word!r:.60}")
        object.__setattr__(self, "connectors", connectors)


def _has_spaces(text: str) -> bool:
    return any(character.isspace() or ord(character) <= 32 for character in text)
