"""Words that a format cannot hold, and numbers that are not finite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, FormatError, ModelError
from embedkit.formats import convert, read, write
from embedkit.formats.repairs import Repairs, require_finite
from embedkit.vectors.word_vectors import WordVectors
from tests.damage import save_unchecked


def test_words_that_a_format_cannot_hold(tmp_path: Path) -> None:
    words = [". .", "new york", "new_york", "plain"]
    vectors = WordVectors(Vocabulary(words), np.eye(4, dtype=np.float32))
    write(vectors, tmp_path / "x.npy")
    for name in ("x.vec", "x.bin", "x.glove"):
        with pytest.raises(FormatError, match=r"word 1: '\. \.' contains a character that separ"):
            write(vectors, tmp_path / name)
        assert not (tmp_path / name).exists()
    report = convert(tmp_path / "x.npy", tmp_path / "skip.vec", errors="skip")
    assert (report.words, report.repairs) == (2, {"unwritable": 2})
    convert(tmp_path / "x.npy", tmp_path / "replace.vec", errors="replace")
    repaired = read(tmp_path / "replace.vec")
    assert [*repaired.vocabulary] == ["._.", "new_york", "plain"]
    assert repaired["new_york"].tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("row", [0, 4_095, 4_096, 9_999])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_found(row: int, bad: float, tmp_path: Path) -> None:
    matrix = np.ones((10_000, 2), dtype=np.float32)
    matrix[row, 1] = bad
    words = [f"w{n}" for n in range(10_000)]
    vectors = read(save_unchecked(tmp_path / "model", words, matrix))
    with pytest.raises(ModelError, match=f"the vector of 'w{row}' contains numbers that are not"):
        require_finite(vectors)
    with pytest.raises(ModelError, match=f"the vector of 'w{row}' contains"):
        require_finite(vectors, range(row, row + 1))
    require_finite(vectors, range(row))
    require_finite(vectors, range(row + 1, 10_000))


def test_unknown_policy_is_rejected() -> None:
    with pytest.raises(
        ConfigurationError, match="unknown error policy 'never'; choose from strict"
    ):
        Repairs("x", "never")


def test_a_file_of_which_no_word_is_left_names_the_counts(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("one nan 2\ntwo 1 inf\nthree inf inf\n")
    with pytest.raises(FormatError, match="no word is left; skipped: not_finite 3"):
        read(path, format="glove", errors="skip")


def test_the_encoding_of_words_that_are_not_utf8_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes("one 1 2\ntwo 2 1\ncafé 1 1\n".encode("latin-1"))
    with pytest.raises(FormatError, match="0xe9, which is not UTF-8") as caught:
        read(path, format="glove")
    assert "--encoding" in caught.value.hint
    assert "café" in read(path, format="glove", encoding="latin-1")
