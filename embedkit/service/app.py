"""The ASGI application of a worker: routes, static files and error handlers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from embedkit import __version__
from embedkit.errors import EmbedkitError
from embedkit.plotting.page import SHARED_MODULES
from embedkit.service.api.body import validation_error
from embedkit.service.api.routes import add_routes
from embedkit.service.http.compression import Compression
from embedkit.service.http.errors import (
    DOCS_HINT,
    describe,
    error_body,
    internal_error_body,
    status_of,
)
from embedkit.service.http.guard import Guard, needs_key
from embedkit.service.http.json_response import GENERATION_HEADER, json_response
from embedkit.service.http.metrics import ServiceMetrics
from embedkit.service.http.parts import InParts
from embedkit.service.settings import ServiceSettings
from embedkit.service.worker.dispatch import Dispatcher
from embedkit.service.worker.garbage import GarbageCollection
from embedkit.system.memory import release_heap

__all__ = ["create_app"]

_FILES = Path(__file__).parent
_RELEASE_SECONDS = 20.0
_SWITCH_SECONDS = 0.0001
_log = logging.getLogger("embedkit.service")
_DESCRIPTION = """Word vectors: analogies, nearest words, distances, projections onto a plane.

Every POST except embeddings takes one object, or a list of objects as a batch. The response to a
batch is a list of the same length, with `{"error": ...}` for an object that cannot be answered."""


def create_app(settings: ServiceSettings) -> ASGIApp:
    """Return the ASGI application that serves the model published in `settings.folder`."""
    metrics = ServiceMetrics()
    service = Dispatcher(settings, metrics)
    app = FastAPI(
        title="embedkit",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lambda _: _lifespan(service, settings.folder),
    )
    app.state.metrics = metrics
    add_routes(app, service)
    if settings.documents is not None:
        from embedkit.service.api.document_search import add_document_search

        add_document_search(app, service, settings.documents)
    if settings.keys:
        app.openapi = partial(_document_with_keys, app.openapi)  # type: ignore[method-assign]
    _add_files(app)
    _add_errors(app, service)
    guarded: ASGIApp = Guard(
        InParts(Compression(app)),
        keys=settings.keys,
        body_limit=settings.body_limit,
        metrics=metrics,
    )
    if settings.origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            expose_headers=["ETag", "Retry-After", "X-Words", GENERATION_HEADER],
        )
    return guarded


@contextlib.asynccontextmanager
async def _lifespan(service: Dispatcher, folder: Path) -> AsyncIterator[None]:
    with contextlib.suppress(ValueError, AttributeError):  # not the main thread, or not Unix
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # SIGHUP is for the supervisor
    works = (
        service.batcher.run(),
        service.models.follow(service.observe_generation),
        GarbageCollection().run(),
        _release_memory(),
        _stop_with_supervisor(),
    )
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(_stop_worker)
    # Threads wait this long for the interpreter's lock each time that they need it again, as after
    # every larger operation of NumPy.
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if _is_orphan():  # the supervisor can no longer remove it
            shutil.rmtree(folder, ignore_errors=True)


async def _release_memory() -> None:
    """Return the memory that large requests have used to the system, now and then."""
    while True:
        await asyncio.sleep(_RELEASE_SECONDS)
        await asyncio.to_thread(release_heap)


async def _stop_with_supervisor() -> None:
    """Stop when the supervisor has ended, even if it was killed."""
    while not _is_orphan():
        await asyncio.sleep(1.0)
    raise ConnectionError("the supervisor has ended")


def _stop_worker(task: asyncio.Task[None]) -> None:
    """Stop this worker if a background task has failed; the supervisor will start another."""
    if task.cancelled():
        return
    _log.error("This worker is shutting down: %r", task.exception())
    os.kill(os.getpid(), signal.SIGTERM)


def _is_orphan() -> bool:
    """Return whether the supervisor has ended."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def _document_with_keys(document: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the OpenAPI document, in which operations that need a key say so."""
    found = document()
    schemes = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    found["components"]["securitySchemes"] = schemes
    for path, operations in found["paths"].items():
        if needs_key(path):
            for operation in operations.values():
                operation["security"] = [{name: []} for name in schemes]
    return found


class _RevalidatedFiles(StaticFiles):
    """Files that a browser revalidates on each load, so that versions are never mixed."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _add_files(app: FastAPI) -> None:
    page = _FILES / "page"
    swagger = resources.files("fastapi_offline") / "static"

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return FileResponse(page / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/network", include_in_schema=False)
    async def network() -> Response:
        return FileResponse(page / "network" / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return FileResponse(_FILES / "docs" / "index.html")

    app.mount("/page/shared", _RevalidatedFiles(directory=SHARED_MODULES), name="shared")
    app.mount("/page", _RevalidatedFiles(directory=page), name="page")
    app.mount("/docs/swagger", StaticFiles(directory=str(swagger)), name="swagger")
    app.mount("/docs", StaticFiles(directory=_FILES / "docs"), name="docs")


def _add_errors(app: FastAPI, service: Dispatcher) -> None:
    @app.exception_handler(EmbedkitError)
    async def embedkit_error(_: Request, error: EmbedkitError) -> Response:
        service.metrics.errors.labels(describe(error)["error"]["type"]).inc()
        return json_response(describe(error), status_of(error), getattr(error, "headers", None))

    @app.exception_handler(RequestValidationError)
    async def invalid_request(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        service.metrics.errors.labels("bad_request").inc()
        if first["type"] == "json_invalid":
            message = f"The body is not valid JSON: {first['ctx']['error']}."
            return json_response(error_body(400, message, DOCS_HINT), 400)
        return json_response(validation_error(first, first["loc"]), 422)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        messages = {
            404: f"{request.url.path} does not exist.",
            405: f"{request.url.path} does not support the method {request.method}.",
            400: "The body could not be read.",
        }
        message = messages.get(error.status_code, str(error.detail))
        body = error_body(error.status_code, message, DOCS_HINT)
        service.metrics.errors.labels(body["error"]["type"]).inc()
        return json_response(body, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def unexpected_error(_: Request, error: Exception) -> Response:
        service.metrics.errors.labels("error").inc()
        return json_response(internal_error_body(), 500)
