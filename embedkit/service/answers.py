"""From questions to answers: what a batch asks of the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from embedkit.errors import EmbedkitError

if TYPE_CHECKING:
    from embedkit.algebra import Neighbor
    from embedkit.vectors import Terms, WordVectors

__all__ = ["Answer", "Question", "answer"]

Answer: TypeAlias = "dict[str, Any] | EmbedkitError"
"""What is sent, or why there is no answer."""


@dataclass(frozen=True)
class Question:
    """The words nearest to a weighted sum of words.

    Attributes:
        text: the question as it is shown with its answer.
        weighted: words and weights.
        k: number of answers.
        method: "3cosadd" or "3cosmul".
        metric: a name of `metrics.METRICS`.
    """

    text: str
    weighted: Sequence[tuple[str, float]]
    k: int
    method: str
    metric: str


def answer(vectors: WordVectors, questions: Sequence[Question]) -> list[Answer]:
    """Answer a batch, with one search for each metric in it."""
    answers: list[Answer] = []
    groups: dict[str, list[tuple[int, Terms]]] = {}
    for place, question in enumerate(questions):
        try:
            terms = vectors.terms(question.weighted)
            answers.append(_head(vectors, question, terms))
            if question.method == "3cosmul":
                words = [word for word, _ in question.weighted]
                found = vectors.analogies(
                    [words], question.k, method=question.method, metric=question.metric
                )
                answers[place] = _whole(answers[place], found[0])
            else:
                groups.setdefault(question.metric, []).append((place, terms))
        except EmbedkitError as error:
            answers[place:] = [error]
    for metric, group in groups.items():
        most = max(questions[place].k for place, _ in group)
        found = vectors.nearest([terms for _, terms in group], most, metric=metric)
        for (place, _), neighbors in zip(group, found, strict=True):
            answers[place] = _whole(answers[place], neighbors[: questions[place].k])
    return answers


def _head(vectors: WordVectors, question: Question, terms: Terms) -> dict[str, Any]:
    named = [{"word": vectors.vocabulary[row], "weight": weight} for row, weight in terms]
    return {"question": question.text, "terms": named}


def _whole(head: Answer, neighbors: Sequence[Neighbor]) -> Answer:
    assert isinstance(head, dict)  # noqa: S101 - errors have left
    head["answers"] = [{"word": word, "score": score} for word, score in neighbors]
    return head
