"""What stands between the network and the routes: keys, the size of a request, safe headers.

Plain ASGI, so that it costs microseconds and sees every request, also those that no route takes.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import orjson

from embedkit.service.http.errors import RefusedError, describe
from embedkit.service.http.metrics import Measures

__all__ = ["Guard"]

Message: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[Message]]"
Send: TypeAlias = "Callable[[Message], Awaitable[None]]"
App: TypeAlias = "Callable[[Message, Receive, Send], Awaitable[None]]"

_LOCKED = ("/v1/", "/metrics")
_DRAINED = 16  # times the limit: so much of a body is read, and dropped, before it is refused
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# Swagger's page sets styles of its own making.
_DOCS_POLICY = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


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
    """Lets a request through to *app*, or answers it itself.

    Args:
        app: takes what is let through; the body of a request comes in one message.
        keys: any one of them opens; none at all leaves it open.
        body: bytes that a request may have.
        measures: what is counted.
    """

    def __init__(self, app: App, *, keys: tuple[str, ...], body: int, measures: Measures) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]
        self._body = body
        self._measures = measures

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # the server sends only the head of what GET would be told
            scope = {**scope, "method": "GET"}
        start = time.perf_counter()
        status = 500
        safe = _SAFE_DOCS if scope["path"].startswith("/docs") else _SAFE

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *safe]
            await send(message)

        try:
            try:
                self._check_key(scope)
                body = await self._read(scope, receive)
            except RefusedError as error:
                self._measures.errors.labels(describe(error)["error"]["type"]).inc()
                await _refuse(error, send_safely)
            else:
                await self._app(scope, _replay(body, receive), send_safely)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._measures.answered(route, status, time.perf_counter() - start)

    def _check_key(self, scope: Message) -> None:
        if not self._keys or not scope["path"].startswith(_LOCKED):
            return
        given = b""
        for name, value in scope["headers"]:
            if name == b"x-api-key":
                given = value
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                given = value[7:].strip()
        # All are compared, so that the time tells nothing of which one came close.
        opened = [hmac.compare_digest(given, key) for key in self._keys]
        if not any(opened):
            raise RefusedError(
                401,
                "This service wants a key." if not given else "This key does not open it.",
                "Send the header Authorization: Bearer KEY, or X-API-Key: KEY.",
                {"WWW-Authenticate": "Bearer"},
            )

    async def _read(self, scope: Message, receive: Receive) -> bytes:
        """Return the body.

        Raises:
            RefusedError: it is longer than allowed.
        """
        if scope["method"] == "GET":
            return b""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedError(400, "The request ended before its body did.")
            part = message.get("body", b"")
            size += len(part)
            if size <= self._body:
                parts.append(part)
            # Who is still sending does not read: an answer now would be lost with the connection.
            if not message.get("more_body", False) or size > _DRAINED * self._body:
                break
        if size > self._body:
            raise RefusedError(
                413,
                f"A request has at most {self._body:,} bytes.",
                "Ask in several smaller requests.",
                {"Connection": "close"},
            )
        return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body that was read, and then what else comes."""
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
