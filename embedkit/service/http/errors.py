"""Maps the errors of the library and of the service to HTTP statuses and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypedDict

from embedkit.errors import (
    ConfigurationError,
    EmbedkitError,
    ExpressionError,
    UnknownWordError,
    WordTooLongError,
)
from embedkit.service.http.json_response import JsonObject
from embedkit.service.limits import MAX_WORD

__all__ = [
    "DOCS_HINT",
    "SMALLER_REQUESTS",
    "RefusedError",
    "describe",
    "error_body",
    "internal_error_body",
    "status_of",
]

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


DOCS_HINT = "GET /docs describes the API."
"""The hint for a request that is not as documented."""

SMALLER_REQUESTS = "Send several smaller requests."
"""The hint for a request that is too large."""


class RefusedError(EmbedkitError):
    """The service refuses a request.

    Attributes:
        status: the HTTP status.
        headers: headers of the response.
    """

    def __init__(
        self, status: int, message: str, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.headers = dict(headers or {})


def status_of(error: EmbedkitError) -> int:
    """Return the HTTP status of an error; 500 if no request can cause it."""
    return error.status if isinstance(error, RefusedError) else _status_and_type(error)[0]


def _status_and_type(error: EmbedkitError) -> tuple[int, str]:
    found = (entry for kind, entry in _STATUSES.items() if isinstance(error, kind))
    return next(found, (500, "error"))


class ErrorBody(TypedDict):
    """The body in the format of all errors; some types of errors have more details."""

    error: JsonObject


def describe(error: EmbedkitError) -> ErrorBody:
    """Return the body for an error: `{"error": {"type", "message", "hint", ...}}`.

    Suggestions for an unknown word are computed here.
    """
    if isinstance(error, RefusedError):
        return error_body(error.status, error.message, error.hint)
    status, kind = _status_and_type(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:  # its message may contain paths
        return internal_error_body()
    hint = error.hint
    details: JsonObject = {}
    if isinstance(error, UnknownWordError):
        hint = hint or "GET /v1/words lists the known words."
        details = {"word": error.word[:MAX_WORD], "suggestions": list(error.suggestions)}
    elif isinstance(error, ExpressionError):
        hint = hint or "Write an expression such as king - man + woman."
        details = {"column": error.column + 1, "expression": error.expression}
    return error_body(status, error.message, hint, kind, **details)


def internal_error_body() -> ErrorBody:
    """Return the body for an error that no request should cause."""
    return error_body(500, "Internal error.", "The log of the service has the details.")


def error_body(
    status: int, message: str, hint: str = "", kind: str | None = None, **details: object
) -> ErrorBody:
    """Return a body in the format of all errors."""
    name = kind or _TYPES.get(status, "error")
    return {"error": {"type": name, "message": message, "hint": hint, **details}}
