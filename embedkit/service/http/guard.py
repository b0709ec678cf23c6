"""Middleware in front of the routes: API keys, body size limits, security headers, metrics.

Plain ASGI, so that it takes only microseconds and sees all requests, even those without a route.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import orjson

from embedkit.service.http.body_budget import BodyBudget, too_many_bodies
from embedkit.service.http.client import CURRENT_CLIENT, network_of
from embedkit.service.http.errors import SMALLER_REQUESTS, RefusedError, describe
from embedkit.service.http.metrics import ServiceMetrics
from embedkit.service.limits import MAX_DRAINED

__all__ = ["Guard", "needs_key"]

Message: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[Message]]"
Send: TypeAlias = "Callable[[Message], Awaitable[None]]"
App: TypeAlias = "Callable[[Message, Receive, Send], Awaitable[None]]"

_PROTECTED = ("/v1/", "/metrics")  # paths that need a key
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# Swagger's page sets inline styles.
_DOCS_POLICY = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


def needs_key(path: str) -> bool:
    """Tell whether requests for a path need a key, if the service has keys."""
    return path.startswith(_PROTECTED)


def _headers(policy: str) -> list[tuple[bytes, bytes]]:
    headers = {
        "content-security-policy": policy,
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


_SAFE, _SAFE_DOCS = _headers(_POLICY), _headers(_DOCS_POLICY)


class Guard:
    """Passes a request on to *app*, or refuses it.

    Args:
        app: receives the body of a request in one message.
        keys: the accepted API keys; without any, no key is required.
        body_limit: largest body of a request, in bytes.
        metrics: counts the requests.
    """

    def __init__(
        self, app: App, *, keys: tuple[str, ...], body_limit: int, metrics: ServiceMetrics
    ) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]
        self._body_limit = body_limit
        self._budget = BodyBudget(body_limit)
        self._metrics = metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # the server omits the body of the response
            scope = {**scope, "method": "GET"}
        start = time.perf_counter()
        status = 500
        client, held = "", 0
        safe = _SAFE_DOCS if scope["path"].startswith("/docs") else _SAFE

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *safe]
            await send(message)

        try:
            try:
                client = self._client(scope)
                CURRENT_CLIENT.set(client)
                body = await self._read(scope, receive, client)
                held = len(body)
            except RefusedError as error:
                self._metrics.errors.labels(describe(error)["error"]["type"]).inc()
                await _refuse(error, send_with_headers)
            else:
                await self._app(scope, _replay(body, receive), send_with_headers)
        finally:
            self._budget.add(client, -held)
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.answered(route, status, time.perf_counter() - start)

    def _client(self, scope: Message) -> str:
        """Return the name of the client: its key by number, or else its address.

        Raises:
            RefusedError: the path needs a key, which is missing or wrong.
        """
        if not self._keys or not needs_key(scope["path"]):
            address = scope.get("client")
            return network_of(str(address[0])) if address else ""
        given = b""
        for name, value in scope["headers"]:
            if name == b"x-api-key":
                given = value
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                given = value[7:].strip()
        # All keys are compared, so that the time reveals nothing about them.
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        if not any(matches):
            raise RefusedError(
                401,
                "This service needs an API key." if not given else "The API key is wrong.",
                "Send the header Authorization: Bearer KEY, or X-API-Key: KEY.",
                {"WWW-Authenticate": "Bearer"},
            )
        return f"key {matches.index(True)}"

    async def _read(self, scope: Message, receive: Receive, client: str) -> bytes:
        """Return the body, whose bytes are counted in the budget.

        Raises:
            RefusedError: it is larger than the limit, or incomplete, or there is no memory for it.
        """
        if scope["method"] == "GET":
            return b""
        parts: list[bytes] = []
        held = size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusedError(400, "The request ended before its body was complete.")
                part = message.get("body", b"")
                size += len(part)
                if held + len(part) == size <= self._body_limit and self._budget.has_room(
                    client, len(part)
                ):
                    parts.append(part)
                    held = size
                    self._budget.add(client, len(part))
                # A body that is refused is read as well: a client that is still sending would not
                # read the response.
                if not message.get("more_body", False) or size > MAX_DRAINED * self._body_limit:
                    break
            if size > self._body_limit:
                raise RefusedError(
                    413,
                    f"The body of a request may have at most {self._body_limit:,} bytes.",
                    SMALLER_REQUESTS,
                    {"Connection": "close"},
                )
            if held < size:
                raise too_many_bodies()
        except BaseException:
            self._budget.add(client, -held)
            raise
        return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive function that gives the body, then what *receive* gives."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(error: RefusedError, send: Send) -> None:
    body = orjson.dumps(describe(error))
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    headers.update(error.headers)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
