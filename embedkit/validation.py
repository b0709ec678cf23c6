"""Checks of settings: a value out of range is an error that names the limits or the choices."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, cast

from embedkit.errors import ConfigurationError, SettingError

__all__ = [
    "CODEC_ERRORS",
    "ERROR_POLICIES",
    "check_choice",
    "is_whole",
    "number",
    "refuse_string",
    "whole_number",
]

CODEC_ERRORS: Mapping[str, str] = {"strict": "strict", "replace": "replace", "skip": "ignore"}
"""The name that Python's codecs have for each of `ERROR_POLICIES`."""

ERROR_POLICIES = tuple(CODEC_ERRORS)
"""What to do with invalid input, such as bytes that are not UTF-8, in texts and files of vectors.

*strict*: raise an error. *replace*: substitute U+FFFD for bad bytes, and repair what else can be.
*skip*: leave out the bad bytes of a text, or the bad word of a file of vectors.
"""


def is_whole(value: Any, low: int, high: int | None = None) -> bool:
    """Tell whether *value* is an integer, NumPy's included, from *low* to *high*."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return whole and bool(low <= value and (high is None or value <= high))


def whole_number(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return *value* as an int.

    Raises:
        ConfigurationError: it is not an integer, is below *low*, or is above *high*.
    """
    if not is_whole(value, low, high):
        limits = f"of at least {low:,}" if high is None else f"between {low:,} and {high:,}"
        raise SettingError(name, f"an integer {limits}", value)
    return int(cast(Integral, value))


def number(name: str, value: Any, low: float, high: float) -> float:
    """Return *value* as a float.

    Raises:
        ConfigurationError: it is not a number, is below *low*, or is above *high*.
    """
    real = isinstance(value, Real) and not isinstance(value, bool)
    if real and low <= value <= high:
        return float(value)
    limits = " and ".join(f"{x:,}" if isinstance(x, int) else f"{x:g}" for x in (low, high))
    raise SettingError(name, f"a number between {limits}", value)


def check_choice(kind: str, value: object, choices: Collection[str]) -> None:
    """Raise `ConfigurationError` unless *value* is one of *choices*.

    Args:
        kind: what the value is, such as "metric".
    """
    if value not in choices:
        raise ConfigurationError(f"unknown {kind} {value!r}; choose from {', '.join(choices)}")


def refuse_string(words: object) -> None:
    """Raise `ConfigurationError` if *words* is a string, or is not iterable.

    The letters of a string would be taken for words.
    """
    if isinstance(words, str | bytes):
        raise ConfigurationError(f"expected a list of words, got the string {words!r:.60}")
    if not isinstance(words, Iterable):
        raise ConfigurationError(f"expected a list of words, got {words!r:.60}")
