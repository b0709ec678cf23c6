"""Numbers in a range, choices and lists of words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from embedkit.errors import ConfigurationError, SettingError
from embedkit.validation import (
    CODEC_ERRORS,
    ERROR_POLICIES,
    check_choice,
    check_ranges,
    number,
    refuse_string,
    whole_number,
)


@pytest.mark.parametrize("value", [1, 7, 1_000, np.int64(7), np.uint8(255)])
def test_integers_become_python_integers(value: Any) -> None:
    found = whole_number("size", value, 1, 1_000)
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize("value", [0, 1_001, 10**30, 7.0, "7", None, True, np.float32(7), math.nan])
def test_other_values_than_integers_in_the_range_are_rejected(value: Any) -> None:
    with pytest.raises(ConfigurationError) as raised:
        whole_number("size", value, 1, 1_000)
    assert str(raised.value) == f"size must be an integer between 1 and 1,000, got {value!r}"


def test_range_may_have_no_upper_limit() -> None:
    assert whole_number("k", 10**30, 1) == 10**30
    with pytest.raises(ConfigurationError, match="k must be an integer of at least 1, got 0"):
        whole_number("k", 0, 1)


@pytest.mark.parametrize("value", [0.5, 0, 2, np.float32(0.5), Fraction(1, 2)])
def test_numbers_become_python_floats(value: Any) -> None:
    found = number("rate", value, 0, 2)
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize("value", [-0.1, 2.1, math.nan, math.inf, 10**400, "1", None, False, 1j])
def test_other_values_than_numbers_in_the_range_are_rejected(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"rate must be a number between 0 and 2, got "):
        number("rate", value, 0, 2)


def test_unknown_choice_is_rejected() -> None:
    check_choice("metric", "l2", ("cosine", "l2"))
    with pytest.raises(ConfigurationError) as raised:
        check_choice("metric", "x", ("cosine", "l2"))
    assert str(raised.value) == "unknown metric 'x'; choose from cosine, l2"


def test_string_is_not_a_list_of_words() -> None:
    refuse_string(["paris"])
    with pytest.raises(
        ConfigurationError, match="expected a list of words, got the string 'paris'"
    ):
        refuse_string("paris")


def test_every_error_policy_has_an_error_handler_of_the_codecs() -> None:
    assert ERROR_POLICIES == ("strict", "replace", "skip")
    decoded = {name: b"a\xffb".decode(errors=CODEC_ERRORS[name]) for name in ("replace", "skip")}
    assert decoded == {"replace": "a\ufffdb", "skip": "ab"}
    with pytest.raises(UnicodeDecodeError):
        b"a\xffb".decode(errors=CODEC_ERRORS["strict"])


@dataclass(frozen=True)
class Settings:
    size: Any = 3
    rate: Any = 0.5
    later: Any = None

    def check(self, **options: Any) -> Settings:
        check_ranges(self, {"size": (1, 9), "rate": (0.0, 1.0), "later": (1, 9)}, **options)
        return self


def test_ranges_of_a_dataclass_are_checked_and_stored_as_python_numbers() -> None:
    found = Settings(np.int64(4), np.float32(0.25)).check(optional=["later"])
    assert (found.size, found.rate, found.later) == (4, 0.25, None)
    assert (type(found.size), type(found.rate)) == (int, float)
    assert Settings(later=np.int64(0)).check(optional=["later"], unset=0).later == 0
    for wrong, options in [
        (Settings(), {}),
        (Settings(later=0), {"optional": ["later"]}),
        (Settings(later=False), {"optional": ["later"], "unset": 0}),
        (Settings(later=None), {"optional": ["later"], "unset": 0}),
    ]:
        with pytest.raises(SettingError, match="later must be an integer between 1 and 9"):
            wrong.check(**options)
    with pytest.raises(SettingError, match="size must be an integer between 1 and 9"):
        Settings(size=2.0).check(optional=["later"])
    with pytest.raises(SettingError, match="rate must be a number between 0 and 1"):
        Settings(rate=2).check(optional=["later"])
