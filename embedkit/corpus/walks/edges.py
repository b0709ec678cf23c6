"""Edge lists: two nodes per line and an optional weight.

Arrow splits and encodes whole blocks of lines; single lines are examined only to report errors.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from embedkit.corpus.encoded_blocks import unify
from embedkit.corpus.reader import (
    TextBlock,
    no_progress,
    read_blocks,
    valid_utf8,
)
from embedkit.corpus.walks.columns import ColumnFormat, QuoteError
from embedkit.corpus.walks.graph import INVALID_NAME, Graph, invalid_name
from embedkit.corpus.walks.options import SEPARATORS
from embedkit.errors import InputError, counted, quoted
from embedkit.validation import ERROR_POLICIES, check_choice

__all__ = ["read_edges"]

_LONGEST_LINE = 1 << 16
_COMMENT = r"^[\s,]*(#(\s|$)|$)"  # "#cat" is a node; empty lines are skipped like comments
_NUMBER = r"^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_HUGE = np.finfo(np.float64).max / 2**40
_HINT = "Write two nodes and an optional weight on each line"


# Like pandas.read_csv, it has many parameters: each is passed by name and has a default.
def read_edges(
    source: str | os.PathLike[str],
    *,
    directed: bool = False,
    weighted: bool = True,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
    progress: Callable[[int], None] = no_progress,
) -> Graph:
    """Read a graph from an edge list.

    Each line has two nodes and an optional weight above 0; either all lines have a weight, or none
    do. The weights of repeated edges (1 if there are none) are added up. Nodes are numbered in
    order of first occurrence. A line that begins with ``#`` and white space is a comment.

    Args:
        source: a file (plain, gzip, bzip2, xz or zstandard), a folder, or "-" (standard input).
        directed: whether edges lead only from the first node to the second.
        weighted: whether to read the third column as a weight; if false, it is ignored.
        separator: a key of `SEPARATORS`; default: the first of them that occurs in the first line.
        header: whether the first line names the columns; default: it does if its third cell is not
            a number, or if the first two are common names (source, target, from, to, ...).
        encoding: the encoding of the file, such as "latin-1" or "utf-16".
        errors: what to do about bytes that are not valid in the encoding; see `Corpus.read`.
        progress: called with the number of bytes read since the last call.

    Raises:
        ConfigurationError: the separator or error policy is unknown.
        CorpusError: the file is missing, unreadable or damaged.
        EncodingError: a byte is not valid in the encoding and *errors* is "strict".
        InputError: a line is not an edge, or there are no edges. The message names file and line.
    """
    if separator is not None:
        check_choice("separator", separator, SEPARATORS)
    check_choice("error policy", errors, ERROR_POLICIES)
    blocks = _whole_lines(read_blocks(os.fspath(source), progress, encoding, errors))
    lines = (
        (_lines(replace(block, data=valid_utf8(block, errors))), block.first_line == 1)
        for block in blocks
    )
    found = list(_parsed(lines, ColumnFormat(weighted, separator, header)))
    if not found:
        name = "standard input" if os.fspath(source) == "-" else os.fspath(source)
        raise InputError(f"{name} contains no edges.", hint=f"{_HINT}.")
    return _graph(found, directed=directed)


def _parsed(blocks: Iterable[tuple[_Lines, bool]], requested: ColumnFormat) -> Iterator[_Edges]:
    """Yield the edges of blocks of lines.

    Args:
        blocks: lines, and whether a file begins with them.
        requested: the format of each file, as far as it is known in advance.
    """
    columns = requested
    for lines, begins_file in blocks:
        if begins_file:
            columns = requested
        kept = lines
        try:
            if kept and not columns.columns:
                columns = requested.detect(kept.text[0].as_py(), int(kept.numbers[0]))
                kept = kept.skip(int(bool(columns.header)))
            if kept:
                yield _edges(kept, columns)
        except QuoteError as error:
            raise InputError(
                f"{kept.place(error.row)}: its quotation marks are not balanced.",
                hint="Close the quotation marks, double those inside a name, or set --separator "
                "(separator=...) if the file is not CSV.",
            ) from None


def _whole_lines(blocks: Iterable[object]) -> Iterator[TextBlock]:
    """Yield blocks of whole lines."""
    part: TextBlock | None = None
    for block in blocks:
        assert isinstance(block, TextBlock)  # noqa: S101 - read_blocks yields these for a path
        if part:
            block = replace(part, data=part.data + block.data, ends_file=block.ends_file)
        if block.ends_file or block.data.endswith(b"\n"):
            part = None
            yield block
        else:
            part = block
            if len(block.data) > _LONGEST_LINE:
                raise InputError(
                    f"{block.name}, line {block.first_line}: the line is longer than "
                    f"{_LONGEST_LINE:,} bytes.",
                    hint=f"{_HINT}.",
                )


@dataclass(frozen=True)
class _Lines:
    """Lines of a file that are neither empty nor comments, with their numbers."""

    name: str
    text: pa.StringArray
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.text)

    def skip(self, count: int) -> _Lines:
        return replace(self, text=self.text[count:], numbers=self.numbers[count:])

    def place(self, row: int) -> str:
        """Return the file and line of a line, for messages."""
        return f"{self.name}, line {self.numbers[row]}"

    def check(self, invalid: NDArray[np.bool_], problem: Callable[[int], str], hint: str) -> None:
        """Raise `InputError` for the first invalid line, if there is one."""
        if invalid.any():
            row = int(np.argmax(invalid))
            raise InputError(f"{self.place(row)}: {problem(row)}.", hint=hint)


def _lines(block: TextBlock) -> _Lines:
    text = pc.split_pattern(pa.array([block.data.decode()]), "\n").flatten()
    kept = np.flatnonzero(~np.asarray(pc.match_substring_regex(text, _COMMENT)))
    return _Lines(block.name, text.take(pa.array(kept)), kept + block.first_line)


@dataclass(frozen=True)
class _Edges:
    """The edges of a block.

    Attributes:
        names: the names of its nodes.
        nodes: indices into names, (2, edges).
        weights: (edges,).
        huge: numbers of the edges whose weights might exceed the range of float64 when they are
            added up, and the place of each in its file.
    """

    names: pa.StringArray
    nodes: NDArray[np.int32]
    weights: NDArray[np.float64]
    huge: Mapping[int, str]


def _edges(lines: _Lines, columns: ColumnFormat) -> _Edges:
    """Parse a block of lines.

    Raises:
        InputError: a line is not an edge.
    """
    cells, offsets = columns.split(lines.text)
    counts, starts = np.diff(offsets), offsets[:-1]
    lines.check(
        (counts < 2) | (columns.weighted & ((counts > 3) | (counts != columns.columns))),
        lambda row: _wrong_columns(int(counts[row]), columns),
        f"{_HINT}. Comments begin with '# '. Pass --unweighted (weighted=False) to read only the "
        "first two columns.",
    )
    pairs = np.stack([starts, starts + 1], axis=1).ravel()
    nodes = cells.take(pa.array(pairs)).dictionary_encode()
    indices = np.asarray(nodes.indices).reshape(-1, 2).T
    invalid = np.asarray(pc.match_substring_regex(nodes.dictionary, INVALID_NAME))[indices]
    lines.check(
        invalid.any(axis=0),
        lambda row: invalid_name(_cell(cells, starts[row] + np.argmax(invalid[:, row]))),
        "Replace such characters in names with _, or set --separator (separator=...).",
    )
    if not columns.weighted or columns.columns == 2:
        return _Edges(nodes.dictionary, indices, np.ones(len(lines)), {})
    # Arrow does not accept a plus sign.
    texts = pc.replace_substring_regex(cells.take(pa.array(starts + 2)), r"^\+(\d|\.)", r"\1")
    numeric = np.asarray(pc.match_substring_regex(texts, _NUMBER))
    weights = np.zeros(len(lines))
    weights[numeric] = np.asarray(texts.filter(pa.array(numeric)).cast(pa.float64()))
    lines.check(
        ~(weights > 0) | np.isinf(weights),
        lambda row: (
            f"the weight {quoted(_cell(cells, starts[row] + 2))} is not a finite number above 0"
        ),
        "Correct the weight or remove the line. --unweighted (weighted=False) ignores all weights.",
    )
    huge = {row: lines.place(row) for row in np.flatnonzero(weights > _HUGE).tolist()}
    return _Edges(nodes.dictionary, indices, weights, huge)


def _cell(cells: pa.StringArray, number: np.int64) -> str:
    return str(cells[int(number)])


def _wrong_columns(found: int, expected: ColumnFormat) -> str:
    problem = f"{counted(found, 'column')} (separator: {expected.separator})"
    if found != expected.columns and expected.columns in (2, 3):
        problem += f", but line {expected.first_line} has {expected.columns}"
    return problem


def _check_sums(
    blocks: list[tuple[NDArray[np.int32], _Edges]], names: pa.StringArray, *, directed: bool
) -> None:
    """Raise `InputError` if the weights of a repeated edge add up to more than float64 can hold."""
    sums: dict[tuple[int, ...], float] = {}
    for ids, edges in blocks:
        for row, place in edges.huge.items():
            pair = tuple(ids[edges.nodes[:, row]].tolist())
            key = pair if directed else tuple(sorted(pair))
            sums[key] = sums.get(key, 0.0) + float(edges.weights[row])
            if math.isinf(sums[key]):
                first, second = (quoted(_cell(names, np.int64(node))) for node in pair)
                raise InputError(
                    f"{place}: the sum of the weights of the edges between {first} and {second} "
                    "exceeds the range of float64.",
                    hint="Divide all weights by the same number.",
                )


def _graph(found: list[_Edges], *, directed: bool) -> Graph:
    names, block_ids = unify([edges.names for edges in found])
    blocks = list(zip(block_ids, found, strict=True))
    _check_sums(blocks, names, directed=directed)
    nodes = np.concatenate([ids[edges.nodes] for ids, edges in blocks], axis=1)
    weights = np.concatenate([edges.weights for edges in found])
    sources, targets = nodes
    if not directed:
        other = sources != targets  # a self-loop is stored once
        weights = np.concatenate([weights, weights[other]])
        sources, targets = (
            np.concatenate([sources, targets[other]]),
            np.concatenate([targets, sources[other]]),
        )
    shape = (len(names), len(names))
    matrix = sparse.coo_matrix((weights, (sources, targets)), shape=shape)
    return Graph.of(matrix, names, directed=directed)
