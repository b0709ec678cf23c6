"""The guard in front of the application: keys, sizes of bodies, safe headers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import generate_latest

from embedkit.service.http.client import network_of
from embedkit.service.http.guard import Guard
from embedkit.service.http.metrics import ServiceMetrics

KEY = "0123456789abcdef"
Messages = Sequence[dict[str, Any]]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the method and the body."""
    message = await receive()
    body = scope["method"].encode() + b" " + message["body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
    await send({"type": "http.response.body", "body": body})


class Answer:
    """What the guard sends for one request."""

    def __init__(
        self,
        *,
        keys: tuple[str, ...] = (),
        method: str = "POST",
        path: str = "/v1/query",
        headers: dict[str, str] | None = None,
        received: Messages = ({"type": "http.request", "body": b""},),
    ) -> None:
        self.sent: list[Any] = []
        self.left = list(received)
        self.metrics = ServiceMetrics()
        raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {"type": "http", "method": method, "path": path, "headers": raw}
        guard = Guard(echo, keys=keys, body_limit=10, metrics=self.metrics)
        asyncio.run(guard(scope, self._receive, self._send))
        self.status = self.sent[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}
        self.body = self.sent[1]["body"]

    async def _receive(self) -> dict[str, Any]:
        return self.left.pop(0)

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"]["message"])


def parts(*bodies: bytes) -> Messages:
    last = len(bodies) - 1
    return [
        {"type": "http.request", "body": body, "more_body": number < last}
        for number, body in enumerate(bodies)
    ]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x-api-key": KEY}, 200),
        ({"x-api-key": KEY + "x"}, 401),
        ({"authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": f"bearer  {KEY} "}, 200),
        ({"authorization": f"Basic {KEY}"}, 401),
    ],
)
def test_a_key_is_required_by_the_api_only(headers: dict[str, str], status: int) -> None:
    for path in ("/v1/query", "/metrics"):
        answer = Answer(keys=("another key, long", KEY), path=path, headers=headers)
        assert answer.status == status
        assert (answer.headers.get("www-authenticate") == "Bearer") == (status == 401)
    for path in ("/", "/healthz", "/docs"):
        assert Answer(keys=(KEY,), path=path).status == 200


def test_a_body_arrives_in_one_message() -> None:
    assert Answer(received=parts(b"abc", b"", b"defg")).body == b"POST abcdefg"
    assert Answer(received=parts(b"x" * 10)).status == 200


def test_a_large_body_is_read_and_refused() -> None:
    answer = Answer(received=parts(b"x" * 6, b"x" * 5))
    assert (answer.status, answer.error) == (
        413,
        "The body of a request may have at most 10 bytes.",
    )
    assert answer.left == []
    answer = Answer(received=parts(*[b"x" * 50] * 9))
    assert answer.status == 413
    assert len(answer.left) == 5  # 16 times the limit was read


def test_an_incomplete_body_is_refused() -> None:
    answer = Answer(received=[*parts(b"a", b"b")[:1], {"type": "http.disconnect"}])
    assert (answer.status, "before its body was complete" in answer.error) == (400, True)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_head_is_answered_like_get_and_has_no_body_to_read(method: str) -> None:
    assert Answer(method=method, received=()).body == b"GET "


def test_every_answer_has_safe_headers() -> None:
    for answer in (Answer(), Answer(keys=(KEY,))):
        assert answer.headers["x-frame-options"] == "DENY"
        assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
    assert Answer().headers["x-own"] == "1"
    assert "'unsafe-inline'" in Answer(path="/docs").headers["content-security-policy"]


def test_requests_and_refusals_are_counted() -> None:
    text = generate_latest(Answer(keys=(KEY,)).metrics._registry).decode()
    assert 'embedkit_requests_total{route="other",status="401"} 1.0' in text
    assert "embedkit_errors_total{" in text


def test_other_protocols_are_passed_on() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    guard = Guard(app, keys=(KEY,), body_limit=1, metrics=ServiceMetrics())
    asyncio.run(guard({"type": "lifespan"}, nothing, nothing))
    assert seen == ["lifespan"]


def test_bodies_in_flight_have_a_budget_for_each_client_and_in_all() -> None:
    """64 times the largest body, half of it for one client; answered bodies make room."""
    statuses: list[int] = []

    async def ask_many() -> int:
        done = asyncio.Event()

        async def waiting(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await done.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                if message["status"] == 503:
                    assert (b"retry-after", b"1") in message["headers"]

        def request(address: str) -> Any:
            messages = [*parts(b"x" * 5, b"x" * 5)]

            async def receive() -> Any:
                return messages.pop(0)

            scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
            return guard(scope | {"client": (address, 1)}, receive, send)

        guard = Guard(waiting, keys=(), body_limit=10, metrics=ServiceMetrics())
        tasks = [
            asyncio.create_task(request(address)) for address in ("a", "b", "c") for _ in range(33)
        ]
        await asyncio.sleep(0.01)
        assert statuses == [503] * (1 + 1 + 33)  # of a, of b, and all of c
        assert guard._budget.used == 640
        done.set()
        await asyncio.gather(*tasks)
        await request("a")
        return guard._budget.used

    assert asyncio.run(ask_many()) == 0
    assert statuses.count(200) == 65


def test_the_addresses_of_an_ipv6_network_are_one_client() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::9") != network_of("2001:db8:1:2::9")
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("") == ""
