"""Where errors become HTTP statuses: the one place, for the library's tree and the service's."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from embedkit.errors import (
    ConfigurationError,
    EmbedkitError,
    ExpressionError,
    UnknownWordError,
    WordTooLongError,
)

__all__ = ["RefusedError", "describe", "failure", "status_of"]

_STATUSES: Mapping[type[EmbedkitError], tuple[int, str]] = {
    UnknownWordError: (404, "unknown_word"),
    ExpressionError: (422, "bad_expression"),
    WordTooLongError: (422, "bad_request"),
    ConfigurationError: (422, "bad_request"),
}
_TYPES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "bad_request",
    422: "bad_request",
    429: "overloaded",
    431: "too_large",
    503: "unavailable",
}


class RefusedError(EmbedkitError):
    """The service itself says no.

    Attributes:
        status: the HTTP status.
        headers: sent along with the answer.
    """

    def __init__(
        self, status: int, message: str, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.headers = dict(headers or {})


def status_of(error: EmbedkitError) -> int:
    """Return the HTTP status of an error; 500 for what no question can cause."""
    return error.status if isinstance(error, RefusedError) else _row(error)[0]


def _row(error: EmbedkitError) -> tuple[int, str]:
    return next((row for kind, row in _STATUSES.items() if isinstance(error, kind)), (500, "error"))


def describe(error: EmbedkitError) -> dict[str, Any]:
    """Return what the service says of an error: `{"error": {"type", "message", "hint", ...}}`.

    Suggestions for an unknown word are worked out here.
    """
    if isinstance(error, RefusedError):
        return failure(error.status, error.message, error.hint)
    if isinstance(error, UnknownWordError):
        found = list(error.suggestions)
        hint = error.hint or "GET /v1/words lists known words."
        return failure(404, error.message, hint, "unknown_word", word=error.word, suggestions=found)
    if isinstance(error, ExpressionError):
        message, hint = error.message, "Write for example: king - man + woman"
        place = {"column": error.column + 1, "expression": error.expression}
        return failure(422, message, hint, "bad_expression", **place)
    status, kind = _row(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:  # its message may name paths
        return failure(status, "This is an error of the service, not of the question.")
    return failure(status, error.message, error.hint, kind)


def failure(
    status: int, message: str, hint: str = "", kind: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return the one shape that errors have."""
    name = kind or _TYPES.get(status, "error")
    return {"error": {"type": name, "message": message, "hint": hint, **more}}
