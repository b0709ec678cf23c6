"""Text files with a word and its numbers in each line: word2vec, fastText (.vec) and GloVe.

word2vec and fastText begin with a line "words dimension", GloVe does not. Arrow's CSV parser reads
blocks of lines; blocks that it rejects (words with spaces in them, or faults) are read line by
line. orjson writes numbers with the fewest digits that give back every float32.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from embedkit.corpus.arrow_strings import byte_strings
from embedkit.errors import counted, plural, quoted
from embedkit.formats.byte_source import ByteSource
from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import Repairs
from embedkit.formats.row_builder import RowBuilder
from embedkit.formats.text_layout import (
    LONGEST_LINE,
    SAMPLE,
    TextLayout,
    header_layout,
    is_number,
    plain_layout,
)
from embedkit.system.memory import processors
from embedkit.system.threads import map_in_order
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["read_glove", "read_text", "write_glove", "write_text"]

_BLOCK = 1 << 20
_ROWS = 256  # written at a time
_SEPARATORS = re.compile(rb"[ \t]")
_NAMES = {b" ": "a space", b"\t": "a tab"}
_MAX_WAITING_BLOCKS = 4  # blocks of lines that may wait to be written


@dataclass(frozen=True)
class _LineBlock:
    """Complete lines, and the number of the first one."""

    data: bytes
    line: int


@dataclass(frozen=True)
class _ParsedBlock:
    """The words and rows of a block.

    Attributes:
        words: bytes of n words.
        rows: (n, d).
        lines: the line number of each.
        faults: numbers of unreadable lines, and what is wrong with each.
    """

    words: pa.BinaryArray
    rows: NDArray[np.float32]
    lines: Sequence[int]
    faults: list[tuple[int, str]]


def read_text(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read word2vec's text format.

    Raises:
        FormatError: there is no header, no line can be read, or one cannot and the policy is
            "strict".
    """
    return _read(source, header_layout(_first_lines(source), repairs), repairs, limit)


def read_glove(source: ByteSource, repairs: Repairs, limit: int | None = None) -> WordVectors:
    """Read GloVe's text format, which has no header.

    Raises:
        FormatError: no line can be read, or one cannot and the policy is "strict".
    """
    return _read(source, plain_layout(_first_lines(source), repairs), repairs, limit)


def _first_lines(source: ByteSource) -> bytes:
    """Return enough bytes to detect the layout: a header and a complete line."""
    size = SAMPLE
    while (head := source.peek(size)).count(b"\n") < 2 and size == len(head) < LONGEST_LINE:
        size *= 4
    return head


def _read(
    source: ByteSource, layout: TextLayout, repairs: Repairs, limit: int | None
) -> WordVectors:
    source.read(layout.header)
    least = 2 * layout.dimension + 1  # bytes of a line
    claimed = (source.plain_size or 0) // least
    rows = RowBuilder(layout.dimension, repairs, limit, min(layout.words or 0, claimed))
    unread = 0
    parse = partial(_parse, layout=layout)
    for parsed in map_in_order(parse, _blocks(source, layout, repairs), processors()):
        for line, problem in parsed.faults:
            repairs.handle("unreadable", f"line {line}", problem)
        unread += len(parsed.faults)
        rows.append(parsed.words, parsed.rows, partial(_place, parsed.lines))
        if rows.full:
            break
    found = len(rows) + unread
    if layout.words is not None and not rows.full and found != layout.words:
        cause = "the file is cut short" if found < layout.words else "the header is wrong"
        if not repairs.counts:
            repairs.handle(
                "wrong_header",
                "line 1",
                f"the header says {counted(layout.words, 'word')}, but there "
                f"{plural(found, 'is', 'are')} {found:,}: {cause}",
            )
    return rows.build()


def _place(lines: Sequence[int], row: int) -> str:
    return f"line {lines[row]}"


def _blocks(source: ByteSource, layout: TextLayout, repairs: Repairs) -> Iterator[_LineBlock]:
    line, rest = 1 + (layout.header > 0), b""
    while True:
        chunk = source.read(_BLOCK)
        cut = chunk.rfind(b"\n") + 1
        if chunk and not cut:
            rest += chunk
            if len(rest) > LONGEST_LINE:
                raise repairs.error(
                    f"line {line}",
                    f"the line is longer than {LONGEST_LINE:,} bytes",
                    "Pass a file with one word and its vector per line.",
                )
            continue
        data, rest = (rest + chunk[:cut], chunk[cut:]) if chunk else (rest, b"")
        if data:
            yield _LineBlock(data, line)
            line += data.count(b"\n")
        if not chunk:
            return


