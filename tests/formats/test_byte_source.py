"""Compressed files of vectors are recognized by content and read like plain ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedkit.errors import FormatError
from embedkit.formats import detect, read, write
from embedkit.formats.byte_source import ByteSource, plain_name
from embedkit.vectors.word_vectors import WordVectors
from tests.formats.conftest import OUTPUTS, same

SUFFIXES = [".gz", ".bz2", ".xz", ".zst"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "name", ["word2vec", "word2vec-binary", "npy", "npz", "safetensors", "fasttext"]
)
def test_compression_is_detected_from_content(
    name: str, suffix: str, odd: WordVectors, tmp_path: Path
) -> None:
    path = tmp_path / (OUTPUTS[name] + suffix)
    write(odd, path, format=name)
    plain = tmp_path / "plain"
    plain.write_bytes(path.read_bytes())
    for words in tmp_path.glob("*.words.txt"):
        (tmp_path / "plain.words.txt").write_bytes(words.read_bytes())
    assert detect(plain) == name
    assert same(read(plain), odd)


@pytest.mark.parametrize("suffix", ["", *SUFFIXES])
def test_progress_adds_up_to_the_size_on_disk(
    suffix: str, odd: WordVectors, tmp_path: Path
) -> None:
    path = tmp_path / f"x.vec{suffix}"
    write(odd, path)
    parts: list[int] = []
    read(path, progress=parts.append)
    assert sum(parts) == path.stat().st_size


def test_bytes_that_were_peeked_at_are_read_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")
    with ByteSource(tmp_path / "x") as source:
        assert source.peek(2) == b"ab"
        assert source.peek(4) == b"abcd"
        assert (source.read(3), source.position) == (b"abc", 3)
        assert source.read(9) == b"def"
        assert source.peek(1) == b""


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"cannot read .*nowhere: No such file") as raised:
        ByteSource(tmp_path / "nowhere")
    assert raised.value.hint


def test_suffix_of_the_compression_is_removed() -> None:
    assert plain_name(Path("a/x.npy.gz")) == Path("a/x.npy")
    assert plain_name(Path("a/x.npy")) == Path("a/x.npy")
