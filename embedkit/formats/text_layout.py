"""The layout of text files of vectors, detected from the first lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from pyarrow import csv

from embedkit.errors import counted
from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import LARGEST_DIMENSION

__all__ = [
    "HEADER",
    "LONGEST_LINE",
    "SAMPLE",
    "TextLayout",
    "has_header",
    "header_layout",
    "is_number",
    "is_text",
    "plain_layout",
    "refuse_empty",
]

HEADER = re.compile(rb"\s*(\d{1,18})[ \t]+(\d{1,18})[ \t]*\r?\n")
"""The first line of word2vec's formats: the number of words and the dimension."""

LONGEST_LINE = 1 << 26
"""Bytes."""

SAMPLE = 1 << 16
"""Bytes of a file that are enough to detect its format."""

_LINES = 100
_ODD_SHARE = 0.05  # of bytes that are unusual in text; binary files have many more
_SEPARATOR = re.compile(rb"([ \t])")
_RUN = re.compile(rb"(?P<run>[ \t]{2,})[-+]?[.\d][^ \t]*(?:[ \t]+[-+]?[.\d][^ \t]*)*[ \t\r]*$")
_CONTROLS = bytes({*range(32)} - set(b"\t\n\v\f\r"))


@dataclass(frozen=True)
class TextLayout:
    """The layout of a file of one word and its numbers a line.

    Attributes:
        dimension: number of numbers in a line.
        word_separator: the character after the word, a space or a tab.
        separator: the character between the numbers, a space or a tab.
        words: number of words according to the header, or None if there is no header.
        header: length of the header in bytes.
    """

    dimension: int
    word_separator: bytes
    separator: bytes
    words: int | None = None
    header: int = 0

    @property
    def table_separator(self) -> bytes:
        """The separator of all columns after `as_table`."""
        return self.separator if self.separator == self.word_separator else b"\t"

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
                delimiter=self.table_separator.decode(),
                quote_char=False,
                ignore_empty_lines=False,
            ),
            "convert_options": csv.ConvertOptions(
                column_types=types, null_values=[], strings_can_be_null=False, check_utf8=False
            ),
        }

    def as_table(self, data: bytes) -> bytes:
        """Return complete lines with one separator between all columns, `table_separator`.

        Lines of another layout stay as they are.
        """
        if self.separator == self.word_separator or not data:
            return data
        text = np.frombuffer(data, dtype=np.uint8).copy()
        spaces = np.flatnonzero(text == ord(" "))
        ends = np.flatnonzero(text == ord("\n"))
        if self.separator == b" ":  # those after the first tab of the line stand between numbers
            tabs = np.flatnonzero(text == ord("\t"))
            lines = np.searchsorted(ends, spaces)
            first = np.searchsorted(tabs, np.concatenate([[0], ends + 1]))
            before = np.append(tabs, len(text))[first[lines]]
            text[spaces[spaces > before]] = ord("\t")
        elif len(spaces):  # the last one of the line stands after the word
            last = np.searchsorted(spaces, np.append(ends, len(text))) - 1
            starts = np.concatenate([[0], ends + 1])
            text[spaces[last[(last >= 0) & (spaces[last] >= starts)]]] = ord("\t")
        return text.tobytes()

    def columns(self, line: bytes) -> list[bytes]:
        """Return the word and the numbers at the end of a line; the word may hold separators."""
        head, *rest = line.rsplit(self.separator, self.dimension - 1)
        return [*head.rsplit(self.word_separator, 1), *rest]


def is_text(head: bytes) -> bool:
    """Tell whether the first bytes of a file are text rather than numbers in binary."""
    text = HEADER.sub(b"", head[:SAMPLE], count=1)
    odd = len(text) - len(text.translate(None, _CONTROLS))
    odd += text.decode(errors="replace").count("\ufffd")
    return odd <= 2 + _ODD_SHARE * len(text)


def refuse_empty(words: int, place: str, repairs: Repairs) -> None:
    """Raise `FormatError` if the header says that there are no words."""
    if not words:
        raise repairs.error(
            place,
            "the header says that there are 0 words",
            "The model had an empty vocabulary: train it on more text, or with a lower minimum "
            "count.",
        )


def has_header(head: bytes) -> bool:
    """Tell whether the first line is a header: without one it may be two numbers, too."""
    header = HEADER.match(head)
    if header is None:
        return False
    lines = _complete_lines(head[header.end() :])
    return not lines or _columns(lines)[2] != 1 or int(header[2]) == 1


