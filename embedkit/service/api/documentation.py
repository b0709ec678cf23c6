"""What several routes say in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from embedkit.service.api import responses

__all__ = ["FAILURES", "MODEL", "batch"]

FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": responses.ErrorResponse, "description": description}
    for status, description in {
        400: "The body is not valid JSON.",
        401: "The API key is missing or wrong.",
        404: "A word is not in the vocabulary.",
        408: "The request did not arrive in time.",
        413: "The request is too large.",
        415: "The Content-Type is not application/json.",
        422: "The request is invalid.",
        429: "The queue is full; the header Retry-After has the seconds to wait.",
        503: "The answer took too long.",
    }.items()
}

MODEL = "One of the names that /v1/models lists; the first one by default."


def batch(model: Any) -> dict[str, Any]:
    """Return the OpenAPI options of a route that accepts batches."""
    return {"response_model": model | list[model | responses.ErrorResponse], "responses": FAILURES}
