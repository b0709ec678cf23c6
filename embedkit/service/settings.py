"""Settings of the service, and its API keys."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from embedkit.errors import ConfigurationError

__all__ = ["KEY_VARIABLE", "ServiceSettings", "read_keys", "require_key_for_public_host"]

KEY_VARIABLE = "EMBEDKIT_API_KEY"
_MIN_KEY_LENGTH = 16
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d+)?")


@dataclass(frozen=True)
class ServiceSettings:
    """Settings of the service.

    Attributes:
        model: the model directory, or another program's file of vectors.
        folder: the directory in which the supervisor publishes models for its workers.
        keys: the accepted API keys; without any, no key is required.
        origins: other sites whose pages may use the API (CORS).
        queue: number of questions that may wait in each worker; more are refused with status 429.
        body_limit: largest body of a request, in bytes.
        timeout: seconds after which a request is refused with status 503.
        documents: the search index that /v1/search answers from; None leaves that route out.

    Raises:
        ConfigurationError: the timeout is not finite, or an origin is not valid.
    """

    model: Path
    folder: Path
    keys: tuple[str, ...] = field(default=(), repr=False)
    origins: tuple[str, ...] = ()
    queue: int = 1024
    body_limit: int = 1 << 20
    timeout: float = 10.0
    documents: Path | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.timeout):
            raise ConfigurationError(
                f"--timeout must be a finite number of seconds, got {self.timeout}."
            )
        for origin in self.origins:
            if origin != "*" and _ORIGIN.fullmatch(origin) is None:
                raise ConfigurationError(
                    f"--cors-origin {origin} is not a valid origin.",
                    hint="Write the scheme and host in lower case, without a path, such as "
                    "https://example.org, or * for all sites.",
                )


def read_keys(file: Path | None) -> tuple[str, ...]:
    """Return the API keys of a file, one per line, and of the environment variable.

    Raises:
        ConfigurationError: the file cannot be read or has no keys, or a key is not valid.
    """
    keys: dict[str, str] = {}
    if KEY_VARIABLE in os.environ:
        keys[KEY_VARIABLE] = os.environ[KEY_VARIABLE].strip()
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise ConfigurationError(f"cannot read the API keys in {file}: {reason}.") from None
        found = {
            f"{file}, line {number}": line.strip()
            for number, line in enumerate(lines, start=1)
            if line.strip()
        }
        if not found:
            raise ConfigurationError(f"{file} has no API keys.", hint="Write one per line.")
        keys |= found
    for place, key in keys.items():
        if len(key) < _MIN_KEY_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigurationError(
                f"{place}: an API key must have at least {_MIN_KEY_LENGTH} printable ASCII "
                "characters and no spaces.",
                hint="Generate one with "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'.",
            )
    return tuple(keys.values())


def require_key_for_public_host(host: str, keys: tuple[str, ...], *, insecure: bool) -> None:
    """Raise `ConfigurationError` if other machines could use the service without a key."""
    if keys or insecure or is_loopback(host):
        return
    raise ConfigurationError(
        f"--host {host} accepts requests from other machines, but no API key is set.",
        hint=f"Set {KEY_VARIABLE} or pass --api-key-file; --insecure serves without a key.",
    )


def is_loopback(host: str) -> bool:
    """Return whether *host* can be reached only from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
