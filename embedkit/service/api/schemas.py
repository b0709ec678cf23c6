"""What is asked and what is answered, as pydantic models; the OpenAPI document is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from embedkit.service.worker.answers import Question
from embedkit.vectors.expressions import parse

__all__ = [
    "LARGEST_BATCH",
    "LONGEST_LIST",
    "Analogy",
    "Answers",
    "Compare",
    "Description",
    "Distance",
    "Embedded",
    "Embeddings",
    "Failure",
    "Neighbors",
    "OneOrMany",
    "Project",
    "Projected",
    "Query",
    "Table",
    "Tables",
    "Words",
]

LARGEST_BATCH = 256
_MOST_ANSWERS = 1_000
_LONGEST_TABLE = 100
LONGEST_LIST = 10_000
_MOST_TEXTS = 2_048
_LONGEST_EXPRESSION = 1_000

Word = Annotated[str, Field(min_length=1, max_length=200)]
Words_ = Annotated[list[Word], Field(min_length=1, max_length=_LONGEST_TABLE)]
K = Annotated[
    int,
    # 10.0 is a whole number in JSON, "10" and true are not.
    BeforeValidator(lambda k: int(k) if isinstance(k, float) and k.is_integer() else k),
    Field(ge=1, le=_MOST_ANSWERS, strict=True, description="Number of answers."),
]
MetricName = Literal["cosine", "l2", "dot"]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Nearest(_Asked):
    k: K = 10
    metric: MetricName = Field("cosine", description="l2 is the Euclidean distance.")
    restrict: Annotated[int, Field(ge=1, le=2**31, strict=True)] | None = Field(
        None, description="Answers come from so many of the most frequent words."
    )
    exclude: Annotated[list[Word], Field(max_length=_LONGEST_TABLE)] = Field(
        [], description="Words that are no answers."
    )

    @property
    def cost(self) -> int:
        """How many plain questions take about as long."""
        return 1 + self.k // 128

    @property
    def scope(self) -> tuple[int | None, tuple[str, ...]]:
        """Which words may answer."""
        return self.restrict, tuple(self.exclude)


class Analogy(_Nearest):
    """What is to c as a is to b? The words nearest to a - b + c."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"a": "paris", "b": "france", "c": "italy", "k": 3}}
    )
    a: Word
    b: Word
    c: Word
    method: Literal["3cosadd", "3cosmul", "pairdirection"] = "3cosadd"

    @property
    def cost(self) -> int:
        """How many plain questions take about as long."""
        return super().cost + (8 if self.method != "3cosadd" else 0)

    def question(self) -> Question:
        """Return what is asked."""
        text = f"{self.a} - {self.b} + {self.c}"
        weighted = ((self.a, 1.0), (self.b, -1.0), (self.c, 1.0))
        return Question(text, weighted, self.k, self.method, self.metric, *self.scope)


class Query(_Nearest):
    """The words nearest to an expression."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"expression": "king - man + woman", "k": 3}}
    )
    expression: Annotated[str, Field(max_length=_LONGEST_EXPRESSION)]

    @property
    def cost(self) -> int:
        """How many plain questions take about as long."""
        return super().cost + len(self.expression) // 64

    def question(self) -> Question:
        """Return what is asked.

        Raises:
            ExpressionError: the expression does not parse.
        """
        weighted = tuple((term.word, term.weight) for term in parse(self.expression))
        return Question(self.expression, weighted, self.k, "3cosadd", self.metric, *self.scope)


class Neighbors(_Nearest):
    """The words nearest to a word."""

    model_config = ConfigDict(json_schema_extra={"example": {"word": "london", "k": 3}})
    word: Word

    def question(self) -> Question:
        """Return what is asked."""
        weighted = ((self.word, 1.0),)
        return Question(self.word, weighted, self.k, "3cosadd", self.metric, *self.scope)


class Distance(_Asked):
    """The distance of every word from every other."""

    model_config = ConfigDict(json_schema_extra={"example": {"words": ["paris", "rome", "king"]}})
    words: Words_
    metric: MetricName = Field("l2", description="A distance, or one of two similarities.")


class Compare(_Asked):
    """The L2 distances between words as each encoder sees them."""

    model_config = ConfigDict(json_schema_extra={"example": {"words": ["king", "queen", "ring"]}})
    words: Words_


class Project(_Asked):
    """Words on a plane, and the arrows of pairs."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "words": ["paris", "france", "rome", "italy"],
                "pairs": [["france", "paris"], ["italy", "rome"]],
                "fit": "words",
            }
        }
    )
    words: Words_
    pairs: Annotated[
        list[Annotated[list[Word], Field(min_length=2, max_length=2)]],
        Field(max_length=_LONGEST_TABLE),
    ] = []
    fit: Literal["vocabulary", "words"] = Field(
        "vocabulary", description="The axes of the map, or those that suit these words best."
    )


