"""Files of labeled texts in every format, and the errors of files that are not."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkit.classification.datasets import LabeledTexts, read_labeled
from embedkit.classification.labeled_lines import PARSERS
from embedkit.classification.options import LABELED_FORMATS
from embedkit.errors import ConfigurationError, EncodingError, InputError


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd"))


TEXTS = ['where is "the" milk, please?', "pourquoi ça coûte", "how much"]
LABELS = ["where", "why", "other"]
FILES = {
    "a.tsv": "".join(f"{t}\t{n}\n" for t, n in zip(TEXTS, LABELS, strict=True)),
    "named.tsv": "id\tlabel\ttext\n"
    + "".join(f"7\t{n}\t{t}\n" for t, n in zip(TEXTS, LABELS, strict=True)),
    "a.csv": '"where is ""the"" milk, please?",where\r\npourquoi ça coûte,why\r\n\r\n'
    "how much,other",
    "a.jsonl": "\n".join(
        json.dumps({"label": n, "text": t}) for t, n in zip(TEXTS, LABELS, strict=True)
    ),
    "a.txt": "".join(f"__label__{n} {t}\n" for t, n in zip(TEXTS, LABELS, strict=True)),
}


def test_every_listed_format_has_a_parser() -> None:
    assert tuple(PARSERS) == LABELED_FORMATS


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("named", [True, False], ids=["by name", "by first line"])
def test_every_format(name: str, named: bool, tmp_path: Path) -> None:
    path = tmp_path / (name if named else "file")
    path.write_bytes(FILES[name].encode())
    assert read_labeled(path) == LabeledTexts(TEXTS, LABELS)


def test_encodings_byte_order_marks_and_compression(tmp_path: Path) -> None:
    for encoding in ("latin-1", "utf-16", "utf-8-sig"):
        path = tmp_path / f"{encoding}.tsv"
        path.write_bytes(FILES["a.tsv"].encode(encoding))
        given_encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        assert read_labeled(path, encoding=given_encoding).texts == TEXTS
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(FILES["a.csv"].encode()))
    assert read_labeled(tmp_path / "a.csv.gz") == LabeledTexts(TEXTS, LABELS)


def test_columns_and_format_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "odd.data"
    path.write_text("kind,question\nwhere,is it here\n")
    assert read_labeled(path, columns=("question", "kind")) == LabeledTexts(
        ["is it here"], ["where"]
    )
    path.write_text('{"q": "is it", "n": 3}\n')
    assert read_labeled(path, columns=("q", "n")) == LabeledTexts(["is it"], ["3"])
    path.write_text('{"text": "is it", "label": true}\n')
    assert read_labeled(path) == LabeledTexts(["is it"], ["true"])
    path.write_text("__label__a\tis it\n")
    assert read_labeled(path) == LabeledTexts(["is it"], ["a"])
    path.write_text("Label,Text\nwhere,is it here\n")
    assert read_labeled(path) == LabeledTexts(["is it here"], ["where"])
    with pytest.raises(InputError, match="line 1: 2 columns, but no column named 'question'"):
        read_labeled(path, columns=("question", "label"))
    path.write_text("a,b\tc\n")
    assert read_labeled(path, format="csv") == LabeledTexts(["a"], ["b\tc"])
    assert read_labeled(path, format="tsv") == LabeledTexts(["a,b"], ["c"])


def test_a_quoted_text_may_span_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"one\ntwo",x\nthree\n')
    with pytest.raises(InputError, match="line 4: 1 column, but line 1 has 2"):
        read_labeled(path)
    path.write_text('text,label\n"one\ntwo",x\n')
    assert read_labeled(path) == LabeledTexts(["one\ntwo"], ["x"])


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)


@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_csv_and_json_written_by_python_are_read(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    expected = LabeledTexts([text for text, _ in rows], [label.strip() for _, label in rows])
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    (folder / "a.jsonl").write_text("\n".join(lines))
    assert read_labeled(folder / "a.csv") == expected
    assert read_labeled(folder / "a.jsonl") == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "one\ttwo\nthree\n", "a.tsv, line 2: 1 column, but line 1 has 2. Look"),
        ("a.tsv", "one\ttwo\n\tx\n", "line 2: the text is empty. Fill it in"),
        ("a.tsv", "text\tlabel\nx\t \n", "line 2: the label is empty"),
        ("a.tsv", "one\ttwo\tthree\n", "line 1: 3 columns, but no column named 'text' or 'label'"),
        ("a.csv", "one;two\n", "line 1: 1 column, but no column named .*by a tab"),
        (
            "a.csv",
            "question,label\na,b\n",
            "line 1: 2 columns, but no column named 'text'. .*--text",
        ),
        ("a.csv", "text,label,Text\na,b,c\n", "line 1: 2 columns named 'text'. Rename"),
        ("a.csv", 'a,b\n"open,c\nd,e\n', "line 2: .* never closed.*Close the quotation marks"),
        ("a.csv", 'a,b\n"open"c,d\n', "line 2: invalid CSV: .*Close the quotation marks"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text"\n', "line 2: invalid JSON"),
        ("a.jsonl", '{"text": null, "label": 1}\n', "line 1: 'text' is null, not a string"),
        ("a.jsonl", '{"text": 5, "label": 1}\n', "line 1: 'text' is 5, not a string. Put"),
        ("a.jsonl", '{"text": "5", "label": 1.5}\n', "line 1: 'label' is 1.5, not a string"),
        ("a.jsonl", '{"text": "5"}\n', "line 1: no key 'label'. .*--label"),
        (
            "a.jsonl",
            '{"text": "\\ud800", "label": 1}\n',
            "line 1: 'text' is .*which is not valid Unicode",
        ),
        ("a.jsonl", "[1, 2]\n", "line 1: not a JSON object"),
        (
            "a.json",
            '[{"text": "a", "label": "b"},\n',
            "line 1: invalid JSON: .*one JSON object per line",
        ),
        ("a.txt", "__label__a one\ntwo\n", "line 2: no __label__ at the beginning"),
        ("a.txt", "__label__a __label__b one\n", "line 1: 2 labels. Begin each line with"),
        ("a.txt", "__label__a one __label__b\n", "line 1: 2 labels"),
        ("a.txt", "__label__a\n", "line 1: the text is empty"),
        ("a.tsv", "", "a.tsv contains no labeled texts"),
        ("a.csv", "text,label\n", "a.csv contains no labeled texts"),
    ],
)
def test_invalid_files_are_rejected(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_labeled(tmp_path / name)


def test_wrong_and_unknown_encodings_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes("one\tx\ncafé\ty\n".encode("latin-1"))
    with pytest.raises(
        EncodingError, match=r"a.tsv, line 2: byte 0xe9 is not valid utf-8. .*--encoding"
    ):
        read_labeled(path)
    with pytest.raises(ConfigurationError, match="unknown encoding 'utf-9'"):
        read_labeled(path, encoding="utf-9")
    with pytest.raises(
        ConfigurationError, match="unknown format 'xml'; choose from tsv, csv, jsonl, fasttext"
    ):
        read_labeled(path, encoding="latin-1", format="xml")
    with pytest.raises(InputError, match=r"cannot read .*nowhere.tsv: No such file"):
        read_labeled(tmp_path / "nowhere.tsv")


def test_binary_files_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(FILES["a.tsv"].encode("utf-16"))
    with pytest.raises(EncodingError, match=r"line 1: byte 0xff .*--encoding utf-16"):
        read_labeled(path)
    path.write_bytes(b"\x7fELF\0\0\xd0")
    with pytest.raises(EncodingError, match=r"line 1: byte 0xd0 .*contains zero bytes"):
        read_labeled(path)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_a_truncated_compressed_file_is_rejected(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "a.tsv"
    data = compress(FILES["a.tsv"].encode() * 100)
    path.write_bytes(data)
    assert len(read_labeled(path).texts) == 300
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"a\.tsv is damaged or cut short after line \d+: "):
        read_labeled(path)


def test_a_damaged_compressed_file_is_rejected(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(FILES["a.tsv"].encode() * 100))
    data[20:30] = bytes(10)
    (tmp_path / "a.tsv.gz").write_bytes(data)
    with pytest.raises(InputError, match=r"tsv\.gz is damaged .* line 0: Error -3"):
        read_labeled(tmp_path / "a.tsv.gz")


@pytest.mark.parametrize(
    ("name", "content", "labels"),
    [
        ("a.tsv", "x\tdrama, comedy\ny\t\n", [("drama", "comedy"), ()]),
        ("a.csv", 'x,"drama,comedy,drama"\n', [("drama", "comedy")]),
        ("a.jsonl", '{"text": "x", "label": ["drama, comedy", 7]}\n', [("drama, comedy", "7")]),
        ("a.jsonl", '{"text": "x", "label": "drama, comedy"}\n', [("drama, comedy",)]),
        ("a.txt", "__label__a,b __label__c x\n", [("a,b", "c")]),
    ],
)
def test_only_the_cells_of_tables_are_split_at_commas(
    name: str, content: str, labels: list[tuple[str, ...]], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    assert read_labeled(tmp_path / name, task="labels").labels == labels


@pytest.mark.parametrize("value", ["null", "true", "1.5", '["x"]', '{"x": 1}'])
def test_other_values_in_a_list_of_labels_are_rejected(value: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "x", "label": ["a"]}}\n{{"text": "x", "label": ["a", {value}]}}\n')
    with pytest.raises(InputError, match=r"line 2: 'label' contains .*not a string or an integer"):
        read_labeled(path, task="labels")


def test_numbers_are_plain(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("x\t1e3\ny\t1_000\n")
    with pytest.raises(InputError, match="line 2: the label '1_000' is not a finite number"):
        read_labeled(path, task="number")


def test_texts_and_labels_need_two_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nx,y\n")
    with pytest.raises(ConfigurationError, match="are in the same column, 'Label'"):
        read_labeled(tmp_path / "a.csv", columns=("Label", "label"))
