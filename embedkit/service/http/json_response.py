"""Responses with a JSON body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import orjson
from starlette.responses import Response

__all__ = ["GENERATION_HEADER", "BatchResponse", "JsonObject", "json_response"]

GENERATION_HEADER = "X-Embedkit-Generation"
"""The header with the number of the model that answered; it changes when the model is replaced."""

JsonObject: TypeAlias = "dict[str, object]"
"""A JSON object: names, and values that orjson can write."""


def json_response(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return *body* as JSON."""
    return Response(orjson.dumps(body), status, headers, "application/json")


class BatchResponse(Response):
    """The response to a batch: a JSON list of the answers.

    Attributes:
        answers: the answers, each as JSON.
    """

    media_type = "application/json"

    def __init__(self, answers: Sequence[object], headers: Mapping[str, str] | None = None) -> None:
        self.answers = [orjson.dumps(answer) for answer in answers]
        super().__init__(b"[" + b",".join(self.answers) + b"]", headers=headers)
