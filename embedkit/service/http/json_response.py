"""Responses with a JSON body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import orjson
from starlette.responses import Response

__all__ = ["GENERATION_HEADER", "JsonObject", "json_response"]

GENERATION_HEADER = "X-Embedkit-Generation"
"""The header with the number of the model that answered; it changes when the model is replaced."""

JsonObject: TypeAlias = "dict[str, object]"
"""A JSON object: names, and values that orjson can write."""


def json_response(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return *body* as JSON."""
    return Response(orjson.dumps(body), status, headers, "application/json")
