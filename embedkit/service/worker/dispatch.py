"""From a request to its answer: what is batched, what is worked out aside, what takes too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from fastapi import Request, Response

from embedkit.errors import EmbedkitError, UnknownWordError
from embedkit.service.http.errors import RefusedError, describe
from embedkit.service.http.metrics import Measures
from embedkit.service.http.responses import reply
from embedkit.service.settings import Settings
from embedkit.service.worker.answers import Answer, Asked, answer
from embedkit.service.worker.batching import Batcher, Lane, too_slow
from embedkit.service.worker.model import Holder, Served

__all__ = ["Dispatcher", "items_of", "refuse_more", "unless_gone"]

_MOST_ANSWERS = 20_000  # to all questions of a batch together
_PATIENCE = 0.05  # seconds after which it is watched whether a client still waits
_GONE = 499  # nobody sees it but the counters; nginx counts such requests so as well
_MOST_SUGGESTED = 8  # unknown words of a batch that come with suggestions

Result = TypeVar("Result")


class Dispatcher:
    """What the routes share: the model, the batcher, the lane for the rest, the counters."""

    def __init__(self, settings: Settings, measures: Measures) -> None:
        self.measures = measures
        self.holder = Holder(settings.folder, settings.model.name.removesuffix(".embedkit"))
        self.lane = Lane()
        self.batcher: Batcher[Asked, Answer] = Batcher(
            lambda asked: answer(self.holder.current.vectors, asked),
            cost=lambda asked: asked.cost,
            capacity=settings.queue,
            seconds=settings.seconds,
            observe=self._observe,
        )
        self._seconds = settings.seconds

    def _observe(self, size: int) -> None:
        self.measures.batches.observe(size)
        self.measures.waiting.set(self.batcher.waiting)

    async def nearest(self, asked: Any) -> Response:
        """Answer questions whose answers are the nearest words."""
        items = items_of(asked)
        refuse_more(sum(item.k for item in items), _MOST_ANSWERS, "answers")
        results = await self.batcher.ask(items)
        return await self._reply(results, many=isinstance(asked, list))

    async def work(self, asked: Any, work: Callable[[Served, Any], dict[str, Any]]) -> Response:
        """Answer what is not batched."""
        items = items_of(asked)
        served = self.holder.current

        def all_of_them() -> list[Answer]:
            results: list[Answer] = []
            for item in items:
                try:
                    results.append(work(served, item))
                except EmbedkitError as error:
                    results.append(error)
            return results

        results = await self.run(all_of_them)
        return await self._reply(results, many=isinstance(asked, list))

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what *work* returns, from the lane and in time."""
        try:
            return await asyncio.wait_for(self.lane.run(work), self._seconds)
        except (asyncio.TimeoutError, TimeoutError):
            raise too_slow(self._seconds) from None

    async def _reply(self, results: Sequence[Answer], *, many: bool) -> Response:
        errors = [result for result in results if isinstance(result, EmbedkitError)]
        if not many and errors:
            raise errors[0]
        if errors:
            described = iter(await self.describe(errors))
            results = [
                next(described) if isinstance(one, EmbedkitError) else one for one in results
            ]
        return reply(results if many else results[0])

    async def describe(self, errors: Sequence[EmbedkitError]) -> list[dict[str, Any]]:
        """Return what is said of *errors*; suggestions are looked for where there is time."""
        suggested = 0 if self.lane.is_full else _MOST_SUGGESTED
        unknown = [error for error in errors if isinstance(error, UnknownWordError)]
        plain = {id(error) for error in unknown[suggested:]}
        kept = [
            UnknownWordError(error.word)
            if isinstance(error, UnknownWordError) and id(error) in plain
            else error
            for error in errors
        ]

        def described() -> list[dict[str, Any]]:
            return [describe(error) for error in kept]

        bodies = await self.lane.run(described) if unknown[:suggested] else described()
        for body in bodies:
            self.measures.errors.labels(body["error"]["type"]).inc()
        return bodies


def items_of(asked: Any) -> list[Any]:
    """Return what a request asks, one or many, as a list."""
    return asked if isinstance(asked, list) else [asked]


async def unless_gone(
    request: Request, handle: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    """Return the answer of *handle*, which is cancelled when the client has hung up."""
    await request.body()  # what comes after it is that nobody waits any more
    handling = asyncio.ensure_future(handle(request))
    watching: list[asyncio.Task[None]] = []

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        handling.cancel()

    # Most answers are there before it is worth a look.
    loop = asyncio.get_running_loop()
    timer = loop.call_later(_PATIENCE, lambda: watching.append(loop.create_task(watch())))
    try:
        return await handling
    except asyncio.CancelledError:
        if not (watching and watching[0].done()):
            raise  # the server ends
        return Response(status_code=_GONE)
    finally:
        timer.cancel()
        for task in watching:
            task.cancel()


def refuse_more(number: int, most: int, what: str) -> None:
    """Raise `RefusedError` if a request asks for more than it may."""
    if number > most:
        raise RefusedError(
            413,
            f"This asks for {number:,} {what}; a request has at most {most:,}.",
            "Ask in several smaller requests.",
        )
