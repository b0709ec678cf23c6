"""Words and their ids, most frequent first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import encoded_strings, numbers
from embedkit.corpus.spelling import nearest_spellings, respellings, similar_spellings
from embedkit.errors import ConfigurationError, ModelError, UnknownWordError, counted, quoted
from embedkit.system.steps import Steps, finish
from embedkit.validation import refuse_string

__all__ = ["Vocabulary"]

_BATCH_WORTH_A_TABLE = 256
_SUGGESTION_POOL = 200_000
_COLUMNS = {"word": pa.string(), "count": pa.int64(), "order": pa.int32()}
_LARGE_COLUMNS = {**_COLUMNS, "word": pa.large_string()}  # of words that are more than 2 GB


class Vocabulary:
    """Immutable list of distinct words with their counts; a word's id is its index in the list.

    The words stay in Arrow's layout, memory-mapped if they come from disk: opening three million
    words builds no dict. One word is found by binary search, a batch by a hash join.

    Args:
        words: distinct words, most frequent first.
        counts: occurrences of each word, or None if unknown (all 0).
        order: ids in ascending order of the words' UTF-8 bytes; computed if not given.

    Raises:
        ConfigurationError: a word contains half of a surrogate pair, which decoding invalid UTF-8
            with "surrogateescape" produces.
        ValueError: the lengths differ.
    """

    def __init__(
        self,
        words: Sequence[str] | pa.StringArray,
        counts: Sequence[int] | NDArray[np.int64] | None = None,
        order: NDArray[np.int32] | None = None,
    ) -> None:
        try:
            self._words: pa.StringArray = (
                words if isinstance(words, pa.Array) else encoded_strings(words)
            )
        except UnicodeEncodeError as error:
            raise ConfigurationError(
                f"{quoted(error.object)} cannot be encoded as UTF-8.",
                hint="Convert the text (iconv -t utf-8).",
            ) from error
        given = np.zeros(len(self._words)) if counts is None else counts
        self.counts: NDArray[np.int64] = np.asarray(given, dtype=np.int64).view()
        self.counts.flags.writeable = False
        if len(self.counts) != len(self._words):
            raise ValueError(
                f"{counted(len(self._words), 'word')} but {counted(len(self.counts), 'count')}"
            )
        if order is not None:
            self.__dict__["_order"] = order

    @cached_property
    def _order(self) -> NDArray[np.int32]:
        # np.asarray() would import pandas; see Vocabulary.open.
        return np.from_dlpack(pc.array_sort_indices(self._words)).astype(np.int32)

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), 10_000):
            yield from self._words.slice(start, 10_000).to_pylist()

    def __getitem__(self, index: int) -> str:
        return str(self._words[int(index)].as_py())

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.find(word) >= 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self._words.equals(other._words) and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[Vocabulary], tuple[object, ...]]:
        return type(self), (self._words, np.asarray(self.counts), self.__dict__.get("_order"))

    def __deepcopy__(self, memo: dict[int, object]) -> Vocabulary:
        return self  # immutable

    def __repr__(self) -> str:
        return f"Vocabulary({counted(len(self), 'word')})"

    @property
    def arrow(self) -> pa.StringArray:
        """The words as an Arrow array."""
        return self._words

    def words(self, ids: Iterable[int] | None = None) -> list[str]:
        """Return the words of *ids*, or all of them."""
        chosen = self._words if ids is None else self._words.take(_arrow_ids(ids))
        return [str(word) for word in chosen.to_pylist()]

    def id(self, word: str) -> int:
        """Return the id of *word*.

        Raises:
            UnknownWordError: it is not in the vocabulary; similar spellings are suggested.
        """
        index = self.find(word)
        if index < 0:
            raise UnknownWordError(word, self.suggest)
        return index

    def ids(self, words: Sequence[str] | pa.StringArray) -> NDArray[np.int64]:
        """Return the id of each word, shape (len(words),), -1 for an unknown word.

        Raises:
            ConfigurationError: *words* is a string, not a list of strings.
        """
        refuse_string(words)
        if len(words) < _BATCH_WORTH_A_TABLE:
            few = words.to_pylist() if isinstance(words, pa.Array) else words
            return np.array([self.find(word) for word in few], dtype=np.int64)
        if not isinstance(words, pa.Array):
            words = pa.array(words, type=pa.string())
        if words.type != self._words.type:
            words = words.cast(self._words.type)
        if len(words) < len(self):
            return self._ids_of_few(words)
        found = pc.index_in(words, value_set=self._words)
        return np.asarray(found.fill_null(-1)).astype(np.int64)

    def _ids_of_few(self, words: pa.StringArray) -> NDArray[np.int64]:
        """Return the ids of words that are fewer than those of the vocabulary.

        The hash table then holds the given words, and needs less memory than one of all words.
        """
        encoded = words.dictionary_encode()
        places = pc.index_in(self._words, value_set=encoded.dictionary)
        found = np.from_dlpack(places.fill_null(-1))  # as in _order
        known = np.flatnonzero(found >= 0)
        ids = np.full(len(encoded.dictionary), -1, dtype=np.int64)
        ids[found[known]] = known
        return np.asarray(ids[np.from_dlpack(encoded.indices)])

    def resolved_ids(self, words: Sequence[str] | pa.StringArray) -> NDArray[np.int64]:
        """Return the id of each word as written, or of the first known one of its `respellings`.

        Returns:
            (len(words),), -1 for a word that is unknown in all spellings.
        """
        return finish(self.resolved_ids_in_steps(words))

    def resolved_ids_in_steps(
        self, words: Sequence[str] | pa.StringArray
    ) -> Steps[NDArray[np.int64]]:
        """Do what `resolved_ids` does; for a thousand words, a step takes milliseconds."""
        ids = self.ids(words)
        yield
        missing = np.flatnonzero(ids < 0)
        tried = [respellings(str(words[int(index)])) for index in missing]
        yield
        found = iter(self.ids([word for words in tried for word in words]).tolist())
        for index, spellings in zip(missing, tried, strict=True):
            known = [row for _, row in zip(spellings, found, strict=False) if row >= 0]
            ids[index] = known[0] if known else -1
        return ids

    def known_ids(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the id of each word, shape (len(words),).

        Raises:
            UnknownWordError: a word is not in the vocabulary; similar spellings are suggested.
        """
        ids = self.ids(words)
        if len(ids) and ids.min() < 0:
            self.id(words[int(np.argmin(ids))])  # raises
        return ids

    def find(self, word: str) -> int:
        """Return the id of *word*, or -1."""
        key = word.encode("utf-8", "surrogatepass")
        rank = self._rank(key)
        if rank == len(self):
            return -1
        order, offsets, text = self._buffers
        row = order[rank]
        return int(row) if text[offsets[row] : offsets[row + 1]] == key else -1

    def _rank(self, key: bytes) -> int:
        """Return the number of words whose bytes sort before *key*."""
        order, offsets, text = self._buffers
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            row = order[middle]
            if text[offsets[row] : offsets[row + 1]].tobytes() < key:
                low = middle + 1
            else:
                high = middle
        return low

    @cached_property
    def _buffers(self) -> tuple[memoryview, memoryview, memoryview]:
        """Order, offsets and text as memory views: looking up a word makes no Arrow objects."""
        _, offsets, text = self._words.buffers()
        start = self._words.offset
        large = pa.types.is_large_string(self._words.type)
        numbers = memoryview(offsets or bytes(8)).cast("B")
        return (
            np.ascontiguousarray(self._order, dtype=np.int32).data,
            (numbers.cast("q") if large else numbers.cast("i"))[start:],
            memoryview(text or b"").cast("B"),
        )

    def complete(self, prefix: str, limit: int = 10, start: int = 0) -> NDArray[np.int64]:
        """Return the ids of words that begin with *prefix*, most frequent first.

        Args:
            limit: the maximum number of ids.
            start: the number of ids to skip first.
        """
        key = prefix.encode("utf-8", "surrogatepass")
        # UTF-8 has no byte 255, so all words with the prefix sort before prefix + 255.
        found = np.sort(self._order[self._rank(key) : self._rank(key + b"\xff")])
        return found[start : start + limit].astype(np.int64)

    def suggest(self, word: str, limit: int = 3) -> list[str]:
        """Return up to *limit* known words with a similar spelling, most similar first."""
        return similar_spellings(word, self._suggestion_pool(), limit)

    def nearest_spellings(self, words: Sequence[str]) -> list[int]:
        """Return for each word the id of the known word with the nearest spelling, or -1.

        See `embedkit.corpus.spelling.nearest_spellings`; ties go to the most frequent word. In a
        very large vocabulary only the most frequent words are considered.
        """
        return nearest_spellings(words, self._suggestion_pool())

    def _suggestion_pool(self) -> list[str]:
        return [str(word) for word in self._words.slice(0, _SUGGESTION_POOL).to_pylist()]

    def most_frequent(self, size: int) -> Vocabulary:
        """Return the first *size* words; their ids stay the same."""
        return Vocabulary(self._words.slice(0, size), self.counts[:size])

    def at_least(self, count: int) -> Vocabulary:
        """Return the words that occur at least *count* times; their ids stay the same."""
        return self.most_frequent(int(np.searchsorted(-self.counts, -count, side="right")))

    def save(self, path: Path) -> None:
        """Write an Arrow IPC file with the columns word, count and order."""
        table = pa.table(
            {
                "word": self._words,
                "count": numbers(np.asarray(self.counts, dtype=np.int64)),
                "order": numbers(self._order),
            }
        ).combine_chunks()
        with (
            pa.OSFile(os.fsencode(path), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)

    @classmethod
    def open(cls, path: Path) -> Vocabulary:
        """Memory-map a file written by `save`.

        Raises:
            ModelError: the file is damaged, has other contents or cannot be read.
        """
        try:
            table = pa.ipc.open_file(pa.memory_map(os.fsencode(path))).read_all().combine_chunks()
            columns = dict(zip(table.schema.names, table.schema.types, strict=True))
            if columns not in (_COLUMNS, _LARGE_COLUMNS):
                raise ValueError(f"its columns are {quoted(table.schema.to_string())}")
            words, counts, order = (table[name] for name in _COLUMNS)
            table.validate()
        except PermissionError as error:
            raise ModelError(
                f"cannot read {path}: {error.strerror}.", hint="Check the path and its permissions."
            ) from error
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ModelError(
                f"{path} is damaged: {error}.",
                hint="Train the model again, or restore it from a copy.",
            ) from error
        if len(table) == 0:
            return cls([], [])
        # to_numpy() would import pandas if it is installed, which takes longer than a query.
        return cls(
            words.chunk(0),
            np.from_dlpack(counts.chunk(0)).astype(np.int64, copy=False),
            np.from_dlpack(order.chunk(0)).astype(np.int32, copy=False),
        )


def _arrow_ids(ids: Iterable[int]) -> pa.Int64Array:
    return numbers(np.fromiter(ids, dtype=np.int64))
