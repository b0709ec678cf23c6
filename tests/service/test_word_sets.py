"""Similarity, ranks, the odd one out and transfer over HTTP: the answers of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

import embedkit


@pytest.fixture(scope="module")
def vectors(model: Path) -> embedkit.WordVectors:
    return embedkit.load(model)


def post(client: httpx.Client, route: str, body: object) -> Any:
    answer = client.post(f"/v1/{route}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_similarity_of_sets(client: httpx.Client, vectors: embedkit.WordVectors) -> None:
    sets = [["paris", "rome"], ["france"]]
    found = post(client, "similarity", {"sets": sets})
    assert found["score"] == pytest.approx(vectors.similarity(*sets))
    assert (found["sets"], found["metric"]) == (sets, "cosine")
    skipped = post(client, "similarity", {"sets": [["qqq"], ["rome"]], "oov": "skip"})
    assert (skipped["score"], skipped["skipped"]) == (None, ["qqq"])


def test_ranks(client: httpx.Client, vectors: embedkit.WordVectors) -> None:
    for metric in ("cosine", "l2", "dot"):
        body = {"word": "rome", "neighbor_of": "paris", "metric": metric}
        assert post(client, "rank", body)["rank"] == vectors.rank("paris", "rome", metric=metric)
    spelled = {"word": "romee", "neighbor_of": "pariss", "oov": "spell"}
    assert post(client, "rank", spelled)["rank"] == vectors.rank("paris", "rome")


def test_the_odd_one_out(client: httpx.Client, vectors: embedkit.WordVectors) -> None:
    words = ["paris", "rome", "berlin", "france"]
    found = post(client, "odd-one-out", {"words": words})
    expected = vectors.odd_one_out(words)
    assert [one["word"] for one in found["answers"]] == [one.word for one in expected]
    two = client.post("/v1/odd-one-out", json={"words": words[:2]})
    assert two.status_code == 422


def test_transfer(client: httpx.Client, vectors: embedkit.WordVectors) -> None:
    pairs, words = [["france", "paris"], ["italy", "rome"]], ["germany", "spain"]
    body = {"pairs": pairs, "words": words, "k": 3, "strength": 0.5, "exclude": ["rome"]}
    found = post(client, "transfer", [body, {**body, "pairs": [["paris", "paris"]]}])
    expected = vectors.transfer(
        [(a, b) for a, b in pairs], words, 3, strength=0.5, exclude=["rome"]
    )
    assert [moved["word"] for moved in found[0]["words"]] == words
    for moved, neighbors in zip(found[0]["words"], expected, strict=True):
        assert [one["word"] for one in moved["answers"]] == [one.word for one in neighbors]
        assert [one["score"] for one in moved["answers"]] == pytest.approx(
            [one.score for one in neighbors]
        )
    assert "error" in found[1]
