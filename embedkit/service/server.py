"""The server: a supervisor that binds the port, publishes models and restarts workers.

Signals to the supervisor: SIGTERM and SIGINT let workers finish their requests and exit; SIGHUP
reloads the model. A worker that dies is replaced within a second.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from socket import socket

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from embedkit.service.http.metrics import DIRECTORY_VARIABLE
from embedkit.service.listening import (
    ListenAddress,
    bind,
    is_reserved,
    log_address,
    socket_of_worker,
)
from embedkit.service.settings import ServiceSettings
from embedkit.service.worker.classifiers import Classifiers
from embedkit.service.worker.models import published_in
from embedkit.service.worker.publishing import Publisher
from embedkit.system.full_disk import storage_errors
from embedkit.system.interrupts import held
from embedkit.system.memory import processors

__all__ = ["ListenAddress", "serve"]

_SHUTDOWN_SECONDS = 30
_START_POLL_SECONDS = 0.05
_log = logging.getLogger("embedkit.service")


def serve(settings: ServiceSettings, address: ListenAddress) -> None:
    """Serve until a signal stops the server.

    The copies of the models that workers map are in a temporary directory in `settings.folder`.

    Raises:
        ModelError: a model cannot be served.
        ConfigurationError: the server cannot listen on the address.
        StorageError: the copy of a model cannot be written: the disk is full, or the path is not
            writable.
    """
    with storage_errors(settings.folder), ExitStack() as end:
        with held():
            folder = Path(
                end.enter_context(
                    tempfile.TemporaryDirectory(prefix="embedkit-", dir=settings.folder)
                )
            )
        bound = bind(address)
        end.callback(bound.close)
        publishers = [
            Publisher(name, path, published_in(folder, number))
            for number, (name, path) in enumerate(settings.models.items())
        ]
        for publisher in publishers:
            publisher.publish()
        Classifiers(settings.classifiers)  # finds mistakes before workers start
        _prepare_workers(folder, address.workers)
        config = _configuration(settings, folder, address)
        with held():  # uvicorn's signal handlers replace those that raise an interrupt
            supervisor = Supervisor(config, bound, publishers, every_change=address.reload)
        supervisor.run()


class Worker(Process):
    """A worker process, which may have a socket of its own."""

    def target(self, sockets: list[socket] | None = None) -> None:
        """Serve; called in the new process with the socket of the supervisor."""
        super().target([socket_of_worker(bound) for bound in sockets or ()])


class Supervisor(Multiprocess):
    """uvicorn's supervisor, with another meaning of SIGHUP: it reloads the models.

    Args:
        config: the configuration of uvicorn.
        bound: the socket of `listening.bind`.
        publishers: the publishers of the models.
        every_change: whether to reload a model whenever its directory changes.
    """

    def __init__(
        self,
        config: Config,
        bound: socket,
        publishers: Sequence[Publisher],
        *,
        every_change: bool,
    ) -> None:
        super().__init__(config, [bound])
        self._publishers = publishers
        for publisher in publishers:
            watching = partial(publisher.watch, every_change=every_change)
            threading.Thread(target=watching, daemon=True).start()

    def init_processes(self) -> None:
        [bound] = self.sockets
        if not is_reserved(bound):
            bound.listen(self.config.backlog)  # connections wait until a worker has started
            log_address(bound)
        self.processes = [self._started() for _ in range(self.processes_num)]
        if is_reserved(bound) and self._wait_for_a_worker():
            log_address(bound)

    def _started(self) -> Process:
        process = Worker(self.config, self.sockets)
        process.start()
        return process

    def _wait_for_a_worker(self) -> bool:
        """Return whether a worker accepts connections, as soon as one does or the server stops."""
        while not self.should_exit.wait(_START_POLL_SECONDS):
            self.handle_signals()
            self.keep_subprocess_alive()
            if any(process.is_ready() for process in self.processes):
                return True
        return False

    def handle_hup(self) -> None:
        for publisher in self._publishers:
            publisher.request()

    def handle_ttin(self) -> None:
        _log.info("The number of workers is fixed.")

    handle_ttou = handle_ttin

    def keep_subprocess_alive(self) -> None:
        for number, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                continue
            process.kill()  # it may hang
            process.join()
            _remove_metrics(process.pid)
            if process.exitcode == STARTUP_FAILURE:
                _log.error("Worker [%s] failed to start; the service stops.", process.pid)
                self.should_exit.set()
                return
            _log.info("Child process [%s] died.", process.pid)
            self.processes[number] = self._started()

    def terminate_all(self) -> None:
        self.sockets[0].close()  # so that no connection waits for workers that are ending
        super().terminate_all()


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
    return Config(
        partial(_application, replace(settings, folder=folder)),
        factory=True,
        host=address.host,
        port=address.port,
        workers=address.workers,
        http="embedkit.service.http.protocol:Protocol",
        ws="none",
        lifespan="on",
        access_log=address.access_log,
        log_config=_logging(),
        server_header=False,
        # Anyone can send these headers, so only those of trusted proxies name the client.
        proxy_headers=bool(address.trusted_proxies),
        forwarded_allow_ips=[*address.trusted_proxies],
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=30,
    )


def _application(settings: ServiceSettings) -> ASGIApp:
    from embedkit.service.app import create_app  # imports FastAPI, which the supervisor avoids

    return create_app(settings)


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
