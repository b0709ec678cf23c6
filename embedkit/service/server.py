"""The server: a supervisor that binds, lays out models and replaces workers; workers that answer.

Signals to the supervisor: TERM and INT let workers finish what was asked and end; HUP has the model
read again. A worker that dies is replaced within a second.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from embedkit.errors import ConfigurationError
from embedkit.service.http.metrics import DIRECTORY_VARIABLE
from embedkit.service.settings import Settings
from embedkit.service.worker.publishing import Publisher
from embedkit.system.files import storage_errors
from embedkit.system.interrupts import held
from embedkit.system.memory import processors

__all__ = ["Listening", "serve"]

_DRAINING_SECONDS = 30
_log = logging.getLogger("embedkit.service")


@dataclass(frozen=True)
class Listening:
    """Where and how the server listens.

    Attributes:
        host: a name or an address of this machine.
        port: 0 for any that is free.
        workers: processes that answer.
        reload: serve every new state of the model directory.
        access_log: a line for each request.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    reload: bool = False
    access_log: bool = False


def serve(settings: Settings, listening: Listening) -> None:
    """Serve until a signal ends it.

    `settings.folder` is the folder in which another is made for the model as it is served.

    Raises:
        ModelError: the model cannot be served.
        ConfigurationError: the address cannot be listened at.
        StorageError: there is no room for the copy that workers map.
    """
    with storage_errors(settings.folder), ExitStack() as end:
        with held():
            folder = Path(
                end.enter_context(
                    tempfile.TemporaryDirectory(prefix="embedkit-", dir=settings.folder)
                )
            )
        publisher = Publisher(settings.model, folder)
        publisher.publish()
        _prepare_workers(folder, listening.workers)
        config = _configuration(settings, folder, listening)
        with held():  # its handlers take the place of those that raise an interrupt
            supervisor = Supervisor(
                config, [_bind(config)], publisher, every_change=listening.reload
            )
        supervisor.run()


class Supervisor(Multiprocess):
    """uvicorn's supervisor, which reads the model again at SIGHUP instead of restarting workers."""

    def __init__(
        self, config: Config, sockets: list[socket], publisher: Publisher, *, every_change: bool
    ) -> None:
        super().__init__(config, sockets)
        self._publisher = publisher
        watching = partial(publisher.watch, every_change=every_change)
        threading.Thread(target=watching, daemon=True).start()

    def handle_hup(self) -> None:
        self._publisher.ask()

    def keep_subprocess_alive(self) -> None:
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            _forget(pid)


def _forget(pid: int | None) -> None:
    """Take a dead worker's momentary values out of the sums."""
    if DIRECTORY_VARIABLE not in os.environ:  # one worker counts for itself
        return
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _prepare_workers(folder: Path, workers: int) -> None:
    """Set what workers have to find in their environment before they import anything."""
    os.environ.pop(DIRECTORY_VARIABLE, None)
    if workers > 1:
        measures = folder / "measures"
        measures.mkdir()
        os.environ[DIRECTORY_VARIABLE] = str(measures)
    # A worker searches with its share of the processors; BLAS's own threads beside those of FAISS
    # would only stand in their way.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, processors() // workers)))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _configuration(settings: Settings, folder: Path, listening: Listening) -> Config:
    from embedkit.service.app import create_app
    from embedkit.service.http.protocol import Protocol

    return Config(
        partial(create_app, replace(settings, folder=folder)),
        factory=True,
        host=listening.host,
        port=listening.port,
        workers=listening.workers,
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=listening.access_log,
        log_config=_logging(),
        server_header=False,
        proxy_headers=False,  # nothing here asks who is asking
        timeout_graceful_shutdown=_DRAINING_SECONDS,
        timeout_worker_healthcheck=30,
    )


def _bind(config: Config) -> socket:
    """Listen, and say where.

    Raises:
        ConfigurationError: the address cannot be listened at.
    """
    try:
        bound = config.bind_socket()
    except SystemExit:  # uvicorn has said why
        raise ConfigurationError(
            f"cannot listen at {config.host}, port {config.port}.",
            hint=("Another --port, or end what listens there."),
        ) from None
    bound.listen(config.backlog)  # who comes before a worker is there waits for one
    return bound


def _logging() -> dict[str, Any]:
    plain = {"format": "%(asctime)s %(levelname)s [%(process)d] %(message)s"}
    handler = {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}
    logger = {"handlers": ["standard"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": plain},
        "handlers": {"standard": handler},
        "loggers": {"uvicorn": logger, "embedkit": logger},
    }
