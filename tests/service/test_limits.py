"""Requests that are too large or too slow are refused, and do not block others."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.vectors.word_vectors import WordVectors
from tests.service.servers import (
    Server,
    Start,
    accepted_connections,
    connect,
    read_all,
    wait_until,
)


def test_a_large_body_is_refused(start: Start, model: Path) -> None:
    server = start(model, "--body-limit", 2000)
    too_large = [{"word": "paris", "k": 1}] * 1000
    with httpx.Client(base_url=server.url) as client:
        answers = [
            client.post("/v1/neighbors", json=too_large),
            client.post("/v1/neighbors", content=iter([b" " * 900] * 3)),  # chunked
        ]
        for answer in answers:
            assert answer.status_code == 413
            assert answer.json()["error"]["type"] == "too_large"
            assert "2,000 bytes" in answer.json()["error"]["message"]
        assert client.post("/v1/neighbors", json={"word": "paris"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("neighbors", {"word": "paris", "k": 1001}, 422, "k: Input should be less than or equal"),
        ("neighbors", {"word": "x" * 201}, 422, "word: String should have at most 200"),
        ("neighbors", [{"word": "paris"}] * 257, 422, "at most 256 items"),
        (
            "neighbors",
            [{"word": "paris", "k": 1000}] * 21,
            413,
            "20,000 answers, got 21,000",
        ),
        ("neighbors", [], 422, "at least 1 item"),
        ("query", {"expression": "a + " * 300}, 422, "at most 1000 characters"),
        (
            "query",
            {"expression": "(" * 101 + "paris" + ")" * 101},
            422,
            "more than 100 levels of parentheses",
        ),
        ("distance", {"words": ["paris"] * 101}, 422, "at most 100 items"),
        ("distance", [{"words": ["paris"] * 100}] * 11, 413, "at most 1,000 words, got 1,100"),
        ("project", {"words": ["paris"], "pairs": [["paris"]]}, 422, "pairs[0]: List should"),
        (
            "project",
            [{"words": ["paris"], "pairs": [["paris", "rome"]] * 100}] * 5,
            413,
            "at most 1,000 words, got 1,005",
        ),
        (
            "query",
            [{"expression": "paris + " * 100}] * 21,
            413,
            "16,000 characters of expressions, got 16,800",
        ),
        (
            "analogy",
            [{"a": "paris", "b": "france", "c": "italy", "method": "3cosmul"}] * 65,
            413,
            "at most 64 analogies by 3cosmul or pairdirection, got 65",
        ),
        ("analogy", {"a": "x", "b": "y", "c": "z", "kk": 1}, 422, "kk: Extra inputs"),
        ("rank", [{"word": "rome", "neighbor_of": "paris"}] * 65, 413, "at most 64 ranks, got 65"),
        (
            "neighbors",
            [
                {"word": f"unknown{n}", "exclude": [f"q{n}{m}" for m in range(9)], "oov": "spell"}
                for n in range(8)
            ],
            413,
            'at most 64 unknown words with oov "spell", got 80',
        ),
    ],
)
def test_requests_over_a_limit_are_refused(
    client: httpx.Client, path: str, body: object, status: int, message: str
) -> None:
    answer = client.post(f"/v1/{path}", json=body)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize("number", [1, 100], ids=["small", "large"])
def test_an_invalid_object_does_not_stop_the_others_of_its_batch(
    client: httpx.Client, number: int
) -> None:
    good = {"word": "paris", "k": 1, "exclude": ["x" * 200] * (number - 1), "oov": "skip"}
    bad = [{"word": "paris", "k": 0}, {"wordd": "paris"}, {"word": "paris", "model": "none"}]
    answer = client.post("/v1/neighbors", json=[bad[0], good, *bad[1:], good])
    assert answer.status_code == 200
    assert answer.headers["X-Embedkit-Generation"] == "1"
    found = answer.json()
    single = client.post("/v1/neighbors", json=good).json()
    assert (found[1], found[4]) == (single, single)
    messages = [found[place]["error"]["message"] for place in (0, 2, 3)]
    assert messages[0] == "k: Input should be greater than or equal to 1."
    assert messages[1] == "word: Field required."
    assert messages[2] == "There is no model 'none'."
    answer = client.post("/v1/neighbors", json=bad[:2])
    assert [list(one) for one in answer.json()] == [["error"]] * 2


def test_an_unknown_word_is_not_echoed_in_full(client: httpx.Client) -> None:
    word = "x" * 500_000
    answer = client.post("/v1/embeddings", json={"input": word})
    assert answer.status_code == 404
    assert len(answer.content) < 1_000


def test_headers_that_arrive_at_once_are_limited_too(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 60_000 + b"\r\n\r\n")
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 20_000, 400),
        (b"[" * 100_000, 413),
        (b'{"word": "paris", "k": 1' + b"0" * 5000 + b"}", 400),
        (b'{"word": "paris", "k": NaN}', 422),
        (b'{"word": "\\ud800"}', 400),
        (b"", 400),
        (b"null", 422),
    ],
)
def test_invalid_bodies_are_rejected(client: httpx.Client, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/neighbors", content=body, headers=headers)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"type", "message", "hint"}


def test_a_form_is_rejected(client: httpx.Client) -> None:
    answer = client.post("/v1/neighbors", data={"word": "paris"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["hint"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain;json", 415),
        ("text/plain; charset=application/json", 415),
        ("application/jsonp", 415),
        ("", 415),
        ("application/json", 200),
        ("Application/JSON ; charset=utf-8", 200),
    ],
)
def test_only_json_media_types_are_accepted(client: httpx.Client, kind: str, status: int) -> None:
    body, headers = b'{"word": "paris"}', {"Content-Type": kind}
    assert client.post("/v1/neighbors", content=body, headers=headers).status_code == status


def test_an_incomplete_request_times_out(server: Server, client: httpx.Client) -> None:
    sent = [b"", b"GET / HT", b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(server)) for _ in sent]
        started = time.monotonic()
        for connection, part in zip(connections, sent, strict=True):
            connection.sendall(part)
        assert client.post("/v1/neighbors", json={"word": "paris"}).status_code == 200
        for connection in connections:
            answer = read_all(connection)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b'{"error":{"type":"too_slow"' in answer
        assert 5 < time.monotonic() - started < 25


def test_large_headers_are_refused(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b'{"error":{"type":"too_large"' in answer


def test_malformed_http_is_answered_in_json(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"hello\r\n\r\n")
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'{"error":{"type":"bad_request"' in answer


def test_slow_clients_do_not_block_others(server: Server, client: httpx.Client) -> None:
    head = b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
    slow = [connect(server) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(head)
        for _ in range(20):
            assert client.post("/v1/neighbors", json={"word": "paris"}).status_code == 200
    finally:
        for connection in slow:
            connection.close()


def test_a_pipelining_client_may_disconnect_without_errors(start: Start, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(200_000, 8)).astype(np.float32)
    vocabulary = Vocabulary([f"word{number}" for number in range(len(rows))])
    WordVectors(vocabulary, rows).save(tmp_path / "model.embedkit")
    server = start(tmp_path / "model.embedkit")
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((host, int(port)))
            connection.sendall(b"GET /v1/map HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    wait_until(lambda: not accepted_connections(server))
    text = httpx.get(f"{server.url}/metrics").text
    assert 'status="500"' not in text
    assert 'embedkit_errors_total{type="error"}' not in text
    assert server.stop() == 0  # all requests have ended
    assert "Traceback" not in "".join(server.lines)


def test_requests_are_refused_if_the_queue_is_full(start: Start, model: Path) -> None:
    server = start(model, "--queue", 4)
    body = json.dumps([{"word": "paris"}] * 200).encode()
    head = b"POST /v1/neighbors HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(server)) for _ in range(40)]
        for connection in connections:
            connection.sendall(request[:-1])
        for connection in connections:
            connection.sendall(request[-1:])
        answers = [read_all(connection) for connection in connections]
    refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 429 ")]
    assert refused
    assert all(b"\r\nretry-after: 1\r\n" in answer for answer in refused)
    assert all(b'{"error":{"type":"overloaded"' in answer for answer in refused)
    others = [answer for answer in answers if answer not in refused]
    assert others
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in others)


def test_slow_answers_time_out(start: Start, model: Path) -> None:
    server = start(model, "--timeout", 0.01)
    with httpx.Client(base_url=server.url) as client:
        answer = client.post("/v1/compare", json=[{"words": ["paris"] * 100}] * 10)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert client.get("/healthz").status_code == 200
