"""Counting more words than fit into memory, exactly, with the help of the disk.

When a table of words is full, its words are written to a temporary file as one run, sorted into
partitions by their hash, and an empty table takes its place. In the end, the partitions are counted
one by one: each holds all occurrences of its words, and few enough words to fit into memory. This
is a hash aggregation that spills (Graefe 1993, Query evaluation techniques for large databases).
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.counting.blocks import Words
from embedkit.corpus.counting.table import WordTable
from embedkit.system.ranks import Ranks

__all__ = ["CountRuns", "Kept"]

_PARTITION_BITS = 8
_PARTITIONS = 1 << _PARTITION_BITS
# The place of a word's first occurrence: 12 bits for the rank, 20 for the run, 31 for the number.
_RANK_BITS, _RUN_BITS = 51, 31

Scalar = TypeVar("Scalar", bound=np.generic)


_PART = 3  # numbers that describe a part of a run: where it begins, its words, and their bytes


@dataclass(frozen=True)
class Kept:
    """The most frequent words of a text, most frequent first; ties in order of first occurrence.

    Attributes:
        words: the words, with their counts over the whole text.
        distinct: number of distinct words of the text.
    """

    words: Words
    distinct: int


class CountRuns:
    """Runs of words on disk.

    A run has a part for each partition: the numbers, hashes, counts and lengths of its words, and
    their text. Then follows a list of where the parts begin and how large they are. In memory, a
    run is only two numbers, so many runs take little.

    Args:
        directory: where to make the temporary file, which has no name.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - see `close`
        self._lists: list[int] = []  # where the list of each run's parts begins
        self._sizes: list[int] = []

    def add(self, table: WordTable) -> None:
        """Write the words of a table as the next run."""
        words = table.words()
        partitions = (words.hashes[:, 0] >> np.uint64(64 - _PARTITION_BITS)).astype(np.uint16)
        order = np.argsort(partitions, kind="stable")
        ends = np.cumsum(np.bincount(partitions, minlength=_PARTITIONS))
        parts = np.empty((_PARTITIONS, _PART), dtype=np.int64)
        for partition, numbers in enumerate(np.split(order, ends[:-1])):
            part = words.take(numbers)
            parts[partition] = self._file.tell(), len(part), len(part.text)
            self._file.write(numbers.astype(np.int32).data)
            for array in (part.hashes, part.counts, part.lengths, part.text):
                self._file.write(array.tobytes())
        self._lists.append(self._file.tell())
        self._file.write(parts.tobytes())
        self._file.flush()
        self._sizes.append(len(table))

    def most_frequent(self, most: int, ranks: Ranks) -> Kept:
        """Return up to *most* words of the text of all ranks, and the number of distinct words."""
        kept = _MostFrequent(most)
        for partition in range(_PARTITIONS):
            table, places = WordTable(), [np.empty(0, dtype=np.int64)]
            for part_places, words in self._of_all_ranks(partition, ranks):
                before = len(table)
                numbers = table.add(words)
                places.append(part_places[numbers >= before])
            kept.add(table.words(), np.concatenate(places))
        return kept.result()

    def _of_all_ranks(
        self, partition: int, ranks: Ranks
    ) -> Iterator[tuple[NDArray[np.int64], Words]]:
        """Yield the words of a partition with the places of their first occurrences in a run."""
        found = self._with_places(partition, ranks.rank)
        if ranks.size == 1:
            yield from found
            return
        places, words = zip(*found, strict=True)
        own = _to_bytes(np.concatenate(places), Words.joined(words))
        yield from map(_from_bytes, ranks.gather(own))

    def _with_places(self, partition: int, rank: int) -> Iterator[tuple[NDArray[np.int64], Words]]:
        """Yield the words of a partition, one run after another, with their places."""
        for run in range(len(self._sizes)):
            numbers, words = self._words(run, partition)
            yield numbers + ((rank << _RANK_BITS) + (run << _RUN_BITS)), words

    def renumbering(self, kept: WordTable, unknown: int) -> Iterator[NDArray[np.int32]]:
        """Yield for each run the number in *kept* of each of its words, or *unknown*.

        The arrays have one entry more, for the number -1, which is *unknown* too.
        """
        for run, size in enumerate(self._sizes):
            found = np.full(size + 1, unknown, dtype=np.int32)
            for partition in range(_PARTITIONS):
                start, words, _ = self._part(run, partition)
                numbers, hashes = self._identities(start, words)
                found[numbers] = kept.find(hashes, unknown)
            yield found

    def _part(self, run: int, partition: int) -> tuple[int, int, int]:
        """Return where a part begins, its number of words, and of their bytes."""
        place = self._lists[run] + partition * _PART * 8
        start, words, size = self._read(place, _PART, np.int64).tolist()
        return start, words, size

    def _identities(self, start: int, words: int) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
        """Return the numbers of a partition's words in their run, and their hashes."""
        numbers = self._read(start, words, np.int32)
        hashes = self._read(start + numbers.nbytes, 2 * words, np.uint64)
        return numbers, hashes.reshape(-1, 2)

    def _words(self, run: int, partition: int) -> tuple[NDArray[np.int64], Words]:
        """Return the numbers of a partition's words in their run, and the words."""
        start, words, size = self._part(run, partition)
        numbers, hashes = self._identities(start, words)
        place = start + numbers.nbytes + hashes.nbytes
        counts, lengths = self._read(place, 2 * words, np.int64).reshape(2, -1)
        text = self._read(place + counts.nbytes + lengths.nbytes, size, np.uint8)
        return numbers.astype(np.int64), Words.of(text, lengths, hashes, counts)

    def _read(self, place: int, size: int, kind: type[Scalar]) -> NDArray[Scalar]:
        array = np.empty(size, dtype=kind)
        view = array.view(np.uint8).data if size else memoryview(b"")
        while view:
            count = os.preadv(self._file.fileno(), [view], place)
            if not count:
                raise OSError(errno.EIO, "a temporary file is shorter than what was written to it")
            view, place = view[count:], place + count
        return array

    def close(self) -> None:
        """Close the file, which deletes it."""
        self._file.close()


