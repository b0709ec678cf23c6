"""Add documents to an index that is being written, and delete some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.retrieval.builder import BuildProgress, SegmentBuilder
from embedkit.retrieval.directory import BM25, SEGMENTS, IndexChange
from embedkit.retrieval.documents import DocumentReader
from embedkit.retrieval.lexical import writing
from embedkit.retrieval.pooling import Pooling
from embedkit.retrieval.segment import Segment
from embedkit.retrieval.settings import SearchIndexSettings

__all__ = ["add_documents", "delete_documents"]

_CHUNK = 1 << 14  # documents tokenized at a time


def add_documents(
    change: IndexChange,
    reader: DocumentReader,
    settings: SearchIndexSettings,
    pooling: Pooling,
    existing: pa.ChunkedArray,
    progress: BuildProgress,
) -> Pooling:
    """Add documents; return the pooling, fitted if it was not.

    Args:
        change: the change of the index.
        reader: reads the documents.
        settings: of the index.
        pooling: makes the vectors of passages.
        existing: the ids of the documents that the index has.
        progress: see `BuildProgress`.

    Raises:
        InputError: a document cannot be indexed.
    """
    config = change.config
    with writing(change.folder / BM25) as lexical:
        builder = SegmentBuilder(
            change.folder / SEGMENTS, settings, pooling, lexical,
            next_serial=config["next_serial"], next_name=config["next_segment"],
        )  # fmt: skip
        builder.add(reader.chunks(_CHUNK, config["next_document"], existing), progress)
    config["segments"] = [*config["segments"], *builder.entries]
    config["next_serial"], config["next_segment"] = builder.next_serial, builder.next_name
    config["next_document"] += reader.read
    return builder.pooling


def delete_documents(
    change: IndexChange, segments: Sequence[Segment], places: Mapping[int, NDArray[np.int64]]
) -> None:
    """Mark documents as deleted.

    Args:
        change: the change of the index.
        segments: its segments.
        places: the numbers of the documents, by number of their segment.
    """
    with writing(change.folder / BM25) as lexical:
        for number, rows in places.items():
            segment = segments[number]
            before = change.deleted.get(segment.name, np.zeros(0, dtype=np.int32))
            change.deleted[segment.name] = np.union1d(before, rows).astype(np.int32)
            lexical.delete(segment.serials[np.isin(segment.document_of, rows)].tolist())
