"""Compression of responses, and when there is none."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from embedkit.service.http.compression import accepts_gzip


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0, *", False),
        ("gzip; q=0.0", False),
        ("deflate, br", False),
    ],
)
def test_gzip_is_used_if_the_client_accepts_it(header: str | None, accepted: bool) -> None:
    assert accepts_gzip(header) == accepted


def raw(client: httpx.Client, path: str, encoding: str) -> tuple[httpx.Headers, bytes]:
    with client.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        assert answer.status_code == 200
        return answer.headers, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    "path", ["/v1/words?limit=100", "/", "/openapi.json", "/docs/swagger/swagger-ui.css"]
)
def test_large_responses_are_compressed(client: httpx.Client, path: str) -> None:
    plain_headers, plain = raw(client, path, "identity")
    headers, packed = raw(client, path, "gzip")
    assert "content-encoding" not in plain_headers
    assert headers["content-encoding"] == "gzip"
    assert "accept-encoding" in headers["vary"].lower()
    assert len(packed) < len(plain)
    assert gzip.decompress(packed) == plain
    if "content-length" in headers:
        assert int(headers["content-length"]) == len(packed)


def test_small_responses_are_not_compressed(client: httpx.Client) -> None:
    headers, body = raw(client, "/healthz", "gzip")
    assert "content-encoding" not in headers
    assert json.loads(body) == {"status": "ok"}
