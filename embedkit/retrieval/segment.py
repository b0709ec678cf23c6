"""Segments: immutable parts of a search index, each a directory.

      documents.arrow       id, text and other columns (as JSON) of each document
      passages.safetensors  "vectors" (p, d), float32 of length 1; int32: "serials" (p,), ascending;
                            "documents" (p,), the number of each passage's document; "spans" (p, 2),
                            in characters; "words", the rows of all words that the model has, and
                            "bounds" (p + 1,), where each passage begins in them
      index.faiss           an approximate index of the vectors, if there is one

Everything is mapped into memory and nothing is pickled. Arrow does not check the offsets in a file,
so a block of documents is validated when it is first read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.errors import ModelError
from embedkit.index.approximate import ApproximateIndex
from embedkit.index.benchmark import recall
from embedkit.index.exact import DenseIndex
from embedkit.index.protocol import Hits, Index
from embedkit.storage.config_file import INDEX, RESTORE_HINT
from embedkit.storage.index_file import read_index_file, write_index_file
from embedkit.storage.tensors import read_tensors, write_tensors

__all__ = [
    "DEPTH",
    "DOCUMENTS",
    "Document",
    "Segment",
    "SegmentParts",
    "check_sizes",
    "write_segment",
]

DOCUMENTS, PASSAGES = "documents.arrow", "passages.safetensors"
_INTEGERS = ("serials", "documents", "spans", "words", "bounds")
_TYPES = {"vectors": ("F32",), **dict.fromkeys(_INTEGERS, ("I32",))}
_SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("fields", pa.string())])
_QUESTIONS, _NEAREST = 100, 10  # of the measured recall
DEPTH = 100
"""Passages of each ranking that are fused and reranked."""

_BLOCK_DOCUMENTS = 1 << 12  # validated and read at a time


class Document(NamedTuple):
    """A document.

    Attributes:
        id: identifies it in the index.
        text: what is searched.
        fields: all other columns, by name.
    """

    id: str
    text: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class SegmentParts:
    """The contents of a segment, as they are written.

    Attributes:
        documents: the columns id, text and fields (JSON, or null if there are none), of n
            documents.
        tensors: by the names of passages.safetensors.
        approximate: an approximate index of the vectors, or None.
    """

    documents: pa.Table
    tensors: dict[str, NDArray[Any]]
    approximate: ApproximateIndex | None = None


def write_segment(folder: Path, parts: SegmentParts) -> dict[str, Any]:
    """Write a segment in a new directory; return its entry for the configuration.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True)
    with (
        pa.OSFile(os.fsencode(folder / DOCUMENTS), "wb") as sink,
        pa.ipc.new_file(sink, _SCHEMA) as writer,
    ):
        writer.write_table(
            parts.documents.cast(_SCHEMA).combine_chunks(), max_chunksize=_BLOCK_DOCUMENTS
        )
    tensors = {
        name: array.astype(np.int32 if name in _INTEGERS else np.float32, copy=False)
        for name, array in parts.tensors.items()
    }
    write_tensors(folder / PASSAGES, tensors)
    entry: dict[str, Any] = {
        "name": folder.name,
        "documents": len(parts.documents),
        "passages": len(tensors["serials"]),
    }
    if parts.approximate is not None:
        entry["index"] = write_index_file(folder / INDEX, parts.approximate)
        entry["index"]["recall"] = _recall(parts.approximate, parts.tensors["vectors"])
    names = [path.name for path in folder.iterdir()]
    entry["bytes"] = {name: (folder / name).stat().st_size for name in sorted(names)}
    return entry


def _recall(approximate: ApproximateIndex, vectors: NDArray[np.float32]) -> float:
    """Return the share of the nearest vectors that an index finds, for vectors drawn at random."""
    draw = np.random.default_rng(approximate.settings.seed)
    rows = np.sort(draw.choice(len(vectors), min(_QUESTIONS, len(vectors)), replace=False))
    own = [[int(row)] for row in rows]
    exact = DenseIndex(vectors, "dot").search(vectors[rows], _NEAREST, own)
    found = approximate.search(vectors[rows], DEPTH, own)  # as many as a question fetches
    return recall([Hits(hits.rows[:_NEAREST], hits.scores[:_NEAREST]) for hits in found], exact)


