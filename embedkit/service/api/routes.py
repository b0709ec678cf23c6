"""The routes: what is asked where, and how it is answered."""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Header, Query, Request, Response

from embedkit.encoders import compare
from embedkit.errors import ConfigurationError
from embedkit.features.pooling import text_vectors
from embedkit.service.api import schemas
from embedkit.service.api.body import QuestionRoute
from embedkit.service.api.schemas import LONGEST_LIST, OneOrMany
from embedkit.service.http.responses import reply
from embedkit.service.worker.dispatch import Dispatcher, items_of, refuse_more, unless_gone
from embedkit.service.worker.model import Served
from embedkit.vectors.projection import principal_plane

__all__ = ["add_routes"]

# Of a batch together:
_MOST_WORDS = 1_000  # in tables and on planes
_MOST_PRODUCTS = 64
_LONGEST_EXPRESSIONS = 16_000
_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.Failure, "description": description}
    for status, description in {
        400: "The body cannot be read.",
        401: "The key is missing or wrong.",
        404: "A word is not known.",
        408: "The request did not arrive in time.",
        413: "Too much is asked at a time.",
        415: "The body is not declared to be JSON.",
        422: "What is asked makes no sense.",
        429: "Too much is waiting; Retry-After tells for how long to stay away.",
        503: "The answer would take too long.",
    }.items()
}


class _WatchedRoute(QuestionRoute):
    """A route that works for nobody who has hung up."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return partial(unless_gone, handle=super().get_route_handler())


def add_routes(app: FastAPI, service: Dispatcher) -> None:
    """Add all routes but those of files."""
    app.router.route_class = _WatchedRoute
    _add_questions(app, service)
    _add_looks(app, service)
    _add_embeddings(app, service)
    _add_map(app, service)
    _add_lists(app, service)
    _add_operation(app, service)


def _many(model: Any) -> dict[str, Any]:
    """Return how a route that takes batches is described."""
    return {"response_model": model | list[model | schemas.Failure], "responses": _FAILURES}


def _add_questions(app: FastAPI, service: Dispatcher) -> None:
    @app.post("/v1/analogy", tags=["questions"], **_many(schemas.Answers))
    async def analogy(asked: OneOrMany[schemas.Analogy]) -> Response:
        """Say what is to c as a is to b."""
        products = sum(one.method != "3cosadd" for one in items_of(asked))
        refuse_more(products, _MOST_PRODUCTS, "answers by 3cosmul or pairdirection")
        return await service.nearest(asked)

    @app.post("/v1/query", tags=["questions"], **_many(schemas.Answers))
    async def query(asked: OneOrMany[schemas.Query]) -> Response:
        """Answer an expression such as `king - man + woman`."""
        length = sum(len(one.expression) for one in items_of(asked))
        refuse_more(length, _LONGEST_EXPRESSIONS, "characters of expressions")
        return await service.nearest(asked)

    @app.post("/v1/neighbors", tags=["questions"], **_many(schemas.Answers))
    async def neighbors(asked: OneOrMany[schemas.Neighbors]) -> Response:
        """Show the words nearest to a word."""
        return await service.nearest(asked)


def _add_looks(app: FastAPI, service: Dispatcher) -> None:
    @app.post("/v1/distance", tags=["looks"], **_many(schemas.Table))
    async def distance(asked: OneOrMany[schemas.Distance]) -> Response:
        """Show the distance of every word from every other."""
        _refuse_many_words(asked)
        return await service.work(asked, _distance)

    @app.post("/v1/compare", tags=["looks"], **_many(schemas.Tables))
    async def compare_encoders(asked: OneOrMany[schemas.Compare]) -> Response:
        """Show the L2 distances as character codes, one-hot and skip-gram see them."""
        _refuse_many_words(asked)
        return await service.work(asked, _compare)

    @app.post("/v1/project", tags=["looks"], **_many(schemas.Projected))
    async def project(asked: OneOrMany[schemas.Project]) -> Response:
        """Put words on a plane, and the arrows from one to another."""
        _refuse_many_words(asked)
        return await service.work(asked, _project)


def _add_map(app: FastAPI, service: Dispatcher) -> None:
    @app.get(
        "/v1/map",
        tags=["looks"],
        response_class=Response,
        responses={
            **_FAILURES,
            200: {
                "description": "Little-endian float32, x0 y0 x1 y1 ..., in the vocabulary's order.",
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            },
            304: {"description": "The map is the one that If-None-Match names."},
        },
    )
    async def whole_map(if_none_match: Annotated[str | None, Header()] = None) -> Response:
        """Put the whole vocabulary on the plane of `"fit": "vocabulary"`."""
        served = service.holder.current
        places, tag = await service.run(lambda: served.map)
        headers = {
            "ETag": tag,
            "Cache-Control": "private, no-cache",
            "X-Words": str(len(served.vectors)),
        }
        if if_none_match is not None and tag in if_none_match:
            return Response(status_code=304, headers=headers)
        return Response(places, headers=headers, media_type="application/octet-stream")


def _distance(served: Served, asked: schemas.Distance) -> dict[str, Any]:
    table = served.vectors.distance(asked.words, metric=asked.metric)
    return {"words": asked.words, "metric": asked.metric, "table": table.tolist()}


def _compare(served: Served, asked: schemas.Compare) -> dict[str, Any]:
    tables = compare(asked.words, served.encoder)
    named = {name: table.tolist() for name, table in tables.items()}
    return {"words": asked.words, "metric": "l2", "tables": named}


def _project(served: Served, asked: schemas.Project) -> dict[str, Any]:
    vectors = served.vectors
    names = [*asked.words, *(word for pair in asked.pairs for word in pair)]
    rows = vectors.units[[vectors.row(word) for word in names]]
    if vectors.is_sparse:  # only columns that are not 0 matter
        rows = rows[:, np.unique(rows.indices)].toarray()
    plane = served.plane if asked.fit == "vocabulary" else principal_plane(rows)
    places = plane.apply(rows).tolist()
    points = [
        {"word": word, "x": x, "y": y} for word, (x, y) in zip(asked.words, places, strict=False)
    ]
    ends = iter(places[len(asked.words) :])
    pairs = []
    for (start, end), (x, y), (to_x, to_y) in zip(asked.pairs, ends, ends, strict=True):
        arrow = {"x": x, "y": y, "dx": to_x - x, "dy": to_y - y}
        pairs.append({"from": start, "to": end, **arrow})
    return {"points": points, "pairs": pairs, "explained": plane.explained.tolist()}


def _refuse_many_words(asked: Any) -> None:
    number = sum(len(one.words) + 2 * len(getattr(one, "pairs", ())) for one in items_of(asked))
    refuse_more(number, _MOST_WORDS, "words")


def _add_lists(app: FastAPI, service: Dispatcher) -> None:
    @app.get("/v1/words", tags=["the model"], response_model=schemas.Words, responses=_FAILURES)
    async def words(
        prefix: Annotated[
            str, Query(max_length=200, description="What the words begin with.")
        ] = "",
        start: Annotated[
            int, Query(alias="from", ge=0, le=2**31, description="Leave out the first so many.")
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_LIST)] = 10,
    ) -> Response:
        """List words, the most frequent first; without a prefix, in the vocabulary's order."""
        vectors = service.holder.current.vectors

        def found() -> list[dict[str, Any]]:
            ids = vectors.complete(prefix, limit, start)
            counts = vectors.vocabulary.counts[ids].tolist()
            names = vectors.vocabulary.words(ids)
            return [{"word": w, "count": n} for w, n in zip(names, counts, strict=True)]

        return reply({"words": await service.run(found)})

    @app.get(
        "/v1/model",
        tags=["the model"],
        response_model=schemas.Description,
        responses={401: _FAILURES[401]},
    )
    async def model() -> Response:
        """Describe the model."""
        return reply(service.holder.current.description)


