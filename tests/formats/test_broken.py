"""Files that are cut, wrong or made to do harm: errors that name the place, or counted repairs."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import EmbedkitError, FormatError
from embedkit.formats import FORMATS, convert, read, write
from embedkit.vectors.word_vectors import WordVectors

ROW = struct.pack("<2f", 1, 2)
TEXTS: dict[str, tuple[bytes, str, dict[str, int], list[str]]] = {
    "too few numbers": (
        b"3 2\na 1 2\nb 1\nc 1 2\n", "line 3: 1 number, not 2", {"unreadable": 1}, ["a", "c"],
    ),
    "too many numbers": (
        b"a 1 2\nb 1 2\nc 1 2 3\n", "line 3: 3 numbers, not 2", {"unreadable": 1}, ["a", "b"],
    ),
    "no number": (
        b"a 1 2\nb 1 two\n", "line 2: 'two' is not a number", {"unreadable": 1}, ["a"],
    ),
    "twice": (
        b"a 1 2\nb 1 2\na 3 4\n", "line 3: 'a' stood already in line 1", {"duplicate": 1},
        ["a", "b"],
    ),
    "not UTF-8": (
        b"a 1 2\nb\xff 1 2\n", "line 2: byte 2 of the word 'b\ufffd' is 0xff",
        {"not_utf8": 1}, ["a"],
    ),
    "NUL": (b"a 1 2\nb\0 1 2\n", "line 2: the word .* holds NUL", {"nul": 1}, ["a"]),
    "empty word": (b"a 1 2\n 1 2\n", "line 2: the word is empty", {"empty": 1}, ["a"]),
    "not finite": (
        b"a 1 2\nb 1 inf\nc nan 1\n", "line 2: number 2 is inf, which is not finite",
        {"not_finite": 2}, ["a"],
    ),
    "header says more": (
        b"9 2\na 1 2\n", "line 1: the header says 9 words, 1 follow: the file is cut short",
        {"wrong_header": 1}, ["a"],
    ),
    "header says less": (
        b"1 2\na 1 2\nb 1 2\n", "line 1: the header says 1 words, 2 follow", {"wrong_header": 1},
        ["a", "b"],
    ),
    "binary cut short": (
        b"2 2\na " + ROW + b"b " + ROW[:5], "byte 21: after 1 of the 2 words", {"cut_short": 1},
        ["a"],
    ),
    "binary with more": (
        b"1 2\na " + ROW + b"b " + ROW, "byte 15: more follows after the 1 words",
        {"wrong_header": 1}, ["a"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_a_fault_is_an_error_or_a_counted_repair(case: str, tmp_path: Path) -> None:
    data, problem, repairs, words = TEXTS[case]
    (tmp_path / "x").write_bytes(data)
    name = "word2vec-binary" if "binary" in case else None
    with pytest.raises(FormatError, match=problem) as raised:
        read(tmp_path / "x", format=name)
    assert raised.value.hint
    assert str(tmp_path / "x") in str(raised.value)
    report = convert(tmp_path / "x", tmp_path / "y.embedkit", source_format=name, errors="skip")
    assert report.repairs == repairs
    assert [*read(tmp_path / "y.embedkit").vocabulary] == words


def test_what_can_be_mended_is(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a 1 2\nb\xff 1 2\nc\0d 1 2\ne nan 2\n")
    report = convert(tmp_path / "x", tmp_path / "y.embedkit", errors="replace")
    found = read(tmp_path / "y.embedkit")
    assert [*found.vocabulary] == ["a", "b\ufffd", "c\ufffdd", "e"]
    assert found["e"].tolist() == [0, 2]
    assert report.repairs == {"not_utf8": 1, "nul": 1, "not_finite": 1}


def test_the_line_of_a_late_fault_is_named(tmp_path: Path) -> None:
    lines = [f"w{number} {number} 0.5 0.{'1' * 60}" for number in range(40_000)]
    lines[31_203] = "wrong 1"
    (tmp_path / "x").write_text("\n".join(lines))
    with pytest.raises(FormatError, match="line 31204: 1 number, not 3"):
        read(tmp_path / "x")


def test_words_with_spaces_are_words(tmp_path: Path) -> None:
    """GloVe's 840B has such ones."""
    (tmp_path / "x").write_bytes(b"a 1 2\n. . . 3 4\nat name@domain.com 5 6 \r\nb\t 1e1 +2\n\n")
    found = read(tmp_path / "x")
    assert [*found.vocabulary] == ["a", ". . .", "at name@domain.com", "b\t"]
    assert found.matrix.tolist() == [[1, 2], [3, 4], [5, 6], [10, 2]]


def test_tabs_separate_too(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"new york\t1\t2\nparis\t3\t4\n")
    assert read(tmp_path / "x")["new york"].tolist() == [1, 2]


