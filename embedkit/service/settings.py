"""Settings of the service, and its API keys."""

from __future__ import annotations

import contextlib
import ipaddress
import math
import os
import re
import stat
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embedkit.errors import ConfigurationError

__all__ = [
    "KEY_VARIABLE",
    "ServiceSettings",
    "named_models",
    "read_keys",
    "require_key_for_public_host",
    "temporary_folder",
]

KEY_VARIABLE = "EMBEDKIT_API_KEY"
_MIN_KEY_LENGTH = 16
_NAMED = re.compile(r"([\w.:-]{1,100})=(.+)", re.DOTALL)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d+)?")


@dataclass(frozen=True)
class ServiceSettings:
    """Settings of the service.

    Attributes:
        models: the name of each model, and its directory or another program's file of vectors; the
            first model is the default.
        folder: the directory in which the supervisor publishes models for its workers.
        keys: the accepted API keys; without any, no key is required.
        origins: other sites whose pages may use the API (CORS).
        queue: number of questions that may wait in each worker; more are refused with status 429.
        body_limit: largest body of a request, in bytes.
        timeout: seconds after which a request is refused with status 503.

    Raises:
        ConfigurationError: the timeout is not finite, or an origin is not valid.
    """

    models: Mapping[str, Path]
    folder: Path
    keys: tuple[str, ...] = field(default=(), repr=False)
    origins: tuple[str, ...] = ()
    queue: int = 1024
    body_limit: int = 1 << 20
    timeout: float = 10.0

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


def named_models(given: Sequence[str]) -> dict[str, Path]:
    """Return the path of each model by name, from texts such as PATH or NAME=PATH.

    Without a name, a model has the name of its directory or file, without the suffix .embedkit.

    Raises:
        ConfigurationError: two models have the same name.
    """
    models: dict[str, Path] = {}
    for text in given:
        parts = _NAMED.fullmatch(text)
        if parts is None or Path(text).exists():
            path = Path(text)
            path = path.resolve() if path.name in ("", "..") else path
            name = path.name.removesuffix(".embedkit")
        else:
            name, path = parts[1], Path(parts[2])
        if name in models:
            raise ConfigurationError(
                f"two models have the name {name}: {models[name]} and {path}.",
                hint="Name each of them: --model NAME=PATH.",
            )
        models[name] = path
    return models


def temporary_folder() -> Path:
    """Return the directory for the copies of the models.

    Raises:
        ConfigurationError: TMPDIR names a directory that cannot be used. Python would choose
            another one, which may be too small.
    """
    chosen = os.environ.get("TMPDIR")
    if chosen and not (Path(chosen).is_dir() and os.access(chosen, os.W_OK | os.X_OK)):
        raise ConfigurationError(
            f"TMPDIR is {chosen}, which is not a directory that can be written to.",
            hint="Create it, or set TMPDIR to another directory.",
        )
    return Path(tempfile.gettempdir())


def read_keys(file: Path | None) -> tuple[str, ...]:
    """Return the API keys of a file, one per line, and of the environment variable.

    Raises:
        ConfigurationError: the file cannot be read or has no keys, or a key is not valid.
    """
    keys: dict[str, str] = {}
    if KEY_VARIABLE in os.environ:
        keys[KEY_VARIABLE] = os.environ[KEY_VARIABLE].strip()
    if file is not None:
        _warn_if_readable(file)
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


def _warn_if_readable(file: Path) -> None:
    """Warn if other users can read a file of keys."""
    with contextlib.suppress(OSError):
        if file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            warnings.warn(
                f"{file} can be read by other users of this machine. Run chmod 600 {file}.",
                UserWarning,
                stacklevel=3,
            )


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
