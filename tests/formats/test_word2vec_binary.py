"""word2vec's binary format: faults are errors that name the byte, or counted repairs."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from embedkit.errors import FormatError
from embedkit.formats import read
from tests.formats.conftest import Fault, check_fault

ROW = struct.pack("<2f", 1, 2)
FAULTS = {
    "cut short": Fault(
        b"2 2\na " + ROW + b"b " + ROW[:5], "byte 21: only 1 of the 2 words .* are complete",
        {"cut_short": 1}, ["a"],
    ),
    "more words": Fault(
        b"1 2\na " + ROW + b"b " + ROW,
        "byte 15: the file continues after the number of words in its header, 1",
        {"wrong_header": 1}, ["a"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_fault_is_an_error_or_a_counted_repair(case: str, tmp_path: Path) -> None:
    check_fault(FAULTS[case], tmp_path, "word2vec-binary")


def test_rows_of_word2vec_c_end_with_a_line_feed(tmp_path: Path) -> None:
    row = np.array([1, 2], "<f4").tobytes()
    (tmp_path / "x").write_bytes(b"2 2\nun " + row + b"\ndeux " + row + b"\n")
    assert [*read(tmp_path / "x").vocabulary] == ["un", "deux"]


@pytest.mark.parametrize("name", ["word2vec", "word2vec-binary", None])
def test_empty_vocabulary_is_an_error(name: str | None, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0 100\n")
    with pytest.raises(FormatError, match="1: the header says that there are 0 words") as raised:
        read(tmp_path / "x", format=name)
    assert "lower minimum count" in raised.value.hint
