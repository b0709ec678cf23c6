"""Decompression, compared with the standard library."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.errors import EmbedkitError, InputError
from embedkit.evaluation.datasets import read_pairs
from embedkit.formats import read
from embedkit.system.compression import decompress

TEXT = "the cat sat on the mat, Straße 中文\n".encode() * 5_000


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: bytes(pa.compress(data, "zstd", asbytes=True)),
    # As pzstd writes: a frame to skip, with the size of the next one.
    "pzst": lambda data: (
        b"\x50\x2a\x4d\x18\x04\0\0\0size" + bytes(pa.compress(data, "zstd", asbytes=True))
    ),
}
compressors = pytest.mark.parametrize("compress", COMPRESSORS.values(), ids=COMPRESSORS)


@compressors
@pytest.mark.parametrize("name", ["text.txt", "text.gz", "text.zst", "text"])
def test_format_is_detected_from_content_not_name(
    compress: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(compress(TEXT))
    with (tmp_path / name).open("rb") as raw:
        assert decompress(raw).read() == TEXT


@compressors
@pytest.mark.parametrize("size", [1, 4095, 1 << 20])
def test_stream_is_read_in_pieces(compress: Callable[[bytes], bytes], size: int) -> None:
    stream = decompress(io.BytesIO(compress(TEXT[:20_000])))
    pieces = list(iter(lambda: stream.read(size), b""))
    assert b"".join(pieces) == TEXT[:20_000]
    assert max(map(len, pieces)) <= size


@compressors
def test_stream_of_several_members_is_read_to_its_end(compress: Callable[[bytes], bytes]) -> None:
    members = [TEXT, b"second\n", b"", TEXT[::-1]]
    joined = b"".join(compress(member) for member in members)
    assert decompress(io.BytesIO(joined)).read() == b"".join(members)


@compressors
@pytest.mark.parametrize("text", [b"", b"a", b"BZ", b"BZhang Li", b"\x1f", b"\xfd7zX"])
def test_short_text_is_read(compress: Callable[[bytes], bytes], text: bytes) -> None:
    assert decompress(io.BytesIO(compress(text))).read() == text


@compressors
def test_pipe_that_delivers_byte_by_byte_is_read(compress: Callable[[bytes], bytes]) -> None:
    class OneByteAtATime(io.RawIOBase):
        left = compress(TEXT[:100])

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            piece, self.left = self.left[:1], self.left[1:]
            buffer[: len(piece)] = piece
            return len(piece)

    assert decompress(io.BufferedReader(OneByteAtATime())).read() == TEXT[:100]


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


VECTORS = b"2 2\ncat 1 2\ndog 3 4\n"


def test_zip_archive_of_one_file_is_read(tmp_path: Path) -> None:
    """As GloVe and fastText publish their vectors; macOS adds hidden files."""
    hidden = {"__MACOSX/._x.vec": b"?", "folder/": b"", "folder/.DS_Store": b"?"}
    path = zipped(tmp_path / "x.zip", {**hidden, "folder/x.vec": VECTORS})
    assert [*read(path).vocabulary] == ["cat", "dog"]
    zipped(path, {"text.txt": TEXT})
    assert len(Corpus.read(path).tokens) == len(TEXT.split())


@pytest.mark.parametrize(("place", "value"), [(b"PK\x01\x02", 64), (b"PK\x01\x02", 255)])
def test_archives_of_a_later_version_are_left_to_the_reader(
    place: bytes, value: int, tmp_path: Path
) -> None:
    path = zipped(tmp_path / "x.zip", {"words.txt": b"text"})
    data = bytearray(path.read_bytes())
    data[data.index(place) + 6] = value  # the version that is needed to unpack the file
    path.write_bytes(data)
    with path.open("rb") as raw:
        assert decompress(raw).read() == data


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"words.txt": b"text"})
    data = bytearray(path.read_bytes())
    for place, offset in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        data[data.index(place) + offset] = 99
    path.write_bytes(data)
    with path.open("rb") as raw, pytest.raises(InputError, match="zip archive that cannot be read"):
        decompress(raw)


def test_other_zip_archives_are_named(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a.txt": VECTORS, "b.txt": VECTORS})
    for reader in (read, Corpus.read):
        with pytest.raises(InputError, match=r"x\.zip is a zip archive of 2 files; expected one"):
            reader(path)
    data = zipped(path, {"a.txt": VECTORS}).read_bytes()
    encrypted = data.replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\1")
    path.write_bytes(
        encrypted.replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1")
    )
    with pytest.raises(InputError, match="is an encrypted zip archive"):
        read(path)
    path.write_bytes(data[:36] + b"\xff" * 9 + data[45:])
    with pytest.raises(EmbedkitError):
        read(path)

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(InputError, match="is a zip archive, which cannot be read from a pipe"):
        decompress(Pipe(data))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_tar_archives_are_named(mode: str, tmp_path: Path) -> None:
    (tmp_path / "x.vec").write_bytes(VECTORS)
    with tarfile.open(tmp_path / "x.tar", mode) as archive:  # type: ignore[call-overload]
        archive.add(tmp_path / "x.vec")
    for reader in (read, Corpus.read, read_pairs):
        with pytest.raises(EmbedkitError, match=r"x\.tar is a tar archive") as raised:
            reader(tmp_path / "x.tar")
        assert "tar xf" in raised.value.hint
