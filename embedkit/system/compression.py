"""Compressed streams: detected by their content when read, chosen by suffix when written."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from embedkit.errors import EmbedkitError, InputError

__all__ = ["COMPRESSORS", "DAMAGE", "Forward", "compress", "decompress", "refuse_tar"]

DAMAGE = (EOFError, NotImplementedError, OSError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
"""The exceptions that the streams of `decompress` raise for damaged data."""


def _open_zstandard(raw: BinaryIO) -> BinaryIO:
    import pyarrow as pa

    return cast("BinaryIO", pa.CompressedInputStream(raw, "zstd"))


_DAMAGED_ARCHIVE = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error)
_HEAD = 10
_HIDDEN = re.compile(r"/$|(^|/)(__MACOSX/|\.)")  # folders, and the files that macOS adds
_DECOMPRESSORS: dict[re.Pattern[bytes], Callable[[BinaryIO], BinaryIO]] = {
    re.compile(rb"\x1f\x8b"): lambda raw: cast("BinaryIO", gzip.GzipFile(fileobj=raw)),
    # A text may begin with "BZh9", so the magic number of a block or of the end must follow.
    re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"): lambda raw: cast("BinaryIO", bz2.BZ2File(raw)),
    re.compile(rb"\xfd7zXZ\0"): lambda raw: cast("BinaryIO", lzma.LZMAFile(raw)),  # noqa: SIM115
    # pzstd begins with a skippable frame
    re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"): _open_zstandard,
}


class _Replayed(io.RawIOBase):
    """A stream that cannot seek, with the bytes that were already read put back in front."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def decompress(raw: BinaryIO) -> BinaryIO:
    """Return a stream of the plain bytes of a gzip, bzip2, xz, zstandard or plain stream, or of the
    only file in a zip archive.

    The format is detected from the first bytes, not the name, so standard input works as well. A
    NumPy archive (.npz) is returned as it is.

    Raises:
        InputError: a zip archive does not contain exactly one file, is encrypted, or cannot be read
            because the stream cannot seek.
    """
    head = raw.read(_HEAD)
    if raw.seekable():
        raw.seek(-len(head), os.SEEK_CUR)
        whole = raw
    else:
        whole = cast("BinaryIO", io.BufferedReader(_Replayed(head, raw)))
    for magic, opener in _DECOMPRESSORS.items():
        if magic.match(head):
            return opener(whole)
    return _open_zip(whole, raw) if head.startswith(b"PK\x03\x04") else whole


def _open_zip(whole: BinaryIO, raw: BinaryIO) -> BinaryIO:
    name = str(getattr(raw, "name", "") or "the stream").replace("<stdin>", "standard input")
    if not raw.seekable():
        raise InputError(
            f"{name} is a zip archive, which cannot be read from a pipe.",
            hint="Pass the name of the file, or its contents: unzip -p FILE | embedkit ...",
        )
    try:
        archive = zipfile.ZipFile(raw)
    except _DAMAGED_ARCHIVE:  # if it is an .npz file, its reader reports the damage
        raw.seek(0)
        return whole
    entries = [e for e in archive.infolist() if not _HIDDEN.search(e.filename)]
    if entries and all(entry.filename.endswith(".npy") for entry in entries):
        raw.seek(0)
        return whole
    if len(entries) != 1:
        raise InputError(
            f"{name} is a zip archive of {len(entries):,} files; expected one file.",
            hint=f"Unpack it (unzip {name}) and pass a file from it.",
        )
    if entries[0].flag_bits & 1:
        raise InputError(f"{name} is an encrypted zip archive.", hint="Unpack it.")
    try:
        return cast("BinaryIO", archive.open(entries[0]))
    except _DAMAGED_ARCHIVE as error:
        raise InputError(
            f"{name} is a zip archive that cannot be read: {error}.", hint="Unpack it."
        ) from error


def refuse_tar(head: bytes, name: str, error: type[EmbedkitError]) -> None:
    """Raise *error* if a file is a tar archive.

    Args:
        head: at least the first 512 bytes of the file, decompressed.
        name: the name of the file.
    """
    if head[257:262] == b"ustar":
        raise error(
            f"{name} is a tar archive.", hint=f"Unpack it (tar xf {name}) and pass a file from it."
        )


def _write_zstandard(raw: BinaryIO) -> BinaryIO:
    import pyarrow as pa

    return cast("BinaryIO", pa.CompressedOutputStream(raw, "zstd"))


COMPRESSORS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    ".gz": lambda raw: cast("BinaryIO", gzip.GzipFile("", "wb", 6, raw, mtime=0)),
    ".bz2": lambda raw: cast("BinaryIO", bz2.BZ2File(raw, "wb")),
    ".xz": lambda raw: cast("BinaryIO", lzma.LZMAFile(raw, "wb")),  # noqa: SIM115
    ".zst": _write_zstandard,
}
"""Functions that make compressing streams, by the suffix of the file name."""


class Forward(io.RawIOBase):
    """A stream that can only be written; some streams wrongly claim that they can seek or tell."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        written = self._stream.write(data)
        self._written += written
        return written

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._written


@contextlib.contextmanager
def compress(raw: BinaryIO, name: Path) -> Iterator[BinaryIO]:
    """Yield a stream that writes to *raw*, compressed according to the suffix of the file name."""
    if name.suffix not in COMPRESSORS:
        yield raw
        return
    with COMPRESSORS[name.suffix](raw) as stream:
        yield cast("BinaryIO", Forward(stream))
