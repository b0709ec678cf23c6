"""A file of vectors as a stream of bytes, decompressed."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from embedkit.corpus.encodings import BYTE_ORDER_MARK
from embedkit.errors import FormatError
from embedkit.formats.options import Progress, ignore_progress
from embedkit.system.compression import COMPRESSORS, DAMAGE, decompress, refuse_tar
from embedkit.system.full_disk import storage_errors
from embedkit.system.interrupts import held

__all__ = ["ByteSource", "plain_name"]

_COPIED = 1 << 20
_HEAD = 1 << 9


def plain_name(path: Path) -> Path:
    """Return the name of a file without the suffix of its compression."""
    return path.with_suffix("") if path.suffix in COMPRESSORS else path


class ByteSource:
    """The decompressed bytes of a file in order, without a byte-order mark; a context manager.

    Args:
        path: the file.
        progress: called with the number of bytes read, before decompression.

    Attributes:
        position: number of decompressed bytes read so far.
        is_folder: whether the path is a folder; then there are no bytes.
        plain_size: bytes of the file if it is not compressed, or None.

    Raises:
        FormatError: the file does not exist or cannot be read.
    """

    def __init__(self, path: Path, progress: Progress = ignore_progress) -> None:
        self.path = path
        self.position = 0
        self._progress = progress
        self._reported = 0
        self._ahead = b""
        self._started = False
        self.is_folder = path.is_dir()
        try:
            self._raw = cast("BinaryIO", io.BytesIO()) if self.is_folder else path.open("rb")
        except OSError as error:
            raise FormatError(
                f"cannot read {path}: {error.strerror}.",
                hint="Check the path and its permissions.",
            ) from error
        try:
            self._stream = decompress(self._raw)
        except BaseException:
            self._raw.close()
            raise
        size = path.stat().st_size
        self.plain_size = size if self._stream is self._raw and path.is_file() else None

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._raw.close()

    def peek(self, size: int) -> bytes:
        """Return the next bytes, up to *size*, without advancing."""
        self._start()
        if len(self._ahead) < size:
            self._ahead += self._read(size - len(self._ahead))
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """Return the next *size* bytes; fewer at the end of the file.

        Raises:
            FormatError: the compressed data are damaged or cut short.
        """
        self._start()
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(data) < size:
            rest = self._read(size - len(data))
            data = data + rest if data else rest
        self.position += len(data)
        return data

    def _start(self) -> None:
        if not self._started:  # no binary format begins with the bytes of a byte-order mark
            self._started = True
            self._ahead = self._read(_HEAD).removeprefix(BYTE_ORDER_MARK)
            refuse_tar(self._ahead, str(self.path), FormatError)

    def _read(self, size: int) -> bytes:
        parts = []
        try:
            while size > 0 and (part := self._stream.read(size)):
                parts.append(part)
                size -= len(part)
        except DAMAGE as error:
            raise FormatError(
                f"{self.path} is damaged or cut short after decompressed byte "
                f"{self.position:,}: {error}.",
                hint="Download or copy the file again.",
            ) from error
        if self._raw.seekable():
            place = self._raw.tell()
            self._progress(place - self._reported)
            self._reported = place
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @contextlib.contextmanager
    def plain_file(self) -> Iterator[Path]:
        """Yield an uncompressed file of the same bytes, for readers that need to seek.

        Nothing may have been read before. A compressed file is decompressed to a temporary file,
        which is removed at the end of the block.
        """
        if self.plain_size is not None:
            yield self.path
            self._progress(self.plain_size)
            return
        name = ""
        try:
            with (
                held()
            ):  # an interrupt must not come between creating the file and knowing its name
                handle, name = tempfile.mkstemp(prefix="embedkit-")
            with storage_errors(name), os.fdopen(handle, "wb") as file:
                while block := self.read(_COPIED):
                    file.write(block)
            yield Path(name)
        finally:
            with held():
                if name:
                    Path(name).unlink()
