"""Settings of the service, and its API keys."""

from __future__ import annotations

import math
from pathlib import Path

import httpx
import pytest

from embedkit.errors import ConfigurationError
from embedkit.service.listening import ListenAddress
from embedkit.service.settings import (
    KEY_VARIABLE,
    ServiceSettings,
    is_loopback,
    read_keys,
    require_key_for_public_host,
)
from tests.service.servers import KEY, Start


@pytest.mark.parametrize(
    "origin",
    ["foo/bar", "example.org", "https://", "https://example.org/", "https://Example.org", "null"],
)
def test_an_invalid_origin_is_rejected(tmp_path: Path, origin: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--cors-origin {origin} is not a valid origin"):
        ServiceSettings({}, tmp_path, origins=(origin,))


def test_valid_origins_are_accepted(tmp_path: Path) -> None:
    origins = ("*", "https://example.org", "http://localhost:3000", "http://[::1]:8000")
    assert ServiceSettings({}, tmp_path, origins=origins).origins == origins


@pytest.mark.parametrize("timeout", [math.inf, math.nan])
def test_a_timeout_that_is_not_finite_is_rejected(tmp_path: Path, timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="must be a finite number of seconds, got"):
        ServiceSettings({}, tmp_path, timeout=timeout)


def test_keys_come_from_the_environment_and_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "another-key-9876543210"
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    (tmp_path / "keys").write_text(f"\n{other}\n")
    (tmp_path / "keys").chmod(0o600)
    assert read_keys(tmp_path / "keys") == (KEY, other)
    assert read_keys(None) == (KEY,)
    monkeypatch.delenv(KEY_VARIABLE)
    assert read_keys(None) == ()


def test_an_error_about_a_key_does_not_contain_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    (tmp_path / "keys").write_text("sh0rt")
    (tmp_path / "keys").chmod(0o600)
    with pytest.raises(ConfigurationError, match="line 1: an API key must have") as caught:
        read_keys(tmp_path / "keys")
    assert "sh0rt" not in str(caught.value)
    assert caught.value.hint.startswith("Generate one with python3 -c")


def test_a_public_host_needs_a_key_unless_insecure() -> None:
    require_key_for_public_host("127.0.0.1", (), insecure=False)
    require_key_for_public_host("0.0.0.0", (KEY,), insecure=False)
    require_key_for_public_host("0.0.0.0", (), insecure=True)
    with pytest.raises(ConfigurationError, match=r"--host 0\.0\.0\.0 accepts requests") as caught:
        require_key_for_public_host("0.0.0.0", (), insecure=False)
    assert KEY_VARIABLE in caught.value.hint


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("::1", True), ("127.8.8.8", True), ("192.0.2.1", False), ("a.b", False)],
)
def test_loopback_addresses(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected


def test_a_trusted_proxy_names_the_client(start: Start, model: Path) -> None:
    """The log has the address in X-Forwarded-For only if the proxy is trusted."""
    headers = {"X-Forwarded-For": "192.0.2.7"}
    trusting = start(model, "--access-log", "--trusted-proxy", "127.0.0.0/8")
    httpx.get(f"{trusting.url}/healthz", headers=headers)
    trusting.wait_for(r"192\.0\.2\.7.*/healthz")
    plain = start(model, "--access-log")
    httpx.get(f"{plain.url}/healthz", headers=headers)
    assert "192.0.2.7" not in plain.wait_for(r".*/healthz.*")[0]
    with pytest.raises(ConfigurationError, match="neither an address nor a network"):
        ListenAddress(trusted_proxies=("proxy",))
