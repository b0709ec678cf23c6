"""Bodies are validated in parts, and refused early."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi.exceptions import RequestValidationError

from embedkit.service.api.body import _Reader
from embedkit.service.api.requests import (
    EmbeddingsRequest,
    NeighborsRequest,
    OneOrMany,
    ProjectRequest,
)
from embedkit.service.http.errors import RefusedError
from tests.service.turns import counted_turns

BATCH: Any = OneOrMany[NeighborsRequest]


def read(hint: Any, content: bytes) -> tuple[Any, dict[int, Any]]:
    return asyncio.run(_Reader(hint).read(content))


@pytest.mark.parametrize(
    ("hint", "content", "message"),
    [
        (BATCH, b"[" + b"{}," * 29_000 + b"{}]", "at most 256 items after validation, not 29001"),
        (BATCH, b"[" + b"1," * 500_000 + b"1]", "at most 256 items after validation, not 500001"),
        (
            BATCH,
            json.dumps({"word": "a"} | {str(n): 1 for n in range(83_000)}).encode(),
            "at most 64 fields, not 83001",
        ),
        (ProjectRequest, b'{"words":[' + b"1," * 499_000 + b"1]}", "a valid string"),
        (EmbeddingsRequest, b'{"input":[' + b"{}," * 29_000 + b"1]}", "a valid string"),
    ],
)
def test_one_error_stands_for_a_hundred_thousand(hint: Any, content: bytes, message: str) -> None:
    with pytest.raises(RequestValidationError) as caught:
        read(hint, content)
    [problem] = caught.value.errors()
    assert message in problem["msg"]


def test_too_many_brackets_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(RefusedError, match="at most 30,000 lists and objects") as caught:
        read(BATCH, b"[" + b"[]," * 333_000 + b"{}]")
    assert caught.value.status == 413
    text = json.dumps({"input": ['"[\\{' * 50_000]}).encode()
    body, _ = read(EmbeddingsRequest, text)  # brackets in texts are text
    assert body.input == ['"[\\{' * 50_000]


def test_other_requests_have_turns_between_the_parts_of_a_batch() -> None:
    async def ask() -> tuple[Any, dict[int, Any], int]:
        items: list[Any] = [{"word": "paris"}, {"word": ["x"] * 400}, {"exclude": 1}, [], 5] * 51
        async with counted_turns() as turns:
            body, invalid = await _Reader(BATCH).read(json.dumps(items).encode())
        return body, invalid, turns.count

    body, invalid, turns = asyncio.run(ask())
    assert [item.word for item in body] == ["paris"] * 51
    assert [*invalid] == [place for place in range(255) if place % 5]
    assert turns > 255 // 8
    assert [invalid[place]["error"]["message"] for place in (1, 2, 3, 4)] == [
        "word: Input should be a valid string.",
        "exclude: Input should be a valid array.",
        "The request: Input should be an object.",
        "The request: Input should be an object.",
    ]


def test_items_that_are_refused_are_counted_and_the_answers_keep_their_places(
    client: httpx.Client,
) -> None:
    def refused() -> float:
        lines = client.get("/metrics").text.splitlines()
        found = [line for line in lines if line.startswith('embedkit_errors_total{type="bad_req')]
        return float(found[0].split()[1]) if found else 0.0

    before = refused()
    extra = {str(number): 1 for number in range(70)}
    asked = [{"word": "paris", "k": 1000}, {"k": 1}, {"word": "rome"} | extra, {"word": "rome"}]
    first, second, third, fourth = client.post("/v1/neighbors", json=asked).json()
    assert (first["question"], fourth["question"]) == ("paris", "rome")
    assert second["error"]["message"] == "word: Field required."
    assert "at most 64 fields, not 71" in third["error"]["message"]
    assert refused() == before + 2
