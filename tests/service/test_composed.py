"""Unknown words, asked of a service whose model has character n-grams."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from embedkit.service.api.requests import AnalogyRequest, NeighborsRequest, QueryRequest
from embedkit.service.worker.answers import answer_batch
from tests.service.servers import new_connections, starting
from tests.subwords import ALIEN, NGRAMS, composed, extended, subword_vectors

WHOLE = extended("talking")


@pytest.fixture(scope="module")
def asked(subword_model: Path) -> Iterator[httpx.Client]:
    """A client of a service with two workers."""
    with starting() as start, new_connections(start(subword_model, "--workers", 2)) as client:
        yield client


def post(client: httpx.Client, route: str, body: object) -> Any:
    answer = client.post(f"/v1/{route}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    "request_",
    [
        NeighborsRequest(word="talking"),
        QueryRequest(expression="talking - talk + walk"),
        AnalogyRequest(a="talking", b="talk", c="walk"),
        AnalogyRequest(a="talking", b="talk", c="walk", method="3cosmul"),
        AnalogyRequest(a="talking", b="talk", c="walk", method="pairdirection"),
    ],
)
def test_answers_are_those_of_a_model_that_has_the_word(request_: Any) -> None:
    [found] = answer_batch(subword_vectors(), [request_])
    [expected] = answer_batch(WHOLE, [request_])
    assert isinstance(found, dict)
    assert isinstance(expected, dict)
    assert (found.pop("composed"), "composed" in expected) == (["talking"], False)
    assert found["terms"] == expected["terms"]
    words, others = ([one["word"] for one in a["answers"]] for a in (found, expected))
    assert words == others
    scores, others = ([one["score"] for one in a["answers"]] for a in (found, expected))
    np.testing.assert_allclose(scores, others, atol=1e-5)


def test_searches_mark_composed_words(asked: httpx.Client) -> None:
    for _ in range(4):  # both workers
        answer = post(asked, "query", {"expression": "talking - talk", "k": 2})
        assert answer["composed"] == ["talking"]
        assert [one["word"] for one in answer["terms"]] == ["talking", "talk"]
        assert len(answer["answers"]) == 2
    many = post(asked, "neighbors", [{"word": "talking"}, {"word": "walk"}, {"word": ALIEN}])
    assert ["composed" in one for one in many] == [True, False, False]
    assert many[2]["error"]["message"] == (
        f"'{ALIEN}' is not in the vocabulary, and none of its character n-grams is known."
    )
    skipped = post(asked, "neighbors", {"word": "talking", "oov": "skip"})
    assert (skipped["answers"], skipped["skipped"]) == ([], ["talking"])


def test_distances_and_maps_mark_composed_words(asked: httpx.Client) -> None:
    words = ["talking", "talk", "walk"]
    found = post(asked, "distance", {"words": words})
    np.testing.assert_allclose(found["table"], WHOLE.distance(words), atol=1e-5)
    assert found["composed"] == ["talking"]
    shorter = post(asked, "distance", {"words": [*words, ALIEN], "oov": "subwords"})
    assert (shorter["words"], shorter["composed"]) == (words, ["talking"])
    assert "composed" not in post(asked, "distance", {"words": words, "oov": "skip"})
    tables = post(asked, "compare", {"words": words})
    np.testing.assert_allclose(tables["tables"]["subword"], WHOLE.distance(words), atol=1e-5)
    assert tables["composed"] == ["talking"]
    for fit in ("vocabulary", "words"):
        body = {"words": words, "pairs": [["talk", "talking"]], "fit": fit}
        plane = post(asked, "project", body)
        assert plane["composed"] == ["talking"]
        points = {point["word"]: point for point in plane["points"]}
        [arrow] = plane["pairs"]
        assert arrow["x"] + arrow["dx"] == pytest.approx(points["talking"]["x"], abs=1e-5)


def test_embeddings_are_composed(asked: httpx.Client) -> None:
    texts = ["talking", "walk talking"]
    body = {"input": texts, "encoding_format": "base64", "normalize": False}
    data = post(asked, "embeddings", body)["data"]
    found = [np.frombuffer(base64.b64decode(one["embedding"]), dtype="<f4") for one in data]
    expected = [composed("talking"), (WHOLE["walk"] + composed("talking")) / 2]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_model_is_described_with_its_n_grams(asked: httpx.Client) -> None:
    found = asked.get("/v1/model").json()
    sizes = {"shortest": NGRAMS.shortest, "longest": NGRAMS.longest, "buckets": NGRAMS.buckets}
    assert (found["encoder"], found["subwords"]) == ("subword", sizes)
