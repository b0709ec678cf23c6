"""Settings of phrase detection, and their ranges."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from embedkit.corpus.tokenizers import SEPARATORS
from embedkit.errors import ConfigurationError, quoted
from embedkit.validation import check_choice, check_ranges, number

__all__ = ["CONNECTORS", "DEFAULT_THRESHOLDS", "MAX_PASSES", "PhraseSettings"]

CONNECTORS: dict[str, tuple[str, ...]] = {
    "none": (),
    "english": (
        "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with",
        "without",
    ),
}  # fmt: skip
"""Words allowed inside a phrase; "english" is gensim's `ENGLISH_CONNECTOR_WORDS`."""

DEFAULT_THRESHOLDS = {"mikolov": 10.0, "npmi": 0.5}
MAX_PASSES = 10


@dataclass(frozen=True)
class PhraseSettings:
    """Settings of phrase detection.

    Attributes:
        passes: passes over the text. Each pass may join the phrases of the previous one, so n
            passes find phrases of up to 2**n words, not counting connectors.
        scoring: "mikolov", (count(ab) - min_count) * V / (count(a) * count(b)), where V is the
            number of distinct words and candidates (Mikolov et al. 2013, arXiv:1310.4546, as
            implemented in gensim), or "npmi", normalized pointwise mutual information, from -1 to
            1 (Bouma 2009).
        threshold: phrases score higher than this; None means 10 for mikolov and 0.5 for npmi.
        min_count: minimum number of occurrences of a phrase; mikolov needs one more.
        connectors: words allowed inside a phrase but not at its ends, such as "of" in "state of
            the art"; they do not count as words of the phrase.
        delimiter: the string between the words of a phrase.

    Raises:
        ConfigurationError: a value is outside its range.
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
            check_choice("setting", name, known)
        return replace(settings or cls(), **changes)

    def __post_init__(self) -> None:
        check_ranges(self, {"passes": (1, MAX_PASSES), "min_count": (1, 2**31)})
        check_choice("scoring", self.scoring, DEFAULT_THRESHOLDS)
        self._check_threshold()
        self._check_words()

    def _check_threshold(self) -> None:
        threshold = self.threshold
        if threshold is None:
            threshold = DEFAULT_THRESHOLDS[self.scoring]
        if self.scoring == "npmi":
            threshold = number("threshold", threshold, -1, 1)
        else:
            is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
            if not is_number or not 0 < threshold < math.inf:
                raise ConfigurationError(
                    f"threshold must be a finite number above 0, got {quoted(threshold)}"
                )
        object.__setattr__(self, "threshold", float(threshold))

    def _check_words(self) -> None:
        delimiter = self.delimiter
        if not isinstance(delimiter, str) or not delimiter or _has_spaces(delimiter):
            raise ConfigurationError(
                f"delimiter must be a non-empty string without white space, got {quoted(delimiter)}"
            )
        if isinstance(self.connectors, str):
            raise ConfigurationError(
                f"connectors must be a list of words, got the string {quoted(self.connectors)}"
            )
        connectors = tuple(sorted(set(self.connectors)))
        for word in connectors:
            if not isinstance(word, str) or not word or _has_spaces(word):
                raise ConfigurationError(
                    f"connectors must be words without white space, got {quoted(word)}"
                )
        object.__setattr__(self, "connectors", connectors)


def _has_spaces(text: str) -> bool:
    return any(character in SEPARATORS for character in text)
