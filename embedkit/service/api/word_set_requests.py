"""The bodies of requests about given words; see `embedkit.service.api.requests`."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from embedkit.service.api.requests import K, MetricName, Restrict, WithOov, Word, WordList
from embedkit.service.limits import MAX_LIST

__all__ = ["OddOneOutRequest", "RankRequest", "SimilarityRequest", "TransferRequest"]

WordPair = Annotated[list[Word], Field(fail_fast=True, min_length=2, max_length=2)]


class SimilarityRequest(WithOov):
    """Two words or sets of words to compare; the vectors of a set are averaged."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"sets": [["london", "paris"], ["king", "queen"]]}}
    )
    sets: Annotated[list[WordList], Field(fail_fast=True, min_length=2, max_length=2)]
    metric: MetricName = Field("cosine", description="l2 is the Euclidean distance.")

    @property
    def all_words(self) -> list[str]:
        """All words of the question."""
        return [word for words in self.sets for word in words]


class RankRequest(WithOov):
    """A word whose place among the neighbors of another word is asked for."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"word": "queen", "neighbor_of": "king"}}
    )
    word: Word
    neighbor_of: Word
    metric: MetricName = Field("cosine", description="l2 is the Euclidean distance.")
    restrict: Restrict = None

    @property
    def all_words(self) -> list[str]:
        """All words of the question."""
        return [self.word, self.neighbor_of]


class OddOneOutRequest(WithOov):
    """Words, of which the one that is least similar to the mean of all is asked for."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"words": ["paris", "london", "king", "rome"]}}
    )
    words: Annotated[list[Word], Field(fail_fast=True, min_length=3, max_length=MAX_LIST)]
    metric: MetricName = Field("cosine", description="l2 is the Euclidean distance.")


class TransferRequest(WithOov):
    """Words to move along the mean difference of pairs."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"pairs": [["man", "woman"], ["king", "queen"]], "words": ["boy"], "k": 3}
        }
    )
    pairs: Annotated[list[WordPair], Field(fail_fast=True, min_length=1, max_length=MAX_LIST)]
    words: WordList
    strength: float = Field(
        1.0, allow_inf_nan=False, description="Factor of the difference; -1 goes the other way."
    )
    k: K = 10
    metric: MetricName = Field("cosine", description="l2 is the Euclidean distance.")
    restrict: Restrict = None
    exclude: Annotated[list[Word], Field(fail_fast=True, max_length=MAX_LIST, default_factory=list)]

    @property
    def all_words(self) -> list[str]:
        """All words of the question."""
        pairs = [word for pair in self.pairs for word in pair]
        return [*pairs, *self.words, *self.exclude]
