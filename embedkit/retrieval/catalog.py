"""The ids of the documents in an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.errors import InputError, plural, quoted
from embedkit.retrieval.segment import Segment

__all__ = ["Catalog"]

_MOST_NAMED = 5


@dataclass(frozen=True)
class Catalog:
    """Finds documents by their ids.

    Attributes:
        path: the directory of the index, for messages.
        segments: all segments.
        deleted: as in `embedkit.retrieval.ranking.Ranker`.
    """

    path: Path
    segments: Sequence[Segment]
    deleted: Mapping[int, NDArray[np.bool_]]

    def ids(self) -> pa.ChunkedArray:
        """Return the ids of all documents that are not deleted."""
        chunks = [chunk for number in range(len(self.segments)) for chunk in self._of(number)]
        return pa.chunked_array(chunks, type=pa.string())

    def find(self, ids: Sequence[str]) -> dict[int, NDArray[np.int64]]:
        """Return the numbers of documents by segment.

        Raises:
            InputError: there is no document with one of the *ids*.
        """
        asked = pa.array(ids, type=pa.string())
        missing = np.ones(len(ids), dtype=bool)
        places: dict[int, NDArray[np.int64]] = {}
        for number in range(len(self.segments)):
            here = pa.chunked_array(self._of(number), type=pa.string())
            found = np.asarray(pc.index_in(asked, value_set=here).fill_null(-1))
            if (found >= 0).any():
                places[number] = self._live(number)[found[found >= 0]]
                missing &= found < 0
        if missing.any():
            names = [quoted(ids[number]) for number in np.flatnonzero(missing)[:_MOST_NAMED]]
            more = ", ..." if missing.sum() > len(names) else ""
            raise InputError(
                f"{self.path} has no {plural(int(missing.sum()), 'document')} "
                f"{', '.join(names)}{more}.",
                hint="Check the ids; nothing was changed.",
            )
        return places

    def _live(self, number: int) -> NDArray[np.int64]:
        gone = self.deleted.get(number)
        return np.arange(self.segments[number].count) if gone is None else np.flatnonzero(~gone)

    def _of(self, number: int) -> list[pa.Array]:
        ids, gone = self.segments[number].ids(), self.deleted.get(number)
        chunks: list[pa.Array] = (ids if gone is None else ids.filter(pa.array(~gone))).chunks
        return chunks
