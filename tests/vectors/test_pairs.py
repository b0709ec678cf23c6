"""Pairs of words in arguments and files."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from embedkit.errors import QuestionError
from embedkit.vectors.pairs import read_pairs
from embedkit.vectors.word_lists import WordReader


@pytest.mark.parametrize("text", ["king:queen", "king queen", " king\tqueen\n", "king  queen"])
def test_separators_of_a_pair(text: str) -> None:
    assert WordReader().pair(text) == ("king", "queen")


def test_a_tab_takes_precedence_over_other_separators() -> None:
    assert WordReader().pair("new york:city\tunited states") == ("new york:city", "united states")
    assert WordReader().pair("new york:albany") == ("new york", "albany")


@pytest.mark.parametrize("text", ["", "king", "king:", ":queen", "a:b:c", "a b c", "a\tb\tc"])
def test_text_without_two_words_is_rejected(text: str, tmp_path: Path) -> None:

    with pytest.raises(QuestionError, match="expected two words"):
        WordReader().pair(text)
    path = tmp_path / "pairs.txt"
    path.write_text(f"king:queen\n\n{text or 'x'}\n")
    with pytest.raises(QuestionError, match=r"pairs\.txt, line 3: expected two words"):
        read_pairs(path)


def test_pair_files_are_read_and_damaged_ones_rejected(tmp_path: Path) -> None:

    path = tmp_path / "pairs.gz"
    path.write_bytes(gzip.compress("\ufeffking:queen\r\nman woman\r\n".encode()))
    assert read_pairs(path) == [("king", "queen"), ("man", "woman")]
    for content, message in (
        (b"", "has no pairs"),
        (b"a b\n\xff", "line 2, byte 1: the text is not UTF-8"),
    ):
        path.write_bytes(content)
        with pytest.raises(QuestionError, match=message):
            read_pairs(path)
    for damaged in (gzip.compress(b"a b\n")[:10], lzma.compress(b"a b\n")[:12]):
        path.write_bytes(damaged + b"\xff" * 20)
        with pytest.raises(QuestionError, match=r"pairs\.gz is damaged or cut short"):
            read_pairs(path)
    with pytest.raises(QuestionError, match="No such file"):
        read_pairs(tmp_path / "nowhere")
