"""The bodies of requests as pydantic models, which also make up the OpenAPI document."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from embedkit.index.options import METRIC_NAMES
from embedkit.service.limits import (
    MAX_BATCH,
    MAX_EXPRESSION,
    MAX_K,
    MAX_LIST,
    MAX_TEXT,
    MAX_TEXTS,
    MAX_WORD,
)
from embedkit.service.worker.answers import IsKnown, SearchQuery, search_kind
from embedkit.vectors.expressions import parse
from embedkit.vectors.options import ANALOGY_METHODS, OOV

__all__ = [
    "AnalogyRequest",
    "ClassifyRequest",
    "CompareRequest",
    "DistanceRequest",
    "EmbeddingsRequest",
    "K",
    "MetricName",
    "NeighborsRequest",
    "OneOrMany",
    "ProjectRequest",
    "QueryRequest",
    "Restrict",
    "WithOov",
    "Word",
    "WordList",
]


if TYPE_CHECKING:
    MetricName: TypeAlias = str
    AnalogyMethod: TypeAlias = str
    Oov: TypeAlias = str
else:
    MetricName = Literal[METRIC_NAMES]
    AnalogyMethod = Literal[ANALOGY_METHODS]
    Oov = Literal[OOV]

_SCORING_COST = 9  # of an analogy that scores every word, instead of a sum in a shared search

Word = Annotated[str, Field(min_length=1, max_length=MAX_WORD)]
WordList = Annotated[list[Word], Field(fail_fast=True, min_length=1, max_length=MAX_LIST)]
K = Annotated[
    int,
    # In JSON, 10.0 is an integer; "10" and true are not.
    BeforeValidator(lambda k: int(k) if isinstance(k, float) and k.is_integer() else k),
    Field(ge=1, le=MAX_K, strict=True, description="Number of answers."),
]

Restrict = Annotated[
    Annotated[int, Field(ge=1, le=2**31, strict=True)] | None,
    Field(description="Search only this number of the most frequent words."),
]

Item = TypeVar("Item", bound=BaseModel)
OneOrMany: TypeAlias = Annotated[
    Annotated[Item, Tag("one")]
    | Annotated[list[Item], Tag("many"), Field(fail_fast=True, min_length=1, max_length=MAX_BATCH)],
    Discriminator(lambda value: "many" if isinstance(value, list) else "one"),
]
"""An object, or a list of objects for a batch."""


def _text(value: object) -> object:
    if isinstance(value, int) or (
        isinstance(value, list) and all(isinstance(number, int) for number in value)
    ):
        raise PydanticCustomError(
            "token_ids",
            "token ids are not supported: send texts. With langchain's OpenAIEmbeddings, set "
            "check_embedding_ctx_length=False",
        )
    return value


Text = Annotated[str, BeforeValidator(_text)]
ModelName = Annotated[str, Field(max_length=MAX_WORD)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")
    model: ModelName | None = Field(
        None, description="One of the names that GET /v1/models lists; the first one by default."
    )


class WithOov(_Request):
    """A request that says what to do with unknown words."""

    oov: Oov = Field(
        "error",
        description="What to do with unknown words. error: compose a vector of character n-grams "
        "if the model has them, else stop with an error. skip: leave the words out. spell: take "
        "the known word with the nearest spelling. subwords: compose, or leave out.",
    )


class _Search(WithOov):
    k: K = 10
    metric: MetricName = Field("cosine", description="l2 is the Euclidean distance.")
    restrict: Restrict = None
    exclude: Annotated[list[Word], Field(fail_fast=True, max_length=MAX_LIST)] = Field(
        [], description="Words that must not be answers."
    )

    @property
    def cost(self) -> int:
        """The cost of answering in a search with others; that of a simple query is 1."""
        candidates = (self.k + len(self.exclude)) // 128
        return 1 + candidates + len(self.exclude) // 32 + (self.metric == "l2")

    @property
    def kind(self) -> Hashable:
        """Queries of the same kind share a search."""
        return self._kind("3cosadd")

    def _kind(self, method: str) -> Hashable:
        return search_kind(method, self.metric, self.k, self.restrict, self.exclude, self.oov)

    def search(
        self, text: str, weighted: tuple[tuple[str, float], ...], method: str = "3cosadd"
    ) -> SearchQuery:
        """Return a query with the options of this request."""
        return SearchQuery(
            text,
            weighted,
            self.k,
            method,
            self.metric,
            self.restrict,
            tuple(self.exclude),
            self.oov,
        )


class AnalogyRequest(_Search):
    """What is to c as a is to b? The words nearest to a - b + c."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"a": "paris", "b": "france", "c": "italy", "k": 3}}
    )
    a: Word
    b: Word
    c: Word
    method: AnalogyMethod = "3cosadd"

    @property
    def cost(self) -> int:
        """The cost of answering in a search with others; that of a simple query is 1."""
        return super().cost + (0 if self.method == "3cosadd" else _SCORING_COST)

    @property
    def kind(self) -> Hashable:
        """Queries of the same kind share a search."""
        return self._kind(self.method)

    def query(self, is_known: IsKnown) -> SearchQuery:
        """Return the weighted sum a - b + c."""
        weighted = ((self.a, 1.0), (self.b, -1.0), (self.c, 1.0))
        return self.search(f"{self.a} - {self.b} + {self.c}", weighted, self.method)


