"""POST /v1/search, against the library."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedkit import TextIndex
from embedkit.errors import ConfigurationError
from embedkit.service.api import document_search
from embedkit.service.http.metrics import ServiceMetrics
from embedkit.service.settings import ServiceSettings
from embedkit.service.worker.dispatch import Dispatcher
from embedkit.service.worker.models import published_in
from embedkit.service.worker.publishing import Publisher
from embedkit.system.steps import Steps
from tests.scripts.conftest import load_script
from tests.service.servers import Start


def test_a_server_with_a_search_index(start: Start, model: Path, tmp_path: Path) -> None:
    index = TextIndex.build(
        [{"id": "p", "text": "Paris mayor0", "year": 2001}, ("r", "Rome mayor1")],
        tmp_path / "docs.index", model,
    )  # fmt: skip
    server = start(model, "--search", str(index.path))
    with httpx.Client(base_url=server.url) as client:
        expected = {
            "id": "p", "score": pytest.approx(index.ask("mayor0")[0].score),
            "text": "Paris mayor0", "fields": {"year": 2001}, "span": [0, 12],
        }  # fmt: skip
        found = client.post("/v1/search", json={"question": "mayor0", "k": 1})
        assert found.json() == {"question": "mayor0", "answers": [expected]}
        batch = [{"question": "rome", "k": 1, "method": "bm25"}, {"question": "unknown"}]
        first, second = client.post("/v1/search", json=batch).json()
        assert [answer["id"] for answer in first["answers"]] == ["r"]
        assert second["answers"] == []
        assert client.post("/v1/search", json={"question": ""}).status_code == 422
        assert client.post("/v1/search", json={"question": "a", "method": "x"}).status_code == 422
        many = [{"question": "rome", "k": 100}] * 21
        refused = client.post("/v1/search", json=many)
        assert refused.status_code == 413
        assert "at most 2,000 answers, got 2,100" in refused.json()["error"]["message"]
        index.add([("m", "Madrid mayor2")])  # noticed at the next question
        found = client.post("/v1/search", json={"question": "mayor2", "k": 1}).json()
        assert [answer["id"] for answer in found["answers"]] == ["m"]
        paths = client.get("/openapi.json").json()["paths"]
        assert "/v1/search" in paths
        light = load_script("bench_service_fairness.py").light_requests(
            ["paris", "rome", "italy"], random.Random(1)
        )
        measured = {path.partition("?")[0] for path, _ in light.values()}
        assert {path for path, operations in paths.items() if "post" in operations} <= measured


def test_questions_take_turns_and_fail_alone(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have steps in the thread in which other scans have turns."""
    index = TextIndex.build([("p", "Paris mayor0")], tmp_path / "docs.index", model)
    documents = document_search._Documents(index.path)

    def ask(_: object, questions: list[str], *arguments: object, **options: object) -> Steps[Any]:
        yield
        if questions == ["wrong"]:
            raise ConfigurationError("this question cannot be answered")
        return [[]]

    monkeypatch.setattr(TextIndex, "ask_all_in_steps", ask)
    steps = []

    def counted(served: Any, request: Any) -> Steps[Any]:
        steps.append(threading.current_thread().name)
        return (yield from documents.answer(served, request))

    async def answer() -> Any:
        Publisher("model", model, published_in(tmp_path, 0)).publish()
        service = Dispatcher(
            ServiceSettings(models={"model": model}, folder=tmp_path), ServiceMetrics()
        )
        items = [
            document_search.DocumentSearchRequest(question=question)
            for question in ("mayor0", "wrong", "paris")
        ]
        return await service.compute(items, counted, document_search._cost, service.scans)

    first, second, third = map(json.loads, asyncio.run(answer()).answers)
    assert (first["answers"], third["question"]) == ([], "paris")
    assert second["error"]["message"] == "this question cannot be answered"
    assert steps == ["scanning"] * 3


def test_an_index_that_cannot_be_opened(embedkit, model: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = embedkit("serve", model, "--search", tmp_path / "none")
    assert done.returncode == 1
    assert f"there is no search index at {tmp_path / 'none'}." in done.stderr