def test_a_first_line_of_two_numbers_is_a_header_if_the_format_has_one(tmp_path: Path) -> None:
    (tmp_path / "years").write_bytes(b"2 1\n1999 3\n2001 4\n")
    assert [*read(tmp_path / "years", format="glove").vocabulary] == ["2", "1999", "2001"]
    assert [*read(tmp_path / "years", format="word2vec").vocabulary] == ["1999", "2001"]
    assert [*read(tmp_path / "years").vocabulary] == ["1999", "2001"]
    (tmp_path / "words").write_bytes(b"a 3\n2 4\n")
    with pytest.raises(FormatError, match=r"line 1: no numbers of .* --format glove"):
        read(tmp_path / "words", format="word2vec")


def test_numbers_are_rounded_once(tmp_path: Path) -> None:
    """Halfway between two float32 but for the last digit: by way of float64 it would be lost."""
    (tmp_path / "x").write_text(
        "a 1.00000017881393432617187499 1\nb 1.000000178813934326171875001 1\n"
    )
    assert read(tmp_path / "x").matrix[:, 0].view(np.uint32).tolist() == [0x3F800001, 0x3F800002]


@pytest.mark.parametrize("kind", ["empty", "blank", "prose", "one line", "image"])
def test_what_holds_no_vectors(kind: str, tmp_path: Path) -> None:
    data = {
        "empty": b"", "blank": b"\n\n \n", "prose": b"It was a dark night.\nAnd cold.\n",
        "one line": b"x" * (70 << 20), "image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    }[kind]  # fmt: skip
    (tmp_path / "x").write_bytes(data)
    for name in (None, "word2vec", "glove", "word2vec-binary", "fasttext", "npy", "npz"):
        with pytest.raises(FormatError) as raised:
            read(tmp_path / "x", format=name, errors="skip")
        assert raised.value.hint


def npy(shape: str) -> bytes:
    """Return a whole .npy header of that shape, and four bytes of numbers."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header = text.ljust((64 - 10 - len(text) - 1) % 64 + len(text)) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode() + b"\0" * 4


def npz(shape: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("vectors.npy", npy(shape))
        archive.writestr("words.npy", npy(shape).replace(b"<f4", b"<U9"))
    return content.getvalue()


def safetensors(rows: int, dimension: int) -> bytes:
    tensor = {"dtype": "F32", "shape": [rows, dimension], "data_offsets": [0, 4 * rows * dimension]}
    header = json.dumps({"vectors": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + b"\0" * 4


def fasttext(words: int, dimension: int) -> bytes:
    settings = [dimension, 5, 5, 1, 5, 1, 1, 1, 2_000_000, 3, 6, 100]
    sizes = struct.pack("<iiiqq", words, words, 0, 10**12, -1)
    return struct.pack("<ii12id", 793712314, 12, *settings, 1e-4) + sizes + b"a\0"


CLAIMS = {
    "word2vec": b"999999999999999999 300\nword 1 2 3\n",
    "word2vec, wide": b"9 99999999999999999\nword 1 2 3\n",
    "word2vec-binary": b"999999999999999999 300\nword 1 2 3\n",
    "word2vec-binary, wide": b"2 999999999\nword 1 2 3\n",
    "npy": npy("(999999999, 300)"),
    "npy, past 64 bits": npy("(99999999999999999999, 300)"),
    "npy, backwards": npy("(-1, 300)"),
    "npz": npz("(999999999, 300)"),
    "npz, past 64 bits": npz("(99999999999999999999, 300)"),
    "npz, backwards": npz("(-1, 300)"),
    "safetensors": safetensors(999_999_999, 300),
    "safetensors, header": struct.pack("<Q", 1 << 40) + b"{}",
    "fasttext": fasttext(2**31 - 1, 300),
    "fasttext, wide": fasttext(2, 2**31 - 1),
}
READ = """
import resource, sys
from embedkit.errors import FormatError
from embedkit.formats import read
read(sys.argv[3])  # what the reader itself needs
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read(sys.argv[1], format=sys.argv[2])
except FormatError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error.hint)
"""


@pytest.mark.parametrize("case", CLAIMS)
def test_no_memory_is_taken_because_a_header_says_so(case: str, tmp_path: Path) -> None:
    name = case.split(",", maxsplit=1)[0]
    (tmp_path / f"x.{name}").write_bytes(CLAIMS[case])
    (tmp_path / "x.words.txt").write_text("a\n")
    (tmp_path / "good").write_text("a 1 2\n")
    program = [
        sys.executable, "-c", READ, str(tmp_path / f"x.{name}"), name, str(tmp_path / "good"),
    ]  # fmt: skip
    result = subprocess.run(program, capture_output=True, text=True, check=True)
    taken, message = result.stdout.split(maxsplit=1)
    assert int(taken) < 50_000  # kB
    assert message.strip()


def test_arrays_that_claim_more_than_is_there(tmp_path: Path, odd: WordVectors) -> None:
    write(odd, tmp_path / "x.npz")
    data = (tmp_path / "x.npz").read_bytes().replace(b"(12, 5)", b"(9999999, 50)"[:7])
    (tmp_path / "x.npz").write_bytes(data)
    with pytest.raises(FormatError):
        read(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", words=np.array(["a", {}], dtype=object), vectors=np.eye(2))
    with pytest.raises(FormatError, match="Python objects"):
        read(tmp_path / "y.npz")
    np.save(tmp_path / "z.npy", np.eye(3))
    with pytest.raises(FormatError, match="there is no list of its words"):
        read(tmp_path / "z.npy")
    (tmp_path / "z.txt").write_text("a\nb\n")
    with pytest.raises(FormatError, match="3 rows for 2 words"):
        read(tmp_path / "z.npy")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A good file of each kind."""
    folder = tmp_path_factory.mktemp("whole")
    words = ["the", "naïve", "日本", "cat"]
    matrix = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    vectors = WordVectors(Vocabulary(words, [4, 3, 2, 1]), matrix)
    names = ["x.vec", "x.bin", "x.npz", "x.npy", "x.safetensors", "x.vec.gz", "x.vec.xz",
             "x.vec.bz2", "x.vec.zst"]  # fmt: skip
    for name in names:
        write(vectors, folder / name, overwrite=True)
    return {name: folder / name for name in names}