def _add_embeddings(app: FastAPI, service: Dispatcher) -> None:
    @app.post(
        "/v1/embeddings", tags=["embeddings"], response_model=schemas.Embedded, responses=_FAILURES
    )
    async def embeddings(asked: schemas.Embeddings) -> Response:
        """Give the vectors of texts, as OpenAI's clients ask for them.

        A text that is no word of the vocabulary has the mean of the vectors of its known words.
        """
        return await service.work(asked, _embed)


def _embed(served: Served, asked: schemas.Embeddings) -> dict[str, Any]:
    if asked.dimensions not in (None, served.vectors.dimension):
        raise ConfigurationError(
            f"the vectors of this model have {served.vectors.dimension} dimensions, not "
            f"{asked.dimensions}.",
            hint="Leave out dimensions.",
        )
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    table, counts = text_vectors(served.vectors, texts)
    if asked.encoding_format == "base64":
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
        """Say that the process is alive."""
        return reply({"status": "ok"})

    @app.get(
        "/readyz",
        tags=["operation"],
        response_model=dict[str, str],
        responses={429: _FAILURES[429]},
    )
    async def readyz() -> Response:
        """Say whether there is room for a question: a balancer sends it elsewhere if not."""
        service.batcher.refuse_if_full()
        return reply({"status": "ok"})

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
        """Count requests, seconds, batch sizes, errors, generations."""
        service.measures.generation.set(service.holder.current.generation)
        text = await service.run(service.measures.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
