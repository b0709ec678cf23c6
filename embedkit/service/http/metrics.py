"""What the service counts, for Prometheus; with several workers, of all of them together."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

__all__ = ["DIRECTORY_VARIABLE", "Measures"]

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where several workers leave their numbers; prometheus_client looks when it is imported."""

_FILES = ("counter", "histogram", "gauge_liveall", "gauge_livesum")
_FILE_BYTES = 256 << 10  # several times what all routes and statuses take
_log = logging.getLogger("embedkit.service")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Measures:
    """The counters of one worker."""

    def __init__(self) -> None:
        _reserve()
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        own = self._own = CollectorRegistry()
        self.requests = Counter(
            "embedkit_requests", "Requests answered.", ["route", "status"], registry=own
        )
        self.seconds = Histogram(
            "embedkit_request_seconds",
            "From the request's head to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=own,
        )
        self.batches = Histogram(
            "embedkit_batch_questions", "Questions a search answers.", buckets=_SIZES, registry=own
        )
        self.errors = Counter(
            "embedkit_errors", "Answers that are errors, also within a batch.", ["type"],
            registry=own,
        )  # fmt: skip
        self.generation = Gauge(
            "embedkit_model_generation",
            "Models served up to this one; each worker's own.",
            multiprocess_mode="liveall",
            registry=own,
        )
        self.waiting = Gauge(
            "embedkit_questions_waiting",
            "Questions not yet taken up.",
            multiprocess_mode="livesum",
            registry=own,
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
        """Return all numbers in Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if DIRECTORY_VARIABLE not in os.environ:
            return bytes(generate_latest(self._own))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(together))


def _reserve() -> None:
    """Give the files that prometheus_client maps their room on the disk before it opens them.

    It makes them sparse: on a disk that has filled up since, a write to the map ends the process.
    """
    folder = os.environ.get(DIRECTORY_VARIABLE)
    if folder is None:
        return
    made = [Path(folder) / f"{name}_{os.getpid()}" for name in _FILES]
    try:
        for path in made:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, _FILE_BYTES)
        for path in made:  # the others read what ends in .db, and none of it may be empty
            path.rename(path.with_suffix(".db"))
    except OSError as error:
        del os.environ[DIRECTORY_VARIABLE]
        for path in made:
            path.unlink(missing_ok=True)
        _log.error("This worker counts for itself alone: %s: %s", folder, error.strerror)