def header_layout(head: bytes, repairs: Repairs) -> TextLayout:
    """Return the layout according to the header, from the first bytes of a file.

    Raises:
        FormatError: there is no header, its dimension is too large, or all lines have more numbers.
    """
    header = HEADER.match(head)
    if header is None:
        raise repairs.error(
            "line 1" if head.strip() else "",
            "expected the number of words and the dimension" if head.strip() else "it is empty",
            "Pass a file in word2vec's format, or use --format glove if it has no header.",
        )
    _check_lines(head, repairs)
    words, dimension = int(header[1]), int(header[2])
    if not 1 <= dimension <= LARGEST_DIMENSION:
        raise repairs.error(
            "line 1",
            f"the dimension must be between 1 and {LARGEST_DIMENSION:,}, got {dimension:,}",
            "Choose the format of the file with --format (format=).",
        )
    refuse_empty(words, "line 1", repairs)
    lines = _complete_lines(head[header.end() :])
    numbers = [_ending(line, LARGEST_DIMENSION)[2] for line in lines]
    if len(lines) > 1 and min(numbers) > dimension:  # not only words such as "catch 22"
        raise repairs.error(
            "line 1",
            f"the header says {counted(dimension, 'number')} a line, but the lines have "
            f"{min(numbers):,}",
            "Correct the number of dimensions in the first line.",
        )
    word_separator, separator, _ = _columns(lines, dimension)
    return TextLayout(dimension, word_separator, separator, words, header.end())


def plain_layout(head: bytes, repairs: Repairs) -> TextLayout:
    """Return the layout of most of the first lines, for a file without a header.

    Raises:
        FormatError: they are not words followed by numbers.
    """
    _check_lines(head, repairs)
    word_separator, separator, width = _columns(_complete_lines(head))
    if not 1 <= width <= LARGEST_DIMENSION:
        raise repairs.error(
            "line 1",
            "expected a word followed by numbers" if head.strip() else "the file is empty",
            "Pass a file of words and vectors, or choose its format with --format (format=).",
        )
    return TextLayout(width, word_separator, separator)


def is_number(token: bytes) -> bool:
    """Tell whether a token is a number, finite or not."""
    try:
        float(token)
    except ValueError:
        return False
    return b"_" not in token


def _complete_lines(head: bytes) -> list[bytes]:
    lines = head.split(b"\n")
    return [line for line in (lines[:-1] or lines)[:_LINES] if line.strip()]


def _check_lines(head: bytes, repairs: Repairs) -> None:
    """Raise `FormatError` if lines end, or columns are aligned, in a way that would be misread."""
    if b"\r" in head.rstrip() and b"\n" not in head:
        raise repairs.error(
            "line 1",
            "lines end with a carriage return only",
            "Convert the file, for example with: tr '\\r' '\\n'",
        )
    lines = _complete_lines(head)
    aligned = [line for line in lines if (run := _RUN.search(line)) and b" " in run["run"]]
    if 2 * len(aligned) > len(lines):  # some lines may have words that contain two spaces
        number = head.split(b"\n").index(aligned[0]) + 1
        raise repairs.error(
            f"line {number}",
            "there are several spaces between two columns",
            "Write one space or tab between columns, for example with: tr -s ' '",
        )


def _columns(lines: list[bytes], dimension: int = LARGEST_DIMENSION) -> tuple[bytes, bytes, int]:
    """Return how most lines end: the separators as in `TextLayout`, and the number of numbers.

    Args:
        dimension: the most numbers that a line has.
    """
    endings = Counter(_ending(line, dimension) for line in lines)
    del endings[b" ", b" ", 0]
    return endings.most_common(1)[0][0] if endings else (b" ", b" ", 0)


def _ending(line: bytes, most: int) -> tuple[bytes, bytes, int]:
    """Return the separator before the last numbers of a line, the one between them, and a count.

    Of ``new york<TAB>0.5 0.25`` these are a tab, a space and 2. One separator is between all
    numbers, so another one stands after the word.
    """
    pieces = _SEPARATOR.split(line.rstrip(b" \t\r"))
    tokens, separators = pieces[::2], pieces[1::2]
    between = word_separator = b" "
    count = 0
    while count < min(most, len(separators)) and is_number(tokens[-1 - count]):
        word_separator = separators[-1 - count]
        count += 1
        if count == 1:
            between = word_separator
        elif word_separator != between:
            break
    return word_separator, between, count
