"""From questions to answers: what a batch asks of the library."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from embedkit.errors import EmbedkitError
from embedkit.vectors.search import rows_of

if TYPE_CHECKING:
    from embedkit.vectors.options import SearchKeywords
    from embedkit.vectors.scores import Neighbor
    from embedkit.vectors.search import WeightedSum
    from embedkit.vectors.word_vectors import WordVectors

__all__ = ["Answer", "Asked", "Question", "answer"]

# Questions for up to so many answers are searched for together: who wants ten words
# does not wait until a thousand are found for each.
_MOST_ANSWERS = (16, 128)

Answer: TypeAlias = "dict[str, Any] | EmbedkitError"
"""What is sent, or why there is no answer."""

_Kind: TypeAlias = "tuple[str, str, int, int | None, tuple[str, ...]]"
"""What questions that are searched for together have in common."""


class Asked(Protocol):
    """What holds a question."""

    @property
    def cost(self) -> int:
        """How many plain questions take about as long."""

    def question(self) -> Question:
        """Return what is asked.

        Raises:
            EmbedkitError: it makes no sense.
        """


@dataclass(frozen=True)
class Question:
    """The words nearest to a weighted sum of words.

    Attributes:
        text: the question as it is shown with its answer.
        weighted: words and weights.
        k: number of answers.
        method: a name of `embedkit.vectors.options.ANALOGY_METHODS`.
        metric: a name of `embedkit.index.options.METRIC_NAMES`.
        restrict: answers come from so many of the most frequent words; None for all.
        exclude: words that are no answers.
    """

    text: str
    weighted: Sequence[tuple[str, float]]
    k: int
    method: str
    metric: str
    restrict: int | None = None
    exclude: tuple[str, ...] = ()


def answer(vectors: WordVectors, asked: Sequence[Asked]) -> list[Answer]:
    """Answer a batch, with one search for all questions of a kind.

    They are read here too, in the answering thread: a long expression takes milliseconds.
    """
    answers: list[Answer] = []
    kinds: dict[_Kind, list[tuple[int, Question, WeightedSum]]] = {}
    for place, one in enumerate(asked):
        try:
            question = one.question()
            terms = vectors.terms(question.weighted)
            if question.method == "pairdirection":
                vectors.terms(question.weighted[:2])  # a pair of the same words has no direction
        except EmbedkitError as error:
            answers.append(error)
        else:
            answers.append(_head(vectors, question, terms))
            most = bisect_left(_MOST_ANSWERS, question.k)
            scope = question.restrict, question.exclude
            kind = question.method, question.metric, most, *scope
            kinds.setdefault(kind, []).append((place, question, terms))
    for kind, group in kinds.items():
        try:
            found = _search(vectors, kind, group)
        except EmbedkitError as error:  # the method does not go with the metric, or the vectors
            for place, _, _ in group:
                answers[place] = error
        else:
            for (place, question, _), neighbors in zip(group, found, strict=True):
                answers[place] = _whole(answers[place], neighbors[: question.k])
    return answers


def _search(
    vectors: WordVectors, kind: _Kind, group: Sequence[tuple[int, Question, WeightedSum]]
) -> list[list[Neighbor]]:
    method, metric, _, restrict, exclude = kind
    how: SearchKeywords = {"restrict": restrict, "exclude": exclude}
    most = max(question.k for _, question, _ in group)
    if method == "3cosadd":
        return vectors.nearest([terms for _, _, terms in group], most, metric=metric, **how)
    words = [[word for word, _ in question.weighted] for _, question, _ in group]
    return vectors.analogies(words, most, method=method, metric=metric, **how)


def _head(vectors: WordVectors, question: Question, terms: WeightedSum) -> dict[str, Any]:
    words = [vectors.vocabulary[row] for row in rows_of(terms)]
    named = [
        {"word": word, "weight": weight} for word, (_, weight) in zip(words, terms, strict=True)
    ]
    return {"question": question.text, "terms": named}


def _whole(head: Answer, neighbors: Sequence[Neighbor]) -> Answer:
    assert isinstance(head, dict)  # noqa: S101 - errors have left
    head["answers"] = [{"word": word, "score": score} for word, score in neighbors]
    return head
