"""The layout of text files of vectors, detected from the first lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from pyarrow import csv

from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import LARGEST_DIMENSION

__all__ = [
    "HEADER",
    "LONGEST_LINE",
    "SAMPLE",
    "TextLayout",
    "has_header",
    "header_layout",
    "is_text",
    "plain_layout",
]

HEADER = re.compile(rb"\s*(\d{1,18})[ \t]+(\d{1,18})[ \t]*\r?\n")
"""The first line of word2vec's formats: the number of words and the dimension."""

LONGEST_LINE = 1 << 26
"""Bytes."""

SAMPLE = 1 << 16
"""Bytes of a file that are enough to detect its format."""

_LINES = 100
_ODD_SHARE = 0.05  # of bytes that are unusual in text; binary files have many more
_CONTROLS = bytes({*range(32)} - set(b"\t\n\v\f\r"))


@dataclass(frozen=True)
class TextLayout:
    """The layout of a file of one word and its numbers a line.

    Attributes:
        dimension: number of numbers in a line.
        separator: the character between them.
        words: number of words according to the header, or None if there is no header.
        header: length of the header in bytes.
    """

    dimension: int
    separator: bytes
    words: int | None = None
    header: int = 0

    @cached_property
    def options(self) -> dict[str, object]:
        """Arguments of Arrow's CSV reader."""
        names = [str(number) for number in range(self.dimension)]
        types = {"word": pa.binary(), **dict.fromkeys(names, pa.float32())}
        return {
            "read_options": csv.ReadOptions(
                use_threads=False, block_size=2 * LONGEST_LINE, column_names=["word", *names]
            ),
            "parse_options": csv.ParseOptions(
                delimiter=self.separator.decode(), quote_char=False, ignore_empty_lines=False
            ),
            "convert_options": csv.ConvertOptions(
                column_types=types, null_values=[], strings_can_be_null=False, check_utf8=False
            ),
        }


def is_text(head: bytes) -> bool:
    """Tell whether the first bytes of a file are text rather than numbers in binary."""
    text = HEADER.sub(b"", head[:SAMPLE], count=1)
    odd = len(text) - len(text.translate(None, _CONTROLS))
    odd += text.decode(errors="replace").count("\ufffd")
    return odd <= 2 + _ODD_SHARE * len(text)


def has_header(head: bytes) -> bool:
    """Tell whether the first line is a header: without one it may be two numbers, too."""
    header = HEADER.match(head)
    if header is None:
        return False
    lines = _complete_lines(head[header.end() :])
    return not lines or _columns(lines)[1] != 1 or int(header[2]) == 1


def header_layout(head: bytes, repairs: Repairs) -> TextLayout:
    """Return the layout according to the header, from the first bytes of a file.

    Raises:
        FormatError: there is no header, or its dimension is too large.
    """
    header = HEADER.match(head)
    if header is None:
        raise repairs.error(
            "line 1" if head.strip() else "",
            "expected the number of words and the dimension" if head.strip() else "it is empty",
            "Pass a file in word2vec's format, or use --format glove if it has no header.",
        )
    words, dimension = int(header[1]), int(header[2])
    if not 1 <= dimension <= LARGEST_DIMENSION:
        raise repairs.error(
            "line 1",
            f"the dimension must be between 1 and {LARGEST_DIMENSION:,}, got {dimension:,}",
            "Choose the format of the file with --format (format=).",
        )
    separator = _columns(_complete_lines(head[header.end() :]))[0]
    return TextLayout(dimension, separator, words, header.end())


def plain_layout(head: bytes, repairs: Repairs) -> TextLayout:
    """Return the layout of most of the first lines, for a file without a header.

    Raises:
        FormatError: they are not words followed by numbers.
    """
    separator, width = _columns(_complete_lines(head))
    if not 1 <= width <= LARGEST_DIMENSION:
        raise repairs.error(
            "line 1",
            "expected a word followed by numbers" if head.strip() else "the file is empty",
            "Pass a file of words and vectors, or choose its format with --format (format=).",
        )
    return TextLayout(width, separator)


def _complete_lines(head: bytes) -> list[bytes]:
    lines = head.split(b"\n")
    return [line for line in (lines[:-1] or lines)[:_LINES] if line.strip()]


def _columns(lines: list[bytes]) -> tuple[bytes, int]:
    """Return the separator of columns, and how often it occurs in most lines."""
    word, tab, rest = lines[0].partition(b"\t") if lines else (b"", b"", b"")
    separator = b"\t" if tab and word and b" " not in rest.strip() else b" "
    widths = Counter(line.rstrip().count(separator) for line in lines)
    return separator, widths.most_common(1)[0][0] if widths else 0