class QueryRequest(_Search):
    """The words nearest to an expression."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"expression": "king - man + woman", "k": 3}}
    )
    expression: Annotated[str, Field(max_length=MAX_EXPRESSION)]

    @property
    def cost(self) -> int:
        """The cost of answering in a search with others; that of a simple query is 1."""
        return super().cost + len(self.expression) // 64

    def query(self, is_known: IsKnown) -> SearchQuery:
        """Parse the expression; *is_known* tells whether the model has a word.

        Raises:
            ExpressionError: it cannot be parsed.
        """
        weighted = tuple((term.word, term.weight) for term in parse(self.expression, is_known))
        return self.search(self.expression, weighted)


class NeighborsRequest(_Search):
    """The words nearest to a word."""

    model_config = ConfigDict(json_schema_extra={"example": {"word": "london", "k": 3}})
    word: Word

    def query(self, is_known: IsKnown) -> SearchQuery:
        """Return the word as a sum of one term."""
        return self.search(self.word, ((self.word, 1.0),))


class DistanceRequest(WithOov):
    """The distance between each two of some words."""

    model_config = ConfigDict(json_schema_extra={"example": {"words": ["paris", "rome", "king"]}})
    words: WordList
    metric: MetricName = Field(
        "l2", description="l2 is a distance; cosine and dot are similarities."
    )


class CompareRequest(_Request):
    """The L2 distances between words in each encoding."""

    model_config = ConfigDict(json_schema_extra={"example": {"words": ["king", "queen", "ring"]}})
    words: WordList


class ProjectRequest(_Request):
    """Words to project onto a plane, and pairs of words to connect with arrows."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "words": ["paris", "france", "rome", "italy"],
                "pairs": [["france", "paris"], ["italy", "rome"]],
                "fit": "words",
            }
        }
    )
    words: WordList
    pairs: Annotated[
        list[Annotated[list[Word], Field(fail_fast=True, min_length=2, max_length=2)]],
        Field(fail_fast=True, max_length=MAX_LIST),
    ] = []
    fit: Literal["vocabulary", "words"] = Field(
        "vocabulary",
        description="The principal components of the whole vocabulary, or of these words.",
    )


class ClassifyRequest(_Request):
    """A text to classify."""

    model_config = ConfigDict(json_schema_extra={"example": {"text": "where is my parcel?"}})
    text: Annotated[str, Field(max_length=MAX_TEXT)]
    classifier: ModelName | None = Field(
        None, description="The name of a classifier; the first one by default."
    )


class EmbeddingsRequest(BaseModel):
    """The request of OpenAI's embeddings API; `user` is ignored.

    If the service has one model, `model` may be any name.
    """

    model_config = ConfigDict(
        json_schema_extra={"example": {"input": ["king", "the queen of england"], "model": "any"}}
    )
    input: Annotated[
        Annotated[str, Tag("one")]
        | Annotated[
            list[Text], Tag("many"), Field(fail_fast=True, min_length=1, max_length=MAX_TEXTS)
        ],
        Discriminator(lambda value: "many" if isinstance(value, list) else "one"),
        Field(description="A text or a list of texts; token ids are not supported."),
    ]
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Only the dimension of the model is accepted."
    )
    normalize: bool = Field(
        True, description="Scale vectors to length 1, like those of OpenAI's models."
    )
    user: str | None = None
