"""Reading whole texts, and error messages for bytes that cannot be decoded.

Every file of lines is read by `read_lines`, so compression, byte-order marks, line ends and errors
are handled the same way everywhere. Corpora and files of vectors are read in blocks, by the same
rules.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import BinaryIO

from embedkit.errors import ConfigurationError, EmbedkitError, EncodingError
from embedkit.system.compression import DAMAGE, decompress, refuse_tar
from embedkit.validation import CODEC_ERRORS

__all__ = [
    "BYTE_ORDER_MARK",
    "Transcoder",
    "conversion",
    "damaged",
    "likely_encoding",
    "plain_lines",
    "read_lines",
    "read_whole",
    "text_encoding",
]

BYTE_ORDER_MARK = codecs.BOM_UTF8
"""Some editors write it at the beginning of a text; it is not part of the text."""

_BLOCK_BYTES = 1 << 16
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is the first half of this one
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
    data = b"".join(blocks)
    refuse_tar(data[:_BLOCK_BYTES], name, error)
    return data


def plain_lines(data: bytes) -> list[bytes]:
    """Return the lines of a text, without its byte-order mark and without line ends.

    A line ends with a line feed, or a carriage return and a line feed.
    """
    text = data.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n").removesuffix(b"\n")
    return text.split(b"\n") if text else []


def read_lines(source: Path | BinaryIO, name: str, error: type[EmbedkitError]) -> list[str]:
    """Return the lines of a text in UTF-8, plain or compressed; see `plain_lines`.

    Args:
        source: a file or a stream.
        name: the name of the source, for messages.
        error: the class of the errors to raise.

    Raises:
        EmbedkitError: the text cannot be read, is damaged or is not UTF-8. The message names the
            source and the line.
    """
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                data = read_whole(file, name, error)
        else:
            data = read_whole(source, name, error)
    except OSError as reason:
        raise error(
            f"cannot read {name}: {reason.strerror or reason}.",
            hint="Check the path and its permissions.",
        ) from reason
    lines = plain_lines(data)
    try:
        return [line.decode() for line in lines]
    except UnicodeDecodeError:
        raise _not_utf8(lines, name, error, conversion(data)) from None


def _not_utf8(
    lines: list[bytes], name: str, error: type[EmbedkitError], hint: str
) -> EmbedkitError:
    for number, line in enumerate(lines, start=1):
        try:
            line.decode()
        except UnicodeDecodeError as reason:
            place = f"line {number}, byte {reason.start + 1}"
            return error(f"{name}, {place}: the text is not UTF-8.", hint=hint)
    raise AssertionError("every line is UTF-8")


def text_encoding(name: str) -> str:
    """Return Python's name for an encoding.

    Raises:
        ConfigurationError: the encoding is unknown.
    """
    try:
        "".encode(name)
    except LookupError:
        raise ConfigurationError(
            f"unknown encoding {name!r}.",
            hint="Common encodings are utf-8, latin-1, cp1252 and utf-16.",
        ) from None
    return codecs.lookup(name).name.removesuffix("-sig")


class Transcoder:
    """Converts a stream of text from any encoding to UTF-8.

    Args:
        stream: the bytes of the text.
        encoding: the encoding of the text.
        errors: what to do about bytes that are not valid in the encoding, one of `ERROR_POLICIES`.
        name: the name of the stream, for messages.
    """

    def __init__(self, stream: BinaryIO, encoding: str, errors: str, name: str) -> None:
        self._stream = stream
        self._name = name
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)(CODEC_ERRORS[errors])
        self._lines = 0

    def read(self, size: int) -> bytes:
        """Return about *size* bytes; none at the end of the text.

        Raises:
            EncodingError: a byte is not valid in the encoding and the policy is "strict".
        """
        data = text = b""
        while not text and (data := self._stream.read(size)):
            text = self._decode(data, final=False)
        return text or self._decode(b"", final=True)

    def _decode(self, data: bytes, *, final: bool) -> bytes:
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n") + 1
            raise EncodingError(
                f"{self._name}, line {line}: byte 0x{error.object[error.start]:02x} is not valid "
                f"{self._encoding}.",
                hint="Pass the encoding of the file with --encoding (encoding=...), or pass "
                '--errors replace (errors="replace").',
            ) from None
        self._lines += text.count("\n")
        return text.encode()


def damaged(error: type[EmbedkitError], name: str, line: int, reason: Exception) -> EmbedkitError:
    """Return the error for a stream that ends early or is damaged after *line* lines."""
    return error(
        f"{name} is damaged or cut short after line {line}: {reason}.",
        hint="Download it or compress it again.",
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
        otherwise: the end of the sentence if the text looks like Latin-1.
    """
    encoding = likely_encoding(data)
    if encoding is None:
        return "The file contains zero bytes, so it is probably not text. Choose a text file."
    if encoding == "latin1":
        return f"Convert the file (iconv -f latin1 -t utf-8){otherwise}."
    return f"The file looks like {encoding.upper()}. Convert it (iconv -f {encoding} -t utf-8)."
