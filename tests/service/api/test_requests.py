"""The schemas of requests: choices, and the queries they become."""

from __future__ import annotations

import asyncio
import re
from importlib import resources

import pytest
from pydantic import ValidationError

from embedkit.index.options import METRIC_NAMES
from embedkit.service.api.requests import (
    AnalogyRequest,
    DistanceRequest,
    NeighborsRequest,
    QueryRequest,
)
from embedkit.service.worker.batching import Batcher, BatchLimits
from embedkit.vectors.options import ANALOGY_METHODS


def test_choices_are_those_of_the_library() -> None:
    properties = AnalogyRequest.model_json_schema()["properties"]
    assert properties["metric"]["enum"] == list(METRIC_NAMES)
    assert properties["method"]["enum"] == list(ANALOGY_METHODS)
    assert DistanceRequest.model_json_schema()["properties"]["metric"]["enum"] == list(METRIC_NAMES)
    with pytest.raises(ValidationError):
        AnalogyRequest(a="a", b="b", c="c", metric="manhattan")


def test_the_page_offers_all_metrics() -> None:
    page = resources.files("embedkit.service") / "page"
    metric = re.search(
        r'<select id="metric">(.*?)</select>', (page / "index.html").read_text(), re.S
    )
    assert metric is not None
    assert re.findall(r'value="(\w+)"', metric[1]) == list(METRIC_NAMES)
    state = re.search(r"const METRICS = (\[.*\]);", (page / "state.js").read_text())
    assert state is not None
    assert re.findall(r'"(\w+)"', state[1]) == list(METRIC_NAMES)


def test_an_analogy_is_a_weighted_sum() -> None:
    request = AnalogyRequest(a="paris", b="france", c="italy", k=200, restrict=9, exclude=["x"])
    query = request.query(lambda word: False)
    assert query.text == "paris - france + italy"
    assert list(query.weighted) == [("paris", 1.0), ("france", -1.0), ("italy", 1.0)]
    assert (query.k, query.restrict, query.exclude) == (200, 9, ("x",))
    assert request.cost == 2


def test_large_and_slow_requests_cost_more() -> None:
    assert QueryRequest(expression="a").cost == 1
    assert QueryRequest(expression="a + " * 48, k=256).cost == 1 + 2 + 3
    assert AnalogyRequest(a="a", b="b", c="c", method="3cosmul").cost == 10
    assert NeighborsRequest(word="a", exclude=["b"] * 96, k=32).cost == 1 + 1 + 3
    assert NeighborsRequest(word="a", metric="l2").cost == 2


def test_requests_of_the_same_kind_share_a_search() -> None:
    kind = NeighborsRequest(word="a").kind
    assert QueryRequest(expression="b", exclude=["c"]).kind == kind  # excluded for each query
    for other in ({"restrict": 5}, {"metric": "l2"}, {"k": 100}, {"exclude": ["c"] * 50}):
        assert NeighborsRequest(word="a", **other).kind != kind  # type: ignore[arg-type]
    slow = {"a": "a", "b": "b", "c": "c", "method": "3cosmul"}
    kinds = {AnalogyRequest(**slow, exclude=words).kind for words in ([], ["d"], ["e"])}  # type: ignore[arg-type]
    assert len(kinds) == 3


@pytest.mark.parametrize(("k", "valid"), [(10.0, True), ("10", False), (True, False), (0, False)])
def test_k_must_be_a_positive_integer(k: object, valid: bool) -> None:
    body = {"expression": "a", "k": k}
    if valid:
        assert QueryRequest.model_validate(body).k == 10
    else:
        with pytest.raises(ValidationError):
            QueryRequest.model_validate(body)


@pytest.mark.parametrize("method", ["3cosmul", "pairdirection"])
def test_a_batch_of_analogies_that_score_every_word_is_short(method: str) -> None:
    """A search by 3CosAdd answers many questions in the time of three of these."""

    async def answered() -> list[int]:
        sizes: list[int] = []
        limits = BatchLimits(capacity=256)
        batcher: Batcher[AnalogyRequest, AnalogyRequest] = Batcher(
            list, limits, observe=sizes.append
        )
        running = asyncio.create_task(batcher.run())
        await batcher.ask([AnalogyRequest(a="a", b="b", c="c", method=method)] * 64)
        running.cancel()
        return sizes

    sizes = asyncio.run(answered())
    assert sum(sizes) == 64
    assert max(sizes) <= 3
