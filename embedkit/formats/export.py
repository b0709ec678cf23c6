"""Formats that are only written, for vector databases, TensorBoard and other programs.

pgvector   SQL for psql: a table filled with COPY, and an HNSW index
qdrant     JSON lines, each the body of a request that upserts points
parquet    columns id, word, count, vector
jsonl      JSON lines, each an object with these keys
projector  a folder for TensorBoard's embedding projector

Rows are written in blocks from the memory map, so a model may be larger than memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.formats.options import WriteOptions
from embedkit.formats.repairs import require_finite
from embedkit.system.files import atomic_directory, check_replaceable
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["write_jsonl", "write_parquet", "write_pgvector", "write_projector", "write_qdrant"]

_ROWS = 4_096  # in a block
_POINTS = 256  # in a request to Qdrant
_MAX_INDEXED_DIMENSION = 2_000  # the limit of pgvector
_PROJECTOR_FILES = ("vectors.tsv", "metadata.tsv", "projector_config.pbtxt")
_SEPARATORS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True)
class _WordBlock:
    """Some consecutive words: ids, words and counts of n words, and their vectors (n, d)."""

    ids: range
    words: list[str]
    counts: list[int]
    vectors: NDArray[np.float32]

    def rows(self) -> Iterator[tuple[int, str, int, str]]:
        """Yield id, word, count, and the vector as ``[0.5,-1]``.

        Numbers have the fewest digits that reproduce every float32.
        """
        numbers = pc.cast(pa.array(self.vectors.ravel()), pa.string())
        lists = pa.FixedSizeListArray.from_arrays(numbers, self.vectors.shape[1])
        joined = pc.binary_join(lists.cast(pa.list_(pa.string())), ",").to_pylist()
        texts = (f"[{text}]" for text in joined)
        return zip(self.ids, self.words, self.counts, texts, strict=True)


def _blocks(vectors: WordVectors, rows: int, options: WriteOptions) -> Iterator[_WordBlock]:
    """Yield blocks of at most *rows* words, after checking their numbers.

    Raises:
        ModelError: a number is not finite.
    """
    vocabulary = vectors.vocabulary
    for start in range(0, len(vocabulary), rows):
        ids = range(start, min(start + rows, len(vocabulary)))
        require_finite(vectors, ids)
        counts = vocabulary.counts[ids.start : ids.stop].tolist()
        matrix = vectors.matrix[ids.start : ids.stop]
        yield _WordBlock(ids, vocabulary.words(ids), counts, matrix)
        options.progress(len(ids))


def write_pgvector(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write SQL that creates and fills a table.

    Raises:
        ModelError: a number is not finite.
    """
    stream.write(
        "BEGIN;\n"
        "CREATE EXTENSION IF NOT EXISTS vector;\n"
        f"CREATE TABLE {options.name} (\n"
        "    id integer PRIMARY KEY,\n"
        "    word text NOT NULL UNIQUE,\n"
        "    count bigint NOT NULL,\n"
        f"    vector vector({vectors.dimension}) NOT NULL\n"
        ");\n"
        f"COPY {options.name} (id, word, count, vector) FROM stdin;\n".encode()
    )
    for block in _blocks(vectors, _ROWS, options):
        lines = (f"{i}\t{_escaped(word)}\t{n}\t{v}\n" for i, word, n, v in block.rows())
        stream.write("".join(lines).encode())
    stream.write(b"\\.\n")
    if vectors.dimension <= _MAX_INDEXED_DIMENSION:
        index = f"CREATE INDEX ON {options.name} USING hnsw (vector vector_cosine_ops);\n"
        stream.write(index.encode())
    stream.write(b"COMMIT;\n")


def _escaped(word: str) -> str:
    """Return a word as PostgreSQL's COPY reads it."""
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        word = word.replace(plain, escaped)
    return word


def write_qdrant(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write the bodies of requests that upsert points, one per line.

    Raises:
        ModelError: a number is not finite.
    """
    for block in _blocks(vectors, _POINTS, options):
        points = ",".join(
            f'{{"id":{i},"payload":{json.dumps({"word": word, "count": n})},"vector":{v}}}'
            for i, word, n, v in block.rows()
        )
        stream.write(f'{{"points":[{points}]}}\n'.encode())


def write_parquet(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write the columns id, word, count and vector.

    Raises:
        ModelError: a number is not finite.
    """
    from pyarrow import parquet

    schema = pa.schema(
        {
            "id": pa.int32(),
            "word": pa.string(),
            "count": pa.int64(),
            "vector": pa.list_(pa.float32(), vectors.dimension),
        },
        metadata={"name": options.name},
    )
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for block in _blocks(vectors, _ROWS, options):
            numbers = pa.array(block.vectors.ravel())
            rows = pa.FixedSizeListArray.from_arrays(numbers, vectors.dimension)
            columns = [pa.array(block.ids, pa.int32()), block.words, block.counts, rows]
            writer.write_table(pa.table(columns, schema=schema))


def write_jsonl(vectors: WordVectors, stream: BinaryIO, options: WriteOptions) -> None:
    """Write objects with the keys id, word, count and vector, one per line.

    Raises:
        ModelError: a number is not finite.
    """
    for block in _blocks(vectors, _ROWS, options):
        lines = (
            f'{{"id":{i},"word":{json.dumps(word)},"count":{n},"vector":{v}}}\n'
            for i, word, n, v in block.rows()
        )
        stream.write("".join(lines).encode())


def write_projector(vectors: WordVectors, path: Path, options: WriteOptions) -> None:
    """Write tab-separated vectors, tab-separated words and counts, and a file that names the two.

    The format cannot represent tabs and line breaks within a word, so spaces replace them.

    Raises:
        ModelError: a number is not finite.
        OutputExistsError: the path exists and is not such a folder, or must not be overwritten.
        StorageError: the disk is full, or the path is not writable.
    """
    check_replaceable(path, _is_projector, "a folder for the projector")
    with atomic_directory(path, overwrite=options.overwrite) as folder:
        matrix, metadata, config = (folder / file for file in _PROJECTOR_FILES)
        with matrix.open("wb") as numbers, metadata.open("wb") as words:
            words.write(b"word\tcount\n")
            for block in _blocks(vectors, _ROWS, options):
                rows = list(block.rows())
                tabbed = (f"{v[1:-1]}\n".replace(",", "\t") for _, _, _, v in rows)
                numbers.write("".join(tabbed).encode())
                pairs = (f"{_SEPARATORS.sub(' ', word)}\t{n}\n" for _, word, n, _ in rows)
                words.write("".join(pairs).encode())
        config.write_text(
            "embeddings {\n"
            f'  tensor_name: "{options.name}"\n'
            f'  tensor_path: "{matrix.name}"\n'
            f'  metadata_path: "{metadata.name}"\n'
            "}\n"
        )


def _is_projector(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} <= {*_PROJECTOR_FILES}