def _to_bytes(places: NDArray[np.int64], words: Words) -> bytes:
    """Return the message that tells other ranks about words and their places."""
    arrays = (places, words.lengths, words.counts, words.hashes, words.text)
    return b"".join([np.int64(len(words)).tobytes(), *(array.tobytes() for array in arrays)])


def _from_bytes(message: bytes) -> tuple[NDArray[np.int64], Words]:
    """Return the places and words of a message."""
    size = int(np.frombuffer(message, dtype=np.int64, count=1)[0])
    numbers = np.frombuffer(message, dtype=np.int64, offset=8, count=5 * size).copy()
    places, lengths, counts = numbers[: 3 * size].reshape(3, -1)
    hashes = numbers[3 * size :].view(np.uint64).reshape(-1, 2)
    text = np.frombuffer(message, dtype=np.uint8, offset=8 + 40 * size)
    return places, Words.of(text, lengths, hashes, counts)


class _MostFrequent:
    """Collects words, and forgets those that cannot be among the *most* most frequent ones."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: list[tuple[NDArray[np.int64], Words]] = []
        self._size = 0
        self._floor = 0
        self._distinct = 0

    def add(self, words: Words, places: NDArray[np.int64]) -> None:
        """Add distinct words and the places where they first occur."""
        self._distinct += len(words)
        chosen = np.flatnonzero(words.counts >= self._floor)
        self._found.append((places[chosen], words.take(chosen)))
        self._size += len(chosen)
        if self._size > 2 * self._most:
            self._select()

    def _select(self) -> None:
        """Keep the most frequent words, in order."""
        places = np.concatenate([place for place, _ in self._found])
        words = Words.joined([words for _, words in self._found])
        order = np.lexsort((places, -words.counts))[: self._most]
        self._found = [(places[order], words.take(order))]
        self._size = len(order)
        if len(order) == self._most:
            self._floor = int(words.counts[order[-1]])

    def result(self) -> Kept:
        """Return the most frequent words and the number of distinct ones."""
        self._select()
        return Kept(self._found[0][1], self._distinct)
