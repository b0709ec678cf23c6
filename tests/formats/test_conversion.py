"""Contracts of every format: vectors come back, and faulty files are errors or repairs."""

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

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import (
    ConfigurationError,
    EmbedkitError,
    FormatError,
    ModelError,
    OutputExistsError,
    StorageError,
)
from embedkit.formats import POLICIES, READABLE_FORMATS, convert, detect, read, write
from embedkit.vectors.word_vectors import WordVectors
from tests.damage import save_unchecked
from tests.formats.conftest import OUTPUTS, same


@pytest.mark.parametrize("name", OUTPUTS)
def test_vectors_come_back_bit_for_bit(name: str, odd: WordVectors, tmp_path: Path) -> None:
    path = tmp_path / OUTPUTS[name]
    write(odd, path, format=name)
    assert detect(path) == name
    assert same(read(path), odd)
    assert same(embedkit.load(path), odd)
    assert [*read(path, limit=3).vocabulary] == [*odd.vocabulary][:3]


def test_existing_outputs_are_kept(odd: WordVectors, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("kept")
    for name in ("static", "embedkit"):
        with pytest.raises(OutputExistsError):
            write(odd, tmp_path / "mine", format=name, overwrite=True)
    write(odd, tmp_path / "x.vec")
    before = (tmp_path / "x.vec").read_bytes()
    with pytest.raises(OutputExistsError):
        write(odd, tmp_path / "x.vec")
    infinite = read(save_unchecked(tmp_path / "model", ["a"], [[np.inf]]))
    with pytest.raises(ModelError, match="the vector of 'a' contains numbers that are not finite"):
        write(infinite, tmp_path / "x.vec", overwrite=True)
    assert (tmp_path / "x.vec").read_bytes() == before
    with pytest.raises(StorageError):
        write(odd, tmp_path / "no" / "x.vec")


def test_invalid_settings_are_rejected(odd: WordVectors, tmp_path: Path) -> None:
    write(odd, tmp_path / "x.vec")
    with pytest.raises(ConfigurationError, match=r"cannot tell the format of .*x\.pdf"):
        write(odd, tmp_path / "x.pdf")
    with pytest.raises(ConfigurationError, match="gensim can only be read"):
        convert(tmp_path / "x.vec", tmp_path / "y", target_format="gensim")
    with pytest.raises(
        ConfigurationError, match="unknown format 'word'; choose from embedkit, fasttext"
    ):
        read(tmp_path / "x.vec", format="word")
    with pytest.raises(ConfigurationError, match="unknown error policy 'never'"):
        read(tmp_path / "x.vec", errors="never")
    with pytest.raises(ConfigurationError, match="limit"):
        read(tmp_path / "x.vec", limit=0)
    with pytest.raises(FormatError, match="cannot read"):
        read(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="pgvector can only be written"):
        read(tmp_path / "x.vec", format="pgvector")
    with pytest.raises(ConfigurationError, match="more than one file"):
        write(odd, "-", format="npy")


def test_export_formats_are_chosen_by_suffix(odd: WordVectors, tmp_path: Path) -> None:
    write(odd, tmp_path / "x.vec")
    for name, expected in {"x.sql": "pgvector", "x.jsonl": "jsonl", "x.parquet": "parquet"}.items():
        report = convert(tmp_path / "x.vec", tmp_path / name)
        assert (report.target_format, report.words) == (expected, len(odd))
        assert report.bytes == (tmp_path / name).stat().st_size


def test_progress_of_writing_adds_up_to_the_number_of_words(
    odd: WordVectors, tmp_path: Path
) -> None:
    for name in (*OUTPUTS, "pgvector", "qdrant", "parquet", "jsonl", "projector"):
        parts: list[int] = []
        write(odd, tmp_path / f"progress-{name}", format=name, progress=parts.append)
        assert sum(parts) == (0 if name in ("embedkit", "static") else len(odd))


@pytest.mark.parametrize("kind", ["empty", "blank", "prose", "one line", "image"])
def test_files_without_vectors_are_rejected(kind: str, tmp_path: Path) -> None:
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
    """Return a valid .npy header of that shape, and four bytes of numbers."""
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


def fasttext_quantized(rows: int, dimension: int) -> bytes:
    settings = [dimension, 5, 5, 1, 5, 1, 1, 1, rows - 1, 3, 6, 100]
    data = struct.pack("<ii12id", 793712314, 12, *settings, 1e-4)
    data += struct.pack("<iiiqq", 1, 1, 0, 10**12, -1) + b"a\0" + struct.pack("<qb", 9, 0)
    return data + struct.pack("<??qqi", True, True, rows, dimension, rows)


CLAIMS = {
    "word2vec": b"999999999999999999 300\nword 1 2 3\n",
    "word2vec, wide": b"9 99999999999999999\nword 1 2 3\n",
    "word2vec-binary": b"999999999999999999 300\nword 1 2 3\n",
    "word2vec-binary, wide": b"2 999999999\nword 1 2 3\n",
    "npy": npy("(999999999, 300)"),
    "npy, past 64 bits": npy("(99999999999999999999, 300)"),
    "npy, negative": npy("(-1, 300)"),
    "npz": npz("(999999999, 300)"),
    "npz, past 64 bits": npz("(99999999999999999999, 300)"),
    "npz, negative": npz("(-1, 300)"),
    "safetensors": safetensors(999_999_999, 300),
    "safetensors, header": struct.pack("<Q", 1 << 40) + b"{}",
    "fasttext": fasttext(2**31 - 1, 300),
    "fasttext, wide": fasttext(2, 2**31 - 1),
    "fasttext, quantized": fasttext_quantized(2**31 - 1, 300),
}
READ = """
import resource, sys
from embedkit.errors import FormatError
from embedkit.formats import read
read(sys.argv[3])  # loads what the reader needs
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read(sys.argv[1], format=sys.argv[2])
except FormatError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error.hint)
"""


@pytest.mark.parametrize("case", CLAIMS)
def test_claims_of_a_header_allocate_no_memory(case: str, tmp_path: Path) -> None:
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


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A valid file of each format, by name."""
    folder = tmp_path_factory.mktemp("whole")
    words = ["the", "naïve", "日本", "cat"]
    matrix = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    vectors = WordVectors(Vocabulary(words, [4, 3, 2, 1]), matrix)
    names = ["x.vec", "x.bin", "x.npz", "x.npy", "x.safetensors", "x.vec.gz", "x.vec.xz",
             "x.vec.bz2", "x.vec.zst"]  # fmt: skip
    for name in names:
        write(vectors, folder / name, overwrite=True)
    return {name: folder / name for name in names}


NAMED_FORMATS = {"vec": "word2vec", "bin": "word2vec-binary"}
"""Formats to name: a header alone would be detected as a word and a number."""


def check_hint(error: EmbedkitError) -> None:
    assert error.hint


def check_vectors_or_error(path: Path) -> None:
    """Read a file with each policy: the result is valid vectors or an EmbedkitError."""
    for errors in POLICIES:
        try:
            found = read(path, errors=errors)
        except EmbedkitError as error:
            check_hint(error)
        else:
            assert np.isfinite(found.matrix).all()
            assert len({*found.vocabulary}) == len(found)


@pytest.mark.parametrize("name", ["x.vec", "x.bin", "x.npz", "x.npy", "x.safetensors", "x.vec.gz",
                                  "x.vec.xz", "x.vec.bz2", "x.vec.zst"])  # fmt: skip
def test_files_cut_short_anywhere(name: str, whole: dict[str, Path], tmp_path: Path) -> None:
    """A part is never taken for the whole, unless only the last number is shorter."""
    data = whole[name].read_bytes()
    target = tmp_path / name
    (tmp_path / "x.words.txt").write_bytes((whole[name].parent / "x.words.txt").read_bytes())
    for size in {*range(0, len(data), max(1, len(data) // 60)), *range(len(data) - 9, len(data))}:
        target.write_bytes(data[:size])
        check_vectors_or_error(target)
        if name != "x.vec" or size <= data.rindex(b" "):
            with pytest.raises(FormatError):
                read(target, format=NAMED_FORMATS.get(name.split(".")[1]))


@settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.data())
def test_files_with_random_changes(
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
    check_vectors_or_error(tmp_path / name)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from([b"a", b"\xc3\xa9", b" ", b"\n", b"\r", b"\t", b"1", b"-.5e3", b"nan",
                              b"\0", b"\xff", b"2 2\n", b"b 1 2\n", b'"', b"1_0"]), max_size=30),
    st.sampled_from([None, *READABLE_FORMATS]),
)  # fmt: skip
def test_random_bytes_in_every_format(tmp_path: Path, parts: list[bytes], name: str | None) -> None:
    path = tmp_path / "any"
    path.write_bytes(b"".join(parts))
    try:
        read(path, format=name, errors="replace")
    except EmbedkitError as error:
        check_hint(error)