class Embeddings(BaseModel):
    """OpenAI's request for embeddings; `model` and `user` may be anything."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"input": ["king", "the queen of england"], "model": "any"}}
    )
    input: Annotated[
        Annotated[str, Tag("one")]
        | Annotated[list[str], Tag("many"), Field(min_length=1, max_length=_MOST_TEXTS)],
        Discriminator(lambda value: "many" if isinstance(value, list) else "one"),
        Field(description="A text or a list of texts; token numbers are not understood."),
    ]
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = Field(
        None, description="The vectors of a model have one length; any other is refused."
    )
    user: str | None = None


class Mistake(BaseModel):
    """What went wrong; some types bring more along."""

    model_config = ConfigDict(extra="allow")
    type: str
    message: str
    hint: str
    word: str | None = Field(None, description="unknown_word: which.")
    suggestions: list[str] | None = Field(None, description="unknown_word: spelled nearly so.")
    column: int | None = Field(None, description="bad_expression: where, from 1.")
    expression: str | None = Field(None, description="bad_expression: as it was given.")


class Failure(BaseModel):
    """The one shape of errors."""

    error: Mistake


class WeightedWord(BaseModel):
    """A word of the vocabulary and its weight in the question."""

    word: str
    weight: float


class ScoredWord(BaseModel):
    """A similarity, or with the metric l2 a distance."""

    word: str
    score: float


class Answers(BaseModel):
    """A question and the words nearest to it, the best first."""

    question: str
    terms: list[WeightedWord]
    answers: list[ScoredWord]


class Table(BaseModel):
    """Distances; the table has a row and a column for each word."""

    words: list[str]
    metric: MetricName
    table: list[list[float]]


class Tables(BaseModel):
    """L2 distances by encoder; skipgram is missing where the model holds none."""

    words: list[str]
    metric: Literal["l2"]
    tables: dict[str, list[list[float]]]


class Point(BaseModel):
    """A word on the plane."""

    word: str
    x: float
    y: float


class Arrow(BaseModel):
    """From one word to another: where it begins, and how far it goes."""

    model_config = ConfigDict(populate_by_name=True)
    from_: str = Field(alias="from")
    to: str
    x: float
    y: float
    dx: float
    dy: float


class Projected(BaseModel):
    """Places on the plane, and the share of all variance along each of its axes."""

    points: list[Point]
    pairs: list[Arrow]
    explained: Annotated[list[float], Field(min_length=2, max_length=2)]


class CountedWord(BaseModel):
    """A word and how often the text has it; 0 where that is not known."""

    word: str
    count: int


class Words(BaseModel):
    """Known words, the most frequent first."""

    words: list[CountedWord]


class Description(BaseModel):
    """What is known of the model; `generation` counts the models that were served, from 1."""

    name: str
    encoder: str
    words: int
    dimension: int
    format: int
    settings: dict[str, Any]
    training: dict[str, Any]
    generation: int
    examples: list[str]


class Embedding(BaseModel):
    """A vector: numbers, or the base64 of little-endian float32."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class Usage(BaseModel):
    """How many words were read."""

    prompt_tokens: int
    total_tokens: int


class Embedded(BaseModel):
    """OpenAI's answer."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: Usage


One = TypeVar("One", bound=BaseModel)
OneOrMany: TypeAlias = Annotated[
    Annotated[One, Tag("one")]
    | Annotated[list[One], Tag("many"), Field(min_length=1, max_length=LARGEST_BATCH)],
    Discriminator(lambda value: "many" if isinstance(value, list) else "one"),
]
"""An object, or a list of them for a batch."""
