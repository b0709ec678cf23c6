"""Sends large responses in parts, between which other requests have a turn.

The event loop copies what the network does not take at once: a few megabytes take it 20 ms.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PART", "InParts"]

PART = 64 << 10
"""Bytes of a part at most."""


class InParts:
    """Middleware that sends the responses of *app* in parts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_parts(message: Message) -> None:
            body = message.get("body", b"")
            start = 0
            while len(body) - start > PART:
                part = body[start : start + PART]
                await send({"type": message["type"], "body": part, "more_body": True})
                await asyncio.sleep(0)
                start += PART
            await send({**message, "body": body[start:]} if start else message)

        await self._app(scope, receive, send_parts if scope["type"] == "http" else send)
