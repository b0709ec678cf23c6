"""Texts as bytes: read whole, and what to say of bytes that cannot be read."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from embedkit.errors import EmbedkitError
from embedkit.system.compression import DAMAGE, decompress

__all__ = ["conversion", "damaged", "likely_encoding", "read_whole"]

_BLOCK_BYTES = 1 << 16
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # which begins as UTF-16's does
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_whole(raw: BinaryIO, name: str, error: type[EmbedkitError]) -> bytes:
    """Return the plain bytes of a stream, compressed or not; see `compression.decompress`.

    Raises:
        EmbedkitError: the stream is damaged or cut short; of the class *error*, names the line.
    """
    stream = decompress(raw)
    blocks = []
    try:
        while block := stream.read(_BLOCK_BYTES):
            blocks.append(block)
    except DAMAGE as reason:
        line = sum(block.count(b"\n") for block in blocks)
        raise damaged(error, name, line, reason) from reason
    return b"".join(blocks)


def damaged(error: type[EmbedkitError], name: str, line: int, reason: Exception) -> EmbedkitError:
    """Return the error of a stream that breaks off after so many lines."""
    return error(
        f"{name} is damaged or cut short after line {line}: {reason}.",
        hint="Fetch or compress it again.",
    )


def likely_encoding(data: bytes) -> str | None:
    """Tell what bytes that are not UTF-8 may be; None if they are no text.

    Args:
        data: from the beginning of the text.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    return None if b"\0" in data else "latin1"


def conversion(data: bytes, otherwise: str = "") -> str:
    """Return the remedy for a text that is not UTF-8.

    Args:
        data: the beginning of the text.
        otherwise: what else may be done if most of the bytes make sense.
    """
    encoding = likely_encoding(data)
    if encoding is None:
        return "It holds zero bytes, as no text does. Name a text file."
    if encoding == "latin1":
        return f"Convert the file (iconv -f latin1 -t utf-8){otherwise}."
    looks = f"It looks like {encoding.upper()}"
    return f"{looks}; convert the file (iconv -f {encoding} -t utf-8)."
