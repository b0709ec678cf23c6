"""The sockets on which the service listens.

Each worker has its own, bound to the same port with SO_REUSEPORT: the kernel spreads connections
over them. From a shared socket, the worker that wakes first would take all that wait.
"""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from uvicorn import Config

from embedkit.errors import ConfigurationError

__all__ = ["ListenAddress", "bind", "listen"]

_log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True)
class ListenAddress:
    """The address of the server, and the processes that serve it.

    Attributes:
        host: a name or an address of this machine.
        port: the port; 0 picks a free one.
        workers: number of worker processes.
        reload: reload a model whenever its directory changes.
        access_log: log each request.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    reload: bool = False
    access_log: bool = False


def bind(address: ListenAddress) -> list[socket.socket]:
    """Return sockets bound to the address: one for each worker where the system supports it.

    Raises:
        ConfigurationError: the address is in use or not available.
    """
    # The first socket is bound without SO_REUSEPORT: it fails if another program uses the port.
    first = _bound(address, address.port, shared=False)
    if address.workers == 1 or sys.platform != "linux":
        return [first]
    port = first.getsockname()[1]
    first.close()
    return [_bound(address, port, shared=True) for _ in range(address.workers)]


def listen(listeners: Sequence[socket.socket], config: Config) -> None:
    """Accept connections, which wait until a worker has started, and log the address."""
    for listener in listeners:
        listener.listen(config.backlog)
    host, port = listeners[0].getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    _log.info("Uvicorn running on http://%s:%d (Press CTRL+C to quit)", shown, port)


def _bound(address: ListenAddress, port: int, *, shared: bool) -> socket.socket:
    try:
        family, kind, _, _, place = socket.getaddrinfo(
            address.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(place)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {address.host}, port {address.port}: {error.strerror}.",
            hint="Choose another --port, or stop the program that uses it.",
        ) from None
    bound.set_inheritable(True)
    return bound
