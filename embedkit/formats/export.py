"""Words and vectors as other programs load them: vector databases, TensorBoard, and the rest.

pgvector   SQL for psql: a table with COPY, an HNSW index
qdrant     JSON lines, each the body of a request that upserts points
parquet    columns id, word, count, vector
jsonl      JSON lines, each an object with these keys
projector  a folder for TensorBoard's embedding projector

Rows go block by block from the memory map, so a model may be larger than memory.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, ModelError, OutputExistsError
from embedkit.system.files import (
    atomic_directory,
    is_standard_output,
    output_stream,
    resolve_output,
)
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["FORMATS", "Format", "export"]

_ROWS = 4_096  # of a block of Parquet
_POINTS = 256  # of a request to Qdrant
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_MOST_INDEXED = 2_000  # dimensions, by pgvector
_PROJECTOR = ("vectors.tsv", "metadata.tsv", "projector_config.pbtxt")
_SPACES = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True)
class _Block:
    """Some neighbouring words."""

    ids: range
    words: list[str]
    counts: list[int]
    vectors: NDArray[np.float32]


def export(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    target: str,
    *,
    name: str = "words",
    overwrite: bool = False,
) -> None:
    """Write words, counts and vectors to a file or a folder, in one step.

    Args:
        vectors: dense ones.
        path: the file, "-" for standard output; or for "projector" the folder.
        target: a key of `FORMATS`.
        name: of the table or collection.
        overwrite: replace what is there.

    Raises:
        ConfigurationError: no such format, no such name for a table, the vectors are sparse, or a
            folder is to go to standard output.
        ModelError: a vector holds what is no finite number.
        OutputExistsError: something is there and *overwrite* is false, or it is a folder with other
            files in it.
        StorageError: the disk is full or the place cannot be written to.
    """
    if target not in FORMATS:
        raise ConfigurationError(f"no format {target!r}; there are {', '.join(FORMATS)}")
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no name for a table: it takes up to 63 of a-z, 0-9 and _, and begins "
            "with no digit."
        )
    if vectors.is_sparse:
        raise ConfigurationError(
            "one-hot vectors are not exported: a database finds a word without them."
        )
    if FORMATS[target].is_folder:
        if is_standard_output(path):
            raise ConfigurationError(
                f"{target} is a folder, which cannot go to standard output.", hint="Name one."
            )
        _refuse_foreign(Path(path))
        with atomic_directory(Path(path), overwrite=overwrite) as folder:
            FORMATS[target].write(vectors, folder, name)
        return
    with output_stream(path, overwrite=overwrite) as file:
        FORMATS[target].write(vectors, file, name)


def _refuse_foreign(path: Path) -> None:
    """Raise `OutputExistsError` if there is anything but a folder that `export` wrote."""
    place = resolve_output(path, overwrite=True, directory=True)
    if place.exists() and not {p.name for p in place.iterdir()} <= {*_PROJECTOR}:
        raise OutputExistsError(
            f"{path} is no folder for the projector and is kept.", hint="Name another output."
        )


def _blocks(vectors: WordVectors, rows: int) -> Iterator[_Block]:
    words, counts = vectors.vocabulary, vectors.vocabulary.counts
    for start in range(0, len(words), rows):
        ids = range(start, min(start + rows, len(words)))
        matrix = vectors.matrix[ids.start : ids.stop]
        found = words.words(ids)
        finite = np.isfinite(matrix).all(axis=1)
        if not finite.all():
            raise ModelError(
                f"the vector of {found[int(np.argmin(finite))]!r} holds numbers that are not "
                "finite.",
                hint="Train the model again.",
            )
        yield _Block(ids, found, counts[ids.start : ids.stop].tolist(), matrix)


def _bracketed(matrix: NDArray[np.float32]) -> list[str]:
    """Return each row as ``[0.5,-1]``, in the fewest digits that give back every float32."""
    numbers = pc.cast(pa.array(matrix.ravel()), pa.string())
    rows = pa.FixedSizeListArray.from_arrays(numbers, matrix.shape[1])
    joined = pc.binary_join(rows.cast(pa.list_(pa.string())), ",")
    return [f"[{row}]" for row in joined.to_pylist()]


def _write_sql(vectors: WordVectors, file: BinaryIO, name: str) -> None:
    def write(text: str) -> None:
        file.write(text.encode())

    write(
        "BEGIN;\n"
        "CREATE EXTENSION IF NOT EXISTS vector;\n"
        f"CREATE TABLE {name} (\n"
        "    id integer PRIMARY KEY,\n"
        "    word text NOT NULL UNIQUE,\n"
        "    count bigint NOT NULL,\n"
        f"    vector vector({vectors.dimension}) NOT NULL\n"
        ");\n"
        f"COPY {name} (id, word, count, vector) FROM stdin;\n"
    )
    for block in _blocks(vectors, _ROWS):
        rows = zip(block.ids, block.words, block.counts, _bracketed(block.vectors), strict=True)
        write("".join(f"{i}\t{_escaped(word)}\t{n}\t{v}\n" for i, word, n, v in rows))
    write("\\.\n")
    if vectors.dimension <= _MOST_INDEXED:
        write(f"CREATE INDEX ON {name} USING hnsw (vector vector_cosine_ops);\n")
    write("COMMIT;\n")


def _escaped(word: str) -> str:
    """Return a word as PostgreSQL's COPY reads it."""
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        word = word.replace(plain, escaped)
    return word


