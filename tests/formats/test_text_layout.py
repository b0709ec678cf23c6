"""Headers and columns of text files."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedkit.errors import FormatError
from embedkit.formats import read


def test_first_line_of_two_numbers_is_a_header_if_the_format_has_one(tmp_path: Path) -> None:
    (tmp_path / "years").write_bytes(b"2 1\n1999 3\n2001 4\n")
    assert [*read(tmp_path / "years", format="glove").vocabulary] == ["2", "1999", "2001"]
    assert [*read(tmp_path / "years", format="word2vec").vocabulary] == ["1999", "2001"]
    assert [*read(tmp_path / "years").vocabulary] == ["1999", "2001"]


def test_missing_header_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"a 3\n2 4\n")
    with pytest.raises(FormatError, match=r"line 1: expected the number of words .*") as raised:
        read(tmp_path / "words", format="word2vec")
    assert "--format glove" in raised.value.hint
