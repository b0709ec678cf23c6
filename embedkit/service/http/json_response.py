"""Responses with a JSON body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from embedkit.service.http.parts import PART

__all__ = ["GENERATION_HEADER", "BatchResponse", "JsonObject", "json_response"]

GENERATION_HEADER = "X-Embedkit-Generation"
"""The header with the number of the model that answered; it changes when the model is replaced."""

JsonObject: TypeAlias = "dict[str, object]"
"""A JSON object: names, and values that orjson can write."""


def json_response(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return *body* as JSON; bytes are JSON already."""
    return Response(_encoded(body), status, headers, "application/json")


class BatchResponse(Response):
    """The response to a batch: a JSON list of the answers.

    It is sent in parts, because joining megabytes would delay other requests.

    Args:
        answers: the answers; those that are bytes are JSON already.

    Attributes:
        answers: the answers, each as JSON.
    """

    media_type = "application/json"

    def __init__(self, answers: Sequence[object], headers: Mapping[str, str] | None = None) -> None:
        self.answers = [_encoded(answer) for answer in answers]
        brackets_and_commas = max(len(answers), 1) + 1
        size = sum(map(len, self.answers)) + brackets_and_commas
        super().__init__(None, headers={**(headers or {}), "Content-Length": str(size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        *parts, last = self._parts()
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": last})

    def _parts(self) -> Iterator[bytes]:
        """Yield the list in parts: a large answer is one, and small answers are joined."""
        pending = [b"["]
        size = 0
        for number, answer in enumerate(self.answers):
            if number:
                pending.append(b",")
            if size + len(answer) > PART:
                yield b"".join(pending)
                pending, size = [], 0
            if len(answer) > PART:
                yield answer
            else:
                pending.append(answer)
                size += len(answer)
        yield b"".join([*pending, b"]"])


def _encoded(answer: object) -> bytes:
    return answer if isinstance(answer, bytes) else orjson.dumps(answer)
