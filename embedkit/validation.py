"""Numbers that settings may be: what lies outside is an error that names the limits."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from embedkit.errors import ConfigurationError

__all__ = ["ERROR_POLICIES", "is_whole", "number", "refuse_string", "whole_number"]

ERROR_POLICIES = ("strict", "replace", "skip")


def is_whole(value: Any, low: int, high: int | None = None) -> bool:
    """Tell whether *value* is an integer, NumPy's included, from *low* to *high*."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return whole and bool(low <= value and (high is None or value <= high))


def whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Return *value* as an int.

    Raises:
        ConfigurationError: it is no whole number from *low* to *high*, or from *low* on.
    """
    if not is_whole(value, low, high):
        limits = f"{low:,}" if high is None else f"{low:,} to {high:,}"
        raise ConfigurationError(f"{name} is a whole number from {limits}, not {value!r}")
    return int(value)


def number(name: str, value: Any, low: float, high: float) -> float:
    """Return *value* as a float.

    Raises:
        ConfigurationError: it is no number from *low* to *high*.
    """
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not real or not low <= value <= high:
        limits = " to ".join(f"{x:,}" if isinstance(x, int) else f"{x:g}" for x in (low, high))
        raise ConfigurationError(f"{name} is a number from {limits}, not {value!r}")
    return float(value)


def refuse_string(words: Sequence[str]) -> None:
    """Raise `ConfigurationError` if *words* is one word: its letters would be taken for words."""
    if isinstance(words, str):
        raise ConfigurationError(f"expected a list of words, got the string {words!r:.60}")
