"""Files of edges: two nodes a line, and perhaps a weight.

Arrow splits and numbers whole blocks of lines; only an error looks at a single one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from embedkit.corpus.reader import ERROR_POLICIES, TextBlock, read_blocks, unify, valid_utf8
from embedkit.corpus.walks.columns import SEPARATORS, Form
from embedkit.corpus.walks.graph import NO_NAME, Graph
from embedkit.errors import ConfigurationError, InputError

__all__ = ["read_edges"]

_LONGEST_LINE = 1 << 16
_COMMENT = r"^[\s,]*(#(\s|$)|$)"  # "#cat" is a node; empty lines are left out like comments
_NUMBER = r"^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_ADVICE = "write two nodes a line, and perhaps a weight"


def _ignore_progress(_: int) -> None:
    pass


def read_edges(
    source: str | os.PathLike[str],
    *,
    directed: bool = False,
    weighted: bool = True,
    separator: str | None = None,
    header: bool | None = None,
    errors: str = "strict",
    progress: Callable[[int], None] = _ignore_progress,
) -> Graph:
    """Read a graph.

    A line holds two nodes and perhaps a weight, a number above 0; all lines hold a weight or none
    does. The weights of an edge that stands there more than once are added, and so is the 1 of an
    edge without. Nodes are numbered in the order of first sight. A line that begins with ``#`` and
    a blank is a comment.

    Args:
        source: a file (plain, gzip, bzip2, xz or zstandard), a folder of them, or "-" for standard
            input.
        directed: an edge leads from the first node to the second only.
        weighted: a third column is a weight; otherwise all but the first two are left out.
        separator: a key of `SEPARATORS`; by default what the first line has of them, in that order.
        header: the first line names the columns; by default it does if its third column is a name,
            or if the first two are usual ones (source, target, from, to, ...).
        errors: what to do with bytes that are not UTF-8: "strict", "replace" or "ignore".
        progress: is called with the number of bytes read since the last call.

    Raises:
        ConfigurationError: there is no such separator or policy of errors.
        CorpusError: the file is missing, unreadable or damaged.
        EncodingError: it is not UTF-8.
        InputError: a line is no edge, or there is none. The message names file and line.
    """
    if separator is not None and separator not in SEPARATORS:
        raise ConfigurationError(f"no separator {separator!r}; there are {', '.join(SEPARATORS)}")
    if errors not in ERROR_POLICIES:
        raise ConfigurationError(f"errors={errors!r}; one of {', '.join(ERROR_POLICIES)}")
    asked = form = Form(weighted, separator, header)
    found: list[_Edges] = []
    for block in _whole_lines(read_blocks(os.fspath(source), progress)):
        lines = _lines(replace(block, data=valid_utf8(block, errors)))
        if block.first_line == 1:
            form = asked
        if lines and not form.columns:
            form = asked.known_from(lines.text[0].as_py(), int(lines.numbers[0]))
            lines = lines.from_place(int(bool(form.header)))
        if lines:
            found.append(_edges(lines, form))
    if not found:
        name = "standard input" if os.fspath(source) == "-" else os.fspath(source)
        raise InputError(f"{name} holds no edge.", hint=f"{_ADVICE}.")
    return _graph(found, directed=directed)


def _whole_lines(blocks: Iterable[object]) -> Iterator[TextBlock]:
    """Yield blocks that begin and end where a line does."""
    part: TextBlock | None = None
    for block in blocks:
        assert isinstance(block, TextBlock)  # noqa: S101 - a path gives no token lists
        if part:
            block = replace(part, data=part.data + block.data, ends_file=block.ends_file)
        if block.ends_file or block.data.endswith(b"\n"):
            part = None
            yield block
        else:
            part = block
            if len(block.data) > _LONGEST_LINE:
                raise InputError(
                    f"{block.name}, line {block.first_line}: more than {_LONGEST_LINE:,} bytes are "
                    "no edge.",
                    hint=f"{_ADVICE}.",
                )


@dataclass(frozen=True)
class _Lines:
    """Lines of a file that are neither empty nor comments, with their numbers."""

    name: str
    text: pa.StringArray
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.text)

    def from_place(self, place: int) -> _Lines:
        return replace(self, text=self.text[place:], numbers=self.numbers[place:])

    def refuse(self, wrong: NDArray[np.bool_], problem: Callable[[int], str], remedy: str) -> None:
        """Raise `InputError` for the first line that is wrong, if there is one."""
        if wrong.any():
            place = int(np.argmax(wrong))
            raise InputError(
                f"{self.name}, line {self.numbers[place]}: {problem(place)}.", hint=f"{remedy}."
            )


def _lines(block: TextBlock) -> _Lines:
    text = pc.split_pattern(pa.array([block.data.decode()]), "\n").flatten()
    kept = np.flatnonzero(~np.asarray(pc.match_substring_regex(text, _COMMENT)))
    return _Lines(block.name, text.take(pa.array(kept)), kept + block.first_line)


@dataclass(frozen=True)
class _Edges:
    """Edges of a block: places in its own list of names, (2, edges), and weights, (edges,)."""

    names: pa.StringArray
    nodes: NDArray[np.int32]
    weights: NDArray[np.float64]


def _edges(lines: _Lines, form: Form) -> _Edges:
    """Read a block of lines.

    Raises:
        InputError: a line is no edge.
    """
    cells, offsets = form.split(lines.text)
    columns, starts = np.diff(offsets), offsets[:-1]
    lines.refuse(
        (columns < 2) | (form.weighted & ((columns > 3) | (columns != form.columns))),
        lambda place: _wrong_columns(int(columns[place]), form),
        f"{_ADVICE}; a comment begins with '# ', and --unweighted (weighted=False) reads the first "
        "two columns only",
    )
    pairs = np.stack([starts, starts + 1], axis=1).ravel()
    nodes = cells.take(pa.array(pairs)).dictionary_encode()
    indices = np.asarray(nodes.indices).reshape(-1, 2).T
    unfit = np.asarray(pc.match_substring_regex(nodes.dictionary, NO_NAME))[indices]
    lines.refuse(
        unfit.any(axis=0),
        lambda place: (
            f"{cells[int(starts[place] + np.argmax(unfit[:, place]))].as_py()!r} is no "
            "name of a node: it is empty or holds white space"
        ),
        "put _ for the blanks, or say what stands between the columns with --separator",
    )
    if not form.weighted or form.columns == 2:
        return _Edges(nodes.dictionary, indices, np.ones(len(lines)))
    texts = cells.take(pa.array(starts + 2))
    numeric = np.asarray(pc.match_substring_regex(texts, _NUMBER))
    weights = np.zeros(len(lines))
    weights[numeric] = np.asarray(texts.filter(pa.array(numeric)).cast(pa.float64()))
    lines.refuse(
        ~(weights > 0) | np.isinf(weights),
        lambda place: f"the weight {texts[place].as_py()!r} is no number above 0",
        "leave out edges that are none; --unweighted (weighted=False) leaves all weights out",
    )
    return _Edges(nodes.dictionary, indices, weights)


def _wrong_columns(found: int, form: Form) -> str:
    said = "1 column" if found == 1 else f"{found} columns"
    said += f" between which stands a {form.separator}"
    if found != form.columns and form.columns in (2, 3):
        said += f", but line {form.first_line} has {form.columns}"
    return said


def _graph(found: list[_Edges], *, directed: bool) -> Graph:
    names, places = unify([edges.names for edges in found])
    pairs = zip(places, found, strict=True)
    nodes = np.concatenate([ids[edges.nodes] for ids, edges in pairs], axis=1)
    weights = np.concatenate([edges.weights for edges in found])
    sources, targets = nodes
    if not directed:
        other = sources != targets  # a loop is there once
        weights = np.concatenate([weights, weights[other]])
        sources, targets = (
            np.concatenate([sources, targets[other]]),
            np.concatenate([targets, sources[other]]),
        )
    shape = (len(names), len(names))
    matrix = sparse.coo_matrix((weights, (sources, targets)), shape=shape)
    return Graph.of(matrix, names, directed=directed)