KINDS = {"vec": "word2vec", "bin": "word2vec-binary"}
"""A header and nothing else would be a word and a number: there must be no guessing."""


def refuses_well(error: EmbedkitError) -> None:
    assert error.hint


def _survives(path: Path) -> None:
    """Read a file under each policy: vectors or an error that was foreseen, nothing else."""
    for errors in ("strict", "skip", "replace"):
        try:
            found = read(path, errors=errors)
        except EmbedkitError as error:
            refuses_well(error)
        else:
            assert np.isfinite(found.matrix).all()
            assert len({*found.vocabulary}) == len(found)


@pytest.mark.parametrize("name", ["x.vec", "x.bin", "x.npz", "x.npy", "x.safetensors", "x.vec.gz",
                                  "x.vec.xz", "x.vec.bz2", "x.vec.zst"])  # fmt: skip
def test_files_cut_anywhere(name: str, whole: dict[str, Path], tmp_path: Path) -> None:
    """Part of a file is never taken for the whole, unless the last number alone is shorter."""
    data = whole[name].read_bytes()
    target = tmp_path / name
    (tmp_path / "x.words.txt").write_bytes((whole[name].parent / "x.words.txt").read_bytes())
    for size in {*range(0, len(data), max(1, len(data) // 60)), *range(len(data) - 9, len(data))}:
        target.write_bytes(data[:size])
        _survives(target)
        if name != "x.vec" or size <= data.rindex(b" "):
            with pytest.raises(FormatError):
                read(target, format=KINDS.get(name.split(".")[1]))


@settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.data())
def test_files_with_anything_changed(
    whole: dict[str, Path], tmp_path: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(whole)))
    content = bytearray(whole[name].read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        content = content or bytearray(b"\0")
    (tmp_path / name).write_bytes(content)
    (tmp_path / "x.words.txt").write_bytes((whole[name].parent / "x.words.txt").read_bytes())
    _survives(tmp_path / name)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from([b"a", b"\xc3\xa9", b" ", b"\n", b"\r", b"\t", b"1", b"-.5e3", b"nan",
                              b"\0", b"\xff", b"2 2\n", b"b 1 2\n", b'"', b"1_0"]), max_size=30),
    st.sampled_from([None, *FORMATS]),
)  # fmt: skip
def test_any_bytes_in_any_format(tmp_path: Path, parts: list[bytes], name: str | None) -> None:
    path = tmp_path / "any"
    path.write_bytes(b"".join(parts))
    try:
        read(path, format=name, errors="replace")
    except EmbedkitError as error:
        refuses_well(error)


FOUND = {  # by scripts/fuzz_formats; the format that it was read as, and its bytes
    "a zip file's first bytes": (
        "npy",
        b"PK\x03\x04[\x1f\x8bM\x00\xff\x01\x00\x00\x00\x00\x00\x00\x00",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_the_fuzzer_found(case: str, tmp_path: Path) -> None:
    name, data = FOUND[case]
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(FormatError) as raised:
        read(tmp_path / "x", format=name)
    assert raised.value.hint
