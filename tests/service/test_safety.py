"""Keys, security headers, paths, and startup errors."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import httpx
import pytest

from embedkit.service.server import Supervisor
from tests.conftest import Command
from tests.service.servers import KEY, Server, Start, connect, read_all


@pytest.fixture
def refused(embedkit: Command, model: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Start a server that must not start, in this process."""

    def run(self: Supervisor) -> None:
        raise AssertionError("the service starts")

    monkeypatch.setattr(Supervisor, "run", run)
    monkeypatch.setattr(Supervisor, "__init__", lambda *_, **__: None)
    monkeypatch.delenv("EMBEDKIT_API_KEY", raising=False)
    return partial(embedkit, "serve")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_public_host_needs_a_key(refused: Command, model: Path, host: str) -> None:
    done = refused(model, "--host", host, "--port", 0)
    assert done.returncode == 2
    assert (
        f"--host {host} accepts requests from other machines, but no API key is set" in done.stderr
    )
    assert "--insecure" in done.stderr


def test_a_public_host_works_with_a_key(start: Start, model: Path) -> None:
    server = start(model, "--host", "0.0.0.0", EMBEDKIT_API_KEY=KEY)
    assert "//0.0.0.0:" in server.url


def test_keys_are_required_and_never_logged(start: Start, model: Path, tmp_path: Path) -> None:
    other = "another-key-9876543210"
    (tmp_path / "keys").write_text(f"\n{other}\n")
    server = start(model, "--access-log", "--api-key-file", tmp_path / "keys", EMBEDKIT_API_KEY=KEY)
    asked = {"json": {"word": "paris"}}
    with httpx.Client(base_url=server.url) as client:
        for path in ("/", "/healthz", "/readyz", "/docs", "/openapi.json", "/page/index.html"):
            assert client.get(path).status_code == 200
        for key in (KEY, other):
            for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
                answer = client.post("/v1/neighbors", **asked, headers=headers)
                assert answer.status_code == 200
            assert client.get("/metrics", headers=headers).status_code == 200
        wrong = ({}, {"X-API-Key": KEY[:-1]}, {"X-API-Key": ""}, {"Authorization": f"Basic {KEY}"})
        for headers in wrong:
            answer = client.post("/v1/neighbors", **asked, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["type"] == "unauthorized"
            assert answer.headers["www-authenticate"] == "Bearer"
        for path in ("/metrics", "/v1/model", "/v1/nothing", "//v1/model", "/v1/../v1/model"):
            assert client.get(path).status_code in (401, 404)
        assert (
            client.get(f"/v1/words?prefix={'x' * 300}").status_code == 401
        )  # the key is checked first
        document = client.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == path.startswith(("/v1/", "/metrics"))
    server.stop()
    said = "".join(server.lines)
    assert '"POST /v1/neighbors HTTP/1.1" 401' in said
    assert KEY not in said
    assert other not in said


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        ("\n", "has no API keys"),
        ("short", "at least 16"),
        ("ü" * 20, "ASCII"),
        (f"\n{KEY}\nshort", "keys, line 3: an API key"),
    ],
)
def test_invalid_keys_are_rejected(
    refused: Command, model: Path, tmp_path: Path, content: str | None, problem: str
) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
    done = refused(model, "--port", 0, "--api-key-file", path)
    assert done.returncode == 2
    assert problem in done.stderr
    assert content is None or content.strip() == "" or content not in done.stderr


def test_an_empty_key_is_rejected(
    refused: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDKIT_API_KEY", "")
    done = refused(model, "--port", 0)
    assert done.returncode == 2
    assert "EMBEDKIT_API_KEY: an API key must have" in done.stderr


@pytest.mark.parametrize("seconds", ["nan", "inf"])
def test_a_timeout_that_is_not_finite_is_rejected(
    refused: Command, model: Path, seconds: str
) -> None:
    done = refused(model, "--timeout", seconds)
    assert done.returncode == 2
    assert f"Invalid value for '--timeout': must be a finite number, got {seconds}" in done.stderr


def test_every_answer_has_safe_headers(client: httpx.Client) -> None:
    for path in ("/", "/page/index.html", "/v1/model", "/nothing", "/healthz", "/docs"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert ("unsafe-inline" in policy) == (path == "/docs")
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_only_configured_origins_are_allowed(start: Start, model: Path) -> None:
    server = start(model, "--cors-origin", "https://example.org", EMBEDKIT_API_KEY=KEY)
    with httpx.Client(base_url=server.url, headers={"Access-Control-Request-Method": "POST"}) as c:
        named = c.options("/v1/query", headers={"Origin": "https://example.org"})
        assert named.status_code == 200
        assert named.headers["access-control-allow-origin"] == "https://example.org"
        other = c.options("/v1/query", headers={"Origin": "https://example.com"})
        assert "access-control-allow-origin" not in other.headers


def test_no_response_contains_a_path(client: httpx.Client, model: Path) -> None:
    for path in ("/v1/model", "/", "/docs", "/metrics", "/openapi.json", "/page/../../errors.py"):
        text = client.get(path).text
        assert str(model.parent) not in text
        assert "/tmp" not in text
        assert "site-packages" not in text
    assert client.get("/v1/model").json()["name"] == "model"


@pytest.mark.parametrize("up", ["..", "%2e%2e", ".%2e", "%252e%252e", "..%2f..", "..%5c..", "%00"])
@pytest.mark.parametrize(
    "folder", ["/page", "/page/shared", "/docs", "/docs/swagger", "/page//", ""]
)
def test_paths_cannot_leave_the_static_folders(server: Server, folder: str, up: str) -> None:
    inside = f"{folder}/{up}/{up}/errors.py", f"{folder}/{up}/{up}/{up}/{up}/{up}/etc/passwd"
    for path in (*inside, f"{folder}/{up}/errors.py", f"{folder}//etc/passwd"):
        with connect(server) as connection:  # an HTTP client would normalize the path
            connection.sendall(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
            answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 404 "), (path, answer)


def test_head_equals_get_without_the_body(server: Server, client: httpx.Client) -> None:
    for path in ("/", "/docs", "/healthz", "/readyz", "/v1/model", "/metrics", "/page/index.html"):
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
        if path != "/metrics":  # which counts these requests
            assert head.headers["content-length"] == got.headers["content-length"]
    assert client.head("/v1/query").status_code == 405
    with connect(server) as connection:  # nothing follows the headers
        connection.sendall(b"HEAD /v1/model HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert read_all(connection).endswith(b"\r\n\r\n")


def test_a_trailing_slash_is_not_redirected(client: httpx.Client) -> None:
    for path in ("/v1/model/", "/healthz/", "/page", "/docs/"):
        assert client.get(path).status_code == 404


def test_an_address_in_use_is_an_error(refused: Command, server: Server, model: Path) -> None:
    port = server.url.rpartition(":")[2]
    done = refused(model, "--port", port)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_model_is_an_error(refused: Command, tmp_path: Path) -> None:
    done = refused(tmp_path / "none", "--port", 0)
    assert done.returncode == 1
    assert "there is no model at" in done.stderr
    assert "Traceback" not in done.stderr
