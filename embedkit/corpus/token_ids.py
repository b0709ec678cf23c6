"""Token ids on disk, numbered by frequency.

The files are unnamed temporary files, so nothing is left on disk when the process ends.
"""

from __future__ import annotations

import functools
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

from embedkit.corpus.arrow_strings import strings
from embedkit.corpus.counting.blocks import TokenBlock, Words, encode_text, take_words
from embedkit.corpus.counting.limits import CountingLimits, LeftOut
from embedkit.corpus.counting.runs import CountRuns
from embedkit.corpus.counting.table import WordTable
from embedkit.corpus.reader import TextBlock
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import CorpusError, counted, plural
from embedkit.system.memory import release_libraries, release_pages
from embedkit.system.ranks import Ranks

__all__ = ["TokenIdFiles", "TokenIdWriter"]

_CHUNK = 1 << 20
_MOST_WORDS = 2**31 - 2  # of a table: ids are 32-bit integers


@dataclass(frozen=True)
class TokenIdFiles:
    """A text as token ids; the arrays are read-only memory maps.

    Attributes:
        vocabulary: the words of all ranks, most frequent first.
        tokens: the ids of this rank's share, int32, (tokens,); len(vocabulary) for tokens whose
            word was left out.
        boundaries: where sentences begin, then the number of tokens; int64, (sentences + 1,).
        fingerprint: BLAKE2b hash of the words, ids and boundaries of all ranks, in hexadecimal.
        left_out: what is not in the vocabulary.
    """

    vocabulary: Vocabulary
    tokens: NDArray[np.int32]
    boundaries: NDArray[np.int64]
    fingerprint: str
    left_out: LeftOut


class TokenIdWriter:
    """Collects blocks of tokens into one table of words, a file of ids and a file of boundaries.

    Args:
        directory: where to make the files, which have no name and disappear with the process.
        limits: how much memory counting may take, and how many words to keep.
    """

    def __init__(
        self, directory: str | os.PathLike[str], limits: CountingLimits | None = None
    ) -> None:
        _load_kernels()
        self._directory = directory
        self._limits = limits or CountingLimits()
        # `close` closes all files.
        self._ids: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._ends: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._ends.write(np.zeros(1, dtype=np.int64).data)
        self._last_end = 0
        self._table = WordTable()
        self._runs: CountRuns | None = None
        self._run_starts = [0]  # positions of the first token of each run
        self._size = 0
        self._too_long = 0

    def add(self, block: TokenBlock) -> None:
        """Add the next block of the text."""
        ends = block.sentence_ends + self._size
        # An empty line does not end a sentence.
        ends = ends[np.diff(ends, prepend=self._last_end) > 0]
        if len(ends):
            self._ends.write(ends.astype(np.int64).data)
            self._last_end = int(ends[-1])
        ids = np.append(self._table.add(block.words), np.int32(-1))  # index -1: not known
        self._ids.write(ids[block.indices].data)
        self._size += len(block.indices)
        self._too_long += block.too_long
        full = self._table.memory > self._limits.table_bytes or len(self._table) > _MOST_WORDS // 2
        if full:
            self._spill()

    def _spill(self) -> None:
        """Write the words to disk, and begin a new table."""
        if self._runs is None:
            self._runs = CountRuns(self._directory)
        self._runs.add(self._table)
        self._table = WordTable()
        self._run_starts.append(self._size)

    def finish(self, ranks: Ranks) -> TokenIdFiles:
        """Number the words by their frequency over all ranks, and memory-map the files.

        Raises:
            CorpusError: the text contains no tokens, or fewer blocks than there are ranks.
        """
        self._check_shares(ranks)
        spilled = ranks.total(np.array([self._runs is not None])).any()
        digest = hashlib.blake2b(digest_size=16)
        vocabulary, distinct = (
            self._number_by_runs(ranks, digest) if spilled else self._number(ranks, digest)
        )
        self._ends.flush()
        boundaries = np.memmap(self._ends, dtype=np.int64, mode="r")
        for start in range(0, len(boundaries), _CHUNK):
            digest.update(boundaries[start : start + _CHUNK].data)
            release_pages(boundaries)
        whole = hashlib.blake2b(b"".join(ranks.gather(digest.digest())), digest_size=16)
        tokens = np.memmap(self._ids, dtype=np.int32, mode="r")
        size, too_long = (int(n) for n in ranks.total(np.array([self._size, self._too_long])))
        left_out = LeftOut(
            distinct - len(vocabulary), size - int(vocabulary.counts.sum()), too_long
        )
        return TokenIdFiles(vocabulary, tokens, boundaries, whole.hexdigest(), left_out)

    def _check_shares(self, ranks: Ranks) -> None:
        own = np.arange(ranks.size) == ranks.rank
        sizes = ranks.total(np.where(own, self._size, 0))
        if sizes.all():
            return
        if sizes.any():
            raise CorpusError(
                f"the corpus is too small to share among {ranks.size} ranks.",
                hint="Use fewer ranks.",
            )
        too_long = int(ranks.total(np.array([self._too_long]))[0])
        if not too_long:
            raise CorpusError("the corpus is empty: it contains no tokens.")
        tokens = "the only token" if too_long == 1 else f"all {too_long:,} tokens"
        longest = counted(self._limits.max_word_length, "character")
        raise CorpusError(
            f"{tokens} of the corpus {plural(too_long, 'has', 'have')} more than {longest}.",
            hint="Raise --max-word-length (max_word_length).",
        )

    def _number(self, ranks: Ranks, digest: hashlib.blake2b) -> tuple[Vocabulary, int]:
        """Number the words of the table; return the vocabulary and the number of distinct words."""
        counts, offsets, text = self._table.columns()
        self._table = WordTable()  # the memory of its rows is needed for the result
        if ranks.size > 1:
            own = strings(offsets, text)
            words, counts = _words_of_all_ranks(own, counts, ranks)
            order = _by_frequency(counts, self._limits.most_words)
            vocabulary = Vocabulary(words.take(pa.array(order)), counts[order])
            found = pc.index_in(own, value_set=vocabulary.arrow).fill_null(len(order))
            new_ids = np.asarray(found).astype(np.int32)
        else:
            order = _by_frequency(counts, self._limits.most_words)
            vocabulary = Vocabulary(take_words(offsets, text, order), counts[order])
            new_ids = np.full(len(counts), len(order), dtype=np.int32)
            new_ids[order] = np.arange(len(order), dtype=np.int32)
        _digest_words(vocabulary, digest)
        self._renumber(0, self._size, np.append(new_ids, np.int32(len(vocabulary))), digest)
        return vocabulary, len(counts)

    def _number_by_runs(self, ranks: Ranks, digest: hashlib.blake2b) -> tuple[Vocabulary, int]:
        """Like `_number`, for words that were written to disk."""
        self._spill()
        assert self._runs is not None  # noqa: S101 - for type checkers
        kept = self._runs.most_frequent(self._limits.most_after_spilling, ranks)
        vocabulary = _vocabulary(kept.words)
        _digest_words(vocabulary, digest)
        table = WordTable()
        table.add(kept.words)
        limits = zip(self._run_starts, self._run_starts[1:], strict=False)
        renumbering = self._runs.renumbering(table, len(vocabulary))
        for (start, stop), new_ids in zip(limits, renumbering, strict=True):
            self._renumber(start, stop, new_ids, digest)
        return vocabulary, kept.distinct

    def _renumber(
        self, start: int, stop: int, new_ids: NDArray[np.int32], digest: hashlib.blake2b
    ) -> None:
        """Replace the ids of the tokens from *start* to *stop* in the file."""
        for place in range(start, stop, _CHUNK):
            size = min(_CHUNK, stop - place)
            self._ids.seek(place * 4)
            ids = new_ids[np.frombuffer(self._ids.read(size * 4), dtype=np.int32)]
            digest.update(ids.data)
            self._ids.seek(place * 4)
            self._ids.write(ids.data)
        self._ids.flush()

    def close(self) -> None:
        """Close the files; the memory maps stay valid."""
        for file in (self._ids, self._ends, self._runs):
            with suppress(OSError):  # a full disk was already reported when the file was written
                if file is not None:
                    file.close()


