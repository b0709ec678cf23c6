"""Text in, token ids on disk out.

    corpus = Corpus.read("wiki.txt.zst")
    corpus.vocabulary, corpus.tokens, corpus.boundaries

Blocks of text are tokenised and dictionary-encoded by Arrow on several threads; the ids go to
unnamed temporary files that are memory-mapped, so a corpus may be larger than memory and nothing
is left behind however the process ends.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, CorpusError
from embedkit.files import storage_errors
from embedkit.memory import release_heap, release_pages
from embedkit.reading import (
    ERROR_POLICIES,
    EncodedBlock,
    Source,
    TextBlock,
    encode_sentences,
    encode_text,
    names_files,
    read_blocks,
)
from embedkit.text import tokenizer as find_tokenizer
from embedkit.vocabulary import Vocabulary

__all__ = ["Corpus"]

_CHUNK = 1 << 20
_BLOCKS_PER_MERGE = 16


def _ignore_progress(_: int) -> None:
    pass


class Corpus:
    """A text as token ids, read once and trained on many times.

    Attributes:
        vocabulary: every distinct token, most frequent first. Encoders take the head of it.
        tokens: id of each token, int32, shape (number of tokens,), memory-mapped, read-only.
        boundaries: sentence s is tokens[boundaries[s]:boundaries[s + 1]]; int64, shape
            (sentences + 1,), memory-mapped, read-only. No sentence is empty and none is cut.
        tokenizer: name of the tokeniser, or None if the tokens were given.
        fingerprint: hexadecimal BLAKE2b of words, ids and boundaries.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        tokens: NDArray[np.int32],
        boundaries: NDArray[np.int64],
        tokenizer: str | None,
        fingerprint: str,
    ) -> None:
        self.vocabulary = vocabulary
        self.tokens = tokens
        self.boundaries = boundaries
        self.tokenizer = tokenizer
        self.fingerprint = fingerprint

    @classmethod
    def read(
        cls,
        source: Source,
        *,
        tokenizer: str = "words",
        errors: str = "strict",
        workers: int | None = None,
        directory: str | os.PathLike[str] | None = None,
        progress: Callable[[int], None] = _ignore_progress,
    ) -> Corpus:
        """Read a text.

        Args:
            source: a file (plain, gzip, bzip2, xz or zstandard), a folder, "-" for standard input,
                a list of these, or an iterable of token lists; a generator is read once.
            tokenizer: "words" or "whitespace" (see `embedkit.text`); not used for token lists.
            errors: what to do with bytes that are not UTF-8: "strict", "replace" or "ignore".
            workers: threads that tokenise; default: one a processor.
            directory: where the ids go, 4 bytes a token; default: the system's temporary folder.
            progress: is called with the number of bytes read since the last call.

        Raises:
            CorpusError: the text is missing, empty or damaged.
            EncodingError: it is not UTF-8.
            StorageError: the disk is too small for the ids.
        """
        if errors not in ERROR_POLICIES:
            raise ConfigurationError(f"errors={errors!r}; one of {', '.join(ERROR_POLICIES)}")
        tokenise = find_tokenizer(tokenizer)

        def encode(block: TextBlock | list[Any]) -> EncodedBlock:
            if isinstance(block, TextBlock):
                return encode_text(block, tokenise, errors)
            return encode_sentences(block)

        threads = workers or os.cpu_count() or 1
        if threads < 1:
            raise ConfigurationError(f"workers is a whole number from 1, not {workers!r}")
        place = directory or tempfile.gettempdir()
        storing = partial(storage_errors, place, "nothing was trained")
        with storing():
            writer = _Writer(place)
        with closing(writer):
            for encoded in _map_in_order(encode, read_blocks(source, progress), threads):
                with storing():
                    writer.add(encoded)
            if not writer.size:
                raise CorpusError("the corpus is empty: it holds no token.")
            with storing():
                corpus = writer.finish(tokenizer if names_files(source) else None)
        release_heap()
        return corpus

    def numbered_by(
        self, vocabulary: Vocabulary, *, directory: str | os.PathLike[str] | None = None
    ) -> Corpus:
        """Return the same text with the ids of another vocabulary, which trainers need.

        A word that is not in it has the id len(vocabulary), so this corpus cannot be iterated.

        Raises:
            StorageError: the disk is too small for the ids.
        """
        ids = vocabulary.ids(self.vocabulary.words())
        ids = np.where(ids < 0, len(vocabulary), ids).astype(np.int32)
        place = directory or tempfile.gettempdir()
        with (
            storage_errors(place, "nothing was trained"),
            tempfile.TemporaryFile(dir=place) as file,
        ):
            for start in range(0, len(self.tokens), _CHUNK):
                file.write(ids[self.tokens[start : start + _CHUNK]].data)
            file.flush()
            tokens = np.memmap(file, dtype=np.int32, mode="r")
        release_pages(self.tokens)
        return Corpus(vocabulary, tokens, self.boundaries, self.tokenizer, self.fingerprint)

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.boundaries) - 1

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the sentences as lists of tokens."""
        for start, stop in zip(self.boundaries[:-1], self.boundaries[1:], strict=True):
            yield self.vocabulary.words(self.tokens[start:stop])

    def __repr__(self) -> str:
        return (
            f"Corpus({len(self.tokens):,} tokens, {len(self):,} sentences, "
            f"{len(self.vocabulary):,} distinct)"
        )


class _Writer:
    """Gathers encoded blocks: one dictionary, one file of ids, one of sentence boundaries."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        # Both live as long as the arrays that are mapped to them.
        self._ids: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._ends: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._ends.write(np.zeros(1, dtype=np.int64).data)
        self._last_end = 0
        self._dictionary = pa.array([], type=pa.string())
        self._counts = np.zeros(0, dtype=np.int64)
        self._pending: list[EncodedBlock] = []
        self.size = 0

    def add(self, block: EncodedBlock) -> None:
        ends = block.sentence_ends + self.size
        # Empty lines end no sentence.
        ends = ends[np.diff(ends, prepend=self._last_end) > 0]
        if len(ends):
            self._ends.write(ends.astype(np.int64).data)
            self._last_end = int(ends[-1])
        self.size += len(block.indices)
        self._pending.append(block)
        if len(self._pending) == _BLOCKS_PER_MERGE:
            self._merge()

    def _merge(self) -> None:
        """Bring the pending blocks' indices to one dictionary and write them.

        Arrow does this outside the interpreter's lock; a Python dict of all words would hold up
        the threads that tokenise and take several times the memory.
        """
        dictionaries = [self._dictionary, *(block.dictionary for block in self._pending)]
        unified = pa.chunked_array(
            [
                pa.DictionaryArray.from_arrays(np.arange(len(words), dtype=np.int32), words)
                for words in dictionaries
            ]
        ).unify_dictionaries()
        self._dictionary = unified.chunk(0).dictionary
        counts = np.zeros(len(self._dictionary), dtype=np.int64)
        counts[: len(self._counts)] = self._counts
        for chunk, block in zip(unified.chunks[1:], self._pending, strict=True):
            ids = np.asarray(chunk.indices)
            counts[ids] += np.bincount(block.indices, minlength=len(ids))
            self._ids.write(ids[block.indices].data)
        self._counts = counts
        self._pending.clear()

    def finish(self, tokenizer: str | None) -> Corpus:
        self._merge()
        by_frequency = np.argsort(-self._counts, kind="stable")
        words = self._dictionary.take(pa.array(by_frequency))
        rank = np.empty(len(words), dtype=np.int32)
        rank[by_frequency] = np.arange(len(words), dtype=np.int32)
        digest = hashlib.blake2b(digest_size=16)
        for buffer in words.buffers()[1:]:
            digest.update(buffer)
        self._renumber(rank, digest)
        self._ends.flush()
        boundaries = np.memmap(self._ends, dtype=np.int64, mode="r")
        digest.update(boundaries.data)
        release_pages(boundaries)
        tokens = np.memmap(self._ids, dtype=np.int32, mode="r")
        vocabulary = Vocabulary(words, self._counts[by_frequency])
        return Corpus(vocabulary, tokens, boundaries, tokenizer, digest.hexdigest())

    def close(self) -> None:
        """Close the files; memory maps of them live on."""
        for file in (self._ids, self._ends):
            with suppress(OSError):  # of a full disk; it was told when the file was written
                file.close()

    def _renumber(self, rank: NDArray[np.int32], digest: Any) -> None:
        """Replace ids in order of first sight by ids in order of frequency, in place."""
        for start in range(0, self.size, _CHUNK):
            self._ids.seek(start * 4)
            ids = rank[np.frombuffer(self._ids.read(_CHUNK * 4), dtype=np.int32)]
            digest.update(ids.data)
            self._ids.seek(start * 4)
            self._ids.write(ids.data)
        self._ids.flush()


def _map_in_order(
    encode: Callable[[Any], EncodedBlock], blocks: Iterator[Any], workers: int
) -> Iterator[EncodedBlock]:
    """Like map, on *workers* threads, with few blocks in memory at a time."""
    pending: deque[Future[EncodedBlock]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for block in blocks:
                pending.append(pool.submit(encode, block))
                if len(pending) > workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
