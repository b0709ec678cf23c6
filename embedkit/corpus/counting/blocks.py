"""Blocks of tokens as indices into their distinct words, with hashes of those.

`encoded_blocks` does the same with Arrow, for callers that must not load a compiler; it needs about
three times the time on text with many distinct words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import offsets_and_text, strings, tokens_of
from embedkit.corpus.counting import kernels
from embedkit.corpus.reader import TextBlock, valid_utf8

__all__ = ["TokenBlock", "Words", "encode_ids", "encode_sentences", "encode_text", "take_words"]

_FEWEST_SLOTS = 1 << 10


@dataclass(frozen=True)
class Words:
    """Distinct words: word n is text[starts[n]:starts[n] + lengths[n]], as UTF-8.

    Attributes:
        text: uint8, (bytes,).
        starts, lengths: int64, (words,).
        hashes: 128 bits for each word, uint64, (words, 2); see `kernels`.
        counts: how often each occurs, int64, (words,).
    """

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def of(
        cls,
        text: NDArray[np.uint8],
        lengths: NDArray[np.int64],
        hashes: NDArray[np.uint64],
        counts: NDArray[np.int64],
    ) -> Words:
        """Return words whose bytes follow one another."""
        text.flags.writeable = False  # as for text that is read: kernels are compiled only once
        return cls(text, np.cumsum(lengths) - lengths, lengths, hashes, counts)

    def take(self, numbers: NDArray[np.int64]) -> Words:
        """Return the words with these numbers, with a copy of their bytes."""
        starts, lengths = self.starts[numbers], self.lengths[numbers]
        text = np.empty(int(lengths.sum()), dtype=np.uint8)
        kernels.copy_words(self.text, starts, lengths, text)
        return Words.of(text, lengths, self.hashes[numbers], self.counts[numbers])

    @classmethod
    def joined(cls, parts: Sequence[Words]) -> Words:
        """Return the words of several, one after another; each is as from `Words.of`."""
        return cls.of(
            np.concatenate([words.text for words in parts]),
            *(np.concatenate([getattr(words, name) for words in parts]) for name in _ARRAYS),
        )


_ARRAYS = ("lengths", "hashes", "counts")


@dataclass(frozen=True)
class TokenBlock:
    """The tokens of a block as indices into the block's distinct words.

    Attributes:
        indices: int32, (tokens,); -1 for a token whose word is not known.
        words: the distinct words, in order of first occurrence.
        sentence_ends: number of tokens before each end of a sentence, int64.
        too_long: number of tokens that were left out because they are too long.
    """

    indices: NDArray[np.int32]
    words: Words
    sentence_ends: NDArray[np.int64]
    too_long: int = 0


def encode_text(
    block: TextBlock, tokenizer: Callable[[bytes], bytes], errors: str, longest: int
) -> TokenBlock:
    """Tokenize and encode a block of text, mostly without the interpreter lock.

    Args:
        longest: tokens of more characters are left out.

    Raises:
        EncodingError: the block is not UTF-8 and *errors* is "strict".
    """
    text = np.frombuffer(tokenizer(valid_utf8(block, errors)), dtype=np.uint8)
    most = len(text) // 2 + 1
    starts, lengths, hashes = _arrays(most)
    ends = np.empty(len(text) + 1, dtype=np.int64)
    tokens, lines, too_long = kernels.scan_text(text, longest, starts, lengths, hashes, ends)
    if block.ends_file:
        ends[lines] = tokens
        lines += 1
    too_long += block.too_long
    return _encoded(text, (starts, lengths, hashes), tokens, ends[:lines].copy(), too_long)


def encode_sentences(sentences: list[Sequence[str]], longest: int) -> TokenBlock:
    """Encode sentences given as lists of tokens; for *longest*, see `encode_text`."""
    tokens = tokens_of(sentences)
    given = np.cumsum([len(sentence) for sentence in sentences], dtype=np.int64)
    offsets, text = offsets_and_text(tokens)
    arrays = _arrays(len(tokens))
    ends = np.empty_like(given)
    found, too_long = kernels.scan_tokens(text, offsets, given, longest, *arrays, ends)
    return _encoded(text, arrays, found, ends, too_long)


def encode_ids(
    indices: NDArray[np.int32], words: pa.StringArray, sentence_ends: NDArray[np.int64]
) -> TokenBlock:
    """Return a block of tokens that are already indices into distinct words."""
    offsets, text = offsets_and_text(words)
    starts, lengths, hashes = _arrays(len(words))
    none, longest = np.empty(0, dtype=np.int64), np.iinfo(np.int64).max
    kernels.scan_tokens(text, offsets, none, longest, starts, lengths, hashes, none)
    counts = np.bincount(indices[indices >= 0], minlength=len(words))
    return TokenBlock(indices, Words(text, starts, lengths, hashes, counts), sentence_ends)


def take_words(
    offsets: NDArray[np.int64], text: NDArray[np.uint8], numbers: NDArray[np.intp]
) -> pa.StringArray:
    """Return some of the words text[offsets[n]:offsets[n + 1]]."""
    text.flags.writeable = False
    starts = offsets[numbers]
    lengths = offsets[numbers + 1] - starts
    taken = np.empty(int(lengths.sum()), dtype=np.uint8)
    kernels.copy_words(text, starts, lengths, taken)
    return strings(np.append(0, np.cumsum(lengths)), taken)


_Arrays = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]


def _arrays(size: int) -> _Arrays:
    """Return empty arrays for the starts, lengths and hashes of *size* words."""
    starts, lengths = np.empty((2, size), dtype=np.int64)
    return starts, lengths, np.empty((size, 2), dtype=np.uint64)


def _encoded(
    text: NDArray[np.uint8],
    arrays: _Arrays,
    tokens: int,
    ends: NDArray[np.int64],
    too_long: int,
) -> TokenBlock:
    """Return the block of the first *tokens* tokens."""
    slots = np.zeros(max(_FEWEST_SLOTS, 1 << (2 * tokens).bit_length()), dtype=np.int32)
    indices, counts = np.empty(tokens, dtype=np.int32), np.empty(tokens, dtype=np.int64)
    size = kernels.distinct(tokens, slots, *arrays, indices, counts)
    starts, lengths, hashes = arrays
    words = Words(
        text, starts[:size].copy(), lengths[:size].copy(), hashes[:size].copy(),
        counts[:size].copy(),
    )  # fmt: skip
    return TokenBlock(indices, words, ends, too_long)
