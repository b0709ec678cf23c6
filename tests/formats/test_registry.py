"""The functions of each format agree with what the lists say."""

from __future__ import annotations

import pytest

from embedkit.formats import FORMAT_NAMES, VECTOR_FORMATS
from embedkit.formats.names import FORMATS_INFO
from tests.formats.conftest import OUTPUTS


def test_registry_has_every_format_in_order() -> None:
    assert tuple(VECTOR_FORMATS) == FORMAT_NAMES
    assert {*OUTPUTS} == {
        n for n, known in FORMATS_INFO.items() if known.readable and known.writable
    }


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_functions_match_the_description(name: str) -> None:
    known, info = VECTOR_FORMATS[name], FORMATS_INFO[name]
    assert known.info is info
    assert (known.read is not None) == (known.detect is not None) == info.readable
    assert (known.write is not None) == (info.writable and not info.is_folder)
    assert (known.write_folder is not None) == (info.writable and info.is_folder)
