"""Text files: faults are errors that name the line, or counted repairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from embedkit.errors import FormatError
from embedkit.formats import convert, detect, read, write
from embedkit.vectors.word_vectors import WordVectors
from tests.formats.conftest import Fault, check_fault, same

FAULTS = {
    "too few numbers": Fault(
        b"3 2\na 1 2\nb 1\nc 1 2\n", "line 3: expected 2 numbers, got 1",
        {"unreadable": 1}, ["a", "c"],
    ),
    "too many numbers": Fault(
        b"a 1 2\nb 1 2\nc 1 2 3\n", "line 3: expected 2 numbers, got 3",
        {"unreadable": 1}, ["a", "b"],
    ),
    "tab between numbers": Fault(
        b"a 1 2\nb 1 2\nc 1\t2\n",
        "have a space after the word and a space between the numbers",
        {"unreadable": 1},
        ["a", "b"],
    ),
    "tab after the word": Fault(
        b"a 1 2\nb 1 2\nnew york\t1 2\n",
        "line 3: the separators differ",
        {"unreadable": 1},
        ["a", "b"],
    ),
    "not a number": Fault(
        b"a 1 2\nb 1 two\n", "line 2: 'two' is not a number", {"unreadable": 1}, ["a"]
    ),
    "duplicate": Fault(
        b"a 1 2\nb 1 2\na 3 4\n", "line 3: 'a' is already in line 1", {"duplicate": 1}, ["a", "b"]
    ),
    "not UTF-8": Fault(
        b"a 1 2\nb\xff 1 2\n", "line 2: byte 2 of the word 'b\ufffd' is 0xff", {"not_utf8": 1},
        ["a"],
    ),
    "NUL": Fault(b"a 1 2\nb\0 1 2\n", "line 2: the word .* contains NUL", {"nul": 1}, ["a"]),
    "empty word": Fault(b"a 1 2\n 1 2\n", "line 2: the word is empty", {"empty": 1}, ["a"]),
    "not finite": Fault(
        b"a 1 2\nb 1 inf\nc nan 1\n", "line 2: number 2 is inf, which is not finite",
        {"not_finite": 2}, ["a"],
    ),
    "header says more": Fault(
        b"9 2\na 1 2\n", "line 1: the header says 9 words, but there is 1: the file is cut short",
        {"wrong_header": 1}, ["a"],
    ),
    "header says less": Fault(
        b"1 2\na 1 2\nb 1 2\n",
        "line 1: the header says 1 word, but there are 2: the header is wrong",
        {"wrong_header": 1}, ["a", "b"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_fault_is_an_error_or_a_counted_repair(case: str, tmp_path: Path) -> None:
    check_fault(FAULTS[case], tmp_path)


def test_faults_are_repaired_where_possible(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a 1 2\nb\xff 1 2\nc\0d 1 2\ne nan 2\n")
    report = convert(tmp_path / "x", tmp_path / "y.embedkit", errors="replace")
    found = read(tmp_path / "y.embedkit")
    assert [*found.vocabulary] == ["a", "b\ufffd", "c\ufffdd", "e"]
    assert found["e"].tolist() == [0, 2]
    assert report.repairs == {"not_utf8": 1, "nul": 1, "not_finite": 1}


def test_line_number_of_a_late_fault(tmp_path: Path) -> None:
    lines = [f"w{number} {number} 0.5 0.{'1' * 60}" for number in range(40_000)]
    lines[31_203] = "wrong 1"
    (tmp_path / "x").write_text("\n".join(lines))
    with pytest.raises(FormatError, match="line 31204: expected 3 numbers, got 1"):
        read(tmp_path / "x")


def test_words_may_contain_spaces(tmp_path: Path) -> None:
    """As some words of GloVe's 840B do."""
    (tmp_path / "x").write_bytes(b"a 1 2\n. . . 3 4\nat name@domain.com 5 6 \r\nb\t 1e1 +2\n\n")
    found = read(tmp_path / "x")
    assert [*found.vocabulary] == ["a", ". . .", "at name@domain.com", "b\t"]
    assert found.matrix.tolist() == [[1, 2], [3, 4], [5, 6], [10, 2]]


def test_tabs_may_separate_columns(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"new york\t1\t2\nparis\t3\t4\n")
    assert read(tmp_path / "x")["new york"].tolist() == [1, 2]


MIXED = {
    "a tab after the word": b"cat\t0.1 0.2 0.3\nENTITY/Windows 10\t0.4 0.5 0.6\ndog\t0.7 0.8 0.9\n",
    "tabs between the numbers": b"cat 0.1\t0.2\t0.3\nENTITY/Windows 10 0.4\t0.5\t0.6\n"
    b"dog 0.7\t0.8\t0.9\n",
    "tabs": b"cat\t0.1\t0.2\t0.3\nENTITY/Windows 10\t0.4\t0.5\t0.6\ndog\t0.7\t0.8\t0.9\n",
    "spaces at the ends": b"cat\t0.1 0.2 0.3 \r\nENTITY/Windows 10\t0.4 0.5 0.6 \r\n"
    b"dog\t0.7 0.8 0.9",
}


