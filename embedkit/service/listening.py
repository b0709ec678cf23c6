"""The sockets on which the service listens.

On Linux each of several workers has its own, bound to the same port with SO_REUSEPORT: the kernel
spreads connections over those that listen. From a shared socket, the worker that wakes first would
take all that wait. Only the worker holds its socket, so that the kernel closes it when the worker
dies: from then on others get all connections, and clients that waited at it are told at once. The
supervisor keeps the port with a socket that is bound but does not listen.

A single worker listens on the socket of the supervisor: connections wait while it is replaced.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import sys
from dataclasses import dataclass

from embedkit.errors import ConfigurationError
from embedkit.service.limits import MAX_CONNECTIONS

__all__ = ["ListenAddress", "bind", "is_reserved", "log_address", "socket_of_worker"]

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
        trusted_proxies: addresses, or networks such as 10.0.0.0/8, of proxies whose header
            X-Forwarded-For names the client.

    Raises:
        ConfigurationError: a trusted proxy is neither an address nor a network.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    reload: bool = False
    access_log: bool = False
    trusted_proxies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                raise ConfigurationError(
                    f"--trusted-proxy {proxy} is neither an address nor a network.",
                    hint="Write it as 10.0.0.1 or 10.0.0.0/8.",
                ) from None


def bind(address: ListenAddress) -> socket.socket:
    """Return a socket bound to the address.

    If there are several workers, and the system lets each have its own socket, this one only
    reserves the port; see `is_reserved`.

    Raises:
        ConfigurationError: the address is in use or not available.
    """
    # The first socket is bound without SO_REUSEPORT: it fails if another program uses the port.
    first = _bound(address, address.port, shared=False)
    if address.workers == 1 or sys.platform != "linux":
        return first
    port = first.getsockname()[1]
    first.close()
    return _bound(address, port, shared=True)


def is_reserved(bound: socket.socket) -> bool:
    """Return whether a socket only reserves the port, for workers with sockets of their own."""
    if sys.platform != "linux":
        return False
    return bool(bound.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))


def socket_of_worker(bound: socket.socket) -> socket.socket:
    """Return the socket on which this process shall listen, given that of the supervisor."""
    if not is_reserved(bound):
        return bound
    own = _shared_socket(bound.family)
    own.bind(bound.getsockname())
    bound.close()
    return _with_high_number(own)


def _with_high_number(opened: socket.socket) -> socket.socket:
    """Return a socket with a higher file descriptor than those of connections.

    Linux closes the files of a dead process from the highest to the lowest. If connections were
    closed first, a client could connect again to the listening socket just before it is closed.
    """
    import fcntl
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = 2 * MAX_CONNECTIONS if soft < 0 else min(soft, 2 * MAX_CONNECTIONS)
    number = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, highest - 1)
    opened.close()
    return socket.socket(fileno=number)


def log_address(bound: socket.socket) -> None:
    """Log the address at which connections are accepted now."""
    host, port = bound.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    _log.info("Uvicorn running on http://%s:%d (Press CTRL+C to quit)", shown, port)


def _socket(family: int) -> socket.socket:
    """Return a socket; asyncio sends small responses at once only if the protocol is named."""
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def _shared_socket(family: int) -> socket.socket:
    shared = _socket(family)
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return shared


def _bound(address: ListenAddress, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = _shared_socket(family) if shared else _socket(family)
    try:
        [(_, _, _, _, place), *_] = socket.getaddrinfo(
            address.host, port, family, socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(place)
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"cannot listen on {address.host}, port {address.port}: {error.strerror}.",
            hint="Choose another --port, or stop the program that uses it.",
        ) from None
    bound.set_inheritable(True)
    return bound
