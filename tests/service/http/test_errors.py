"""Errors of the library as statuses and JSON."""

from __future__ import annotations

from typing import Any

import pytest

from embedkit.errors import (
    ConfigurationError,
    EmbedkitError,
    ExpressionError,
    ModelError,
    UnknownWordError,
    WordTooLongError,
)
from embedkit.service.http.errors import RefusedError, describe, status_of


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (
            ConfigurationError("k must be positive.", hint="Set k."),
            422,
            {"type": "bad_request", "message": "k must be positive.", "hint": "Set k."},
        ),
        (
            RefusedError(429, "The queue is full.", "Try again."),
            429,
            {"type": "overloaded", "message": "The queue is full.", "hint": "Try again."},
        ),
        (
            UnknownWordError("pariss", ["paris"]),
            404,
            {
                "type": "unknown_word",
                "message": UnknownWordError("pariss", ["paris"]).message,
                "hint": "Did you mean paris?",
                "word": "pariss",
                "suggestions": ["paris"],
            },
        ),
        (
            UnknownWordError("x"),
            404,
            {
                "type": "unknown_word",
                "message": UnknownWordError("x").message,
                "hint": "GET /v1/words lists the known words.",
                "word": "x",
                "suggestions": [],
            },
        ),
        (
            ExpressionError("missing word", "a -", 3),
            422,
            {
                "type": "bad_expression",
                "message": "missing word",
                "hint": "Write an expression such as king - man + woman.",
                "column": 4,
                "expression": "a -",
            },
        ),
        (
            ModelError("/secret/path is damaged.", hint="Restore /secret/path."),
            500,
            {
                "type": "error",
                "message": "Internal error.",
                "hint": "The log of the service has the details.",
            },
        ),
    ],
)
def test_errors_have_a_status_and_a_body(
    error: EmbedkitError, status: int, body: dict[str, Any]
) -> None:
    assert status_of(error) == status
    assert describe(error) == {"error": body}


def test_a_long_word_is_a_bad_request_with_its_hint() -> None:
    error = WordTooLongError("abcd", 3)
    assert status_of(error) == 422
    assert describe(error)["error"]["hint"] == error.hint
