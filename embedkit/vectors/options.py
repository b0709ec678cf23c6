"""The options that all questions share, and the names of the analogy methods."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypedDict

from typing_extensions import Unpack

from embedkit.errors import ConfigurationError
from embedkit.index.options import METRIC_NAMES
from embedkit.validation import check_choice, whole_number

__all__ = ["ANALOGY_METHODS", "OOV", "PAIR_METHODS", "SearchKeywords", "SearchOptions"]

ANALOGY_METHODS = ("3cosadd", "3cosmul", "pairdirection")
"""Methods that find d from a, b and c.

Mikolov et al. 2013 (N13-1090), Levy and Goldberg 2014 (W14-1618).
"""

PAIR_METHODS = ("3cosavg", "lrcos")
"""Methods that find the partner of a word from example pairs: Drozd et al. 2016 (C16-1332)."""

OOV = ("error", "skip", "spell", "subwords")
"""What to do with a word that has no vector (out of vocabulary); see `SearchOptions.oov`."""

_OTHER_NAMES = {  # the names in other libraries
    "n": "k",
    "top": "k",
    "top_k": "k",
    "top_n": "k",
    "topn": "k",
    "limit": "k",
    "restrict_vocab": "restrict",
}


class SearchKeywords(TypedDict, total=False):
    """The keyword arguments of every question; `SearchOptions` describes them."""

    restrict: int | None
    exclude: Collection[str]
    include_question: bool
    oov: str


@dataclass(frozen=True)
class SearchOptions:
    """Options of a question.

    Attributes:
        k: number of answers, at least 1.
        metric: a name of `embedkit.index.options.METRIC_NAMES`.
        restrict: search only the *restrict* most frequent words; None searches all. The words of
            the question do not have to be among them.
        exclude: words that must not be answers. With *oov* "error" they must be in the vocabulary,
            because no other word is ever an answer.
        include_question: whether the words of a question may be answers to it.
        oov: what to do with a word that is not in the vocabulary. "error" composes its vector of
            character n-grams if the vectors have them, and otherwise raises `UnknownWordError`.
            "skip" drops it from a set of words, and gives no answers to a question that contains
            it. "spell" uses the known word with the nearest spelling, and "subwords" composes a
            vector; where neither is possible, the word is skipped.

    Raises:
        ConfigurationError: a value is out of range.
    """

    k: int = 10
    metric: str = "cosine"
    restrict: int | None = None
    exclude: Collection[str] = ()
    include_question: bool = False
    oov: str = "error"

    def __post_init__(self) -> None:
        whole_number("k", self.k, 1)
        check_choice("metric", self.metric, METRIC_NAMES)
        if self.restrict is not None:
            whole_number("restrict", self.restrict, 1)
        if isinstance(self.exclude, str):
            raise ConfigurationError(
                f"exclude must be a list of words, got the string {self.exclude!r:.60}"
            )
        check_choice("oov", self.oov, OOV)

    @classmethod
    def of(
        cls, k: int = 10, metric: str = "cosine", **keywords: Unpack[SearchKeywords]
    ) -> SearchOptions:
        """Return the options given as keyword arguments.

        Raises:
            TypeError: an option is unknown.
            ConfigurationError: a value is out of range.
        """
        _refuse_unknown(keywords)
        return cls(k, metric, **keywords)


def _refuse_unknown(keywords: Mapping[str, object]) -> None:
    known = ["k", "metric", *SearchKeywords.__annotations__]
    for name in keywords:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = _OTHER_NAMES.get(name) or (near[0] if near else "")
            hint = f"did you mean {meant}?" if meant else f"choose from {', '.join(known)}"
            raise TypeError(f"unknown option {name!r}; {hint}")
