"""Checks of settings: a value out of range is an error that names the limits or the choices."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, TypeAlias, TypeGuard, cast

from embedkit.errors import ConfigurationError, SettingError

__all__ = [
    "CODEC_ERRORS",
    "ERROR_POLICIES",
    "Ranges",
    "check_choice",
    "check_path",
    "check_ranges",
    "is_whole",
    "number",
    "refuse_string",
    "whole_number",
    "within",
]

CODEC_ERRORS: Mapping[str, str] = {"strict": "strict", "replace": "replace", "skip": "ignore"}
"""The name that Python's codecs have for each of `ERROR_POLICIES`."""

ERROR_POLICIES = tuple(CODEC_ERRORS)
"""What to do with invalid input, such as bytes that are not UTF-8, in texts and files of vectors.

*strict*: raise an error. *replace*: substitute U+FFFD for bad bytes, and repair what else can be.
*skip*: leave out the bad bytes of a text, or the bad word of a file of vectors.
"""


Ranges: TypeAlias = "Mapping[str, tuple[int, int] | tuple[float, float]]"
"""By the name of a setting: its limits. Those of an integer are integers."""


def is_whole(value: object, low: int, high: int | None = None) -> TypeGuard[Integral]:
    """Tell whether *value* is an integer, NumPy's included, from *low* to *high*."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        return False
    return bool(low <= int(value) and (high is None or int(value) <= high))


def whole_number(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return *value* as an int.

    Raises:
        ConfigurationError: it is not an integer, is below *low*, or is above *high*.
    """
    if not is_whole(value, low, high):
        limits = f"of at least {low:,}" if high is None else f"between {low:,} and {high:,}"
        raise SettingError(name, f"an integer {limits}", value)
    return int(value)


def number(name: str, value: object, low: float, high: float) -> float:
    """Return *value* as a float.

    Raises:
        ConfigurationError: it is not a number, is below *low*, or is above *high*.
    """
    is_real = isinstance(value, Real) and not isinstance(value, bool)
    if not is_real or not low <= cast("float", value) <= high:
        raise SettingError(name, f"a number between {_plain(low)} and {_plain(high)}", value)
    return float(cast("float", value))


def _plain(limit: float) -> str:
    return f"{int(limit):,}" if float(limit).is_integer() else f"{limit:g}"


def within(ranges: Ranges, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings without those that are outside their range."""
    return {
        name: value
        for name, value in settings.items()
        if name not in ranges or ranges[name][0] <= value <= ranges[name][1]
    }


def check_ranges(
    settings: object, ranges: Ranges, *, optional: Collection[str] = (), unset: int | None = None
) -> None:
    """Check the numbers of a frozen dataclass, and store them as int or float.

    Args:
        settings: the dataclass, as `__post_init__` gets it.
        ranges: the limits of each number.
        optional: names of those that may be *unset*, to be chosen later.
        unset: None or 0.

    Raises:
        ConfigurationError: a value is not an integer or not a number, or is out of its range.
    """
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        is_unset = value is None if unset is None else is_whole(value, unset, unset)
        if is_unset and name in optional:
            continue
        if isinstance(low, int) and isinstance(high, int):
            checked: float = whole_number(name, value, low, high)
        else:
            checked = number(name, value, low, high)
        object.__setattr__(settings, name, checked)


def check_choice(kind: str, value: object, choices: Collection[str]) -> None:
    """Raise `ConfigurationError` unless *value* is one of *choices*.

    Args:
        kind: what the value is, such as "metric".
    """
    if value not in choices:
        raise ConfigurationError(f"unknown {kind} {value!r}; choose from {', '.join(choices)}")


def check_path(path: object) -> None:
    """Raise `TypeError` unless *path* is a string or a `pathlib.Path`."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"expected a path, as a string or pathlib.Path, got {path!r:.60}")


def refuse_string(words: object) -> None:
    """Raise `ConfigurationError` if *words* is a string, or is not iterable.

    The letters of a string would be taken for words.
    """
    if isinstance(words, str | bytes):
        raise ConfigurationError(f"expected a list of words, got the string {words!r:.60}")
    if not isinstance(words, Iterable):
        raise ConfigurationError(f"expected a list of words, got {words!r:.60}")
