"""How a search index is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from embedkit.corpus.tokenizers import TOKENIZERS
from embedkit.errors import ConfigurationError, counted
from embedkit.retrieval.options import SEARCH_KINDS, SEARCH_POOLINGS
from embedkit.validation import check_choice, check_ranges

__all__ = ["SearchIndexSettings"]

_RANGES = {
    "passage": (1, 1_000_000),
    "overlap": (0, 1_000_000),
    "sif_a": (1e-12, 1e6),
}


@dataclass(frozen=True)
class SearchIndexSettings:
    """How a search index is built.

    Attributes:
        pooling: one of `embedkit.retrieval.options.SEARCH_POOLINGS`; None is "sif" if the vectors
            have word counts, and otherwise "tfidf".
        kind: how vectors are searched, one of `embedkit.retrieval.options.SEARCH_KINDS`. Segments
            with fewer than 1,000 passages are searched exactly; with "auto", all those with at most
            64 MiB of vectors.
        passage: words of a passage, the unit that is searched. A longer document is cut into
            several.
        overlap: words that a passage shares with the one before it, less than half of *passage*;
            None is a quarter of it.
        tokenizer: "words", "words+emoji" or "whitespace", as for training; None is the tokenizer
            that the vectors were trained with.
        sif_a: the constant a of "sif".

    Raises:
        ConfigurationError: a value is out of range.
    """

    pooling: str | None = None
    kind: str = "auto"
    passage: int = 200
    overlap: int | None = None
    tokenizer: str | None = None
    sif_a: float = 1e-3

    def __post_init__(self) -> None:
        if self.pooling is not None:
            check_choice("pooling", self.pooling, SEARCH_POOLINGS)
        if self.tokenizer is not None:
            check_choice("tokenizer", self.tokenizer, TOKENIZERS)
        check_choice("index", self.kind, SEARCH_KINDS)
        check_ranges(self, _RANGES, optional=["overlap"])
        if self.overlap is None:
            object.__setattr__(self, "overlap", self.passage // 4)
        elif 2 * self.overlap >= max(self.passage, 2):
            raise ConfigurationError(
                f"the overlap, {self.overlap:,}, must be less than half of a passage of "
                f"{counted(self.passage, 'word')}."
            )

    def as_dict(self) -> Mapping[str, object]:
        """Return the settings for JSON."""
        return asdict(self)
