"""Merge small segments, and drop deleted documents: the index stays fast however it grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.retrieval.builder import MOST_PASSAGES, approximate_index
from embedkit.retrieval.directory import SEGMENTS, IndexChange
from embedkit.retrieval.segment import DOCUMENTS, Segment, SegmentParts, write_segment

__all__ = ["merge_segments"]

_MOST_BYTES = 1 << 30  # of the documents of a merged segment
_MOST_DELETED = 0.25  # share of a segment's documents
_RATIO = 2  # a segment is merged into the one before it if that is not this many times larger


def merge_segments(change: IndexChange, place: Path, shape: tuple[int, int], kind: str) -> None:
    """Merge neighboring segments so that each is much smaller than the one before it.

    Each document is thus merged about log2(n) times, and there are about log2(n) segments.

    Args:
        change: the change of the index.
        place: the directory that is being changed.
        shape: of the matrix of the word vectors, (V, d).
        kind: how vectors are searched; see `SearchIndexSettings`.
    """
    groups: list[list[dict[str, Any]]] = []
    for entry in change.config["segments"]:
        groups.append([entry])
        while len(groups) > 1 and _belong(groups[-2], groups[-1]):
            last = groups.pop()
            groups[-1] += last
    merged = []
    for group in groups:
        gone = [len(change.deleted.get(entry["name"], ())) for entry in group]
        total = sum(entry["documents"] for entry in group)
        if sum(gone) == total:
            continue
        if len(group) == 1 and gone[0] <= _MOST_DELETED * total:
            merged += group
            continue
        segments = [_open(change, place, entry, shape) for entry in group]
        parts = _merged(segments, [change.deleted.get(segment.name) for segment in segments])
        approximate = approximate_index(parts.tensors["vectors"], kind)
        name = f"{change.config['next_segment']:06}"
        change.config["next_segment"] += 1
        parts = SegmentParts(parts.documents, parts.tensors, approximate)
        merged.append(write_segment(change.folder / SEGMENTS / name, parts))
    change.config["segments"] = merged
    change.drop_unused()


def _belong(first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]]) -> bool:
    sizes = [sum(entry["passages"] for entry in group) for group in (first, second)]
    stored = sum(entry["bytes"][DOCUMENTS] for entry in (*first, *second))
    fits = sum(sizes) <= MOST_PASSAGES and stored <= _MOST_BYTES
    return bool(fits and sizes[0] < _RATIO * sizes[1])


def _open(
    change: IndexChange, place: Path, entry: dict[str, Any], shape: tuple[int, int]
) -> Segment:
    new = change.folder / SEGMENTS / entry["name"]
    return Segment(new if new.exists() else place / SEGMENTS / entry["name"], entry, shape)


def _merged(
    segments: Sequence[Segment], deleted: Sequence[NDArray[np.int32] | None]
) -> SegmentParts:
    tables: list[pa.RecordBatch] = []
    columns: dict[str, list[NDArray[Any]]] = {}
    before = 0
    for segment, gone in zip(segments, deleted, strict=True):
        kept = np.ones(segment.count, dtype=bool)
        kept[[] if gone is None else gone] = False
        table = pa.Table.from_batches(segment.tables()).filter(pa.array(kept))
        tables.append(table)
        numbers = np.cumsum(kept) - 1 + before
        before += len(table)
        for name, rows in segment.kept_tensors(kept[segment.document_of]).items():
            columns.setdefault(name, []).append(numbers[rows] if name == "documents" else rows)
    tensors = {name: np.concatenate(parts) for name, parts in columns.items()}
    tensors["bounds"] = np.concatenate([[0], np.cumsum(tensors.pop("lengths"))])
    return SegmentParts(pa.concat_tables(tables), tensors)
