"""Whole texts as bytes, and error messages for bytes that cannot be decoded."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from embedkit.errors import EmbedkitError
from embedkit.system.compression import DAMAGE, decompress

__all__ = ["conversion", "damaged", "likely_encoding", "read_whole"]

_BLOCK_BYTES = 1 << 16
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # its first bytes are also the mark of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_whole(raw: BinaryIO, name: str, error: type[EmbedkitError]) -> bytes:
    """Return all bytes of a stream, decompressed if needed; see `compression.decompress`.

    Raises:
        EmbedkitError: the stream is damaged or cut short. The class is *error*, and the message
            names the line.
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
    """Return the error for a stream that ends early or is damaged after *line* lines."""
    return error(
        f"{name} is damaged or cut short after line {line}: {reason}.",
        hint="Download or compress it again.",
    )


def likely_encoding(data: bytes) -> str | None:
    """Guess the encoding of bytes that are not UTF-8; None if they are probably not text.

    Args:
        data: the beginning of the text.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    return None if b"\0" in data else "latin1"


def conversion(data: bytes, otherwise: str = "") -> str:
    """Return the hint for a text that is not UTF-8.

    Args:
        data: the beginning of the text.
        otherwise: added to the sentence if the text looks like Latin-1.
    """
    encoding = likely_encoding(data)
    if encoding is None:
        return "The file contains zero bytes, so it is probably not text. Choose a text file."
    if encoding == "latin1":
        return f"Convert the file (iconv -f latin1 -t utf-8){otherwise}."
    return f"The file looks like {encoding.upper()}. Convert it (iconv -f {encoding} -t utf-8)."
