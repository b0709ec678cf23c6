"""Reciprocal rank fusion, by hand."""

from __future__ import annotations

import pytest

from embedkit.retrieval.fusion import fuse


def test_scores_are_sums_of_reciprocal_ranks() -> None:
    found = fuse({"first": ["a", "b", "c"], "second": ["c", "a"]})
    assert [item for item, _ in found] == ["a", "c", "b"]
    assert dict(found) == pytest.approx({"a": 1 / 61 + 1 / 62, "c": 1 / 63 + 1 / 61, "b": 1 / 62})


def test_weights_and_ties() -> None:
    assert fuse({"first": ["a"], "second": ["b"]}, {"second": 2.0}) == [
        ("b", pytest.approx(2 / 61)),
        ("a", pytest.approx(1 / 61)),
    ]
    assert [item for item, _ in fuse({"first": ["x"], "second": ["y"]})] == ["x", "y"]
    assert fuse({}) == []
