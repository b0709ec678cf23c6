"""Answers over HTTP equal those of the library; errors have one format."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import embedkit
from embedkit.encoders import compare, load_encoder
from tests.service.servers import starting


@pytest.fixture(scope="module")
def vectors(model: Path) -> embedkit.WordVectors:
    return embedkit.load(model)


def as_json(neighbors: list[embedkit.Neighbor]) -> list[dict[str, Any]]:
    return [{"word": word, "score": pytest.approx(score, abs=2e-6)} for word, score in neighbors]


@pytest.mark.parametrize("metric", ["cosine", "l2", "dot"])
def test_analogies_equal_those_of_the_library(
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


def test_an_unknown_word_is_not_found_and_gets_suggestions(client: httpx.Client) -> None:
    answer = client.post("/v1/neighbors", json={"word": "pariss"})
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["type"] == "unknown_word"
    assert error["word"] == "pariss"
    assert error["suggestions"][0] == "paris"
    assert "pariss" in error["message"]
    assert "paris" in error["hint"]


def test_3cosmul_is_supported(client: httpx.Client, vectors: embedkit.WordVectors) -> None:
    asked = {"a": "paris", "b": "france", "c": "italy", "method": "3cosmul"}
    found = client.post("/v1/analogy", json=asked).json()["answers"]
    assert found == as_json(vectors.analogy("paris", "france", "italy", method="3cosmul"))
    refused = client.post("/v1/analogy", json={**asked, "metric": "l2"})
    assert refused.status_code == 422
    assert "is defined for the metric cosine only" in refused.json()["error"]["message"]


def test_expressions_equal_those_of_the_library(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    asked = {"expression": "2 * (paris - france) + 'Italy'", "k": 3}
    answer = client.post("/v1/query", json=asked).json()
    assert answer["question"] == asked["expression"]
    assert answer["terms"] == [
        {"word": "paris", "weight": 2.0},
        {"word": "france", "weight": -2.0},
        {"word": "italy", "weight": 1.0},
    ]
    assert answer["answers"] == as_json(vectors.query(asked["expression"], 3))


def test_a_syntax_error_has_a_column(client: httpx.Client) -> None:
    answer = client.post("/v1/query", json={"expression": "paris - (rome"})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["type"] == "bad_expression"
    assert error["expression"] == "paris - (rome"
    assert error["column"] == len("paris - (rome") + 1
    assert "parenthesis" in error["message"]
    assert "king - man + woman" in error["hint"]


def test_weights_that_cancel_out_are_rejected(client: httpx.Client) -> None:
    answer = client.post("/v1/query", json={"expression": "paris - Paris"})
    assert answer.status_code == 422
    assert "add up to 0" in answer.json()["error"]["message"]


def test_a_batch_is_answered_in_order_with_errors_in_place(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    asked = ["paris - france + italy", "paris -", "pariss", "rome", "rome - Rome", "berlin"]
    answer = client.post("/v1/query", json=[{"expression": e, "k": 2} for e in asked])
    assert answer.status_code == 200
    found = answer.json()
    kinds = [one.get("error", {}).get("type") for one in found]
    assert kinds == [None, "bad_expression", "unknown_word", None, "bad_request", None]
    assert found[2]["error"]["suggestions"][0] == "paris"
    for place in (0, 3, 5):
        assert found[place]["answers"] == as_json(vectors.query(asked[place], 2))


def test_concurrent_questions_get_their_own_answers(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    """Questions with different words, metrics and k share searches."""
    words = vectors.vocabulary.words()
    asked = [
        {
            "a": words[number % len(words)],
            "b": words[(number * 7 + 1) % len(words)],
            "c": words[(number * 3 + 2) % len(words)],
            "k": 1 + number % 9,
            "metric": ("cosine", "l2", "dot")[number % 3],
        }
        for number in range(300)
    ]
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda one: client.post("/v1/analogy", json=one), asked))
    for one, answer in zip(asked, answers, strict=True):
        try:
            expected = vectors.analogy(one["a"], one["b"], one["c"], one["k"], metric=one["metric"])
        except embedkit.EmbedkitError:
            assert answer.status_code == 422
        else:
            found = answer.json()["answers"]
            scores = [neighbor.score for neighbor in expected]
            assert [n["score"] for n in found] == pytest.approx(scores, abs=2e-6)


def test_a_mixed_batch_is_answered_in_order(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    """Small and large k, several methods, and invalid questions."""
    words = ("paris", "france", "italy")
    plain = dict(zip("abc", words, strict=True))
    asked: list[dict[str, Any]] = [
        {**plain, "k": k, "method": method}
        for k in (3, 200, 16, 17, 128, 129)
        for method in ("3cosadd", "3cosmul")
    ]
    asked.insert(5, {**plain, "method": "3cosmul", "metric": "dot"})
    asked.insert(7, {**plain, "b": "frrance"})
    found = client.post("/v1/analogy", json=asked).json()
    assert "is defined for the metric cosine only" in found[5]["error"]["message"]
    assert found[7]["error"]["type"] == "unknown_word"
    for one, answer in zip(asked, found, strict=True):
        if "error" not in answer:
            expected = vectors.analogy(*words, one["k"], method=one["method"])
            assert answer["answers"] == as_json(expected)
    assert sum("error" in answer for answer in found) == 2


def test_distances_equal_those_of_the_library(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    words = ["Paris", "rome", "italy"]
    for metric in ("l2", "cosine", "dot"):
        found = client.post("/v1/distance", json={"words": words, "metric": metric}).json()
        assert (found["words"], found["metric"]) == (words, metric)
        np.testing.assert_array_equal(found["table"], vectors.distance(words, metric=metric))


def test_unknown_words_are_treated_as_asked(client: httpx.Client) -> None:
    asked = {"words": ["paris", "qwertz", "rome"], "oov": "skip"}
    found = client.post("/v1/distance", json=asked).json()
    assert found == client.post("/v1/distance", json={"words": ["paris", "rome"]}).json()
    assert client.post("/v1/distance", json={**asked, "oov": "guess"}).status_code == 422
    spelled = {"word": "pariss", "oov": "spell"}
    found = client.post("/v1/neighbors", json=spelled).json()
    assert found["terms"] == [{"word": "paris", "weight": 1.0}]
    refused = client.post("/v1/neighbors", json=[spelled] * 17)
    assert refused.status_code == 413
    assert 'at most 16 questions with oov "spell"' in refused.json()["error"]["message"]


def test_encoders_are_compared(client: httpx.Client, model: Path) -> None:
    words = ["paris", "rome", "paris"]
    found = client.post("/v1/compare", json={"words": words}).json()
    assert (found["words"], found["metric"]) == (words, "l2")
    expected = compare(words, load_encoder(model))
    assert list(found["tables"]) == ["charcode", "onehot", "skipgram"]
    assert found["tables"]["onehot"][0][1] == pytest.approx(2**0.5)
    for name, table in found["tables"].items():
        np.testing.assert_array_equal(table, expected[name])


@pytest.mark.parametrize("fit", ["vocabulary", "words"])
def test_an_analogy_is_a_parallelogram_on_the_plane(client: httpx.Client, fit: str) -> None:
    asked = {
        "words": ["paris", "france", "italy", "rome"],
        "pairs": [["france", "paris"], ["italy", "Rome"]],
        "fit": fit,
    }
    found = client.post("/v1/project", json=asked).json()
    place = {point["word"]: np.array([point["x"], point["y"]]) for point in found["points"]}
    assert list(place) == asked["words"]
    for arrow, (start, end) in zip(found["pairs"], asked["pairs"], strict=True):
        assert (arrow["from"], arrow["to"]) == (start, end)
        np.testing.assert_allclose([arrow["x"], arrow["y"]], place[start], atol=1e-6)
        step = place[end.lower()] - place[start]
        np.testing.assert_allclose([arrow["dx"], arrow["dy"]], step, atol=1e-6)
    first, second = found["explained"]
    assert 1 >= first >= second > 0
    assert first + second <= 1 + 1e-9


def test_the_map_agrees_with_project(client: httpx.Client, vectors: embedkit.WordVectors) -> None:
    answer = client.get("/v1/map")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert int(answer.headers["x-words"]) == len(vectors)
    places = np.frombuffer(answer.content, dtype="<f4").reshape(len(vectors), 2)
    words = ["paris", "rome", "border1"]
    points = client.post("/v1/project", json={"words": words}).json()["points"]
    for word, point in zip(words, points, strict=True):
        place = places[vectors.vocabulary.id(word)]
        np.testing.assert_allclose(place, [point["x"], point["y"]], atol=1e-6)
    again = client.get("/v1/map", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert client.get("/v1/map", headers={"If-None-Match": '"other"'}).status_code == 200


def test_words_are_completed_and_listed(
    client: httpx.Client, vectors: embedkit.WordVectors
) -> None:
    everything = vectors.vocabulary.words()
    counts = dict(zip(everything, vectors.vocabulary.counts.tolist(), strict=True))

    def asked(**parameters: object) -> list[str]:
        found = client.get("/v1/words", params=parameters).json()["words"]
        assert all(one["count"] == counts[one["word"]] for one in found)
        return [one["word"] for one in found]

    begin_so = [word for word in everything if word.startswith("italy")]
    assert asked(prefix="italy") == begin_so
    assert asked(prefix="Italy", limit=2) == begin_so[:2]
    assert asked(prefix="italy", limit=2, **{"from": 1}) == begin_so[1:3]
    assert asked(limit=10_000) == everything
    assert asked(**{"from": 5, "limit": 4}) == everything[5:9]
    assert asked(prefix="zzz") == []
    assert client.get("/v1/words", params={"limit": 10_001}).status_code == 422


def test_the_model_is_described(client: httpx.Client, vectors: embedkit.WordVectors) -> None:
    found = client.get("/v1/model").json()
    assert found["name"] == "model"
    assert found["encoder"] == "skipgram"
    assert (found["words"], found["dimension"]) == (len(vectors), 24)
    assert found["settings"]["epochs"] == 10
    assert found["generation"] == 1
    for expression in found["examples"]:
        assert client.post("/v1/query", json={"expression": expression}).status_code == 200
    assert 1 <= len(found["examples"]) <= 8


def test_unknown_paths_and_methods_are_rejected(client: httpx.Client) -> None:
    for path, method, status in (("/v1/nothing", "GET", 404), ("/v1/query", "GET", 405)):
        answer = client.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"type", "message", "hint"}


@pytest.mark.parametrize("encoder", ["charcode", "onehot"])
def test_other_encoders_are_served(encoder: str, tmp_path: Path) -> None:
    kinds = {"charcode": embedkit.CharCodeEncoder, "onehot": embedkit.OneHotEncoder}
    kinds[encoder]().fit([["cat", "bat", "paw"]] * 3).save(tmp_path / "model")
    with starting() as start, httpx.Client(base_url=start(tmp_path / "model").url) as client:
        distances = client.post("/v1/distance", json={"words": ["cat", "bat", "paw"]}).json()
        expected = 178**0.5 if encoder == "charcode" else 2**0.5
        assert distances["table"][0][2] == pytest.approx(expected)
        assert client.post("/v1/neighbors", json={"word": "cat", "k": 1}).status_code == 200
        assert set(client.post("/v1/compare", json={"words": ["cat", "bat"]}).json()["tables"]) == {
            "charcode",
            "onehot",
        }
        fitted = client.post("/v1/project", json={"words": ["cat", "bat", "paw"], "fit": "words"})
        assert fitted.status_code == 200
        status = {"charcode": 200, "onehot": 422}[encoder]
        assert client.get("/v1/map").status_code == status
        asked = {"input": "cat", "model": "any"}
        assert client.post("/v1/embeddings", json=asked).status_code == status


@pytest.fixture(scope="module")
def world(world_model: Path) -> Iterator[httpx.Client]:
    """A server with the model of scripts/demo."""
    with starting() as start, httpx.Client(base_url=start(world_model).url) as client:
        yield client


def test_examples_in_the_openapi_document_work(world: httpx.Client) -> None:
    document = world.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    answered = {}
    for path, operations in document["paths"].items():
        body = operations.get("post", {}).get("requestBody")
        if body and path != "/v1/classify":  # this service has no classifier
            text = str(body["content"]["application/json"]["schema"])
            name = text.split("#/components/schemas/")[1].split("'")[0]
            answer = world.post(path, json=schemas[name]["example"])
            assert answer.status_code == 200, answer.text
            answered[path] = answer.json()
    assert len(answered) == 11
    assert answered["/v1/analogy"]["answers"][0]["word"] == "rome"
    assert answered["/v1/query"]["answers"][0]["word"] == "queen"
    found = world.get("/v1/model").json()
    examples = found["examples"]
    assert found["expected"]["king - man + woman"] == "queen"
    assert set(found["expected"]) <= set(examples)
    assert examples[:2] == ["king - man + woman", "paris - france + italy"]


def test_the_api_documentation_needs_no_network(client: httpx.Client) -> None:
    page = client.get("/docs").text
    files = [part.split('"')[0] for part in page.replace("href=", "src=").split('src="')[1:]]
    assert len(files) == 3
    for name in files:
        assert name.startswith("/docs/")
        assert client.get(name).status_code == 200
