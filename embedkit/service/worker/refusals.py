"""The errors for requests that the service cannot answer in time."""

from __future__ import annotations

import math

from embedkit.errors import plural
from embedkit.service.http.errors import RefusedError

__all__ = ["overloaded", "too_slow"]


def overloaded(wait: float = 1.0) -> RefusedError:
    """Return the error for a request that would have to wait for about *wait* seconds."""
    return RefusedError(
        429,
        "Too many questions are waiting.",
        "Try again in a second, with smaller requests.",
        {"Retry-After": str(max(1, math.ceil(wait)))},
    )


def too_slow(seconds: float) -> RefusedError:
    """Return the error for an answer that took more than *seconds*."""
    return RefusedError(
        503,
        f"The answer took more than {seconds:g} {plural(seconds, 'second')}.",
        "Send smaller requests, or try again later.",
        {"Retry-After": "1"},
    )
