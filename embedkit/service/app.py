"""The application: routes that parse, ask the library, and answer."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from embedkit import __version__
from embedkit.errors import EmbedkitError
from embedkit.plotting.page import SHARED_MODULES
from embedkit.service.api.routes import add_routes
from embedkit.service.http.errors import failure, status_of
from embedkit.service.http.guard import Guard
from embedkit.service.http.metrics import Measures
from embedkit.service.http.responses import reply
from embedkit.service.settings import Settings
from embedkit.service.worker.dispatch import Dispatcher

__all__ = ["create_app"]

_FILES = Path(__file__).parent
_log = logging.getLogger("embedkit.service")
_DESCRIPTION = """Words and their vectors: analogies, nearest words, distances, places on a plane.

Every POST of a question takes one object, or a list of them: a batch, which answers with a list of
the same length, where `{"error": ...}` stands for what cannot be answered."""


def create_app(settings: Settings) -> Any:
    """Return the ASGI application that serves the model laid out in `settings.folder`."""
    measures = Measures()
    service = Dispatcher(settings, measures)
    app = FastAPI(
        title="embedkit",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lambda _: _running(service, settings.folder),
    )
    add_routes(app, service)
    _add_files(app)
    _add_errors(app, service)
    guarded: Any = Guard(app, keys=settings.keys, body=settings.body, measures=measures)
    if settings.origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            expose_headers=["ETag", "Retry-After", "X-Words"],
        )
    return guarded


@contextlib.asynccontextmanager
async def _running(service: Dispatcher, folder: Path) -> AsyncIterator[None]:
    with contextlib.suppress(ValueError, AttributeError):  # not the main thread, or not Unix
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # that one is for the supervisor
    generation = service.measures.generation
    works = service.batcher.run(), service.holder.follow(generation.set), _end_with_parent()
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(_end_without)
    # What is here now stays: the collector need not look at it again with every burst of answers.
    gc.collect()
    gc.freeze()
    # After a search its thread wants the interpreter back at once: others wait for what it has.
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if _is_orphan():  # nobody else is left to do it
            shutil.rmtree(folder, ignore_errors=True)


async def _end_with_parent() -> None:
    """Stop when the supervisor is gone, however it went: nobody else could stop this worker."""
    while not _is_orphan():
        await asyncio.sleep(1.0)
    raise ConnectionError("the supervisor is gone")


def _end_without(task: asyncio.Task[None]) -> None:
    """End this worker if it has lost a task that it cannot do without: another takes its place."""
    if task.cancelled():
        return
    _log.error("This worker ends: %r", task.exception())
    os.kill(os.getpid(), signal.SIGTERM)


def _is_orphan() -> bool:
    """Return whether the supervisor has ended, be it before this worker could look."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


class _Files(StaticFiles):
    """Files that a browser asks about each time: after an upgrade no old part meets a new one."""

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

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return FileResponse(_FILES / "docs" / "index.html")

    app.mount("/page/shared", _Files(directory=SHARED_MODULES), name="shared")
    app.mount("/page", _Files(directory=page), name="page")
    app.mount("/docs/swagger", StaticFiles(directory=str(swagger)), name="swagger")
    app.mount("/docs", StaticFiles(directory=_FILES / "docs"), name="docs")


def _add_errors(app: FastAPI, service: Dispatcher) -> None:
    @app.exception_handler(EmbedkitError)
    async def of_the_tree(_: Request, error: EmbedkitError) -> Response:
        body = (await service.describe([error]))[0]
        return reply(body, status_of(error), getattr(error, "headers", None))

    @app.exception_handler(RequestValidationError)
    async def of_a_schema(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            status, message = 400, f"The body is not JSON: {first['ctx']['error']}."
        else:
            status, message = 422, f"{_place(first['loc'])}: {first['msg']}."
        service.measures.errors.labels("bad_request").inc()
        return reply(failure(status, message, "GET /docs shows what is asked for."), status)

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        messages = {
            404: f"There is nothing at {request.url.path}.",
            405: f"{request.url.path} is not asked with {request.method}.",
            400: "The body cannot be read.",
        }
        message = messages.get(error.status_code, str(error.detail))
        body = failure(error.status_code, message, "GET /docs shows what there is.")
        service.measures.errors.labels(body["error"]["type"]).inc()
        return reply(body, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def of_nobody_foresaw(_: Request, error: Exception) -> Response:
        service.measures.errors.labels("error").inc()
        return reply(failure(500, "This is an error of the service, not of the question."), 500)


def _place(location: tuple[Any, ...]) -> str:
    """Return where in a request something is wrong, such as `[2].k`."""
    parts = [part for part in location if part not in ("body", "query", "one", "many")]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.lstrip(".") or "The request"
