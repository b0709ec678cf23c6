"""Names of metrics and indexes."""

from __future__ import annotations

from embedkit.index.approximate import IndexSettings
from embedkit.index.metrics import METRICS
from embedkit.index.options import INDEX_KINDS, INDEX_SETTINGS, METRIC_NAMES


def test_there_is_a_metric_for_each_name() -> None:
    assert tuple(METRICS) == METRIC_NAMES
    assert all(metric.name == name for name, metric in METRICS.items())


def test_there_are_settings_for_each_kind_of_index() -> None:
    assert tuple(INDEX_SETTINGS) == INDEX_KINDS
    for kind, names in INDEX_SETTINGS.items():
        assert list(IndexSettings(kind=kind).used) == ["kind", "metric", *names]