@functools.cache
def _load_kernels() -> None:
    """Load or compile the kernels for text, then release the memory that the compiler takes."""
    text = " ".join(map(str, range(4_000))).encode()  # enough words for a table to grow
    block = encode_text(TextBlock(text, "", 1, 0, ends_file=True), bytes, "strict", len(text))
    table = WordTable()
    table.add(block.words)
    counts, offsets, words = table.columns()
    take_words(offsets, words, np.argsort(counts))
    release_libraries("libllvmlite")


def _by_frequency(counts: NDArray[np.int64], most: int) -> NDArray[np.intp]:
    """Return the numbers of up to *most* words, most frequent first; ties stay in order."""
    return np.argsort(-counts, kind="stable")[:most]


def _vocabulary(words: Words) -> Vocabulary:
    """Return words whose bytes follow one another as a vocabulary."""
    offsets = np.append(words.starts, len(words.text))
    return Vocabulary(strings(offsets, words.text), words.counts)


def _digest_words(vocabulary: Vocabulary, digest: hashlib.blake2b) -> None:
    for buffer in vocabulary.arrow.buffers()[1:]:
        digest.update(buffer)


def _words_of_all_ranks(
    words: pa.StringArray, counts: NDArray[np.int64], ranks: Ranks
) -> tuple[pa.StringArray, NDArray[np.int64]]:
    """Return the distinct words of all ranks and their counts, in order of first occurrence."""
    own = pa.table({"word": words, "count": counts})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, own.schema) as stream:
        stream.write_table(own)
    tables = [
        pa.ipc.open_stream(data).read_all() for data in ranks.gather(sink.getvalue().to_pybytes())
    ]
    groups = pa.concat_tables(tables).group_by("word", use_threads=False)
    found = groups.aggregate([("count", "sum")]).rename_columns(["word", "count"])
    found = found.combine_chunks()
    return found["word"].combine_chunks(), np.asarray(found["count"])
