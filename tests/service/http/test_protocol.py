"""The HTTP protocol over real connections: limits, and errors in JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from embedkit.service.http import protocol
from embedkit.service.http.protocol import Protocol

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
    )
    await send({"type": "http.response.body", "body": b"hello"})


def talk(conversation: Talk, connections: int = 1) -> Any:
    """Serve `hello`, open *connections*, and return the result of the last conversation."""

    async def serve() -> Any:
        config = uvicorn.Config(hello, lifespan="off", log_config=None, access_log=False)
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        host, port = server.sockets[0].getsockname()
        opened = [await asyncio.open_connection(host, port) for _ in range(connections)]
        try:
            return await conversation(*opened[-1])
        finally:
            for _, writer in opened:
                writer.close()
            server.close()

    return asyncio.run(serve())


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the status and the body of the next response."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


def sent(data: bytes) -> tuple[int, dict[str, str]]:
    """Return the status and the error for *data*, after which the connection is closed."""

    async def conversation(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[int, bytes]:
        writer.write(data)
        found = await answer(reader)
        assert await reader.read() == b""
        return found

    status, body = talk(conversation)
    return status, json.loads(body)["error"]


def test_a_connection_answers_several_requests() -> None:
    async def conversation(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> list[tuple[int, bytes]]:
        writer.write(GET * 2)
        found = [await answer(reader) for _ in range(2)]
        writer.write(GET)
        return [*found, await answer(reader)]

    assert talk(conversation) == [(200, b"hello")] * 3


def test_malformed_requests_are_answered_in_json() -> None:
    status, error = sent(b"not HTTP\r\n\r\n")
    assert (status, error["type"]) == (400, "bad_request")


def test_large_headers_are_refused() -> None:
    status, error = sent(b"GET / HTTP/1.1\r\nx: " + b"y" * (33 << 10))
    assert (status, "at most 32,768 bytes" in error["message"]) == (431, True)


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n"])
def test_a_request_that_does_not_arrive_is_refused(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.05)
    status, error = sent(data)
    assert (status, "did not arrive within 0.05 seconds" in error["message"]) == (408, True)


def test_too_many_connections_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 2)

    async def conversation(
        reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
    ) -> tuple[int, bytes]:
        return await answer(reader)

    status, body = talk(conversation, connections=3)
    assert (status, json.loads(body)["error"]["message"]) == (
        503,
        "Too many connections are open.",
    )
