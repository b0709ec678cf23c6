"""The corpus: a text as token ids on disk.

    corpus = Corpus.read("wiki.txt.zst")
    corpus.vocabulary, corpus.tokens, corpus.boundaries

Blocks of text are tokenized and encoded on several threads. The ids go to unnamed temporary files
that are memory-mapped, so a corpus may be larger than memory and nothing is left on disk when the
process ends, however it ends. The vocabulary is in memory, unless `CountingLimits` bounds it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.counting.limits import CountingLimits, LeftOut
from embedkit.corpus.reader import (
    TextBlock,
    TextSource,
    is_path,
    no_progress,
    read_blocks,
)
from embedkit.corpus.tokenizers import tokenizer as find_tokenizer
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, counted
from embedkit.system.full_disk import temporary_storage_errors
from embedkit.system.memory import processors, release_heap, release_pages
from embedkit.system.ranks import Ranks, SingleProcess
from embedkit.system.threads import map_in_order
from embedkit.validation import ERROR_POLICIES, check_choice, whole_number

if TYPE_CHECKING:
    from embedkit.corpus.counting.blocks import TokenBlock

__all__ = ["Corpus"]

_CHUNK_TOKENS = 1 << 20


class Corpus:
    """A text as token ids, read once and trained on as often as needed.

    Attributes:
        vocabulary: all distinct tokens, most frequent first. Encoders use the first part of it.
        tokens: the id of each token, int32, (tokens,), memory-mapped and read-only. Tokens whose
            word was left out of the vocabulary have the id len(vocabulary).
        boundaries: sentence s is tokens[boundaries[s]:boundaries[s + 1]]; int64, (sentences + 1,),
            memory-mapped and read-only. No sentence is empty, and none is split.
        tokenizer: the name of the tokenizer, or None if the corpus was made from token lists.
        fingerprint: BLAKE2b hash of words, ids and boundaries, in hexadecimal.
        phrases: the settings with which phrases were joined (see `embedkit.corpus.phrases`), or
            None.
        left_out: what is not in the vocabulary because of `CountingLimits`.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        tokens: NDArray[np.int32],
        boundaries: NDArray[np.int64],
        tokenizer: str | None,
        fingerprint: str,
        phrases: Mapping[str, object] | None = None,
        left_out: LeftOut | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.tokens = tokens
        self.boundaries = boundaries
        self.tokenizer = tokenizer
        self.fingerprint = fingerprint
        self.phrases = phrases
        self.left_out = left_out or LeftOut()

    # Like pandas.read_csv, it has many parameters: each is passed by name and has a default.
    @classmethod
    def read(
        cls,
        source: TextSource,
        *,
        tokenizer: str = "words",
        encoding: str = "utf-8",
        errors: str = "strict",
        workers: int | None = None,
        directory: str | os.PathLike[str] | None = None,
        progress: Callable[[int], None] = no_progress,
        ranks: Ranks | None = None,
        limits: CountingLimits | None = None,
    ) -> Corpus:
        """Read a text.

        Args:
            source: a file (plain, gzip, bzip2, xz or zstandard), a folder, "-" for standard input,
                a list of these, or an iterable of token lists; a generator is read once.
            tokenizer: a name in `corpus.tokenizers.TOKENIZERS`; not used for token lists.
            encoding: the encoding of the files, such as "latin-1" or "utf-16".
            errors: what to do about bytes that are not valid in the encoding: "strict" raises
                EncodingError, "replace" replaces them with U+FFFD, "skip" drops them.
            workers: number of tokenizer threads; default: one per available processor.
            directory: where to store the ids, 4 bytes per token; default: a temporary folder.
            progress: called with the number of bytes read since the last call.
            ranks: processes that each read a share of the blocks. The vocabulary is that of the
                whole text. A line longer than half a megabyte may be split among them.
            limits: how long words may be, how many to keep, and how much memory to count them in;
                default: `CountingLimits()`.

        Raises:
            CorpusError: the text is missing, empty or damaged.
            EncodingError: a byte is not valid in the encoding and *errors* is "strict".
            StorageError: the disk is full, or the path is not writable.
        """
        ranks = ranks or SingleProcess()
        _refuse_shared_input(source, ranks)
        limits = limits or CountingLimits()
        encode = _block_encoder(
            tokenizer, errors, limits.max_word_length, split_lines=ranks.size > 1
        )
        threads = processors() if workers is None else whole_number("workers", workers, 1, 1_024)
        from embedkit.corpus.token_ids import TokenIdWriter  # imports numba

        folder = directory or tempfile.gettempdir()
        with temporary_storage_errors(folder):
            writer = TokenIdWriter(folder, limits)
        blocks = _share(read_blocks(source, progress, encoding, errors, tokenizer), ranks)
        with closing(writer):
            for encoded in map_in_order(encode, blocks, threads):
                with temporary_storage_errors(folder):
                    writer.add(encoded)
            with temporary_storage_errors(folder):
                files = writer.finish(ranks)
        name = tokenizer if is_path(source) else None
        release_heap()
        return cls(
            files.vocabulary, files.tokens, files.boundaries, name, files.fingerprint,
            left_out=files.left_out,
        )  # fmt: skip

    def numbered_by(
        self, vocabulary: Vocabulary, *, directory: str | os.PathLike[str] | None = None
    ) -> Corpus:
        """Return the same text with the ids of another vocabulary, for training.

        Words outside that vocabulary get the id len(vocabulary), so the result cannot be iterated.

        Raises:
            StorageError: the disk is full, or the path is not writable.
        """
        ids = vocabulary.ids(self.vocabulary.arrow)
        ids = np.append(np.where(ids < 0, len(vocabulary), ids), len(vocabulary)).astype(np.int32)
        folder = directory or tempfile.gettempdir()
        with (
            temporary_storage_errors(folder),
            tempfile.TemporaryFile(dir=folder) as file,
        ):
            for start in range(0, len(self.tokens), _CHUNK_TOKENS):
                file.write(ids[self.tokens[start : start + _CHUNK_TOKENS]].data)
            file.flush()
            tokens = np.memmap(file, dtype=np.int32, mode="r")
        self.release()
        return Corpus(
            vocabulary, tokens, self.boundaries, self.tokenizer, self.fingerprint, self.phrases,
            self.left_out,
        )  # fmt: skip

    def release(self) -> None:
        """Release the pages of the memory maps; they stay in the page cache."""
        release_pages(self.tokens)
        release_pages(self.boundaries)

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.boundaries) - 1

    def __iter__(self) -> Iterator[list[str]]:
        """Yield each sentence as a list of tokens, without those that were left out."""
        for start, stop in zip(self.boundaries[:-1], self.boundaries[1:], strict=True):
            tokens = self.tokens[start:stop]
            yield self.vocabulary.words(tokens[tokens < len(self.vocabulary)])

    def lines(self) -> Iterator[pa.Buffer]:
        """Yield the text as bytes, in blocks: one sentence per line, tokens joined by spaces.

        Tokens that were left out are missing, so a line may be empty.
        """
        separators = pa.array([" ", "\n", ""])
        for start in range(0, len(self.tokens), _CHUNK_TOKENS):
            tokens = self.tokens[start : start + _CHUNK_TOKENS]
            first, last = np.searchsorted(self.boundaries, [start + 1, start + len(tokens) + 1])
            left_out = tokens == len(self.vocabulary)
            after = np.where(left_out, np.int32(2), np.int32(0))
            after[self.boundaries[first:last] - start - 1] = 1
            words = self.vocabulary.arrow.take(pa.array(tokens, mask=left_out)).fill_null("")
            lines = pc.binary_join_element_wise(words, separators.take(pa.array(after)), "")
            yield lines.buffers()[2]
            self.release()

    def __repr__(self) -> str:
        return (
            f"Corpus({counted(len(self.tokens), 'token')}, {counted(len(self), 'sentence')}, "
            f"{len(self.vocabulary):,} distinct)"
        )


