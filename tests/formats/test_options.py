from __future__ import annotations

import pytest

from embedkit.errors import ConfigurationError
from embedkit.formats.options import WriteOptions


@pytest.mark.parametrize("name", ["words", "_", "a" * 63, "w2v_2"])
def test_valid_table_names(name: str) -> None:
    assert WriteOptions(name=name).name == name


@pytest.mark.parametrize(
    "name", ["", "Words", "1words", "a b", 'x"; DROP TABLE y', "a" * 64, "a\n"]
)
def test_invalid_table_names_are_rejected(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a valid table name") as raised:
        WriteOptions(name=name)
    assert raised.value.hint
