"""The bodies of responses as pydantic models, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from embedkit.service.api.requests import MetricName

__all__ = [
    "ClassifyResponse",
    "CompareResponse",
    "DistanceResponse",
    "EmbeddingsResponse",
    "ErrorResponse",
    "ModelResponse",
    "ModelSummary",
    "ModelsResponse",
    "OddOneOutResponse",
    "ProjectResponse",
    "RankResponse",
    "SearchResponse",
    "SimilarityResponse",
    "TransferResponse",
    "WordsResponse",
]


class ErrorDetails(BaseModel):
    """What went wrong; some types have more fields."""

    model_config = ConfigDict(extra="allow")
    type: str
    message: str
    hint: str
    word: str | None = Field(None, description="unknown_word: the word.")
    suggestions: list[str] | None = Field(
        None, description="unknown_word: known words with a similar spelling."
    )
    column: int | None = Field(None, description="bad_expression: position, from 1.")
    expression: str | None = Field(None, description="bad_expression: the expression.")


class ErrorResponse(BaseModel):
    """The format of all errors."""

    error: ErrorDetails


Composed = Annotated[
    list[str] | None,
    Field(
        description="Words that are not in the vocabulary, and whose vectors are composed of "
        "character n-grams, after case folding if the words of the vocabulary are case-folded."
    ),
]


class WeightedWord(BaseModel):
    """A word of the vocabulary, or one that is composed, and its weight in the question."""

    word: str
    weight: float


class ScoredWord(BaseModel):
    """A word and its similarity, or its distance if the metric is l2."""

    word: str
    score: float


class SearchResponse(BaseModel):
    """A question and the words nearest to it, best first."""

    question: str
    terms: list[WeightedWord]
    answers: list[ScoredWord]
    composed: Composed = None
    skipped: list[str] | None = Field(
        None, description="Unknown words that leave the question without an answer, if oov says so."
    )


class DistanceResponse(BaseModel):
    """Distances in a table with a row and a column for each word."""

    words: list[str]
    metric: MetricName
    table: list[list[float]]
    composed: Composed = None


class CompareResponse(BaseModel):
    """L2 distances by encoder: charcode, onehot, and the model's own if it was trained."""

    words: list[str]
    metric: Literal["l2"]
    tables: dict[str, list[list[float]]]
    composed: Composed = None


class Point(BaseModel):
    """A word on the plane."""

    word: str
    x: float
    y: float


class Arrow(BaseModel):
    """An arrow between two words: its start, and the difference to its end."""

    model_config = ConfigDict(populate_by_name=True)
    from_: str = Field(alias="from")
    to: str
    x: float
    y: float
    dx: float
    dy: float


class ProjectResponse(BaseModel):
    """Places on the plane, and the share of the variance along each axis."""

    points: list[Point]
    pairs: list[Arrow]
    explained: Annotated[list[float], Field(min_length=2, max_length=2)]
    composed: Composed = None


Skipped = Annotated[
    list[str] | None,
    Field(description="Unknown words that are left out, if oov says so."),
]


class SimilarityResponse(BaseModel):
    """A similarity, or with the metric l2 a distance; null if a set has no known words."""

    sets: list[list[str]]
    metric: MetricName
    score: float | None
    composed: Composed = None
    skipped: Skipped = None


class RankResponse(BaseModel):
    """The place of a word among the neighbors of another, from 1; null if a word is skipped."""

    word: str
    neighbor_of: str
    rank: int | None
    composed: Composed = None
    skipped: Skipped = None


class OddOneOutResponse(BaseModel):
    """The words by their similarity to the mean of all, the odd one first."""

    metric: MetricName
    answers: list[ScoredWord]
    composed: Composed = None
    skipped: Skipped = None


class Moved(BaseModel):
    """A word, and the words nearest to where it was moved."""

    word: str
    answers: list[ScoredWord]


class TransferResponse(BaseModel):
    """The words nearest to each word that was moved; none for a word that is skipped."""

    words: list[Moved]
    composed: Composed = None
    skipped: Skipped = None


class ClassifyResponse(BaseModel):
    """The most likely label of a text, its labels, or its number, by the task of the classifier."""

    text: str
    label: str | None = None
    labels: list[str] | None = None
    number: float | None = None
    probabilities: dict[str, float] | None = None
    classifier: str


class CountedWord(BaseModel):
    """A word and how often it occurs in the corpus; 0 if unknown."""

    word: str
    count: int


class WordsResponse(BaseModel):
    """Known words, most frequent first."""

    words: list[CountedWord]


class ModelResponse(BaseModel):
    """The model; `generation` counts the models served since the start, from 1.

    `architecture` is skipgram or cbow, or null if it is not known. `subwords` has the lengths of
    character n-grams and the number of buckets, if there are any.
    """

    name: str
    encoder: str
    architecture: str | None
    words: int
    dimension: int
    subwords: dict[str, int] | None
    format: int
    settings: dict[str, Any]
    training: dict[str, Any]
    generation: int
    examples: list[str]
    expected: dict[str, str]


class ModelSummary(BaseModel):
    """A model in the format of OpenAI's API; `created` is when the service opened it."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    generation: int
    encoder: str
    architecture: str | None
    words: int
    dimension: int


class ModelsResponse(BaseModel):
    """The models of the service; the first is the default."""

    object: Literal["list"]
    data: list[ModelSummary]


class Embedding(BaseModel):
    """A vector: numbers, or little-endian float32 in base64."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str
    error: ErrorDetails | None = Field(
        None, description="Why the vector is zeros: no word of the text has a vector."
    )


class Usage(BaseModel):
    """The number of words that have a vector."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsResponse(BaseModel):
    """The response of OpenAI's embeddings API."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: Usage
