"""Cancels the work on requests whose client has disconnected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["Handle", "cancel_on_disconnect"]

_WATCH_DELAY = 0.05  # seconds; a request that takes longer is cancelled if its client disconnects
_CLIENT_CLOSED_REQUEST = 499  # nginx's status for a disconnected client; appears only in metrics

Handle: TypeAlias = "Callable[[Request], Coroutine[Any, Any, Response]]"
"""A function that returns the response to a request; FastAPI's route handlers have this type."""


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
