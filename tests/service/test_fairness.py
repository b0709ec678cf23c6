"""Heavy requests and disconnecting clients do not block others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from embedkit.service.http.client import CURRENT_CLIENT
from embedkit.service.worker import execution
from embedkit.service.worker.batching import Batcher, BatchLimits
from embedkit.service.worker.execution import FairExecutor
from embedkit.system.steps import Steps
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


HEAVY_CLIENTS = ["first", "second", "third", "fourth"]
SLICE = 0.002  # seconds


class Clock:
    """Stands for the module `time`; only work makes time pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def thread_time(self) -> float:
        return self.now

    perf_counter = thread_time


@pytest.mark.parametrize(
    ("cost", "step", "most"),
    [
        pytest.param(100, SLICE, 1, id="small-work"),
        pytest.param(100, 10 * SLICE, 1, id="small-work-beside-long-steps"),
        pytest.param(100_000, SLICE, 4, id="large-work"),
    ],
)
def test_work_waits_for_one_slice_of_each_heavy_client_at_most(
    monkeypatch: pytest.MonkeyPatch, cost: float, step: float, most: int
) -> None:
    clock, gate, begun = Clock(), threading.Event(), threading.Event()
    monkeypatch.setattr(execution, "time", clock)
    order: list[str] = []

    def work(client: str, steps: int, seconds: float) -> Steps[str]:
        for number in range(steps):
            if not order:  # the first step of all ends when the gate opens
                begun.set()
                assert gate.wait(60)
            order.append(client)
            clock.now += seconds
            if number + 1 < steps:
                yield
        return client

    async def main() -> None:
        executor = FairExecutor("test", 60)
        heavy = []
        for client in HEAVY_CLIENTS:
            CURRENT_CLIENT.set(client)
            heavy.append(asyncio.create_task(executor.run(work(client, 50, step), 100_000)))
        await asyncio.sleep(0)  # all requests are in the queue
        assert await asyncio.to_thread(begun.wait, 60)
        CURRENT_CLIENT.set("light")
        light = asyncio.create_task(executor.run(work("light", 3, SLICE), cost))
        await asyncio.sleep(0)
        gate.set()
        assert await light == "light"
        assert await asyncio.gather(*heavy) == HEAVY_CLIENTS

    asyncio.run(main())
    started = order[: order.index("light")]
    assert len(started) <= most + 1  # with the step that was under way
    turns = [place for place, client in enumerate(order) if client == "light"]
    between = [order[start + 1 : stop] for start, stop in pairwise(turns)]
    for others in between:
        assert len(others) <= most
        assert len(set(others)) == len(others)


@dataclass(frozen=True)
class Asked:
    """A question of a client."""

    client: str
    cost: int = 1
    kind: int = 0


@pytest.mark.parametrize("number", [1, 60], ids=["small-request", "large-request"])
def test_a_search_waits_for_one_batch_of_heavy_clients_at_most(number: int) -> None:
    gate, begun = threading.Event(), threading.Event()
    batches: list[list[str]] = []

    def answer(questions: Sequence[Asked]) -> list[str]:
        begun.set()
        assert gate.wait(60)
        batches.append([question.client for question in questions])
        return batches[-1]

    async def main() -> None:
        batcher: Batcher[Asked, str] = Batcher(answer, BatchLimits(10_000, 60))
        running = asyncio.create_task(batcher.run())
        heavy = []
        for client in HEAVY_CLIENTS:
            CURRENT_CLIENT.set(client)
            heavy.append(asyncio.create_task(batcher.ask([Asked(client)] * 256)))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        CURRENT_CLIENT.set("light")
        light = asyncio.create_task(batcher.ask([Asked("light")] * number))
        await asyncio.sleep(0)
        gate.set()
        assert await light == ["light"] * number
        answers = await asyncio.gather(*heavy)
        assert answers == [[client] * 256 for client in HEAVY_CLIENTS]
        running.cancel()

    asyncio.run(main())
    places = [place for place, batch in enumerate(batches) if "light" in batch]
    assert places[0] <= 2  # after the batch that was under way, and one more
    shared = batches[places[0] : places[-1] + 1]
    assert all("light" in batch for batch in shared)
    assert number > 0.15 * sum(map(len, shared[:-1]))  # an equal share would be 0.2
