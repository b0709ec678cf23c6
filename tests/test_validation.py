"""Numbers that settings may be."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from embedkit.errors import ConfigurationError
from embedkit.validation import number, whole_number


@pytest.mark.parametrize("value", [1, 7, 1_000, np.int64(7), np.uint8(255)])
def test_whole_numbers_come_back_as_pythons(value: Any) -> None:
    found = whole_number("size", value, 1, 1_000)
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize("value", [0, 1_001, 10**30, 7.0, "7", None, True, np.float32(7), math.nan])
def test_what_is_no_whole_number_in_the_range(value: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"size must be an integer between 1 and 1,000, got "
    ):
        whole_number("size", value, 1, 1_000)


@pytest.mark.parametrize("value", [0.5, 0, 2, np.float32(0.5), Fraction(1, 2)])
def test_numbers_come_back_as_floats(value: Any) -> None:
    found = number("rate", value, 0, 2)
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize("value", [-0.1, 2.1, math.nan, math.inf, 10**400, "1", None, False, 1j])
def test_what_is_no_number_in_the_range(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"rate must be a number between 0 and 2, got "):
        number("rate", value, 0, 2)
