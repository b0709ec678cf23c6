"""Files of questions: what they mean, and errors that name file and line."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import QuestionError
from embedkit.evaluation import analogy_accuracy
from embedkit.evaluation.datasets import read_analogies, read_categories, read_pairs
from embedkit.vectors.word_vectors import WordVectors


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_every_ordered_pair_of_a_bats_file_is_a_question(tmp_path: Path) -> None:
    path = write(tmp_path / "D01 [noun - plural].txt", "cat\tcats\ndog\tdogs/hounds\nox\toxen\n")
    (section,) = read_analogies(path)
    assert section.name == "D01 [noun - plural]"
    asked = [(q.a, q.b, q.c, q.answers) for q in section.questions]
    cat, dog, ox = ("cat", ("cats",)), ("dog", ("dogs", "hounds")), ("ox", ("oxen",))
    assert asked == [
        (*first, *second)
        for first, second in [(cat, dog), (cat, ox), (dog, cat), (dog, ox), (ox, cat), (ox, dog)]
    ]


def test_folders_of_a_bats_folder_are_groups(tmp_path: Path) -> None:
    write(tmp_path / "bats" / "1_Inflection" / "I01.txt", "cat cats\ndog dogs\n")
    write(tmp_path / "bats" / "1_Inflection" / "I02.txt", "be was\ngo went\n")
    write(tmp_path / "bats" / "2_Derivation" / "D01.txt", "do undo\ntie untie\n")
    write(tmp_path / "bats" / "readme.md", "not a question")
    found = [(section.group, section.name) for section in read_analogies(tmp_path / "bats")]
    assert found == [("1_Inflection", "I01"), ("1_Inflection", "I02"), ("2_Derivation", "D01")]


def test_any_of_the_answers_of_bats_is_right(tmp_path: Path) -> None:
    """c + b - a = (2, 1): "right" is nearest to it in the first case, "other" in the second."""
    rows = {"a": (0, 1), "b": (1, 1), "c": (1, 0.1), "right": (0.9, 0.5), "other": (0.1, -1)}
    matrix = np.array(list(rows.values()), dtype=np.float32)
    vectors = WordVectors(Vocabulary(list(rows)), matrix)
    path = tmp_path / "bats.txt"

    def outcome(answers: str) -> float:
        write(path, f"a\tb\nc\t{answers}\n")
        report = analogy_accuracy(vectors, path, count_unknown=True)
        return float(report.outcomes[0] if report.coverage else np.nan)  # a : b as c : answers

    assert outcome("right") == 1
    assert outcome("nowhere/right") == 1
    assert outcome("other/right") == 1
    assert outcome("other") == 0
    assert np.isnan(outcome("nowhere"))


def test_scores_of_groups_are_sums(tmp_path: Path) -> None:
    vectors = WordVectors(Vocabulary(["a", "b", "c", "d"]), np.eye(4, dtype=np.float32))
    text = ": capital\na b c d\na b c x\n: gram1\na b c d\n: gram2\nx a b c\na b d c\nb a c d\n"
    report = analogy_accuracy(vectors, write(tmp_path / "q", text))
    groups = {group.name: (group.asked, group.skipped) for group in report.groups}
    assert groups == {"semantic": (1, 1), "syntactic": (3, 1)}
    assert report.coverage == pytest.approx(4 / 6)
    assert not analogy_accuracy(vectors, write(tmp_path / "q", ": capital\na b c d\n")).groups


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (": s\na b c d\na b c\n", "q, line 3: expected four words"),
        ("cat\tcats\n\ndog\n", "q, line 3: expected a word and its answers"),
        ("cat\tcats\ndog\t///\n", "q, line 2: expected a word and its answers"),
        (
            b": s\na b c d\na b \xff c\n",
            r"q, line 3, byte 5: .* not UTF-8.* \(iconv -f latin1 -t",
        ),
        (
            ": s\na b c d".encode("utf-16"),
            r"q, line 1, byte 1: .* not UTF-8.* \(iconv -f utf-16 -t",
        ),
        (gzip.compress(b"a b c d\n" * 99, mtime=0)[:-9], "q is damaged or cut short after line 0"),
        ("", "contains no questions"),
        (": first\n: second\n", "contains no questions"),
        ("a\tb\n", "contains no questions"),  # BATS: a question needs two pairs
    ],
)
def test_invalid_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        read_analogies(write(tmp_path / "q", text))


@pytest.mark.parametrize("pack", [gzip.compress, partial(pa.compress, codec="zstd")])
def test_compressed_files_are_read(tmp_path: Path, pack: Callable[[bytes], Any]) -> None:
    packed, plain = tmp_path / "packed", tmp_path / "plain"
    for read, text in (
        (read_analogies, ": s\nrome italy paris france\n"),
        (read_pairs, "rome paris 1.5\n"),
        (read_categories, "rome city\r\nitaly country"),
    ):
        plain.write_bytes(text.encode())
        packed.write_bytes(pack(text.encode()))
        assert read(packed) == read(plain) != []


@pytest.mark.parametrize("line", ["cat", "cat\tanimal\tx", "a,b,c", ",animal"])
def test_a_line_without_a_category_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "c", f"# comment\ndog\tanimal\n{line}\n")
    with pytest.raises(QuestionError, match="c, line 3: expected a word and its category"):
        read_categories(path)


@pytest.mark.parametrize("separator", ["\t", ",", " ", " , "])
def test_categories_are_separated_by_tabs_commas_or_spaces(tmp_path: Path, separator: str) -> None:
    path = write(tmp_path / "c", f"\ufeffdog{separator}animal\noak{separator}plant\n")
    assert read_categories(path) == [("dog", "animal"), ("oak", "plant")]


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    for read in (read_analogies, read_pairs, read_categories):
        with contextlib.suppress(QuestionError):  # and nothing else
            read(path)


def test_a_first_line_with_a_number_that_is_not_finite_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "pairs").write_text("king queen nan\nparis rome 4\n")
    with pytest.raises(QuestionError, match="line 1"):
        read_pairs(tmp_path / "pairs")