@pytest.mark.parametrize("header", [b"", b"3 3\n"], ids=["no header", "header"])
@pytest.mark.parametrize("case", MIXED)
def test_word_and_numbers_may_have_different_separators(
    case: str, header: bytes, tmp_path: Path
) -> None:
    """wikipedia2vec writes a tab after the word, and spaces between the numbers."""
    (tmp_path / "x").write_bytes(header + MIXED[case])
    found = read(tmp_path / "x")
    assert [*found.vocabulary] == ["cat", "ENTITY/Windows 10", "dog"]
    expected = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]
    assert np.array_equal(found.matrix, np.array(expected, dtype=np.float32))


@pytest.mark.parametrize(("after", "between"), [("\t", " "), (" ", "\t"), ("\t", "\t")])
def test_many_lines_with_mixed_separators(after: str, between: str, tmp_path: Path) -> None:
    rows = np.arange(60_000).reshape(-1, 3) / 8
    words = [f"ENTITY/Windows {n}" if n % 2 else f"w{n}" for n in range(len(rows))]
    lines = [f"{w}{after}{between.join(map(str, row))}" for w, row in zip(words, rows, strict=True)]
    (tmp_path / "x").write_text("\n".join(lines))
    found = read(tmp_path / "x")
    assert [*found.vocabulary] == words
    assert np.array_equal(found.matrix, rows.astype(np.float32))


def test_header_says_how_many_columns_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"3 2\ncat 0.5 1\ncatch 22 0.25 1\ndog 2 3\n")
    found = read(tmp_path / "x")
    assert [*found.vocabulary] == ["cat", "catch 22", "dog"]
    assert found["catch 22"].tolist() == [0.25, 1]
    (tmp_path / "y").write_bytes(b"1 2\ncatch 22 0.25 1\n")
    assert [*read(tmp_path / "y").vocabulary] == ["catch 22"]


def test_header_with_fewer_numbers_than_all_lines_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"3 2\ncat 1 2 3\ncatch 22 1 2 3\ndog 1 2 3\n")
    with pytest.raises(FormatError, match=r"line 1: the header says 2 numbers a line, .* have 3"):
        read(tmp_path / "x")


def test_lines_longer_than_the_sample(tmp_path: Path) -> None:
    row = np.arange(20_000)
    (tmp_path / "x").write_text("\n".join(f"{w} {' '.join(map(str, row))}" for w in "ab"))
    assert np.array_equal(read(tmp_path / "x").matrix, np.array([row, row], dtype=np.float32))


def test_numbers_are_rounded_once(tmp_path: Path) -> None:
    """Halfway between two float32 except for the last digit, which rounding to float64 loses."""
    (tmp_path / "x").write_text(
        "a 1.00000017881393432617187499 1\nb 1.000000178813934326171875001 1\n"
    )
    assert read(tmp_path / "x").matrix[:, 0].view(np.uint32).tolist() == [0x3F800001, 0x3F800002]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gensim's
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("name", "options"),
    [("x.txt", {}), ("x.bin", {"binary": True}), ("x.glove", {"no_header": True})],
)
def test_gensim_reads_what_is_written(
    name: str, options: dict[str, bool], odd: WordVectors, tmp_path: Path
) -> None:
    write(odd, tmp_path / name)
    found = KeyedVectors.load_word2vec_format(str(tmp_path / name), **options)
    assert found.index_to_key == [*odd.vocabulary]
    assert np.array_equal(found.vectors.view(np.uint32), odd.matrix.view(np.uint32))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("word2vec", {}), ("word2vec-binary", {"binary": True}), ("glove", {"write_header": False}),
    ],
)  # fmt: skip
def test_what_gensim_writes_is_read(
    name: str, options: dict[str, bool], odd: WordVectors, tmp_path: Path
) -> None:
    theirs = KeyedVectors(odd.dimension)
    theirs.add_vectors([*odd.vocabulary], np.array(odd.matrix))
    theirs.save_word2vec_format(str(tmp_path / "x"), **options)
    assert detect(tmp_path / "x") == name
    assert same(read(tmp_path / "x"), odd)


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("2 2\na   1.0  -2.0\nb  -3.0   4.0\n", "line 2: there are several spaces", "tr -s ' '"),
        ("one  1  2\ntwo  3  4\n", "line 1: there are several spaces", "tr -s ' '"),
        ("one\t 1\t2\n", "line 1: there are several spaces", "tr -s ' '"),
        ("a 1 2\rb 3 4\r", "line 1: lines end with a carriage return only", "tr"),
    ],
)
def test_layouts_that_would_be_misread_are_errors(
    text: str, problem: str, remedy: str, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_bytes(text.encode())
    with pytest.raises(FormatError, match=problem) as caught:
        read(tmp_path / "words.txt")
    assert remedy in str(caught.value.hint)
