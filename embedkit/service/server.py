"""The server: a supervisor that binds the socket, publishes models and restarts workers.

Signals to the supervisor: SIGTERM and SIGINT let workers finish their requests and exit; SIGHUP
reloads the model. A worker that dies is replaced within a second.
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

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from embedkit.errors import ConfigurationError
from embedkit.service.http.metrics import DIRECTORY_VARIABLE
from embedkit.service.settings import ServiceSettings
from embedkit.service.worker.publishing import Publisher
from embedkit.system.full_disk import storage_errors
from embedkit.system.interrupts import held
from embedkit.system.memory import processors

__all__ = ["ListenAddress", "serve"]

_SHUTDOWN_SECONDS = 30
_log = logging.getLogger("embedkit.service")


@dataclass(frozen=True)
class ListenAddress:
    """The address of the server, and the processes that serve it.

    Attributes:
        host: a name or an address of this machine.
        port: the port; 0 picks a free one.
        workers: number of worker processes.
        reload: reload the model whenever its directory changes.
        access_log: log each request.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    reload: bool = False
    access_log: bool = False


def serve(settings: ServiceSettings, address: ListenAddress) -> None:
    """Serve until a signal stops the server.

    The copy of the model that workers map is in a temporary directory in `settings.folder`.

    Raises:
        ModelError: the model cannot be served.
        ConfigurationError: the server cannot listen on the address.
        StorageError: the copy of the model cannot be written: the disk is full, or the path is not
            writable.
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
        _prepare_workers(folder, address.workers)
        config = _configuration(settings, folder, address)
        with held():  # uvicorn's signal handlers replace those that raise an interrupt
            supervisor = Supervisor(config, [_bind(config)], publisher, every_change=address.reload)
        supervisor.run()


class Supervisor(Multiprocess):
    """uvicorn's supervisor, except that SIGHUP reloads the model instead of restarting workers."""

    def __init__(
        self, config: Config, sockets: list[socket], publisher: Publisher, *, every_change: bool
    ) -> None:
        super().__init__(config, sockets)
        self._publisher = publisher
        watching = partial(publisher.watch, every_change=every_change)
        threading.Thread(target=watching, daemon=True).start()

    def handle_hup(self) -> None:
        self._publisher.request()

    def keep_subprocess_alive(self) -> None:
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            _remove_metrics(pid)


def _remove_metrics(pid: int | None) -> None:
    """Exclude the gauges of a dead worker from the sums over all workers."""
    if DIRECTORY_VARIABLE not in os.environ:  # a single worker has its own metrics
        return
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _prepare_workers(folder: Path, workers: int) -> None:
    """Set environment variables that workers need before their imports."""
    os.environ.pop(DIRECTORY_VARIABLE, None)
    if workers > 1:
        metrics = folder / "metrics"
        metrics.mkdir()
        os.environ[DIRECTORY_VARIABLE] = str(metrics)
    # Each worker gets its share of the processors. BLAS threads would compete with those of FAISS.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, processors() // workers)))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _configuration(settings: ServiceSettings, folder: Path, address: ListenAddress) -> Config:
    from embedkit.service.app import create_app
    from embedkit.service.http.protocol import Protocol

    return Config(
        partial(create_app, replace(settings, folder=folder)),
        factory=True,
        host=address.host,
        port=address.port,
        workers=address.workers,
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=address.access_log,
        log_config=_logging(),
        server_header=False,
        proxy_headers=False,  # the client's address is not used
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=30,
    )


def _bind(config: Config) -> socket:
    """Bind the socket and start to listen.

    Raises:
        ConfigurationError: the address is in use or not available.
    """
    try:
        bound = config.bind_socket()
    except SystemExit:  # uvicorn has logged the reason
        raise ConfigurationError(
            f"cannot listen on {config.host}, port {config.port}.",
            hint="Choose another --port, or stop the program that uses it.",
        ) from None
    bound.listen(config.backlog)  # connections wait until a worker has started
    return bound


def _logging() -> dict[str, object]:
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
