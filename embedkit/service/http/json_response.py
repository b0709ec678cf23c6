"""Responses with a JSON body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response

__all__ = ["json_response"]


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return *body* as JSON."""
    return Response(orjson.dumps(body), status, headers, "application/json")
