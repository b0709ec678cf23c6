"""A file of vectors as a stream of plain bytes, whatever it is compressed with."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from embedkit.errors import FormatError
from embedkit.system.compression import COMPRESSORS, DAMAGE, decompress
from embedkit.system.files import storage_errors
from embedkit.system.interrupts import held

__all__ = ["Source", "plain_name"]

_COPIED = 1 << 20


def plain_name(path: Path) -> Path:
    """Return the name of a file without the ending that tells how it is compressed."""
    return path.with_suffix("") if path.suffix in COMPRESSORS else path


class Source:
    """The plain bytes of a file in order; a context manager.

    Args:
        path: the file.
        progress: is told the bytes that were read, as they lie on disk.

    Attributes:
        position: plain bytes read so far.
        is_folder: whether it is a folder instead; that holds no bytes.
        plain_size: bytes of the file if it is not compressed, or None.

    Raises:
        FormatError: there is no such file, or it cannot be read.
    """

    def __init__(self, path: Path, progress: Callable[[int], None] = lambda _: None) -> None:
        self.path = path
        self.position = 0
        self._progress = progress
        self._told = 0
        self._ahead = b""
        self.is_folder = path.is_dir()
        try:
            self._raw = cast(BinaryIO, io.BytesIO()) if self.is_folder else path.open("rb")
        except OSError as error:
            raise FormatError(
                f"cannot read {path}: {error.strerror}.", hint="Check the name."
            ) from error
        self._stream = decompress(self._raw)
        size = path.stat().st_size
        self.plain_size = size if self._stream is self._raw and path.is_file() else None

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._raw.close()

    def peek(self, size: int) -> bytes:
        """Return the next bytes, up to *size*, without going on."""
        if len(self._ahead) < size:
            self._ahead += self._read(size - len(self._ahead))
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """Return the next *size* bytes; fewer at the end of the file.

        Raises:
            FormatError: the file is damaged, or cut short within what is compressed.
        """
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(data) < size:
            rest = self._read(size - len(data))
            data = data + rest if data else rest
        self.position += len(data)
        return data

    def _read(self, size: int) -> bytes:
        parts = []
        try:
            while size > 0 and (part := self._stream.read(size)):
                parts.append(part)
                size -= len(part)
        except DAMAGE as error:
            raise FormatError(
                f"{self.path} is damaged or cut short after byte {self.position:,} of what is "
                f"compressed in it: {error}.",
                hint="Fetch it again.",
            ) from error
        if self._raw.seekable():
            place = self._raw.tell()
            self._progress(place - self._told)
            self._told = place
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @contextlib.contextmanager
    def whole(self) -> Iterator[Path]:
        """Yield a plain file of the same bytes, for readers that go back and forth.

        Nothing may have been read before. What is compressed is laid out in a temporary file, which
        goes with the block.
        """
        if self.plain_size is not None:
            yield self.path
            self._progress(self.plain_size)
            return
        name = ""
        try:
            with held():  # the name is known before an interrupt
                handle, name = tempfile.mkstemp(prefix="embedkit-")
            with storage_errors(name), os.fdopen(handle, "wb") as file:
                while block := self.read(_COPIED):
                    file.write(block)
            yield Path(name)
        finally:
            with held():
                if name:
                    Path(name).unlink()