def _refuse_shared_input(source: TextSource, ranks: Ranks) -> None:
    if ranks.size > 1 and "-" in (source if isinstance(source, list | tuple) else [source]):
        raise ConfigurationError(
            "ranks cannot share standard input.", hint="Pass the name of a file."
        )


def _block_encoder(
    tokenizer: str, errors: str, longest: int, *, split_lines: bool
) -> Callable[[TextBlock | list[Sequence[str]]], TokenBlock]:
    """Return the function that encodes a block; with *split_lines*, each block ends a sentence.

    Raises:
        ConfigurationError: the tokenizer or the error policy is unknown.
    """
    check_choice("error policy", errors, ERROR_POLICIES)
    tokenize = find_tokenizer(tokenizer)
    from embedkit.corpus.counting.blocks import encode_sentences, encode_text  # imports numba

    def encode(block: TextBlock | list[Sequence[str]]) -> TokenBlock:
        if isinstance(block, TextBlock):
            # The rest of an unfinished line may be in the block of another rank.
            whole = replace(block, ends_file=True) if split_lines else block
            return encode_text(whole, tokenize, errors, longest)
        return encode_sentences(block, longest)

    return encode


def _share(
    blocks: Iterable[TextBlock | list[Sequence[str]]], ranks: Ranks
) -> Iterator[TextBlock | list[Sequence[str]]]:
    """Yield the blocks of this rank: each block goes to the rank with the least text so far."""
    sizes = [0] * ranks.size
    for block in blocks:
        rank = sizes.index(min(sizes))
        sizes[rank] += len(block.data) if isinstance(block, TextBlock) else sum(map(len, block))
        if rank == ranks.rank:
            yield block
