"""Documents from files, tables and iterables, checked one by one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypedDict

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from embedkit.errors import InputError, quoted
from embedkit.retrieval.document_files import BadRow, Row, read_rows
from embedkit.retrieval.options import ROW_POLICIES
from embedkit.validation import check_choice

__all__ = ["Chunk", "Columns", "DocumentReader", "Documents", "ReadingKeywords", "reader_of"]

Documents: TypeAlias = "str | os.PathLike[str] | Iterable[Any]"
"""The path of a file or folder, "-" for standard input; a table of pandas, polars or Arrow; or an
iterable of texts, of (id, text) pairs, or of mappings."""

_LONGEST_TEXT = 1 << 30  # bytes in UTF-8; a column of Arrow strings holds at most 2 GiB
_MOST_NAMED = 5  # rows that were left out
_MOST_COLUMNS = 10
_MISSING = object()


class Columns(NamedTuple):
    """The names of the columns that have a meaning.

    A table without a column *id* numbers its documents; any other *id* must be one of its columns.
    """

    text: str = "text"
    id: str = "id"


_COLUMNS = Columns()


class ReadingKeywords(TypedDict, total=False):
    """How documents are read; see `DocumentReader`."""

    columns: Columns
    errors: str
    format: str | None
    encoding: str


@dataclass
class Chunk:
    """Some documents, column by column: ids, texts, and other columns as JSON or None."""

    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    fields: list[str | None] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class DocumentReader:
    """Reads and checks documents.

    Args:
        source: see `Documents`.
        columns: the names of the columns of texts and ids.
        errors: one of `ROW_POLICIES`.
        format: of a file, see `read_rows`.
        encoding: of a file.

    Attributes:
        read: number of documents that were read.
        skipped: number of those that were left out, with *errors* "skip".
    """

    source: Documents
    columns: Columns = _COLUMNS
    errors: str = "strict"
    format: str | None = None
    encoding: str = "utf-8"
    read: int = 0
    skipped: int = 0
    _examples: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_choice("errors policy", self.errors, ROW_POLICIES)

    def summary(self) -> str:
        """Return a sentence about the documents that were left out; "" if there are none."""
        if not self.skipped:
            return ""
        more = ", ..." if self.skipped > len(self._examples) else ""
        return f"Left out {self.skipped:,} of the documents: {'; '.join(self._examples)}{more}."

    def chunks(self, size: int, first: int, existing: pa.ChunkedArray) -> Iterator[Chunk]:
        """Yield the documents in chunks.

        Args:
            size: of a chunk, in documents.
            first: number of the first document, counted from 1, its id if it has none.
            existing: the ids of an index, which must not repeat.

        Raises:
            InputError: a document cannot be indexed and *errors* is "strict". The message names the
                row.
        """
        seen: set[str] = set()
        chunk = Chunk()
        taken = _Taken(existing)
        for number, row in enumerate(self._rows(), start=first):
            self.read += 1
            checked = self._checked(row, str(number), seen)
            if isinstance(checked, BadRow):
                self._skip(checked)
                continue
            key, text, fields = checked
            seen.add(key)
            chunk.ids.append(key)
            chunk.texts.append(text)
            chunk.fields.append(fields)
            chunk.places.append(row.place)
            if len(chunk) == size:
                yield self._new(chunk, taken)
                chunk = Chunk()
        if len(chunk):
            yield self._new(chunk, taken)

    def _rows(self) -> Iterator[Row | BadRow]:
        if isinstance(self.source, str | os.PathLike):
            return read_rows(
                Path(self.source), format=self.format, encoding=self.encoding,
                text=self.columns.text,
            )  # fmt: skip
        return _rows_of(self.source, self.columns)

    def _checked(
        self, row: Row | BadRow, number: str, seen: set[str]
    ) -> tuple[str, str, str | None] | BadRow:
        if isinstance(row, BadRow):
            return row
        values = row.values
        text = values.pop(self.columns.text, _MISSING)
        key = values.pop(self.columns.id, _MISSING)
        problem = _text_problem(text, self.columns.text, values)
        if problem:
            return BadRow(row.place, *problem)
        if key is _MISSING:
            if self.columns.id != _COLUMNS.id:  # chosen, so it must be there
                return BadRow(row.place, *_no_column(self.columns.id, values, "id"))
            key = number
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            key = str(key)
        if not isinstance(key, str) or not key or not _is_unicode(key):
            hint = "Give each document a string or an integer as its id, or leave the column out."
            return BadRow(row.place, f"the id is {quoted(key)}", hint)
        if key in seen:
            hint = "Give each document its own id."
            return BadRow(row.place, f"the id {quoted(key)} occurs twice", hint)
        if not values:
            return key, text, None
        try:
            return key, text, orjson.dumps(values, default=_plain, option=_JSON).decode()
        except TypeError as error:
            return BadRow(row.place, f"a column cannot be kept as JSON: {error}", "Convert it.")

    def _skip(self, row: BadRow) -> None:
        if self.errors == "strict":
            error = row.error()
            error.hint = f'{error.hint} Pass --errors skip (errors="skip") to leave it out.'
            raise error
        self.skipped += 1
        if len(self._examples) < _MOST_NAMED:
            self._examples.append(f"{row.place}: {row.problem}")

    def _new(self, chunk: Chunk, taken: _Taken) -> Chunk:
        """Return the documents of a chunk whose ids are not in the index."""
        repeated = taken.find(chunk.ids)
        for place in repeated:
            hint = "Delete that document first, or choose another id."
            problem = f"the id {quoted(chunk.ids[place])} is already in the index"
            self._skip(BadRow(chunk.places[place], problem, hint))
        for place in reversed(repeated):
            for column in (chunk.ids, chunk.texts, chunk.fields, chunk.places):
                column.pop(place)
        return chunk


def reader_of(documents: Documents | DocumentReader, reading: ReadingKeywords) -> DocumentReader:
    """Return the reader of documents, unless they are a reader already."""
    if isinstance(documents, DocumentReader):
        return documents
    return DocumentReader(documents, **reading)


class _Taken:
    def __init__(self, ids: pa.ChunkedArray) -> None:
        self._ids = ids

    def find(self, ids: list[str]) -> list[int]:
        """Return the positions of those *ids* that are taken."""
        if not len(self._ids):
            return []
        found = pc.is_in(pa.array(ids, type=pa.string()), value_set=self._ids)
        return [place for place, taken in enumerate(found.to_pylist()) if taken]


_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def _is_unicode(key: str) -> bool:
    """Tell whether a string can be encoded as UTF-8."""
    return key.isascii() or not any("\ud800" <= character <= "\udfff" for character in key)


def _plain(value: Any) -> object:
    """Return a value that JSON has no type for as one that it has.

    Missing values of pandas become null. Other objects become what str() returns.
    """
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def _text_problem(text: object, column: str, values: Mapping[str, Any]) -> tuple[str, str] | None:
    if isinstance(text, str):
        if not text.strip():
            return "the text is empty", "Remove the document."
        if text.isascii() and len(text) <= _LONGEST_TEXT:
            return None
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            problem = f"the text cannot be encoded as UTF-8: {error.reason}"
            return problem, "Read the file with the encoding it was written in."
        if size > _LONGEST_TEXT:
            return "the text is longer than 1 GiB", "Cut it into several documents."
        return None
    if text is _MISSING:
        return _no_column(column, values, "text")
    return (
        f"the text is {quoted(text)}, not a string",
        "Fill in missing values, and convert other values to strings.",
    )


def _no_column(column: str, values: Mapping[str, Any], option: str) -> tuple[str, str]:
    named = ", ".join(map(quoted, list(values)[:_MOST_COLUMNS])) or "none"
    hint = f"It has the columns {named}; choose one with --{option} ({option}=...)."
    return f"there is no column {quoted(column)}", hint


def _rows_of(source: object, columns: Columns) -> Iterator[Row | BadRow]:
    is_table = isinstance(source, pa.Table)
    if isinstance(source, bytes) or not (is_table or isinstance(source, Iterable)):
        raise InputError(
            f"expected documents, got {source!r:.60}.",
            hint="Pass a path, a table, or a list of texts or mappings.",
        )
    for number, item in enumerate(_items(source)):
        place = f"row {number} (counted from 0)"
        if isinstance(item, Mapping):
            yield Row(place, dict(item))
        elif isinstance(item, tuple) and len(item) == 2:
            yield Row(place, {columns.id: item[0], columns.text: item[1]})
        else:
            yield Row(place, {columns.text: item})


def _items(source: Any) -> Iterator[Any]:
    """Yield the rows of a table as mappings, and the items of any other iterable."""
    if hasattr(source, "iter_rows"):  # polars
        yield from source.iter_rows(named=True)
    elif isinstance(source, pa.Table):
        for batch in source.to_batches():
            yield from batch.to_pylist()
    elif hasattr(source, "columns") and hasattr(source, "itertuples"):  # pandas
        names = [str(name) for name in source.columns]
        for values in source.itertuples(index=False, name=None):
            yield dict(zip(names, values, strict=True))
    else:
        yield from source
