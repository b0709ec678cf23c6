"""Questions with the model that answers each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from embedkit.errors import EmbedkitError
from embedkit.service.worker.answers import SearchRequest, answer_batch
from embedkit.service.worker.served_model import ServedModel
from embedkit.service.worker.spelling import respelled
from embedkit.system.steps import Steps

__all__ = ["Question", "WithSpelling", "answer_questions", "respelled_searches"]


class WithSpelling(SearchRequest, Protocol):
    """A request for nearest words.

    Attributes:
        oov: what to do with unknown words.
    """

    oov: str


@dataclass(frozen=True)
class Question:
    """A question, and the model that was served when it arrived."""

    served: ServedModel
    request: SearchRequest

    @property
    def cost(self) -> int:
        """The cost of answering in a search with others."""
        return self.request.cost

    @property
    def kind(self) -> Hashable:
        """Questions of the same kind share a search."""
        return self.served.name, self.served.generation, self.request.kind


def answer_questions(questions: Sequence[Question]) -> list[bytes | EmbedkitError]:
    """Answer a batch, in which the questions may be for different models.

    Answers are written as JSON here, in the answering thread, where a thousand words do not delay
    other requests.
    """
    places: dict[ServedModel, list[int]] = {}
    for place, question in enumerate(questions):
        places.setdefault(question.served, []).append(place)
    answers: dict[int, bytes | EmbedkitError] = {}
    for served, own in places.items():
        found = answer_batch(served.vectors, [questions[place].request for place in own])
        for place, answer in zip(own, found, strict=True):
            answers[place] = answer if isinstance(answer, EmbedkitError) else orjson.dumps(answer)
    return [answers[place] for place in range(len(questions))]


def respelled_searches(
    asked: Sequence[tuple[ServedModel, WithSpelling]], check_count: Callable[[int], None]
) -> Steps[list[SearchRequest]]:
    """Replace unknown words by similar known ones in the requests that ask for it.

    Args:
        asked: requests and their models.
        check_count: called with the number of unknown words for a model; raises if too many.
    """
    requests: list[SearchRequest] = [item for _, item in asked]
    for model in {served for served, _ in asked}:
        places = [
            place
            for place, (served, item) in enumerate(asked)
            if served is model and item.oov == "spell"
        ]
        chosen = [requests[place] for place in places]
        found = yield from respelled(model.vectors, chosen, check_count)
        for place, request in zip(places, found, strict=True):
            requests[place] = request
    return requests
