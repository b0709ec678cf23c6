"""What the service counts, for Prometheus; with several workers, of all of them together."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

__all__ = ["DIRECTORY_VARIABLE", "Measures"]

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where workers leave their numbers; to be set before this module is imported."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Measures:
    """The counters of one worker."""

    def __init__(self) -> None:
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
        if DIRECTORY_VARIABLE not in os.environ:
            return bytes(generate_latest(self._own))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(together))