def _write_points(vectors: WordVectors, file: BinaryIO, name: str) -> None:
    for block in _blocks(vectors, _POINTS):
        points = ",".join(
            f'{{"id":{i},"payload":{json.dumps({"word": word, "count": n})},"vector":{v}}}'
            for i, word, n, v in zip(
                block.ids, block.words, block.counts, _bracketed(block.vectors), strict=True
            )
        )
        file.write(f'{{"points":[{points}]}}\n'.encode())


def _write_parquet(vectors: WordVectors, file: BinaryIO, name: str) -> None:
    from pyarrow import parquet

    schema = pa.schema(
        {
            "id": pa.int32(),
            "word": pa.string(),
            "count": pa.int64(),
            "vector": pa.list_(pa.float32(), vectors.dimension),
        },
        metadata={"name": name},
    )
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for block in _blocks(vectors, _ROWS):
            numbers = pa.array(block.vectors.ravel())
            rows = pa.FixedSizeListArray.from_arrays(numbers, vectors.dimension)
            columns = [pa.array(block.ids, pa.int32()), block.words, block.counts, rows]
            writer.write_table(pa.table(columns, schema=schema))


def _write_lines(vectors: WordVectors, file: BinaryIO, name: str) -> None:
    for block in _blocks(vectors, _ROWS):
        rows = zip(block.ids, block.words, block.counts, _bracketed(block.vectors), strict=True)
        lines = (
            f'{{"id":{i},"word":{json.dumps(word)},"count":{n},"vector":{v}}}\n'
            for i, word, n, v in rows
        )
        file.write("".join(lines).encode())


def _write_projector(vectors: WordVectors, folder: Path, name: str) -> None:
    """Write tab-separated vectors, tab-separated words and counts, and what names the two.

    The format has no way to write a tab or the end of a line in a word: a space stands for them.
    """
    matrix, metadata, config = (folder / file for file in _PROJECTOR)
    with matrix.open("wb") as numbers, metadata.open("wb") as words:
        words.write(b"word\tcount\n")
        for block in _blocks(vectors, _ROWS):
            rows = (f"{row[1:-1]}\n".replace(",", "\t") for row in _bracketed(block.vectors))
            numbers.write("".join(rows).encode())
            pairs = zip(block.words, block.counts, strict=True)
            words.write("".join(f"{_SPACES.sub(' ', w)}\t{n}\n" for w, n in pairs).encode())
    config.write_text(
        "embeddings {\n"
        f'  tensor_name: "{name}"\n'
        f'  tensor_path: "{matrix.name}"\n'
        f'  metadata_path: "{metadata.name}"\n'
        "}\n"
    )


Writer: TypeAlias = Callable[[WordVectors, Any, str], None]


@dataclass(frozen=True)
class Format:
    """A way to write vectors.

    Attributes:
        suffix: of the file's name.
        write: writes vectors to an open file, or into an empty folder, under a name.
        loaded_by: a command that loads it, or "".
        is_folder: whether it is a folder of files.
    """

    suffix: str
    write: Writer
    loaded_by: str = ""
    is_folder: bool = False


FORMATS: Mapping[str, Format] = {
    "pgvector": Format(".sql", _write_sql, "psql --set ON_ERROR_STOP=1 --file {path}"),
    "qdrant": Format(
        ".jsonl",
        _write_points,
        "while read -r points; do curl --fail --silent --show-error --request PUT "
        "--header 'Content-Type: application/json' --data-binary @- "
        'http://localhost:6333/collections/{name}/points <<<"$points"; done < {path}',
    ),
    "parquet": Format(".parquet", _write_parquet),
    "jsonl": Format(".jsonl", _write_lines),
    "projector": Format(
        "-projector", _write_projector, "tensorboard --logdir {path}", is_folder=True
    ),
}
