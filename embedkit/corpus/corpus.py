"""Text in, token ids on disk out.

    corpus = Corpus.read("wiki.txt.zst")
    corpus.vocabulary, corpus.tokens, corpus.boundaries

Blocks of text are tokenised and dictionary-encoded by Arrow on several threads; the ids go to
unnamed temporary files that are memory-mapped, so a corpus may be larger than memory and nothing
is left behind however the process ends.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.reader import (
    ERROR_POLICIES,
    EncodedBlock,
    Source,
    TextBlock,
    encode_sentences,
    encode_text,
    names_files,
    read_blocks,
)
from embedkit.corpus.token_ids import IdWriter
from embedkit.corpus.tokenizers import tokenizer as find_tokenizer
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.system.files import storage_errors
from embedkit.system.memory import processors, release_heap, release_pages
from embedkit.system.ranks import Ranks, SingleProcess
from embedkit.system.threads import map_in_order
from embedkit.validation import whole_number

__all__ = ["Corpus"]

_CHUNK = 1 << 20  # tokens


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
        phrases: how words were joined to phrases (see `embedkit.corpus.phrases`), or None.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        tokens: NDArray[np.int32],
        boundaries: NDArray[np.int64],
        tokenizer: str | None,
        fingerprint: str,
        phrases: Mapping[str, Any] | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.tokens = tokens
        self.boundaries = boundaries
        self.tokenizer = tokenizer
        self.fingerprint = fingerprint
        self.phrases = phrases

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
        ranks: Ranks | None = None,
    ) -> Corpus:
        """Read a text.

        Args:
            source: a file (plain, gzip, bzip2, xz or zstandard), a folder, "-" for standard input,
                a list of these, or an iterable of token lists; a generator is read once.
            tokenizer: "words" or "whitespace" (see `corpus.tokenizers`); not used for token lists.
            errors: what to do with bytes that are not UTF-8: "strict", "replace" or "ignore".
            workers: threads that tokenise; default: one for each processor it may use.
            directory: where the ids go, 4 bytes a token; default: the system's temporary folder.
            progress: is called with the number of bytes read since the last call.
            ranks: processes that read the text together, each a share of its blocks; the vocabulary
                is that of all of them. A line longer than half a megabyte may be shared, too.

        Raises:
            CorpusError: the text is missing, empty or damaged.
            EncodingError: it is not UTF-8.
            StorageError: the disk is too small for the ids.
        """
        ranks = ranks or SingleProcess()
        if ranks.size > 1 and "-" in (source if isinstance(source, list | tuple) else [source]):
            raise ConfigurationError("ranks cannot share standard input.", hint="Name a file.")
        if errors not in ERROR_POLICIES:
            raise ConfigurationError(f"errors={errors!r}; one of {', '.join(ERROR_POLICIES)}")
        tokenise = find_tokenizer(tokenizer)

        def encode(block: TextBlock | list[Any]) -> EncodedBlock:
            if isinstance(block, TextBlock):
                # The next block of a line that goes on is another rank's.
                whole = block if ranks.size == 1 else replace(block, ends_file=True)
                return encode_text(whole, tokenise, errors)
            return encode_sentences(block)

        threads = processors() if workers is None else whole_number("workers", workers, 1, 1_024)
        place = directory or tempfile.gettempdir()
        storing = partial(storage_errors, place, "nothing was trained")
        with storing():
            writer = IdWriter(place)
        blocks = _share(read_blocks(source, progress), ranks)
        with closing(writer):
            for encoded in map_in_order(encode, blocks, threads):
                with storing():
                    writer.add(encoded)
            with storing():
                files = writer.finish(ranks)
        name = tokenizer if names_files(source) else None
        corpus = cls(files.vocabulary, files.tokens, files.boundaries, name, files.fingerprint)
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
        self.release()
        return Corpus(
            vocabulary, tokens, self.boundaries, self.tokenizer, self.fingerprint, self.phrases
        )

    def release(self) -> None:
        """Give back the pages of the memory maps; what is read again comes from the page cache."""
        release_pages(self.tokens)
        release_pages(self.boundaries)

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.boundaries) - 1

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the sentences as lists of tokens."""
        for start, stop in zip(self.boundaries[:-1], self.boundaries[1:], strict=True):
            yield self.vocabulary.words(self.tokens[start:stop])

    def lines(self) -> Iterator[pa.Buffer]:
        """Yield the text as bytes, block by block: a sentence a line, spaces between its tokens."""
        spaces = pa.array([" ", "\n"])
        for start in range(0, len(self.tokens), _CHUNK):
            tokens = self.tokens[start : start + _CHUNK]
            first, last = np.searchsorted(self.boundaries, [start + 1, start + len(tokens) + 1])
            ends = np.zeros(len(tokens), dtype=np.int32)
            ends[self.boundaries[first:last] - start - 1] = 1
            words = self.vocabulary.arrow.take(pa.array(tokens))
            yield pc.binary_join_element_wise(words, spaces.take(pa.array(ends)), "").buffers()[2]
            self.release()

    def __repr__(self) -> str:
        return (
            f"Corpus({len(self.tokens):,} tokens, {len(self):,} sentences, "
            f"{len(self.vocabulary):,} distinct)"
        )


def _share(
    blocks: Iterable[TextBlock | list[Any]], ranks: Ranks
) -> Iterator[TextBlock | list[Any]]:
    """Yield this rank's share: each block is that of the rank which has least so far."""
    dealt = [0] * ranks.size
    for block in blocks:
        rank = dealt.index(min(dealt))
        dealt[rank] += len(block.data) if isinstance(block, TextBlock) else sum(map(len, block))
        if rank == ranks.rank:
            yield block
