"""Decompression, compared with the standard library."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from embedkit.system.compression import decompress

TEXT = "the cat sat on the mat, Straße 中文\n".encode() * 5_000


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: bytes(pa.compress(data, "zstd", asbytes=True)),
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
