"""Answers requests: searches in batches, other work in slices, both with a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import orjson
from starlette.responses import Response

from embedkit.errors import EmbedkitError, UnknownWordError
from embedkit.service.http.errors import (
    SMALLER_REQUESTS,
    ErrorBody,
    RefusedError,
    describe,
    status_of,
)
from embedkit.service.http.json_response import BatchResponse, JsonObject, json_response
from embedkit.service.http.metrics import ServiceMetrics
from embedkit.service.limits import (
    MAX_ANSWERS,
    MAX_SPELLED_WORDS,
    MAX_SUGGESTED,
    SUGGESTION_SECONDS,
)
from embedkit.service.settings import ServiceSettings
from embedkit.service.worker.answers import SearchRequest
from embedkit.service.worker.batching import Batcher, BatchLimits
from embedkit.service.worker.classifiers import Classifiers
from embedkit.service.worker.execution import FairExecutor
from embedkit.service.worker.models import ServedModels
from embedkit.service.worker.questions import (
    Question,
    WithSpelling,
    answer_questions,
    respelled_searches,
)
from embedkit.service.worker.refusals import overloaded
from embedkit.service.worker.served_model import ServedModel
from embedkit.service.worker.spelling import suggestions
from embedkit.system.steps import Steps

__all__ = [
    "Dispatcher",
    "ForModel",
    "as_list",
    "check_limit",
    "limit_spelled",
]

_SLOW = 4_000  # cost of comparing a word with the whole vocabulary; see `FairExecutor.run`


class ForModel(Protocol):
    """A request for a model."""

    @property
    def model(self) -> str | None:
        """The name of the model; None for the default model."""


class ModelSearch(WithSpelling, ForModel, Protocol):
    """A request for nearest words."""


Item = TypeVar("Item")
Asked = TypeVar("Asked", bound=ForModel)
Search = TypeVar("Search", bound=ModelSearch)
Result = TypeVar("Result")


class Dispatcher:
    """What the routes share: the models, the batcher, threads for other work, and the metrics.

    Attributes:
        models: the models.
        classifiers: the text classifiers.
        metrics: the metrics.
        batcher: answers searches.
        executor: does other work, in steps of about a millisecond.
        scans: does work whose steps take several milliseconds, such as scans of all vectors.
        lists: answers requests that take milliseconds, such as for known words, which therefore
            never wait for other work.
    """

    def __init__(self, settings: ServiceSettings, metrics: ServiceMetrics) -> None:
        self.metrics = metrics
        self.models = ServedModels(settings.folder, [*settings.models])
        self.classifiers = Classifiers(settings.classifiers)
        self.executor = FairExecutor("working", settings.timeout)
        self.scans = FairExecutor("scanning", settings.timeout)
        self.lists = FairExecutor("listing", settings.timeout)
        self._preparing = asyncio.Lock()
        self.batcher: Batcher[Question, bytes | EmbedkitError] = Batcher(
            answer_questions, BatchLimits(settings.queue, settings.timeout), observe=self._observe
        )

    def _observe(self, size: int) -> None:
        self.metrics.batches.observe(size)
        self.metrics.waiting.set(self.batcher.waiting)

    def observe_generation(self, served: ServedModel) -> None:
        """Record the generation of a model in the metrics."""
        self.metrics.generation.labels(served.name).set(served.generation)

    def refuse_if_full(self) -> None:
        """Raise `RefusedError` if a queue is full, so that most requests would be refused."""
        if self.batcher.is_full or self.executor.is_full:
            raise overloaded()

    async def search(self, body: Search | list[Search]) -> Response:
        """Answer one or more requests for nearest words, batched with those of other clients."""
        items = as_list(body)
        check_limit(sum(item.k for item in items), MAX_ANSWERS, "answers")
        asked = [(self._model(item), item) for item in items]
        known = [(served, item) for served, item in asked if isinstance(served, ServedModel)]
        requests: list[SearchRequest] = [item for _, item in known]
        if any(item.oov == "spell" for _, item in known):
            requests = await self.executor.run(respelled_searches(known, limit_spelled), _SLOW)
        questions = [
            Question(served, request) for (served, _), request in zip(known, requests, strict=True)
        ]
        found = iter(await self.batcher.ask(questions) if questions else ())
        answers = [
            (served, next(found) if isinstance(served, ServedModel) else served)
            for served, _ in asked
        ]
        described = iter(await self._describe_all(answers))
        bodies = [
            next(described) if isinstance(answer, EmbedkitError) else answer
            for _, answer in answers
        ]
        errors = [answer for _, answer in answers if isinstance(answer, EmbedkitError)]
        status = status_of(errors[0]) if errors else 200
        return _reply(bodies, status, [model for model, _ in asked], many=isinstance(body, list))

    def _model(self, item: ForModel) -> ServedModel | RefusedError:
        """Return the model that a request names, or why there is none."""
        try:
            return self.models.named(item.model)
        except RefusedError as error:
            return error

    async def compute(
        self,
        body: Asked | list[Asked],
        work: Callable[[ServedModel, Asked], Steps[JsonObject]],
        cost: Callable[[Asked], float],
        executor: FairExecutor | None = None,
    ) -> Response:
        """Answer one or more other requests, each with *work*, by default in `executor`."""
        items = as_list(body)
        asked = [(self._model(item), item) for item in items]

        def answer_all() -> Steps[tuple[list[object], int]]:
            bodies: list[object] = []
            status = 200
            suggested = 0
            for served, item in asked:
                try:
                    if isinstance(served, RefusedError):
                        raise served
                    # Large tables are written here, where they do not delay other requests.
                    answer = yield from work(served, item)
                    bodies.append(orjson.dumps(answer))
                except EmbedkitError as error:
                    status = status_of(error)
                    suggested += isinstance(error, UnknownWordError)
                    bodies.append(
                        (
                            yield from self._described(
                                served, error, is_suggested=suggested <= MAX_SUGGESTED
                            )
                        )
                    )
                yield
            return bodies, status

        chosen = executor or self.executor
        bodies, status = await chosen.run(answer_all(), sum(map(cost, items)))
        return _reply(bodies, status, [model for model, _ in asked], many=isinstance(body, list))

    async def answer(
        self,
        served: ServedModel,
        work: Steps[bytes],
        cost: float,
        executor: FairExecutor | None = None,
    ) -> Response:
        """Return the response whose body, JSON, is the result of *work* with a model."""

        def answer() -> Steps[tuple[bytes, int]]:
            try:
                return (yield from work), 200
            except EmbedkitError as error:
                body = yield from self._described(served, error, is_suggested=True)
                return orjson.dumps(body), status_of(error)

        body, status = await (executor or self.executor).run(answer(), cost)
        return Response(body, status, served.headers, "application/json")

    async def prepare_map(self, name: str | None) -> None:
        """Compute the map of a model, once, in a thread of its own because it may take seconds.

        Raises:
            ConfigurationError: the vectors are one-hot.
        """
        served = self.models.named(name)
        async with self._preparing:
            if not served.has_map:
                await asyncio.to_thread(lambda: served.compressed_map)

    async def _describe_all(
        self, answers: Sequence[tuple[ServedModel | RefusedError, bytes | EmbedkitError]]
    ) -> list[ErrorBody]:
        """Return the bodies for the errors among *answers*.

        The first few unknown words get suggestions, unless the queue for other work is full.
        """
        errors = [(m, answer) for m, answer in answers if isinstance(answer, EmbedkitError)]
        unknown = [error for _, error in errors if isinstance(error, UnknownWordError)]
        kept = {id(error) for error in unknown[: 0 if self.executor.is_full else MAX_SUGGESTED]}

        def described() -> Steps[list[ErrorBody]]:
            bodies = []
            for served, error in errors:
                bodies.append(
                    (yield from self._described(served, error, is_suggested=id(error) in kept))
                )
            return bodies

        if not kept:
            return [self._counted(describe(_plain(error))) for _, error in errors]
        return await self.executor.run(described(), _SLOW * len(kept))

    def _described(
        self,
        served: ServedModel | RefusedError,
        error: EmbedkitError,
        *,
        is_suggested: bool,
    ) -> Steps[ErrorBody]:
        """Return the body for an error, with suggestions if it is for an unknown word."""
        if isinstance(error, UnknownWordError):
            found: list[str] = []
            if is_suggested and isinstance(served, ServedModel):
                found = yield from suggestions(
                    served.vectors.vocabulary, error.word, SUGGESTION_SECONDS
                )
            error = _plain(error, found)
        return self._counted(describe(error))

    def _counted(self, body: ErrorBody) -> ErrorBody:
        self.metrics.errors.labels(body["error"]["type"]).inc()
        return body


def _plain(error: EmbedkitError, suggested: Sequence[str] = ()) -> EmbedkitError:
    """Return an error for an unknown word with given suggestions; other errors as they are."""
    if not isinstance(error, UnknownWordError):
        return error
    return UnknownWordError(
        error.word, suggested, error.place, error.advice, has_ngrams=error.has_ngrams
    )


def _reply(
    bodies: Sequence[object],
    status: int,
    models: Sequence[ServedModel | RefusedError],
    *,
    many: bool,
) -> Response:
    """Return the response to one request, with *status*, or to a batch for *models*."""
    served = {model for model in models if isinstance(model, ServedModel)}
    headers = next(iter(served)).headers if len(served) == 1 else {}
    if many:
        return BatchResponse(bodies, headers)
    return json_response(bodies[0], status, headers)


def as_list(value: Item | list[Item]) -> list[Item]:
    """Return *value* if it is a list, else a list of it."""
    return value if isinstance(value, list) else [value]


def limit_spelled(words: int) -> None:
    """Raise `RefusedError` if so many unknown words cannot be compared with the vocabulary."""
    check_limit(words, MAX_SPELLED_WORDS, 'unknown words with oov "spell"')


def check_limit(number: int, limit: int, what: str) -> None:
    """Raise `RefusedError` if a request exceeds a limit."""
    if number > limit:
        raise RefusedError(
            413, f"A request may have at most {limit:,} {what}, got {number:,}.", SMALLER_REQUESTS
        )
