"""Metrics as Prometheus reads them."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import prometheus_client.values  # noqa: F401 - decides at import whether files are used
import pytest
from prometheus_client.parser import text_string_to_metric_families

from embedkit.service.http.metrics import DIRECTORY_VARIABLE, ServiceMetrics


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)


def samples(metrics: ServiceMetrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the values by the name of a sample and its labels in alphabetical order."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_status() -> None:
    metrics = ServiceMetrics()
    for status, seconds in ((200, 0.003), (200, 0.04), (404, 20.0)):
        metrics.answered("/v1/query", status, seconds)
    found = samples(metrics)
    assert found["embedkit_requests_total", ("/v1/query", "200")] == 2
    assert found["embedkit_requests_total", ("/v1/query", "404")] == 1
    assert found["embedkit_request_seconds_count", ("/v1/query",)] == 3
    assert found["embedkit_request_seconds_sum", ("/v1/query",)] == pytest.approx(20.043)
    buckets = {
        name: found["embedkit_request_seconds_bucket", (name, "/v1/query")]
        for name in ("0.0025", "0.005", "0.05", "10.0", "+Inf")
    }
    assert buckets == {"0.0025": 0, "0.005": 1, "0.05": 2, "10.0": 2, "+Inf": 3}


def test_two_services_do_not_share_their_numbers() -> None:
    first, second = ServiceMetrics(), ServiceMetrics()
    first.waiting.set(5)
    second.generation.labels("model").set(3)
    assert samples(first)["embedkit_questions_waiting", ()] == 5
    assert samples(second)["embedkit_questions_waiting", ()] == 0
    assert samples(second)["embedkit_model_generation", ("model",)] == 3


def test_files_are_allocated_before_they_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    ServiceMetrics()
    kinds = ("counter", "gauge_liveall", "gauge_livesum", "histogram")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{kind}_{os.getpid()}.db" for kind in kinds
    ]
    for path in tmp_path.iterdir():
        assert path.stat().st_blocks * 512 >= path.stat().st_size == 256 << 10


def test_metrics_work_alone_if_the_files_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "nowhere"))
    with caplog.at_level(logging.ERROR, logger="embedkit.service"):
        metrics = ServiceMetrics()
    assert "are not shared" in caplog.text
    assert "No such file" in caplog.text
    metrics.errors.labels("bad_request").inc()
    assert samples(metrics)["embedkit_errors_total", ("bad_request",)] == 1
