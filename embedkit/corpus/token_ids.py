"""Token ids on disk, numbered by frequency.

The files are unnamed temporary files, so nothing is left on disk when the process ends.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.encoded_blocks import EncodedBlock, unify
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import CorpusError
from embedkit.system.memory import release_pages
from embedkit.system.ranks import Ranks

__all__ = ["TokenIdFiles", "TokenIdWriter"]

_CHUNK = 1 << 20
_BLOCKS_PER_MERGE = 16


@dataclass(frozen=True)
class TokenIdFiles:
    """A text as token ids; the arrays are read-only memory maps.

    Attributes:
        vocabulary: the words of all ranks, most frequent first.
        tokens: the ids of this rank's share, int32, (tokens,).
        boundaries: where sentences begin, then the number of tokens; int64, (sentences + 1,).
        fingerprint: BLAKE2b hash of the words, ids and boundaries of all ranks, in hexadecimal.
    """

    vocabulary: Vocabulary
    tokens: NDArray[np.int32]
    boundaries: NDArray[np.int64]
    fingerprint: str


class TokenIdWriter:
    """Collects encoded blocks into one dictionary, a file of ids and a file of boundaries.

    Args:
        directory: where to make the two files, which have no name and disappear with the process.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        # `close` closes both files.
        self._ids: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._ends: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._ends.write(np.zeros(1, dtype=np.int64).data)
        self._last_end = 0
        self._dictionary = pa.array([], type=pa.string())
        self._counts = np.zeros(0, dtype=np.int64)
        self._pending: list[EncodedBlock] = []
        self.size = 0

    def add(self, block: EncodedBlock) -> None:
        """Add the next block of the text."""
        ends = block.sentence_ends + self.size
        # An empty line does not end a sentence.
        ends = ends[np.diff(ends, prepend=self._last_end) > 0]
        if len(ends):
            self._ends.write(ends.astype(np.int64).data)
            self._last_end = int(ends[-1])
        self.size += len(block.indices)
        self._pending.append(block)
        if len(self._pending) == _BLOCKS_PER_MERGE:
            self._merge()

    def _merge(self) -> None:
        """Merge the dictionaries of the pending blocks and write their ids."""
        dictionaries = [self._dictionary, *(block.dictionary for block in self._pending)]
        self._dictionary, (_, *new_ids) = unify(dictionaries)
        counts = np.zeros(len(self._dictionary), dtype=np.int64)
        counts[: len(self._counts)] = self._counts
        for ids, block in zip(new_ids, self._pending, strict=True):
            counts[ids] += np.bincount(block.indices, minlength=len(ids))
            self._ids.write(ids[block.indices].data)
        self._counts = counts
        self._pending.clear()

    def finish(self, ranks: Ranks) -> TokenIdFiles:
        """Number the words by their frequency over all ranks, and memory-map the files.

        Raises:
            CorpusError: the text contains no tokens, or fewer blocks than there are ranks.
        """
        self._merge()
        sizes = ranks.total(np.where(np.arange(ranks.size) == ranks.rank, self.size, 0))
        if not sizes.any():
            raise CorpusError("the corpus is empty: it contains no tokens.")
        if not sizes.all():
            raise CorpusError(
                f"the corpus is too small to share among {ranks.size} ranks.",
                hint="Use fewer ranks.",
            )
        words, counts = self._all_words(ranks)
        ids = pc.index_in(self._dictionary, value_set=words)
        digest = hashlib.blake2b(digest_size=16)
        for buffer in words.buffers()[1:]:
            digest.update(buffer)
        self._renumber(np.asarray(ids).astype(np.int32), digest)
        self._ends.flush()
        boundaries = np.memmap(self._ends, dtype=np.int64, mode="r")
        for start in range(0, len(boundaries), _CHUNK):
            digest.update(boundaries[start : start + _CHUNK].data)
            release_pages(boundaries)
        whole = hashlib.blake2b(b"".join(ranks.gather(digest.digest())), digest_size=16)
        tokens = np.memmap(self._ids, dtype=np.int32, mode="r")
        return TokenIdFiles(Vocabulary(words, counts), tokens, boundaries, whole.hexdigest())

    def _all_words(self, ranks: Ranks) -> tuple[pa.StringArray, NDArray[np.int64]]:
        """Return the distinct words of all ranks and their counts, most frequent first."""
        own = pa.table({"word": self._dictionary, "count": self._counts})
        if ranks.size > 1:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, own.schema) as stream:
                stream.write_table(own)
            tables = [
                pa.ipc.open_stream(data).read_all()
                for data in ranks.gather(sink.getvalue().to_pybytes())
            ]
            groups = pa.concat_tables(tables).group_by("word", use_threads=False)
            own = groups.aggregate([("count", "sum")]).rename_columns(["word", "count"])
            own = own.combine_chunks()
        counts = np.asarray(own["count"])
        by_frequency = np.argsort(-counts, kind="stable")
        words = own["word"].combine_chunks().take(pa.array(by_frequency))
        return words, counts[by_frequency]

    def close(self) -> None:
        """Close the files; the memory maps stay valid."""
        for file in (self._ids, self._ends):
            with suppress(OSError):  # a full disk was already reported when the file was written
                file.close()

    def _renumber(self, rank: NDArray[np.int32], digest: hashlib.blake2b) -> None:
        """Renumber the ids in the file from order of first occurrence to order of frequency."""
        for start in range(0, self.size, _CHUNK):
            self._ids.seek(start * 4)
            ids = rank[np.frombuffer(self._ids.read(_CHUNK * 4), dtype=np.int32)]
            digest.update(ids.data)
            self._ids.seek(start * 4)
            self._ids.write(ids.data)
        self._ids.flush()
