"""Files of documents, good and bad."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from embedkit.errors import EncodingError, InputError
from embedkit.retrieval.document_files import BadRow, read_rows
from embedkit.retrieval.documents import DocumentReader


def rows(path: Path, **options: Any) -> list[Any]:
    """Return the values of good rows, and place and problem of bad ones."""
    return [
        (row.place, row.problem) if isinstance(row, BadRow) else row.values
        for row in read_rows(path, **options)
    ]


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": 1, "text": "caf\xc3\xa9"}\r\n\n{"text": "b", "tags": ["x"]}\n'
        b'{"text": "end"}'
    )
    expected = [{"id": 1, "text": "caf\u00e9"}, {"text": "b", "tags": ["x"]}, {"text": "end"}]
    assert rows(path) == expected
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert rows(packed) == expected


def test_bad_json_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": \n[1]\n{"text": "\xff"}\n{"text": NaN}\n')
    found = rows(path)
    assert found[0] == {"text": "a"}
    assert [place for place, _ in found[1:]] == [f"{path}, line {n}" for n in (2, 3, 4, 5)]
    assert [problem.split(":")[0] for _, problem in found[1:]] == [
        "invalid JSON", "not a JSON object", "byte 11 is not UTF-8", "invalid JSON",
    ]  # fmt: skip


def test_tables(tmp_path: Path) -> None:
    tsv, csv = tmp_path / "docs.tsv", tmp_path / "docs.csv"
    tsv.write_text('id\ttext\n1\tsays "yes", no\n2\ttoo\tmany\n')
    assert rows(tsv) == [
        {"id": "1", "text": 'says "yes", no'},
        (f"{tsv}, line 3", "3 columns, but the first line has 2"),
    ]
    csv.write_text('text,id\n"two\nlines, and ""quotes""",7\nplain,8\n')
    assert rows(csv) == [
        {"text": 'two\nlines, and "quotes"', "id": "7"},
        {"text": "plain", "id": "8"},
    ]


def test_a_csv_cell_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / "docs.csv"
    path.write_text("text\n" + "word " * 40_000 + "\n")
    assert len(rows(path)[0]["text"]) == 200_000


def test_an_open_quotation_mark_is_an_error_even_if_rows_may_be_skipped(tmp_path: Path) -> None:
    path = tmp_path / "docs.csv"
    path.write_text('text\nfine\n"open\nlost\n')
    with pytest.raises(InputError, match="line 3: a quotation mark is never closed"):
        list(DocumentReader(path, errors="skip").chunks(100, 1, pa.chunked_array([], pa.string())))


def test_csv_cells_keep_their_lines_and_rows_are_named_by_their_first_line(tmp_path: Path) -> None:
    path = tmp_path / "docs.csv"
    path.write_bytes(
        b'\n\ntext,id\r\n"one\r\n\r\n  \r\ntwo",1\n\n"a\nb",2,3\n'
        b'"caf\xe9\n\xff",4\n"x"y,5\nlast,6\n'
    )
    assert rows(path) == [
        {"text": "one\r\n\r\n  \r\ntwo", "id": "1"},
        (f"{path}, line 9", "3 columns, but the first line has 2"),
        (f"{path}, line 11", "byte 5 is not UTF-8"),
        (f"{path}, line 13", "invalid CSV: ',' expected after '\"'"),
        {"text": "last", "id": "6"},
    ]


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.txt").write_text("second\nfile")
    (tmp_path / "sub" / "a.txt").write_bytes("\ufeffna\u00efve".encode())
    (tmp_path / ".hidden").write_text("not read")
    (tmp_path / "z.txt").write_bytes(b"\xff")
    assert rows(tmp_path) == [
        {"id": "b.txt", "text": "second\nfile"},
        {"id": "sub/a.txt", "text": "na\u00efve"},
        (str(tmp_path / "z.txt"), "byte 1 is not valid utf-8"),
    ]


def test_a_line_of_10_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text('{"text": "' + "word " * 2_000_000 + '"}\n{"text": "short"}\n')
    first, second = rows(path)
    assert (len(first["text"]), second["text"]) == (10_000_000, "short")


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "docs.tsv"
    path.write_bytes("text\tid\ncaf\u00e9\t1\n".encode("utf-16"))
    assert rows(path, encoding="utf-16") == [{"text": "caf\u00e9", "id": "1"}]
    path.write_bytes(b"text\tid\ncaf\xe9\t1\n")
    assert rows(path, encoding="latin-1") == [{"text": "caf\u00e9", "id": "1"}]
    with pytest.raises(EncodingError, match="line 2"):
        rows(path, encoding="ascii")


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("missing.jsonl", None, "there is no file"),
        ("empty.jsonl", b"\n \n", "is empty"),
        ("twice.tsv", b"text\ttext\n", "occurs twice"),
        ("cut.gz", gzip.compress(b'{"text": "a"}\n' * 1000, mtime=0)[:-20], "damaged or cut short"),
        ("header.csv", b"\xff\n", "line 1: byte 1 is not UTF-8"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, data: bytes | None, problem: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=problem) as error:
        rows(path)
    assert name in str(error.value)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no files"):
        rows(tmp_path)


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_table_without_a_header_is_an_error(tmp_path: Path, name: str, separator: str) -> None:
    path = tmp_path / name
    path.write_text(f"\nparis is nice{separator}3\nrome{separator}4\n")
    with pytest.raises(InputError, match=f"{name}, line 2: there is no column 'text'") as error:
        list(read_rows(path))
    assert error.value.hint is not None
    assert "first line must name the columns. These are 'paris is nice', '3'" in error.value.hint