class Segment:
    """An open segment.

    Args:
        folder: its directory.
        entry: its entry in the configuration.
        shape: of the matrix of the word vectors, (V, d).

    Raises:
        ModelError: a file is missing, cut short or damaged.
    """

    def __init__(self, folder: Path, entry: Mapping[str, Any], shape: tuple[int, int]) -> None:
        self.folder = folder
        self.entry = entry
        check_sizes(folder, entry.get("bytes", {}))
        tensors = read_tensors(folder / PASSAGES, _TYPES)
        self._file = _open_documents(folder / DOCUMENTS)
        self._check(tensors, shape[1])
        self._size = shape[0]
        self.vectors, self.serials = tensors["vectors"], tensors["serials"]
        self.document_of, self.spans = tensors["documents"], tensors["spans"]
        self._words, self._bounds = tensors["words"], tensors["bounds"]
        self._blocks: dict[int, pa.RecordBatch] = {}

    @property
    def name(self) -> str:
        """The name of its directory."""
        return self.folder.name

    @property
    def count(self) -> int:
        """Number of documents, deleted ones included."""
        return int(self.entry["documents"])

    def _check(self, tensors: Mapping[str, NDArray[Any]], dimension: int) -> None:
        passages = self.entry.get("passages")
        expected = {
            "vectors": (passages, dimension), "serials": (passages,), "documents": (passages,),
            "spans": (passages, 2), "bounds": (passages + 1 if isinstance(passages, int) else 0,),
        }  # fmt: skip
        found = {name: tensor.shape for name, tensor in tensors.items() if name != "words"}
        if found != expected or "words" not in tensors:
            raise self._damaged(f"has arrays of the shapes {found}")
        bounds, rows = tensors["bounds"], tensors["documents"]
        if (
            bounds[0] != 0
            or bounds[-1] != len(tensors["words"])
            or (bounds[1:] < bounds[:-1]).any()
            or (tensors["serials"][1:] <= tensors["serials"][:-1]).any()
            or rows.min(initial=0) < 0
            or rows.max(initial=0) >= self.count
        ):
            raise self._damaged("has numbers that are out of range")

    def _damaged(self, problem: str) -> ModelError:
        return ModelError(f"{self.folder / PASSAGES} is damaged: it {problem}.", hint=RESTORE_HINT)

    @cached_property
    def index(self) -> Index:
        """Searches the vectors by inner product, which is the cosine for vectors of length 1."""
        exact = DenseIndex(self.vectors, "dot")
        if "index" not in self.entry:
            return exact
        return read_index_file(self.folder / INDEX, self.entry["index"], exact) or exact

    def words_of(self, passage: int) -> NDArray[np.int32]:
        """Return the model's rows of a passage's words.

        Raises:
            ModelError: a row is not in the model.
        """
        rows = self._words[self._bounds[passage] : self._bounds[passage + 1]]
        if rows.min(initial=0) < 0 or rows.max(initial=0) >= self._size:
            raise self._damaged("has numbers that are out of range")
        return rows

    def kept_tensors(self, kept: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        """Return the arrays of the *kept* passages, (p,), with "lengths" for "bounds"."""
        lengths = np.diff(self._bounds)
        return {
            "vectors": self.vectors[kept],
            "serials": self.serials[kept],
            "documents": self.document_of[kept],
            "spans": self.spans[kept],
            "words": self._words[np.repeat(kept, lengths)],
            "lengths": lengths[kept],
        }

    def read(self, rows: Sequence[int]) -> list[Document]:
        """Return documents by their numbers.

        Raises:
            ModelError: they are damaged.
        """
        found = []
        for row in rows:
            block = self._block(row // _BLOCK_DOCUMENTS)
            place = row % _BLOCK_DOCUMENTS
            key, text, fields = (block.column(number)[place].as_py() for number in range(3))
            found.append(Document(key, text, json.loads(fields) if fields else {}))
        return found

    def tables(self) -> Iterator[pa.RecordBatch]:
        """Yield all documents, block by block."""
        for number in range(self._file.num_record_batches):
            yield self._block(number)

    def ids(self) -> pa.ChunkedArray:
        """Return the ids of all documents."""
        columns = [block.column(0) for block in self.tables()]
        return pa.chunked_array(columns, type=pa.string())

    def _block(self, number: int) -> pa.RecordBatch:
        block = self._blocks.get(number)
        if block is None:
            try:
                block = self._file.get_batch(number)
                block.validate(full=True)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise ModelError(
                    f"{self.folder / DOCUMENTS} is damaged: {error}.", hint=RESTORE_HINT
                ) from error
            self._blocks[number] = block
        return block


def check_sizes(folder: Path, sizes: Mapping[str, int]) -> None:
    """Check that files have the sizes with which they were written.

    Raises:
        ModelError: one is missing or has another size.
    """
    for name, size in sizes.items():
        try:
            found = (folder / name).stat().st_size
        except OSError as error:
            raise ModelError(
                f"{folder} is incomplete: {name} is missing.", hint=RESTORE_HINT
            ) from error
        if found != size:
            raise ModelError(
                f"{folder / name} is damaged or cut short: it has {found:,} bytes instead of "
                f"{size:,}.",
                hint=RESTORE_HINT,
            )


def _open_documents(path: Path) -> pa.ipc.RecordBatchFileReader:
    try:
        file = pa.ipc.open_file(pa.memory_map(os.fsencode(path)))
    except (pa.ArrowException, OSError) as error:
        raise ModelError(f"{path} is damaged: {error}.", hint=RESTORE_HINT) from error
    if file.schema != _SCHEMA:
        raise ModelError(f"{path} is damaged: its columns are wrong.", hint=RESTORE_HINT)
    return file