def _parse(block: _LineBlock, layout: TextLayout) -> _ParsedBlock:
    """Parse a block as a table, or line by line if it is not one."""
    data = block.data
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if (end := layout.separator + b"\n") in data:  # as fastText and word2vec.c end lines
        data = data.replace(end, b"\n")
    data = layout.as_table(data.removesuffix(layout.separator))
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    try:
        table = csv.read_csv(pa.BufferReader(data), **layout.options)
        if len(table) != lines:  # Arrow takes a carriage return for the end of a line
            raise pa.ArrowInvalid
        (batch,) = table.to_batches()
    except (pa.ArrowInvalid, ValueError):
        return _parse_lines(block, layout)
    columns = np.from_dlpack(pa.concat_arrays(batch.columns[1:]))
    rows = np.ascontiguousarray(columns.reshape(layout.dimension, lines).T)
    return _ParsedBlock(batch.column(0), rows, range(block.line, block.line + lines), [])


def _parse_lines(block: _LineBlock, layout: TextLayout) -> _ParsedBlock:
    """Parse lines whose words may contain spaces: the last d columns are the numbers."""
    words, rows, lines, faults = [], [], [], []
    for number, line in enumerate(block.data.split(b"\n"), start=block.line):
        text = line.rstrip(b" \t\r")
        if not text:
            continue
        word, *tokens = layout.columns(text)
        last = _SEPARATORS.split(word)[-1]
        # Without a header, a number at the end of a word is more likely one number too many.
        extra = layout.words is None and last != word and is_number(last)
        if len(tokens) < layout.dimension or extra:
            faults.append((number, _wrong_columns(text, layout)))
            continue
        row = _numbers(tokens)
        if isinstance(row, bytes):
            wrong = f"{quoted(row.decode(errors='replace'))} is not a number"
            faults.append((number, _other_separators(layout) if _SEPARATORS.search(row) else wrong))
            continue
        words.append(word)
        rows.append(row)
        lines.append(number)
    matrix = np.array(rows, dtype=np.float32).reshape(len(rows), layout.dimension)
    return _ParsedBlock(byte_strings(words), matrix, lines, faults)


def _wrong_columns(line: bytes, layout: TextLayout) -> str:
    """Return what is wrong with a line that does not end with as many numbers as the first ones."""
    count = len(_SEPARATORS.split(line)) - 1
    if count == layout.dimension:
        return _other_separators(layout)
    return f"expected {counted(layout.dimension, 'number')}, got {count:,}"


def _other_separators(layout: TextLayout) -> str:
    after, between = (_NAMES[mark] for mark in (layout.word_separator, layout.separator))
    return (
        f"the separators differ from those of the first lines, which have {after} after the word "
        f"and {between} between the numbers"
    )


def _numbers(tokens: list[bytes]) -> NDArray[np.float32] | bytes:
    """Return the numbers of a line, (d,), or the first token that is not a number."""
    try:
        numbers: NDArray[np.float32] = np.asarray(
            byte_strings(tokens).cast(pa.string()).cast(pa.float32()), dtype=np.float32
        )
    except pa.ArrowInvalid:
        wrong = next((token for token in tokens if not is_number(token)), None)
        if wrong is not None:
            return wrong
        with np.errstate(over="ignore"):  # numbers too large for float32 are reported as infinite
            return np.array([float(token) for token in tokens], dtype=np.float32)  # such as +1
    return numbers


def write_text(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write word2vec's text format."""
    stream.write(f"{len(vectors)} {vectors.dimension}\n".encode())
    write_glove(vectors, stream, options)


def write_glove(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write GloVe's text format."""
    import orjson

    with ThreadPoolExecutor(1) as pool:  # writes to the file while the next lines are made
        written: deque[Future[int]] = deque()
        for start in range(0, len(vectors), _ROWS):
            rows = np.ascontiguousarray(vectors.matrix[start : start + _ROWS])
            words = vectors.vocabulary.words(range(start, start + len(rows)))
            numbers = orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY)
            written.append(pool.submit(stream.write, _lines(words, numbers)))
            if len(written) > _MAX_WAITING_BLOCKS:
                written.popleft().result()
            options.progress(len(rows))
        for last in written:
            last.result()


def _lines(words: list[str], numbers: bytes) -> bytes:
    """Return lines of words and their rows, which are given as JSON: [[1.0,2.0],[3.0,4.0]]."""
    text = np.frombuffer(numbers, dtype=np.uint8)
    # NumPy replaces the commas faster than bytes.replace().
    commas = (text == ord(",")).view(np.uint8)
    rows = (text - commas * np.uint8(ord(",") - ord(" "))).tobytes().split(b"]")[: len(words)]
    lines = [b"%s %s\n" % (w.encode(), row[2:]) for w, row in zip(words, rows, strict=True)]
    return b"".join(lines)
