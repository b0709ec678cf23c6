"""POST /v1/search, against the library."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from embedkit import TextIndex
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
        assert "2,100 answers" in refused.json()["error"]["message"]
        index.add([("m", "Madrid mayor2")])  # noticed at the next question
        found = client.post("/v1/search", json={"question": "mayor2", "k": 1}).json()
        assert [answer["id"] for answer in found["answers"]] == ["m"]
        assert "/v1/search" in client.get("/openapi.json").json()["paths"]


def test_an_index_that_cannot_be_opened(embedkit, model: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = embedkit("serve", model, "--search", tmp_path / "none")
    assert done.returncode == 1
    assert f"there is no search index at {tmp_path / 'none'}." in done.stderr
