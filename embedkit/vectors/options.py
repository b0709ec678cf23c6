"""How a question is meant: which words may answer, and what becomes of unknown ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypedDict

from embedkit.errors import ConfigurationError
from embedkit.validation import whole_number

__all__ = ["UNKNOWN_WORDS", "How", "Scope"]

UNKNOWN_WORDS = ("error", "skip", "spell", "subwords")
"""What may become of a word without a vector; see `Scope.oov`."""


class How(TypedDict, total=False):
    """The fields of `Scope`, as the methods that ask take them by name."""

    restrict: int | None
    exclude: Collection[str]
    include_question: bool
    oov: str


@dataclass(frozen=True)
class Scope:
    """What all questions take beside what is asked.

    Attributes:
        restrict: answers come from so many of the most frequent words; None for all. The words of a
            question need not be among them.
        exclude: words that are no answers.
        include_question: whether the words of a question may be answers to it.
        oov: what becomes of a word that has no vector (out of vocabulary). "error" raises
            `UnknownWordError`. "skip" leaves it out of a set of words, and leaves a question of
            which it is a part without an answer. "spell" takes the known word that is spelled most
            nearly so, "subwords" composes a vector from character n-grams, where the vectors have
            them; a word for which there is neither is skipped.

    Raises:
        ConfigurationError: a value lies outside its range.
    """

    restrict: int | None = None
    exclude: Collection[str] = ()
    include_question: bool = False
    oov: str = "error"

    def __post_init__(self) -> None:
        if self.restrict is not None:
            whole_number("restrict", self.restrict, 1)
        if isinstance(self.exclude, str):
            raise ConfigurationError(
                f"exclude is a list of words, not the string {self.exclude!r:.60}"
            )
        if self.oov not in UNKNOWN_WORDS:
            raise ConfigurationError(f"oov is one of {', '.join(UNKNOWN_WORDS)}, not {self.oov!r}")
