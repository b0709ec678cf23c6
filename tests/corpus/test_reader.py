"""Sources of text, and what is said of those that cannot be read."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus import reader
from embedkit.corpus.corpus import Corpus
from embedkit.errors import ConfigurationError, CorpusError, EncodingError, StorageError
from embedkit.validation import CODEC_ERRORS

TEXT = b"the cat sat\non the mat\n"
SENTENCES = [["the", "cat", "sat"], ["on", "the", "mat"]]
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: bytes(pa.compress(data, "zstd", asbytes=True)),
}
compressors = pytest.mark.parametrize("compress", COMPRESSORS.values(), ids=COMPRESSORS)
block_sizes = pytest.mark.parametrize("block_bytes", [1, 7, 64, 1 << 20])
LINES = "".join(f"line {number} of text {number * 7919 % 10007}\n" for number in range(30_000))


def sentences(source: Any, **options: Any) -> list[list[str]]:
    return list(Corpus.read(source, **options))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "text.txt").write_bytes(TEXT)
    return tmp_path / "text.txt"


@pytest.mark.parametrize("kind", [str, Path, lambda path: [path], lambda path: (str(path),)])
def test_a_file_may_be_named_in_several_ways(kind: Callable[[Path], Any], file: Path) -> None:
    assert sentences(kind(file)) == SENTENCES


def test_several_files_are_read_in_the_order_given(file: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("no newline at the end")
    expected = [["no", "newline", "at", "the", "end"], *SENTENCES]
    assert sentences([tmp_path / "a", str(file)]) == expected
    assert sentences([str(file), tmp_path / "a"]) == expected[1:] + expected[:1]


def test_folder_is_read_in_the_order_of_names_without_hidden_files(tmp_path: Path) -> None:
    for name in ["c", "a", "b/2", "b/1", ".hidden", ".git/x", "b/.x", "d/e/f"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name.replace("/", "_"))
    assert sentences(tmp_path) == [["a"], ["b_1"], ["b_2"], ["c"], ["d_e_f"]]
    assert sentences([tmp_path / "c", tmp_path / "b"]) == [["c"], ["b_1"], ["b_2"]]


def test_folder_below_a_hidden_one_is_read(tmp_path: Path) -> None:
    (tmp_path / ".cache" / "texts").mkdir(parents=True)
    (tmp_path / ".cache" / "texts" / "a").write_bytes(TEXT)
    assert sentences(tmp_path / ".cache" / "texts") == SENTENCES


@pytest.mark.parametrize("form", [bytes, *COMPRESSORS.values()], ids=["plain", *COMPRESSORS])
def test_standard_input_is_read(
    form: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(form(b"piped in"))))
    assert sentences([str(file), "-"]) == [*SENTENCES, ["piped", "in"]]


def test_standard_input_may_be_a_pipe() -> None:
    program = "from embedkit.corpus.corpus import Corpus; print(list(Corpus.read('-')))"
    done = subprocess.run(
        [sys.executable, "-c", program], input=gzip.compress(TEXT), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == repr(SENTENCES)


@compressors
@pytest.mark.parametrize("name", ["text", "text.txt"])
def test_compressed_file_is_read(
    compress: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(compress(TEXT))
    assert sentences(tmp_path / name) == SENTENCES


@compressors
def test_compressed_file_of_several_members_is_read_to_its_end(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    (tmp_path / "text").write_bytes(compress(TEXT) + compress(b"across mem") + compress(b"bers\n"))
    assert sentences(tmp_path / "text") == [*SENTENCES, ["across", "members"]]


@pytest.mark.parametrize("form", [bytes, *COMPRESSORS.values()], ids=["plain", *COMPRESSORS])
def test_progress_counts_every_byte_of_the_file(
    form: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    (tmp_path / "text").write_bytes(form(LINES.encode()))
    told: list[int] = []
    Corpus.read([tmp_path / "text"] * 2, progress=told.append)
    assert sum(told) == 2 * (tmp_path / "text").stat().st_size
    assert min(told) >= 0


def whole_lines(compressed: bytes, kind: str) -> int:
    """Lines that the standard library gets out of the part of the file that is there."""
    decompressor: Any = {
        "gz": lambda: zlib.decompressobj(wbits=31),
        "bz2": bz2.BZ2Decompressor,
        "xz": lzma.LZMADecompressor,
    }[kind]()
    return int(decompressor.decompress(compressed).count(b"\n"))


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9, 0.9999])
def test_truncated_file_is_an_error_that_names_the_last_line(
    kind: str, part: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 1 << 14)
    whole = COMPRESSORS[kind](LINES.encode())
    cut = whole[: int(len(whole) * part)]
    (tmp_path / "text").write_bytes(cut)
    with pytest.raises(CorpusError, match=r"text is damaged or cut short after line \d+") as caught:
        Corpus.read(tmp_path / "text")
    last = int(re.findall(r"after line (\d+)", str(caught.value))[0])
    lines_of_two_blocks = 2 * (1 << 14) // len("line 1 of text 1\n")
    assert 0 <= whole_lines(cut, kind) - last <= lines_of_two_blocks


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated_zstandard_file_is_an_error(part: float, tmp_path: Path) -> None:
    whole = COMPRESSORS["zst"](LINES.encode())
    (tmp_path / "text").write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(CorpusError, match=r"text is damaged or cut short after line \d+"):
        Corpus.read(tmp_path / "text")


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_last_line_before_the_damage_is_counted_exactly(
    lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 8)
    squeeze = zlib.compressobj(wbits=31)
    content = squeeze.compress(b"a line.\n" * lines) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(CorpusError, match=f"after line {lines}:"):
        Corpus.read(tmp_path / "text")


@compressors
@pytest.mark.parametrize("part", [0.0, 0.3, 0.7])
def test_damaged_file_is_an_error_that_names_it(
    compress: Callable[[bytes], bytes], part: float, tmp_path: Path
) -> None:
    content = bytearray(compress(LINES.encode()))
    place = 10 + int(len(content) * part)
    content[place : place + 20] = b"\xff" * 20
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(CorpusError, match=r"text is damaged.*Download it or compress it again"):
        Corpus.read(tmp_path / "text")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "missing", r"missing does not exist\. Check the name"),
        (lambda folder: folder, "the folder .* contains no file to read"),
        (lambda _: "the cat sat", "pass lists of tokens"),
        (lambda _: "the cat sat on the mat. " * 50, "pass lists of tokens"),
        (lambda _: ["the cat sat", "on the mat"], "pass lists of tokens"),
        (lambda _: (line for line in ["the cat sat"]), r"sentence 0 is 'the cat sat'.*tokenize"),
        (lambda _: [["fine"], "the cat sat"], r"sentence 1 is 'the cat sat'.*tokenize"),
        (lambda _: iter([["fine"], [b"cat"]]), "sentence 1 contains b'cat'"),
        (lambda _: [["fine", ""]], "sentence 0 contains ''"),
        (lambda _: [["fine", None]], "sentence 0 contains None"),
        (lambda _: b"the cat sat", "sentence 0 is .*not a list of tokens"),
        (lambda _: [], "the corpus is empty"),
        (lambda _: iter([[], []]), "the corpus is empty"),
    ],
)
def test_invalid_source_is_a_clear_error(
    make: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CorpusError, match=message):
        Corpus.read(make(tmp_path))


@pytest.mark.parametrize(
    "make",
    [
        tuple,
        np.array,
        lambda words: np.array(words, dtype=object),
        pa.array,
        lambda words: pa.chunked_array([words[:1], words[1:]]),
        pd.Series,
        lambda words: pd.Series(words, dtype="category"),
        lambda words: pd.array(words, dtype="string"),
        pl.Series,
    ],
)
def test_a_sentence_may_be_any_array_of_strings(make: Callable[[list[str]], Any]) -> None:
    sentences = [["to", "be"], ["or", "not", "to", "be"]]
    read = Corpus.read(make(words) for words in sentences)
    assert list(read) == list(Corpus.read(sentences)) == sentences


@pytest.mark.parametrize(
    "make",
    [
        pa.array,
        lambda sentences: pa.table({"text": sentences})["text"],
        pd.Series,
        lambda sentences: pd.Series(sentences, dtype=pd.ArrowDtype(pa.list_(pa.string()))),
        pl.Series,
    ],
)
def test_a_text_may_be_any_array_of_lists(make: Callable[[list[list[str]]], Any]) -> None:
    sentences = [["to", "be"], ["or", "not", "to", "be"]]
    assert list(Corpus.read(make(sentences))) == sentences


def test_arrays_of_numbers_and_of_texts_are_not_sentences() -> None:
    with pytest.raises(CorpusError, match="sentence 0 contains 1; tokens must be"):
        Corpus.read([np.array([1, 2])])
    with pytest.raises(CorpusError, match=r"sentence 0 is .*not a list of tokens"):
        Corpus.read(np.array(["to be", "or not"]))


def test_source_that_is_not_iterable_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="got 42"):
        Corpus.read(42)  # type: ignore[arg-type]


def test_unreadable_file_is_an_error_that_names_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CorpusError, match=r"cannot read .*text\.txt: Permission denied"):
        Corpus.read(file)


@pytest.mark.parametrize("error", [ValueError("mine"), KeyError("mine"), OSError("mine")])
def test_exception_of_a_generator_is_passed_on(error: Exception) -> None:
    def generate() -> Iterator[list[str]]:
        yield ["fine"]
        raise error

    with pytest.raises(type(error), match="mine") as caught:
        Corpus.read(generate())
    assert caught.value is error


def test_missing_directory_for_the_ids_is_a_storage_error(file: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write .*nowhere"):
        Corpus.read(file, directory=tmp_path / "nowhere")


@block_sizes
@pytest.mark.parametrize(
    "text",
    [
        b"caf\xe9",
        b"fine\nfine \xe4\xb8\xad\n\nnot fine: \xff\n\xfe",
        b"one\n" * 50 + b"two \xc3\xa9 three \xc3\n",
        b"long line of words " * 20 + b"\xe4\xb8 cut" + b" and on" * 20,
        b"x" * 300 + b"\x80" + b"y" * 300,
        b"ends in half a character \xe4\xb8",
        b"\n\xc3\xa9\n\xed\xa0\x80 surrogate",
    ],
)
def test_error_names_the_position_of_invalid_utf8(
    text: bytes, block_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_BLOCK_BYTES", block_bytes)
    (tmp_path / "text").write_bytes(text)
    with pytest.raises(UnicodeDecodeError) as decoding:
        text.decode()
    lines = text[: decoding.value.start].split(b"\n")
    expected = (
        f"{tmp_path / 'text'}, line {len(lines)}, byte {len(lines[-1]) + 1}: "
        f"0x{text[decoding.value.start]:02x} is not valid UTF-8. "
    )
    with pytest.raises(EncodingError, match=re.escape(expected)):
        Corpus.read(tmp_path / "text")


@settings(deadline=None, max_examples=150)
@given(
    text=st.lists(
        st.one_of(st.binary(max_size=4), st.sampled_from([b" ", b"\n", b"\xe4\xb8", b"ab"])),
        max_size=20,
    ).map(b"".join),
    policy=st.sampled_from(["replace", "skip"]),
    block_bytes=st.sampled_from([1, 7, 1 << 20]),
)
def test_error_policies_agree_with_python(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, policy: str, block_bytes: int
) -> None:
    spaces = bytes(c if c > 32 or c == 10 else 32 for c in range(256))
    text = b"first " + text.translate(spaces)
    path = tmp_path_factory.mktemp("policy") / "text"
    path.write_bytes(text)
    lines = text.decode(errors=CODEC_ERRORS[policy]).encode().split(b"\n")
    expected = [[token.decode() for token in line.split()] for line in lines if line.split()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_BLOCK_BYTES", block_bytes)
        assert sentences(path, tokenizer="whitespace", errors=policy, workers=1) == expected
