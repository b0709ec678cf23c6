"""Routes that describe the models and the service."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import FastAPI, Query, Response

from embedkit.service import limits
from embedkit.service.api import responses
from embedkit.service.api.documentation import FAILURES, MODEL
from embedkit.service.http.json_response import JsonObject, json_response
from embedkit.service.worker.dispatch import Dispatcher
from embedkit.service.worker.execution import in_one_slice
from embedkit.service.worker.served_model import ServedModel
from embedkit.storage.config_file import architecture_of
from embedkit.system.steps import Steps

__all__ = ["add_model_routes", "add_operation"]

_STEP = 256  # words that are listed in one step
_OWNER = "embedkit"
_LIST_COST = 20.0  # in units of about ten microseconds, besides that of the words
_METRICS_COST = 400.0


def add_model_routes(app: FastAPI, service: Dispatcher) -> None:
    """Add the routes for words and models."""

    @app.get(
        "/v1/words", tags=["model"], response_model=responses.WordsResponse, responses=FAILURES
    )
    async def words(
        prefix: Annotated[str, Query(max_length=200, description="Prefix of the words.")] = "",
        start: Annotated[
            int, Query(alias="from", ge=0, le=2**31, description="Skip this number of words.")
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=limits.MAX_LISTED_WORDS)] = 10,
        model: Annotated[str | None, Query(description=MODEL)] = None,
    ) -> Response:
        """List words, most frequent first; without a prefix, in vocabulary order."""
        served = service.models.named(model)
        work = _listed(served, prefix, limit, start)
        return await service.answer(served, work, _LIST_COST + limit / 10, service.lists)

    @app.get(
        "/v1/model",
        tags=["model"],
        response_model=responses.ModelResponse,
        responses={401: FAILURES[401], 404: FAILURES[404]},
    )
    async def describe(model: Annotated[str | None, Query(description=MODEL)] = None) -> Response:
        """Describe a model."""
        served = service.models.named(model)
        return json_response(served.description, headers=served.headers)

    @app.get(
        "/v1/models",
        tags=["model"],
        response_model=responses.ModelsResponse,
        responses={401: FAILURES[401]},
    )
    async def list_models() -> Response:
        """List the models in the format of OpenAI's API; the first is the default."""
        data = [_summary(served) for served in service.models]
        return json_response({"object": "list", "data": data})

    @app.get(
        "/v1/models/{name}",
        tags=["model"],
        response_model=responses.ModelSummary,
        responses={401: FAILURES[401], 404: FAILURES[404]},
    )
    async def one_model(name: str) -> Response:
        """Return what `/v1/models` says about a model."""
        served = service.models.named(name)
        return json_response(_summary(served), headers=served.headers)


def _summary(served: ServedModel) -> JsonObject:
    return {
        "id": served.name,
        "object": "model",
        "created": served.opened,
        "owned_by": _OWNER,
        "generation": served.generation,
        "encoder": served.encoder.name,
        "architecture": architecture_of(served.vectors.config),
        "words": len(served.vectors),
        "dimension": served.vectors.dimension,
    }


def _listed(served: ServedModel, prefix: str, limit: int, start: int) -> Steps[bytes]:
    """Return the response of /v1/words."""
    vocabulary = served.vectors.vocabulary
    ids = served.vectors.complete(prefix, limit, start)
    parts: list[bytes] = []
    for first in range(0, len(ids), _STEP):
        yield
        some = ids[first : first + _STEP]
        counts = vocabulary.counts[some].tolist()
        listed = zip(vocabulary.words(some), counts, strict=True)
        parts.append(orjson.dumps([{"word": word, "count": n} for word, n in listed])[1:-1])
    return b'{"words":[%s]}' % b",".join(parts)


def add_operation(app: FastAPI, service: Dispatcher) -> None:
    """Add the routes for operating the service."""

    @app.get("/healthz", tags=["operation"], response_model=dict[str, str])
    async def healthz() -> Response:
        """Report that the process is alive."""
        return json_response({"status": "ok"})

    @app.get(
        "/readyz",
        tags=["operation"],
        response_model=dict[str, str],
        responses={429: FAILURES[429]},
    )
    async def readyz() -> Response:
        """Report whether the queues have room, for load balancers."""
        service.refuse_if_full()
        return json_response({"status": "ok"})

    @app.get(
        "/metrics",
        tags=["operation"],
        response_class=Response,
        responses={
            401: FAILURES[401],
            200: {"description": "Prometheus's text format.", "content": {"text/plain": {}}},
        },
    )
    async def metrics() -> Response:
        """Return the metrics of all workers in Prometheus's text format."""
        for served in service.models:
            service.observe_generation(served)
        text = await service.lists.run(in_one_slice(service.metrics.text), _METRICS_COST)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
