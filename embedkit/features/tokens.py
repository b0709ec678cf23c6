"""Split texts into tokens and number the distinct ones, block by block, with Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.corpus.encoded_blocks import EncodedBlock, encode_text, unify
from embedkit.corpus.reader import TextBlock
from embedkit.errors import InputError

__all__ = ["TokenizedTexts", "one_word_each", "tokenize_texts"]

_BLOCK_CHARACTERS = 1 << 21


@dataclass(frozen=True)
class TokenizedTexts:
    """The tokens of n texts.

    Attributes:
        words: the distinct tokens, in order of first appearance.
        indices: the index of each token in `words`, int32 (tokens,).
        bounds: where each text begins, followed by the number of tokens; int64 (n + 1,).
    """

    words: pa.StringArray
    indices: NDArray[np.int32]
    bounds: NDArray[np.int64]

    def count(self, selected: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many tokens of each text, (n,), are *selected* words, (words,)."""
        before = np.zeros(len(self.indices) + 1, dtype=np.int64)
        np.cumsum(selected[self.indices], out=before[1:])
        return np.diff(before[self.bounds])

    def text_of(self, token: int) -> int:
        """Return the number of the text that contains the token with this number."""
        return int(np.searchsorted(self.bounds, token, side="right")) - 1


def tokenize_texts(texts: Sequence[str], tokenizer: Callable[[bytes], bytes]) -> TokenizedTexts:
    """Tokenize texts.

    Raises:
        InputError: a text cannot be encoded as UTF-8. The message names the row.
    """
    blocks = [_encode(texts, start, stop, tokenizer) for start, stop in _spans(texts)]
    words, new_ids = unify(
        [pa.array([], type=pa.string()), *(block.dictionary for block in blocks)]
    )
    ends = [np.zeros(1, dtype=np.int64)]
    for block in blocks:
        ends.append(block.sentence_ends + ends[-1][-1])
    indices = [ids[block.indices] for ids, block in zip(new_ids[1:], blocks, strict=True)]
    return TokenizedTexts(
        words, np.concatenate([np.zeros(0, dtype=np.int32), *indices]), np.concatenate(ends)
    )


def one_word_each(words: Sequence[str]) -> TokenizedTexts:
    """Treat each string as one token, unchanged.

    Raises:
        InputError: a word cannot be encoded as UTF-8. The message names the row.
    """
    try:
        encoded = pa.array(words, type=pa.string()).dictionary_encode()
    except UnicodeEncodeError:
        raise _not_utf8(words, 0) from None
    return TokenizedTexts(
        encoded.dictionary, np.asarray(encoded.indices), np.arange(len(words) + 1)
    )


def _spans(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cut texts into blocks of about two million characters."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    block = np.cumsum(lengths) // _BLOCK_CHARACTERS
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    yield from pairwise([*starts, len(texts)])


def _encode(
    texts: Sequence[str], start: int, stop: int, tokenizer: Callable[[bytes], bytes]
) -> EncodedBlock:
    lines = texts[start:stop]
    joined = "\n".join(lines)
    if joined.count("\n") != len(lines) - 1:  # a line break inside a text does not end the text
        joined = "\n".join([text.replace("\n", " ") for text in lines])
    try:
        data = joined.encode()
    except UnicodeEncodeError:
        raise _not_utf8(lines, start) from None
    return encode_text(TextBlock(data, "", 1, 0, ends_file=True), tokenizer, "strict")


def _not_utf8(strings: Sequence[str], start: int) -> InputError:
    for row, string in enumerate(strings, start):
        try:
            string.encode()
        except UnicodeEncodeError as error:
            return InputError(
                f"row {row} (counted from 0) is {string!r:.60}, which cannot be encoded as UTF-8"
                f": {error.reason}.",
                hint="Read the file with the encoding it was written in.",
            )
    raise AssertionError("every string can be encoded as UTF-8")
