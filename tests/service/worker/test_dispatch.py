"""Cancelling requests, and limits, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from fastapi import Request, Response

from embedkit.service.http.errors import RefusedError
from embedkit.service.worker.cancellation import cancel_on_disconnect
from embedkit.service.worker.dispatch import as_list, check_limit


def test_handling_is_cancelled_on_disconnect() -> None:
    ended: list[str] = []

    async def main(*, disconnects: bool) -> int:
        messages = [{"type": "http.request", "body": b"{}", "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            if messages:
                return messages.pop()
            if not disconnects:
                await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def handle(request: Request) -> Response:
            assert await request.body() == b"{}"
            try:
                await asyncio.sleep(60 if disconnects else 0.2)
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            ended.append("answered")
            return Response()

        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        return (await asyncio.wait_for(cancel_on_disconnect(request, handle), 30)).status_code

    assert asyncio.run(main(disconnects=True)) == 499
    assert asyncio.run(main(disconnects=False)) == 200
    assert ended == ["cancelled", "answered"]


def test_a_number_over_the_limit_is_refused() -> None:
    check_limit(1_000, 1_000, "words")
    with pytest.raises(RefusedError, match="at most 1,000 words, got 1,001") as caught:
        check_limit(1_001, 1_000, "words")
    assert caught.value.status == 413
    assert caught.value.hint == "Send several smaller requests."


def test_one_value_becomes_a_list() -> None:
    assert as_list("a") == ["a"]
    assert as_list(["a", "b"]) == ["a", "b"]
