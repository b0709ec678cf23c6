"""Heavy requests and disconnecting clients do not block others."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.servers import Server, Start

PRODUCT = {"a": "paris", "b": "france", "c": "italy", "k": 70, "method": "3cosmul"}
UNKNOWN = " ".join(f"unknown{number}" for number in range(60))
HEAVY: dict[str, tuple[str, object]] = {
    "texts": ("embeddings", {"input": [f"{UNKNOWN} of{number}" for number in range(1_000)]}),
    "exclusions": (
        "neighbors",
        [{"word": "paris", "exclude": ["rome", "italy"] * n, "k": 70} for n in range(50)] * 4,
    ),
    "products": ("analogy", [PRODUCT] * 64),
    "long expressions": ("query", [{"expression": "+".join(["paris", "rome"] * 80)}] * 16),
    "parentheses": ("query", [{"expression": "(" * 99 + "paris" + ")" * 99}] * 70),
    "neighbors": ("neighbors", [{"word": "paris", "k": 70}] * 256),
    "many answers": ("neighbors", [{"word": "paris", "k": 1000}] * 20),
}


@contextlib.contextmanager
def repeated_requests(
    server: Server, path: str, body: object, clients: int = 4
) -> Iterator[list[int]]:
    """Send requests until the end of the block; yield the statuses of the responses."""
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
def test_small_requests_are_answered_beside_heavy_batches(server: Server, kind: str) -> None:
    path, body = HEAVY[kind]
    with (
        repeated_requests(server, path, body) as statuses,
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


def test_requests_of_disconnected_clients_are_cancelled(start: Start, model: Path) -> None:
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
