"""The routes of the API."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import FastAPI, Header, Query, Response

from embedkit.encoders import compare
from embedkit.errors import ConfigurationError
from embedkit.features.pooling import text_vectors
from embedkit.index.metrics import unit_rows
from embedkit.service import limits
from embedkit.service.api import requests, responses
from embedkit.service.api.body import JsonBodyRoute
from embedkit.service.api.requests import OneOrMany
from embedkit.service.http.json_response import JsonObject, json_response
from embedkit.service.worker.answers import composed_words
from embedkit.service.worker.dispatch import (
    Dispatcher,
    Handle,
    as_list,
    cancel_on_disconnect,
    check_limit,
)
from embedkit.service.worker.served_model import ServedModel
from embedkit.vectors.projection import principal_plane

__all__ = ["add_routes"]

_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": responses.ErrorResponse, "description": description}
    for status, description in {
        400: "The body is not valid JSON.",
        401: "The API key is missing or wrong.",
        404: "A word is not in the vocabulary.",
        408: "The request did not arrive in time.",
        413: "The request is too large.",
        415: "The Content-Type is not application/json.",
        422: "The request is invalid.",
        429: "The queue is full; the header Retry-After has the seconds to wait.",
        503: "The answer took too long.",
    }.items()
}

WordsRequest = TypeVar(
    "WordsRequest", requests.DistanceRequest, requests.CompareRequest, requests.ProjectRequest
)


class _CancellableRoute(JsonBodyRoute):
    """A route that stops working when the client disconnects."""

    def get_route_handler(self) -> Handle:
        return partial(cancel_on_disconnect, handle=super().get_route_handler())


def add_routes(app: FastAPI, service: Dispatcher) -> None:
    """Add all routes except those of static files."""
    app.router.route_class = _CancellableRoute
    _add_searches(app, service)
    _add_distances(app, service)
    _add_embeddings(app, service)
    _add_map(app, service)
    _add_lists(app, service)
    _add_operation(app, service)


def _batch(model: Any) -> dict[str, Any]:
    """Return the OpenAPI options of a route that accepts batches."""
    return {"response_model": model | list[model | responses.ErrorResponse], "responses": _FAILURES}


def _add_searches(app: FastAPI, service: Dispatcher) -> None:
    @app.post("/v1/analogy", tags=["search"], **_batch(responses.SearchResponse))
    async def analogy(body: OneOrMany[requests.AnalogyRequest]) -> Response:
        """Return the words that are to c as a is to b."""
        _check_spelled(body)
        slow = sum(item.method != "3cosadd" for item in as_list(body))
        check_limit(slow, limits.MAX_SLOW_ANALOGIES, "analogies by 3cosmul or pairdirection")
        return await service.search(body)

    @app.post("/v1/query", tags=["search"], **_batch(responses.SearchResponse))
    async def query(body: OneOrMany[requests.QueryRequest]) -> Response:
        """Return the words nearest to an expression such as `king - man + woman`."""
        _check_spelled(body)
        length = sum(len(item.expression) for item in as_list(body))
        check_limit(length, limits.MAX_EXPRESSIONS, "characters of expressions")
        return await service.search(body)

    @app.post("/v1/neighbors", tags=["search"], **_batch(responses.SearchResponse))
    async def neighbors(body: OneOrMany[requests.NeighborsRequest]) -> Response:
        """Return the words nearest to a word."""
        _check_spelled(body)
        return await service.search(body)


def _add_distances(app: FastAPI, service: Dispatcher) -> None:
    @app.post("/v1/distance", tags=["distances and maps"], **_batch(responses.DistanceResponse))
    async def distance(body: OneOrMany[requests.DistanceRequest]) -> Response:
        """Return the distances between all pairs of words."""
        _check_word_count(body)
        _check_spelled(body)
        return await service.compute(body, _distance)

    @app.post("/v1/compare", tags=["distances and maps"], **_batch(responses.CompareResponse))
    async def compare_encoders(body: OneOrMany[requests.CompareRequest]) -> Response:
        """Return the L2 distances for character codes, one-hot vectors and those of the model."""
        _check_word_count(body)
        return await service.compute(body, _compare)

    @app.post("/v1/project", tags=["distances and maps"], **_batch(responses.ProjectResponse))
    async def project(body: OneOrMany[requests.ProjectRequest]) -> Response:
        """Project words onto a plane, with arrows between pairs."""
        _check_word_count(body)
        return await service.compute(body, _project)


def _add_map(app: FastAPI, service: Dispatcher) -> None:
    @app.get(
        "/v1/map",
        tags=["distances and maps"],
        response_class=Response,
        responses={
            **_FAILURES,
            200: {
                "description": "Little-endian float32, x0 y0 x1 y1 ..., in vocabulary order.",
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            },
            304: {"description": "The map has not changed: If-None-Match contains its ETag."},
        },
    )
    async def whole_map(if_none_match: Annotated[str | None, Header()] = None) -> Response:
        """Project the whole vocabulary onto the plane that `"fit": "vocabulary"` selects."""
        served = service.holder.current
        places, tag = await service.run(lambda: served.map)
        headers = served.headers | {
            "ETag": tag,
            "Cache-Control": "private, no-cache",
            "X-Words": str(len(served.vectors)),
        }
        if if_none_match is not None and tag in if_none_match:
            return Response(status_code=304, headers=headers)
        return Response(places, headers=headers, media_type="application/octet-stream")


def _distance(served: ServedModel, body: requests.DistanceRequest) -> JsonObject:
    table = served.vectors.distance(body.words, metric=body.metric, oov=body.oov)
    words = body.words
    if len(table) < len(words):  # some are skipped
        found = served.vectors.look_up(words, body.oov)
        words = [word for word in words if found[word] is not None]
    answer = {"words": words, "metric": body.metric, "table": table.tolist()}
    return answer | composed_words(served.vectors, words, body.oov)


def _compare(served: ServedModel, body: requests.CompareRequest) -> JsonObject:
    tables = {name: table.tolist() for name, table in compare(body.words, served.encoder).items()}
    answer = {"words": body.words, "metric": "l2", "tables": tables}
    return answer | composed_words(served.vectors, body.words)


def _project(served: ServedModel, body: requests.ProjectRequest) -> JsonObject:
    vectors = served.vectors
    names = [*body.words, *(word for pair in body.pairs for word in pair)]
    found = vectors.look_up(names)
    rows = unit_rows(vectors.vectors_at([p for word in names if (p := found[word]) is not None]))
    if vectors.is_sparse:  # keep only the nonzero columns
        rows = rows[:, np.unique(rows.indices)].toarray()
    plane = served.plane if body.fit == "vocabulary" else principal_plane(rows)
    places = plane.apply(rows).tolist()
    placed = zip(body.words, places, strict=False)
    points = [{"word": word, "x": x, "y": y} for word, (x, y) in placed]
    ends = iter(places[len(body.words) :])
    pairs = [
        {"from": start, "to": end, "x": x, "y": y, "dx": to_x - x, "dy": to_y - y}
        for (start, end), (x, y), (to_x, to_y) in zip(body.pairs, ends, ends, strict=True)
    ]
    answer = {"points": points, "pairs": pairs, "explained": plane.explained.tolist()}
    return answer | composed_words(vectors, names)


def _check_spelled(body: requests.WithOov | Sequence[requests.WithOov]) -> None:
    items = body if isinstance(body, Sequence) else [body]
    check_limit(
        sum(item.oov == "spell" for item in items), limits.MAX_SPELLED, 'questions with oov "spell"'
    )


def _check_word_count(body: WordsRequest | list[WordsRequest]) -> None:
    count = sum(len(item.words) + 2 * len(getattr(item, "pairs", ())) for item in as_list(body))
    check_limit(count, limits.MAX_WORDS, "words")


def _add_lists(app: FastAPI, service: Dispatcher) -> None:
    @app.get(
        "/v1/words", tags=["model"], response_model=responses.WordsResponse, responses=_FAILURES
    )
    async def words(
        prefix: Annotated[str, Query(max_length=200, description="Prefix of the words.")] = "",
        start: Annotated[
            int, Query(alias="from", ge=0, le=2**31, description="Skip this number of words.")
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=limits.MAX_LISTED_WORDS)] = 10,
    ) -> Response:
        """List words, most frequent first; without a prefix, in vocabulary order."""
        served = service.holder.current
        vectors = served.vectors

        def found() -> list[JsonObject]:
            ids = vectors.complete(prefix, limit, start)
            counts = vectors.vocabulary.counts[ids].tolist()
            names = vectors.vocabulary.words(ids)
            return [{"word": w, "count": n} for w, n in zip(names, counts, strict=True)]

        return json_response({"words": await service.run(found)}, headers=served.headers)

    @app.get(
        "/v1/model",
        tags=["model"],
        response_model=responses.ModelResponse,
        responses={401: _FAILURES[401]},
    )
    async def model() -> Response:
        """Describe the model."""
        served = service.holder.current
        return json_response(served.description, headers=served.headers)


def _add_embeddings(app: FastAPI, service: Dispatcher) -> None:
    @app.post(
        "/v1/embeddings",
        tags=["embeddings"],
        response_model=responses.EmbeddingsResponse,
        responses=_FAILURES,
    )
    async def embeddings(body: requests.EmbeddingsRequest) -> Response:
        """Return the vectors of texts in the format of OpenAI's API.

        The vector of a text that is not a word of the vocabulary is the mean of its words: those
        that are known, or can be composed of character n-grams.
        """
        return await service.compute(body, _embed)


def _embed(served: ServedModel, body: requests.EmbeddingsRequest) -> JsonObject:
    if body.dimensions not in (None, served.vectors.dimension):
        raise ConfigurationError(
            f"dimensions must be {served.vectors.dimension} for this model, got {body.dimensions}.",
            hint="Omit dimensions.",
        )
    texts = as_list(body.input)
    table, counts = text_vectors(served.vectors, texts)
    if body.encoding_format == "base64":
        vectors = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in table]
    else:
        vectors = table.tolist()
    data = [
        {"object": "embedding", "index": number, "embedding": vector}
        for number, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": int(counts.sum()), "total_tokens": int(counts.sum())}
    return {"object": "list", "data": data, "model": served.name, "usage": usage}


def _add_operation(app: FastAPI, service: Dispatcher) -> None:
    @app.get("/healthz", tags=["operation"], response_model=dict[str, str])
    async def healthz() -> Response:
        """Report that the process is alive."""
        return json_response({"status": "ok"})

    @app.get(
        "/readyz",
        tags=["operation"],
        response_model=dict[str, str],
        responses={429: _FAILURES[429]},
    )
    async def readyz() -> Response:
        """Report whether the queue has room, for load balancers."""
        service.batcher.refuse_if_full()
        return json_response({"status": "ok"})

    @app.get(
        "/metrics",
        tags=["operation"],
        response_class=Response,
        responses={
            401: _FAILURES[401],
            200: {"description": "Prometheus's text format.", "content": {"text/plain": {}}},
        },
    )
    async def metrics() -> Response:
        """Return the metrics of all workers in Prometheus's text format."""
        service.metrics.generation.set(service.holder.current.generation)
        text = await service.run(service.metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
