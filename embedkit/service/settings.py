"""What the service is told when it starts."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from embedkit.errors import ConfigurationError

__all__ = ["KEY_VARIABLE", "Settings", "read_keys"]

KEY_VARIABLE = "EMBEDKIT_API_KEY"
_SHORTEST_KEY = 16
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d+)?")


@dataclass(frozen=True)
class Settings:
    """How the service runs.

    Attributes:
        model: the model directory.
        folder: where the supervisor lays out models for its workers.
        keys: any one of them opens the service; none at all leaves it open.
        origins: other sites whose pages may ask, as browsers name them; none by default.
        queue: questions that may wait in a worker; past it, the answer is 429.
        body: bytes that a request may have.
        seconds: an answer that takes longer is given up.
    """

    model: Path
    folder: Path
    keys: tuple[str, ...] = field(default=(), repr=False)
    origins: tuple[str, ...] = ()
    queue: int = 1024
    body: int = 1 << 20
    seconds: float = 10.0

    def __post_init__(self) -> None:
        """Raise `ConfigurationError` for endless seconds, and origins that are none."""
        if not math.isfinite(self.seconds):
            raise ConfigurationError(
                f"--timeout {self.seconds} is no time.", hint="Give a number of seconds."
            )
        for origin in self.origins:
            if origin != "*" and _ORIGIN.fullmatch(origin) is None:
                raise ConfigurationError(
                    f"--cors-origin {origin} is no origin that a browser names.",
                    hint="Give scheme and host in lower case and no path, such as "
                    "https://example.org, or *.",
                )


def read_keys(file: Path | None) -> tuple[str, ...]:
    """Return the keys of a file, one a line, and that of the environment.

    Raises:
        ConfigurationError: the file cannot be read or is empty, or a key is too short to be one.
    """
    keys: dict[str, str] = {}
    if KEY_VARIABLE in os.environ:
        keys[KEY_VARIABLE] = os.environ[KEY_VARIABLE].strip()
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigurationError(f"cannot read the keys in {file}: {reason}.") from None
        found = {
            f"{file}, line {number}": line.strip()
            for number, line in enumerate(lines, start=1)
            if line.strip()
        }
        if not found:
            raise ConfigurationError(f"{file} holds no key.", hint="Write one a line.")
        keys |= found
    for place, key in keys.items():
        if len(key) < _SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigurationError(
                f"{place}: a key has at least {_SHORTEST_KEY} printable ASCII characters and no "
                "space.",
                hint="Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
    return tuple(keys.values())


def refuse_open_door(host: str, keys: tuple[str, ...], *, insecure: bool) -> None:
    """Raise `ConfigurationError` if anyone who reaches this machine could ask without a key."""
    if keys or insecure or is_loopback(host):
        return
    raise ConfigurationError(
        f"--host {host} lets other machines ask, and no key is set.",
        hint=(f"Set {KEY_VARIABLE} or --api-key-file, or insist with --insecure."),
    )


def is_loopback(host: str) -> bool:
    """Return whether *host* can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
