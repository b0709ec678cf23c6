"""Joining the phrases of a corpus: a corpus in, a corpus out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import joined
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.counting.blocks import TokenBlock, encode_ids
from embedkit.corpus.phrases import kernels
from embedkit.corpus.phrases.count import connector_mask
from embedkit.corpus.phrases.settings import PhraseSettings
from embedkit.corpus.phrases.storage import Phrase
from embedkit.corpus.token_ids import TokenIdWriter
from embedkit.system.ranks import Ranks

__all__ = ["join_phrases"]

_BLOCK = 1 << 18  # tokens


def join_phrases(
    corpus: Corpus,
    phrases: Sequence[Phrase],
    settings: PhraseSettings,
    ranks: Ranks,
    directory: str | os.PathLike[str],
    progress: Callable[[int], None],
) -> Corpus:
    """Return the corpus with its phrases joined, as if it had been read from such a text."""
    known = _PhraseTable(corpus, phrases, settings.delimiter)
    with closing(TokenIdWriter(directory)) as writer:
        for block in _blocks(corpus, known, connector_mask(corpus, settings), progress):
            writer.add(block)
        files = writer.finish(ranks)
    return Corpus(
        files.vocabulary, files.tokens, files.boundaries, corpus.tokenizer, files.fingerprint,
        left_out=corpus.left_out,
    )  # fmt: skip


class _PhraseTable:
    """Phrases as token ids of a corpus.

    Attributes:
        words: the words of the corpus, then the joined phrases that are not among them.
        opens: for each word of the corpus, whether a phrase begins with it.
        keys, numbers: a hash table from the key of a phrase's ids to its number plus 1.
        parts, offsets: phrase n consists of the ids parts[offsets[n]:offsets[n + 1]].
        joined: the id of each joined phrase, an index into *words*.
    """

    def __init__(self, corpus: Corpus, phrases: Sequence[Phrase], delimiter: str) -> None:
        vocabulary = corpus.vocabulary
        parts = vocabulary.ids([word for phrase in phrases for word in phrase.words])
        lengths = np.array([len(phrase.words) for phrase in phrases], dtype=np.int64)
        known = np.ones(len(phrases), dtype=np.bool_)
        known[np.repeat(np.arange(len(phrases)), lengths)[parts < 0]] = False
        self.parts = parts[np.repeat(known, lengths)].astype(np.int32)
        self.offsets = np.cumsum([0, *lengths[known]])
        spelled = [
            delimiter.join(phrase.words)
            for phrase, is_known in zip(phrases, known, strict=True)
            if is_known
        ]
        self.joined = vocabulary.ids(spelled)
        new = {word: None for word, place in zip(spelled, self.joined, strict=True) if place < 0}
        places = {word: len(vocabulary) + number for number, word in enumerate(new)}
        for number in np.flatnonzero(self.joined < 0):
            self.joined[number] = places[spelled[number]]
        self.words = joined(vocabulary.arrow, list(new))
        self.opens = np.zeros(len(vocabulary), dtype=np.bool_)
        self.opens[self.parts[self.offsets[:-1]]] = True
        self.keys, self.numbers = _table(self.parts, self.offsets)


def _table(
    parts: NDArray[np.int32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    identities = np.empty(len(offsets) - 1, dtype=np.uint64)
    kernels.identities(parts, offsets, identities)
    slots = 1 << max(2 * len(identities), 1).bit_length()
    keys, numbers = np.zeros(slots, dtype=np.uint64), np.zeros(slots, dtype=np.int64)
    kernels.fill(keys, numbers, identities)
    return keys, numbers


def _blocks(
    corpus: Corpus,
    known: _PhraseTable,
    connects: NDArray[np.bool_],
    progress: Callable[[int], None],
) -> Iterator[TokenBlock]:
    tokens, boundaries = np.asarray(corpus.tokens), np.asarray(corpus.boundaries)
    places = np.full(len(known.words), -1, dtype=np.int32)
    start, sentence, size = 0, 0, _BLOCK
    while start < len(tokens):
        stop = min(start + size, len(tokens))
        out, order = np.empty((2, stop - start), dtype=np.int32)
        ends = np.empty(stop - start, dtype=np.int64)
        reached, sentence, written, ended = kernels.join(
            tokens, boundaries, start, stop, sentence, connects, known.opens, known.keys,
            known.numbers, known.parts, known.offsets, known.joined, out, ends,
        )  # fmt: skip
        # If a word and the connectors after it fill a block, try again with a larger one.
        size = _BLOCK if reached > start else 2 * size
        seen = kernels.renumber(out[:written], places, order)
        yield encode_ids(out[:written], known.words.take(pa.array(order[:seen])), ends[:ended])
        progress(reached - start)
        start = reached
        corpus.release()
