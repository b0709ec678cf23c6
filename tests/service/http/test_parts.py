"""Large responses are sent in parts, and reach the client whole."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Message

from embedkit.service.http.compression import Compression
from embedkit.service.http.json_response import BatchResponse
from embedkit.service.http.parts import PART, InParts
from tests.service.turns import counted_turns

SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}


async def never() -> Message:
    raise AssertionError("the response does not depend on what the client sends")


def messages_of(app: ASGIApp) -> tuple[list[Message], int]:
    """Return what the server is sent, and how many turns another task had meanwhile."""

    async def run() -> tuple[list[Message], int]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async with counted_turns() as turns:
            await app(dict(SCOPE), never, send)
        return sent, turns.count

    return asyncio.run(run())


def body_of(sent: Sequence[Message]) -> bytes:
    """Return the body, after checking that its parts are as ASGI wants them."""
    assert sent[0]["type"] == "http.response.start"
    assert {message["type"] for message in sent[1:]} == {"http.response.body"}
    assert [message.get("more_body", False) for message in sent[1:]] == [
        *[True] * (len(sent) - 2), False,
    ]  # fmt: skip
    body = b"".join(message.get("body", b"") for message in sent[1:])
    assert dict(sent[0]["headers"])[b"content-length"] == str(len(body)).encode()
    return body


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 3 * PART + 5])
def test_a_body_is_split_and_whole(size: int) -> None:
    body = random.Random(size).randbytes(size)
    sent, turns = messages_of(InParts(Response(body)))
    assert body_of(sent) == body
    assert max(len(message.get("body", b"")) for message in sent) <= PART
    assert turns >= len(sent) - 2  # one between any two parts


@pytest.mark.parametrize(
    "lengths",
    [
        [],
        [5],
        [5, 6],
        [PART],
        [PART + 9],
        [9, PART + 9, PART + 9, 9],
        [PART // 2] * 5,
        [3] * 70_000,
    ],
)
def test_a_batch_is_the_list_of_its_answers(lengths: list[int]) -> None:
    answers = ["x" * length for length in lengths]
    sent, _ = messages_of(InParts(BatchResponse(answers)))
    assert json.loads(body_of(sent)) == answers
    assert max(len(message.get("body", b"")) for message in sent) <= PART
    assert len(sent) <= 2 * (sum(lengths) + 4 * len(lengths)) // PART + len(lengths) + 3


def test_bytes_are_json_already() -> None:
    sent, _ = messages_of(BatchResponse([b'{"a": 1}', {"b": [2]}], {"X-Words": "3"}))
    assert body_of(sent) == b'[{"a": 1},{"b":[2]}]'
    assert dict(sent[0]["headers"])[b"x-words"] == b"3"


def test_compressed_batches_are_whole() -> None:
    answers = ["x" * 30_000, "y" * PART * 2, "z"]
    app = Compression(BatchResponse(answers))

    async def run() -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = SCOPE | {"headers": [(b"accept-encoding", b"gzip")]}
        await app(scope, never, send)
        return sent

    sent = asyncio.run(run())
    headers = dict(sent[0]["headers"])
    assert headers[b"content-encoding"] == b"gzip"
    assert b"content-length" not in headers
    assert json.loads(gzip.decompress(b"".join(m.get("body", b"") for m in sent))) == answers
