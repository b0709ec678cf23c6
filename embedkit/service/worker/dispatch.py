"""Answers requests: searches in batches, other work in one thread, both with a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias, TypeVar

from fastapi import Request, Response

from embedkit.errors import EmbedkitError, UnknownWordError
from embedkit.service.http.errors import (
    SMALLER_REQUESTS,
    ErrorBody,
    RefusedError,
    describe,
    status_of,
)
from embedkit.service.http.json_response import JsonObject, json_response
from embedkit.service.http.metrics import ServiceMetrics
from embedkit.service.limits import MAX_ANSWERS, MAX_SUGGESTED
from embedkit.service.settings import ServiceSettings
from embedkit.service.worker.answers import Answer, SearchRequest, answer_batch
from embedkit.service.worker.batching import Batcher, BatchLimits, BoundedExecutor, too_slow
from embedkit.service.worker.served_model import ModelHolder, ServedModel

__all__ = ["Dispatcher", "Handle", "as_list", "cancel_on_disconnect", "check_limit"]

_WATCH_DELAY = 0.05  # seconds; a request that takes longer is cancelled if its client disconnects
_CLIENT_CLOSED_REQUEST = 499  # nginx's status for a disconnected client; appears only in metrics

Item = TypeVar("Item")
Search = TypeVar("Search", bound=SearchRequest)
Result = TypeVar("Result")

_Question: TypeAlias = "tuple[ServedModel, SearchRequest]"
"""A question and the model that answers it: the one that was served when the request arrived."""

Handle: TypeAlias = "Callable[[Request], Coroutine[Any, Any, Response]]"
"""A function that returns the response to a request; FastAPI's route handlers have this type."""


class Dispatcher:
    """What the routes share: the model, the batcher, a thread for other work, and the metrics."""

    def __init__(self, settings: ServiceSettings, metrics: ServiceMetrics) -> None:
        self.metrics = metrics
        self.holder = ModelHolder(settings.folder, settings.model.name.removesuffix(".embedkit"))
        self.executor = BoundedExecutor()
        self.batcher: Batcher[_Question, Answer] = Batcher(
            _answer_questions,
            BatchLimits(settings.queue, settings.timeout),
            cost=lambda question: question[1].cost,
            observe=self._observe,
        )
        self._timeout = settings.timeout

    def _observe(self, size: int) -> None:
        self.metrics.batches.observe(size)
        self.metrics.waiting.set(self.batcher.waiting)

    async def search(self, body: Search | list[Search]) -> Response:
        """Answer one or more requests for nearest words, batched with those of other clients."""
        items = as_list(body)
        check_limit(sum(item.k for item in items), MAX_ANSWERS, "answers")
        served = self.holder.current
        results = await self.batcher.ask([(served, item) for item in items])
        return await self._reply(served, results, many=isinstance(body, list))

    async def compute(
        self, body: Item | list[Item], work: Callable[[ServedModel, Item], JsonObject]
    ) -> Response:
        """Answer one or more other requests, each with *work*."""
        items = as_list(body)
        served = self.holder.current

        def answer_all() -> list[Answer]:
            results: list[Answer] = []
            for item in items:
                try:
                    results.append(work(served, item))
                except EmbedkitError as error:
                    results.append(error)
            return results

        results = await self.run(answer_all)
        return await self._reply(served, results, many=isinstance(body, list))

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run *work* in the thread for other work, with the time limit, and return its result."""
        try:
            return await asyncio.wait_for(self.executor.run(work), self._timeout)
        except (asyncio.TimeoutError, TimeoutError):
            raise too_slow(self._timeout) from None

    async def _reply(
        self, served: ServedModel, results: Sequence[Answer], *, many: bool
    ) -> Response:
        errors = [result for result in results if isinstance(result, EmbedkitError)]
        described = iter(await self.describe(errors) if errors else ())
        bodies = [
            next(described) if isinstance(result, EmbedkitError) else result for result in results
        ]
        headers = served.headers
        if many:
            return json_response(bodies, headers=headers)
        return json_response(bodies[0], status_of(errors[0]) if errors else 200, headers)

    async def describe(self, errors: Sequence[EmbedkitError]) -> list[ErrorBody]:
        """Return the bodies for *errors*, with suggestions for the first few unknown words.

        If the queue for other work is full, there are no suggestions.
        """
        suggested = 0 if self.executor.is_full else MAX_SUGGESTED
        unknown = [error for error in errors if isinstance(error, UnknownWordError)]
        plain = {id(error) for error in unknown[suggested:]}
        kept = [
            UnknownWordError(error.word, has_ngrams=error.has_ngrams)
            if isinstance(error, UnknownWordError) and id(error) in plain
            else error
            for error in errors
        ]

        def described() -> list[ErrorBody]:
            return [describe(error) for error in kept]

        bodies = await self.executor.run(described) if unknown[:suggested] else described()
        for body in bodies:
            self.metrics.errors.labels(body["error"]["type"]).inc()
        return bodies


def _answer_questions(questions: Sequence[_Question]) -> list[Answer]:
    """Answer a batch, in which the questions may be for different models."""
    places: dict[ServedModel, list[int]] = {}
    for place, (served, _) in enumerate(questions):
        places.setdefault(served, []).append(place)
    answers: dict[int, Answer] = {}
    for served, own in places.items():
        found = answer_batch(served.vectors, [questions[place][1] for place in own])
        answers.update(zip(own, found, strict=True))
    return [answers[place] for place in range(len(questions))]


def as_list(value: Item | list[Item]) -> list[Item]:
    """Return *value* if it is a list, else a list of it."""
    return value if isinstance(value, list) else [value]


async def cancel_on_disconnect(request: Request, handle: Handle) -> Response:
    """Return the response of *handle*; cancel it if the client disconnects."""
    await request.body()  # the next message is the disconnect
    handling = asyncio.ensure_future(handle(request))
    watching: list[asyncio.Task[None]] = []

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        handling.cancel()

    # Most requests are answered so soon that watching would only cost time.
    loop = asyncio.get_running_loop()
    timer = loop.call_later(_WATCH_DELAY, lambda: watching.append(loop.create_task(watch())))
    try:
        return await handling
    except asyncio.CancelledError:
        if not (watching and watching[0].done()):
            raise  # the server is shutting down
        return Response(status_code=_CLIENT_CLOSED_REQUEST)
    finally:
        timer.cancel()
        for task in watching:
            task.cancel()


def check_limit(number: int, limit: int, what: str) -> None:
    """Raise `RefusedError` if a request exceeds a limit."""
    if number > limit:
        raise RefusedError(
            413, f"A request may have at most {limit:,} {what}, got {number:,}.", SMALLER_REQUESTS
        )
