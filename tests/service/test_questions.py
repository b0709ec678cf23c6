"""Answers over HTTP are those of the library; errors have one shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

import embedkit


@pytest.fixture(scope="module")
def vectors(model: Path) -> embedkit.WordVectors:
    return embedkit.load(model)


def as_json(neighbors: list[embedkit.Neighbor]) -> list[dict[str, Any]]:
    return [{"word": word, "score": pytest.approx(score, abs=2e-6)} for word, score in neighbors]


@pytest.mark.parametrize("metric", ["cosine", "l2", "dot"])
def test_an_analogy_is_answered_as_the_library_does(
    client: httpx.Client, vectors: embedkit.WordVectors, metric: str
) -> None:
    asked = {"a": "Paris", "b": "france", "c": "italy", "k": 4, "metric": metric}
    answer = client.post("/v1/analogy", json=asked)
    assert answer.status_code == 200
    assert answer.json() == {
        "question": "Paris - france + italy",
        "terms": [
            {"word": "paris", "weight": 1.0},
            {"word": "france", "weight": -1.0},
            {"word": "italy", "weight": 1.0},
        ],
        "answers": as_json(vectors.analogy("paris", "france", "italy", 4, metric=metric)),
    }


def test_an_unknown_word_is_not_found_and_others_are_suggested(client: httpx.Client) -> None:
    answer = client.post("/v1/neighbors", json={"word": "pariss"})
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["type"] == "unknown_word"
    assert error["word"] == "pariss"
    assert error["suggestions"][0] == "paris"
    assert "pariss" in error["message"]
    assert "paris" in error["hint"]
