"""Prometheus metrics of the service, summed over all workers."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

__all__ = ["DIRECTORY_VARIABLE", "ServiceMetrics"]

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the directory that workers share; prometheus_client reads it when it is imported."""

_FILES = ("counter", "histogram", "gauge_liveall", "gauge_livesum")
_FILE_BYTES = 256 << 10  # several times what the metrics of all routes and statuses need
_log = logging.getLogger("embedkit.service")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class ServiceMetrics:
    """The metrics of one worker."""

    def __init__(self) -> None:
        _reserve()
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "embedkit_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "embedkit_request_seconds",
            "Seconds from the headers of a request to the end of its response.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.batches = Histogram(
            "embedkit_batch_questions",
            "Questions answered by one search.",
            buckets=_SIZES,
            registry=registry,
        )
        self.errors = Counter(
            "embedkit_errors", "Errors, including those within a batch.", ["type"],
            registry=registry,
        )  # fmt: skip
        self.generation = Gauge(
            "embedkit_model_generation",
            "Number of versions of the model served so far, by worker.",
            ["model"],
            multiprocess_mode="liveall",
            registry=registry,
        )
        self.waiting = Gauge(
            "embedkit_questions_waiting",
            "Questions waiting in the queue.",
            multiprocess_mode="livesum",
            registry=registry,
        )

        self._children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        children = self._children.get((route, status))
        if children is None:
            children = self.requests.labels(route, status), self.seconds.labels(route)
            self._children[route, status] = children
        requests, times = children
        requests.inc()
        times.observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if DIRECTORY_VARIABLE not in os.environ:
            return bytes(generate_latest(self._registry))
        combined = CollectorRegistry()
        MultiProcessCollector(combined)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(combined))


def _reserve() -> None:
    """Allocate the files that prometheus_client maps before it opens them.

    It creates sparse files: if the disk is full later, a write to the map would kill the process.
    """
    folder = os.environ.get(DIRECTORY_VARIABLE)
    if folder is None:
        return
    paths = [Path(folder) / f"{name}_{os.getpid()}" for name in _FILES]
    try:
        for path in paths:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, _FILE_BYTES)
        for path in paths:  # other workers read files ending in .db, which must not be empty
            path.rename(path.with_suffix(".db"))
    except OSError as error:
        del os.environ[DIRECTORY_VARIABLE]
        for path in paths:
            path.unlink(missing_ok=True)
        _log.error("The metrics of this worker are not shared: %s: %s", folder, error.strerror)
