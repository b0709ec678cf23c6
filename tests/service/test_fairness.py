"""Heavy requests, and clients that hang up, beside one that asks a little."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request, Response

from embedkit.service.worker.dispatch import unless_gone
from tests.service.servers import Server, Start

PRODUCT = {"a": "paris", "b": "france", "c": "italy", "k": 70, "method": "3cosmul"}
HEAVY: dict[str, tuple[str, list[dict[str, object]]]] = {
    "products": ("analogy", [PRODUCT] * 64),
    "long expressions": ("query", [{"expression": "+".join(["paris", "rome"] * 80)}] * 16),
    "parentheses": ("query", [{"expression": "(" * 99 + "paris" + ")" * 99}] * 70),
    "neighbors": ("neighbors", [{"word": "paris", "k": 70}] * 256),
    "many answers": ("neighbors", [{"word": "paris", "k": 1000}] * 20),
}


@contextlib.contextmanager
def asking_again_and_again(
    server: Server, path: str, body: object, clients: int = 4
) -> Iterator[list[int]]:
    """Have clients ask until the end of the block; gives the statuses of their answers."""
    end = threading.Event()
    statuses: list[int] = []

    def ask() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            while not end.is_set():
                statuses.append(client.post(f"/v1/{path}", json=body).status_code)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        end.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("kind", HEAVY)
def test_small_questions_are_answered_beside_heavy_batches(server: Server, kind: str) -> None:
    path, body = HEAVY[kind]
    with (
        asking_again_and_again(server, path, body) as statuses,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        for _ in range(20):
            answer = client.post("/v1/neighbors", json={"word": "rome", "k": 3})
            assert answer.status_code == 200
            assert len(answer.json()["answers"]) == 3
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").status_code == 200
    assert 200 in statuses
    assert set(statuses) <= {200, 429, 503}


def test_nothing_is_done_for_who_has_hung_up(start: Start, model: Path) -> None:
    server = start(model)
    body = json.dumps([{"words": ["paris"] * 100}] * 10).encode()
    head = b"POST /v1/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    connections = [socket.create_connection((host, int(port)), timeout=30) for _ in range(60)]
    for connection in connections:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    for connection in connections:
        connection.close()
    deadline = time.monotonic() + 30
    with httpx.Client(base_url=server.url) as client:
        while 'route="/v1/compare",status="499"' not in client.get("/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert client.post("/v1/neighbors", json={"word": "paris"}).status_code == 200
    server.stop()
    assert not [line for line in server.lines if "Traceback" in line or "ERROR" in line]


def test_what_a_client_does_not_wait_for_is_cancelled() -> None:
    ended: list[str] = []

    async def main(*, hangs_up: bool) -> int:
        messages = [{"type": "http.request", "body": b"{}", "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            if messages:
                return messages.pop()
            if not hangs_up:
                await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def handle(request: Request) -> Response:
            assert await request.body() == b"{}"
            try:
                await asyncio.sleep(60 if hangs_up else 0.2)
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            ended.append("answered")
            return Response()

        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        return (await asyncio.wait_for(unless_gone(request, handle), 30)).status_code

    assert asyncio.run(main(hangs_up=True)) == 499
    assert asyncio.run(main(hangs_up=False)) == 200
    assert ended == ["cancelled", "answered"]
