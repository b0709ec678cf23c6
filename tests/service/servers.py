"""Real server processes for tests."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

KEY = "a-key-of-the-tests-0123456789"


def workers_of(supervisor: int) -> list[int]:
    """Return the process ids of the workers, without Python's helper processes."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text()
    return [
        int(pid)
        for pid in children.split()
        if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
    ]


class Server:
    """A server process, its address and its log."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "embedkit", "serve", "--port", "0", *arguments],
            stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.lines: list[str] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        self.url = self.wait_for(r"running on (http://\S+)")[1]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()

    def wait_for(self, pattern: str, count: int = 1, seconds: float = 60) -> re.Match[str]:
        """Wait for *count* matching lines in the log; return the last match."""
        found: list[re.Match[str]] = []

        def enough() -> bool:
            found[:] = [match for line in self.lines if (match := re.search(pattern, line))]
            return len(found) >= count

        with self._changed:
            assert self._changed.wait_for(enough, seconds), "".join(self.lines)
        return found[count - 1]

    @property
    def workers(self) -> list[int]:
        return workers_of(self.process.pid)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


Start = Callable[..., Server]


@contextlib.contextmanager
def starting() -> Iterator[Start]:
    servers: list[Server] = []

    def start(model: Path | str, *arguments: object, **environment: str) -> Server:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("EMBEDKIT_")}
        options = ["--model", str(model), *map(str, arguments)]
        server = Server(options, {**kept, **environment})
        servers.append(server)
        with httpx.Client(base_url=server.url) as client:
            assert client.get("/readyz", timeout=60).status_code == 200
        return server

    try:
        yield start
    finally:
        for server in servers:
            if server.process.poll() is None:
                server.stop()
            assert server.process.stderr is not None
            server.process.stderr.close()


def new_connections(server: Server) -> httpx.Client:
    """Return a client that connects anew for each request, so that every worker may answer.

    `httpx.get` does so too, but first reads all certificates of the system.
    """
    return httpx.Client(base_url=server.url, limits=httpx.Limits(max_keepalive_connections=0))


def connect(server: Server) -> socket.socket:
    """Return a socket connected to a server."""
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


@dataclass(frozen=True)
class Accepted:
    """A connection at the side of a server.

    Attributes:
        client_port: the port of the client.
        unread: number of bytes that have arrived and were not read.
    """

    client_port: int
    unread: int


def accepted_connections(server: Server) -> list[Accepted]:
    """Return the connections that the processes of a server have accepted and not closed."""
    port = int(server.url.rpartition(":")[2])
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, *_ = fields = line.split()
        is_open = state in ("01", "08")  # ESTABLISHED, CLOSE_WAIT
        if is_open and int(local.partition(":")[2], 16) == port and fields[9] != "0":
            unread = int(queues.partition(":")[2], 16)
            found.append(Accepted(int(remote.partition(":")[2], 16), unread))
    return found


def listening_sockets(server: Server) -> int:
    """Return on how many sockets a server listens. A worker logs that it has started before."""
    port = int(server.url.rpartition(":")[2])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == "0A" and int(row[1].partition(":")[2], 16) == port for row in rows)


def wait_until(is_met: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not is_met():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.005)


def read_all(connection: socket.socket) -> bytes:
    """Return everything received until the other side closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))
