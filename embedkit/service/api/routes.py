"""The routes of the API."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Annotated, TypeVar

import numpy as np
import orjson
from fastapi import FastAPI, Header, Query, Response

from embedkit.encoders import compare_each
from embedkit.errors import EmbedkitError
from embedkit.index.metrics import unit_rows
from embedkit.service import limits
from embedkit.service.api import requests, responses
from embedkit.service.api.body import JsonBodyRoute
from embedkit.service.api.classification_routes import add_classification
from embedkit.service.api.documentation import FAILURES, MODEL, batch
from embedkit.service.api.embedding_routes import add_embeddings
from embedkit.service.api.model_routes import add_model_routes, add_operation
from embedkit.service.api.requests import OneOrMany
from embedkit.service.api.word_set_routes import add_word_sets, spelled
from embedkit.service.http.compression import accepts_gzip
from embedkit.service.http.json_response import JsonObject
from embedkit.service.worker.answers import composed_words
from embedkit.service.worker.cancellation import Handle, cancel_on_disconnect
from embedkit.service.worker.dispatch import Dispatcher, as_list, check_limit
from embedkit.service.worker.served_model import ServedModel
from embedkit.system.steps import Steps
from embedkit.vectors.projection import principal_plane

__all__ = ["add_routes"]

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
    _add_map(app, service)
    add_word_sets(app, service)
    add_embeddings(app, service)
    add_classification(app, service)
    add_model_routes(app, service)
    add_operation(app, service)


def _add_searches(app: FastAPI, service: Dispatcher) -> None:
    @app.post("/v1/analogy", tags=["search"], **batch(responses.SearchResponse))
    async def analogy(body: OneOrMany[requests.AnalogyRequest]) -> Response:
        """Return the words that are to c as a is to b."""
        _check_spelled(body)
        slow = sum(item.method != "3cosadd" for item in as_list(body))
        check_limit(slow, limits.MAX_SLOW_ANALOGIES, "analogies by 3cosmul or pairdirection")
        return await service.search(body)

    @app.post("/v1/query", tags=["search"], **batch(responses.SearchResponse))
    async def query(body: OneOrMany[requests.QueryRequest]) -> Response:
        """Return the words nearest to an expression such as `king - man + woman`."""
        _check_spelled(body)
        length = sum(len(item.expression) for item in as_list(body))
        check_limit(length, limits.MAX_EXPRESSIONS, "characters of expressions")
        return await service.search(body)

    @app.post("/v1/neighbors", tags=["search"], **batch(responses.SearchResponse))
    async def neighbors(body: OneOrMany[requests.NeighborsRequest]) -> Response:
        """Return the words nearest to a word."""
        _check_spelled(body)
        return await service.search(body)


def _add_distances(app: FastAPI, service: Dispatcher) -> None:
    @app.post("/v1/distance", tags=["distances and maps"], **batch(responses.DistanceResponse))
    async def distance(body: OneOrMany[requests.DistanceRequest]) -> Response:
        """Return the distances between all pairs of words."""
        _check_word_count(body)
        _check_spelled(body)
        return await service.compute(body, _distance, _table_cost)

    @app.post("/v1/compare", tags=["distances and maps"], **batch(responses.CompareResponse))
    async def compare_encoders(body: OneOrMany[requests.CompareRequest]) -> Response:
        """Return the L2 distances for character codes, one-hot vectors and those of the model."""
        _check_word_count(body)
        return await service.compute(body, _compare, _table_cost)

    @app.post("/v1/project", tags=["distances and maps"], **batch(responses.ProjectResponse))
    async def project(body: OneOrMany[requests.ProjectRequest]) -> Response:
        """Project words onto a plane, with arrows between pairs."""
        _check_word_count(body)
        for name in {item.model for item in as_list(body) if item.fit == "vocabulary"}:
            with contextlib.suppress(EmbedkitError):  # each item reports its errors
                await service.prepare_map(name)
        return await service.compute(body, _project, _table_cost)


def _add_map(app: FastAPI, service: Dispatcher) -> None:
    @app.get(
        "/v1/map",
        tags=["distances and maps"],
        response_class=Response,
        responses={
            **FAILURES,
            200: {
                "description": "Little-endian float32, x0 y0 x1 y1 ..., in vocabulary order.",
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            },
            304: {"description": "The map has not changed: If-None-Match contains its ETag."},
        },
    )
    async def whole_map(
        if_none_match: Annotated[str | None, Header()] = None,
        accept_encoding: Annotated[str | None, Header(include_in_schema=False)] = None,
        model: Annotated[str | None, Query(description=MODEL)] = None,
    ) -> Response:
        """Project the whole vocabulary onto the plane that `"fit": "vocabulary"` selects."""
        served = service.models.named(model)
        await service.prepare_map(model)
        places, tag = served.map
        headers = served.headers | {
            "ETag": tag,
            "Cache-Control": "private, no-cache",
            "Vary": "Accept-Encoding",
            "X-Words": str(len(served.vectors)),
        }
        if if_none_match is not None and tag in if_none_match:
            return Response(status_code=304, headers=headers)
        if accepts_gzip(accept_encoding) and len(served.compressed_map) < len(places):
            places = served.compressed_map
            headers["Content-Encoding"] = "gzip"
        return Response(places, headers=headers, media_type="application/octet-stream")


def _table_cost(
    body: requests.DistanceRequest | requests.CompareRequest | requests.ProjectRequest,
) -> float:
    """Return the cost of a table, in units of about ten microseconds."""
    words = len(body.words) + 2 * len(getattr(body, "pairs", ()))
    return 50 + 2 * words + words * words / 20


def _distance(served: ServedModel, body: requests.DistanceRequest) -> Steps[JsonObject]:
    words, oov = yield from spelled(served.vectors, body.words, body.oov)
    found = served.vectors.look_up(words, oov)
    known = [(asked, w) for asked, w in zip(body.words, words, strict=True) if found[w] is not None]
    yield
    table = served.vectors.distance([word for _, word in known], metric=body.metric)
    names = [asked for asked, _ in known]
    answer = {"words": names, "metric": body.metric, "table": table.tolist()}
    return answer | composed_words(served.vectors, [word for _, word in known], oov)


def _compare(served: ServedModel, body: requests.CompareRequest) -> Steps[JsonObject]:
    tables: JsonObject = {}
    for name, table in compare_each(body.words, served.encoder):
        tables[name] = orjson.Fragment(orjson.dumps(table, option=orjson.OPT_SERIALIZE_NUMPY))
        yield
    answer = {"words": body.words, "metric": "l2", "tables": tables}
    return answer | composed_words(served.vectors, body.words)


def _project(served: ServedModel, body: requests.ProjectRequest) -> Steps[JsonObject]:
    vectors = served.vectors
    names = [*body.words, *(word for pair in body.pairs for word in pair)]
    found = vectors.look_up(names)
    yield
    rows = unit_rows(vectors.vectors_at([p for word in names if (p := found[word]) is not None]))
    if vectors.is_sparse:  # keep only the nonzero columns
        rows = rows[:, np.unique(rows.indices)].toarray()
    plane = served.plane if body.fit == "vocabulary" else principal_plane(rows)
    yield
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
