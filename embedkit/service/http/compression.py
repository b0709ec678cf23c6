"""Compresses responses with gzip for clients that accept it.

Starlette's middleware would compress large responses in the event loop, where they delay others.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Compression", "accepts_gzip", "gzipped"]

_SMALLEST = 1_024  # bytes; compressing less saves no packet
_IN_A_THREAD = 16 << 10  # bytes from which compressing takes longer than starting it in a thread
_LEVEL = 4
_GZIP = 16 + zlib.MAX_WBITS
_TYPES = ("application/json", "application/javascript", "text/", "image/svg+xml")


def accepts_gzip(accepted: str | None) -> bool:
    """Tell whether the header Accept-Encoding allows gzip."""
    for part in (accepted or "").lower().split(","):
        coding, _, quality = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def gzipped(body: bytes) -> bytes:
    """Return *body* in gzip's format."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return compressor.compress(body) + compressor.flush()


class Compression:
    """Middleware that compresses the responses of *app*."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not accepts_gzip(Headers(scope=scope).get("accept-encoding")):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Sender(send))


class _Sender:
    """Sends the messages of one response."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._compressor: zlib._Compress | None = None  # of a response in several parts

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            message = await self._begin(start, message)
        elif self._compressor is not None:
            message = await self._continued(message)
        await self._send(message)

    async def _begin(self, start: Message, message: Message) -> Message:
        """Send the start of the response; return its first part, compressed if that helps."""
        headers = MutableHeaders(raw=start["headers"])
        body = message.get("body", b"")
        is_whole = not message.get("more_body", False)
        is_text = headers.get("content-type", "").startswith(_TYPES)
        if (
            start["status"] == 200
            and is_text
            and "content-encoding" not in headers
            and not (is_whole and len(body) < _SMALLEST)
        ):
            headers["Content-Encoding"] = "gzip"
            headers.add_vary_header("Accept-Encoding")
            if is_whole:
                body = await _compressed(gzipped, body)
                headers["Content-Length"] = str(len(body))
                message = {**message, "body": body}
            else:
                del headers["Content-Length"]
                self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
                message = await self._continued(message)
        start["headers"] = headers.raw
        await self._send(start)
        return message

    async def _continued(self, message: Message) -> Message:
        assert self._compressor is not None  # noqa: S101 - only called for compressed responses
        body = await _compressed(self._compressor.compress, message.get("body", b""))
        if not message.get("more_body", False):
            body += self._compressor.flush()
        return {**message, "body": body}


async def _compressed(compress: Callable[[bytes], bytes], body: bytes) -> bytes:
    if len(body) < _IN_A_THREAD:
        return compress(body)
    return await asyncio.to_thread(compress, body)
