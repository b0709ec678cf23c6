"""Facts about an index, for people and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from embedkit.index.approximate import IndexSettings
from embedkit.retrieval.segment import Segment
from embedkit.retrieval.settings import SearchIndexSettings

__all__ = ["describe"]


def describe(
    path: Path,
    config: Mapping[str, Any],
    settings: SearchIndexSettings,
    segments: Sequence[Segment],
    dimension: int,
) -> dict[str, Any]:
    """Return the size, settings, model and segments of an index.

    "indexes" has an entry for each segment: the kind and the settings of its search, its passages
    and its recall. "recall" is the share of the ten nearest passages that approximate search found
    for passages drawn when the index was built; 1 if all segments are searched exactly.
    """
    files = [file for file in path.rglob("*") if file.is_file()]
    indexes = [_index_of(segment) for segment in segments]
    sizes = [index["passages"] for index in indexes]
    recalls = [index["recall"] for index in indexes]
    return {
        "documents": sum(segment.count for segment in segments) - int(config["deleted"]),
        "passages": sum(sizes),
        "deleted": config["deleted"],
        "segments": len(segments),
        "indexes": indexes,
        "recall": float(np.average(recalls, weights=sizes)) if sizes else 1.0,
        "dimension": dimension,
        "model": config["model"]["path"],
        "bytes": sum(file.stat().st_size for file in files),
        "settings": dict(settings.as_dict()),
    }


def _index_of(segment: Segment) -> dict[str, Any]:
    entry = segment.entry.get("index")
    used: Mapping[str, Any] = {"kind": "flat", "recall": 1.0}
    if entry is not None:
        used = {**IndexSettings(**entry["settings"]).used, "recall": entry.get("recall", 1.0)}
    return {**used, "metric": "cosine", "passages": len(segment.vectors)}
