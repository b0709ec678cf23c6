"""Blocks of a corpus as token ids: tokenized and dictionary-encoded, by Arrow and NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import tokens_of
from embedkit.corpus.reader import TextBlock, valid_utf8
from embedkit.corpus.tokenizers import SEPARATORS

__all__ = ["EncodedBlock", "encode_sentences", "encode_text", "unify"]

_SEPARATORS = SEPARATORS.encode()


@dataclass(frozen=True)
class EncodedBlock:
    """The tokens of a block as indices into the block's own dictionary."""

    indices: NDArray[np.int32]
    dictionary: pa.StringArray
    sentence_ends: NDArray[np.int64]  # number of tokens before each end of a sentence


def encode_text(block: TextBlock, tokenizer: Callable[[bytes], bytes], errors: str) -> EncodedBlock:
    """Tokenize and dictionary-encode a block of text, mostly without the interpreter lock.

    Raises:
        EncodingError: the block is not UTF-8 and *errors* is "strict".
    """
    data = tokenizer(valid_utf8(block, errors))
    text = np.frombuffer(data, dtype=np.uint8)
    separator = np.ones(len(text) + 2, dtype=np.bool_)
    np.less_equal(text, 32, out=separator[1:-1])
    edges = np.flatnonzero(separator[1:] != separator[:-1])
    starts, stops = edges[::2], edges[1::2]
    # Arrow strings are contiguous, so the separators between them are removed.
    offsets = np.zeros(len(starts) + 1, dtype=np.int32)
    np.cumsum(stops - starts, out=offsets[1:])
    contiguous = data.translate(None, _SEPARATORS)
    tokens = pa.StringArray.from_buffers(
        len(starts), pa.py_buffer(offsets), pa.py_buffer(contiguous)
    )
    ends = np.searchsorted(starts, np.flatnonzero(text == ord("\n")))
    if block.ends_file:
        ends = np.append(ends, len(starts))
    return _dictionary_encode(tokens, ends)


def encode_sentences(sentences: list[Sequence[str]]) -> EncodedBlock:
    """Dictionary-encode sentences given as lists of tokens."""
    tokens = tokens_of(sentences)
    return _dictionary_encode(tokens, np.cumsum([len(sentence) for sentence in sentences]))


def _dictionary_encode(tokens: pa.StringArray, ends: NDArray[np.int64]) -> EncodedBlock:
    encoded = tokens.dictionary_encode()
    return EncodedBlock(np.asarray(encoded.indices), encoded.dictionary, ends)


def unify(
    dictionaries: Sequence[pa.StringArray],
) -> tuple[pa.StringArray, list[NDArray[np.int32]]]:
    """Merge dictionaries; return all words, and the index among them of each dictionary's words.

    Words keep the order of their first occurrence. Arrow does this without the interpreter lock; a
    Python dict would block the tokenizer threads and take several times the memory.
    """
    unified = pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(np.arange(len(words), dtype=np.int32), words)
            for words in dictionaries
        ]
    ).unify_dictionaries()
    return unified.chunk(0).dictionary, [np.asarray(chunk.indices) for chunk in unified.chunks]
