"""One pass over a text that finds its phrases.

Each candidate of the text becomes an 8-byte key in a temporary file, partitioned by its leading
bits; the partitions are then counted one by one, each in its own hash table. Memory grows with the
number of candidates that are frequent enough to be phrases, not with the text.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.arrow_strings import offsets_and_text
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.phrases import kernels
from embedkit.corpus.phrases.settings import PhraseSettings
from embedkit.corpus.phrases.storage import Phrase
from embedkit.system.ranks import Ranks

__all__ = ["connector_mask", "find_phrases"]

_BLOCK = 1 << 20  # tokens
_PARTITION = 1 << 18  # approximate number of keys
_MAX_PARTITION_BITS = 12


class _Candidates(NamedTuple):
    keys: NDArray[np.uint64]
    firsts: NDArray[np.int64]  # positions in the text
    lasts: NDArray[np.int64]


class _Counts(NamedTuple):
    """Counts of words and candidates.

    Attributes:
        distinct: number of distinct spellings among words and candidates.
        words: the count of each word of the vocabulary plus those of candidates spelled like it.
        table: a hash table (keys and counts) of the candidates that are frequent enough.
    """

    distinct: int
    words: NDArray[np.int64]
    table: tuple[NDArray[np.uint64], NDArray[np.int64]]


class _Text:
    """A corpus with the keys of its words' spellings.

    Args:
        corpus: the text.
        settings: gives the connectors and the delimiter.
        progress: called with the number of tokens processed since the last call.
    """

    def __init__(
        self, corpus: Corpus, settings: PhraseSettings, progress: Callable[[int], None]
    ) -> None:
        self.corpus = corpus
        self.connects = connector_mask(corpus, settings)
        offsets, text = offsets_and_text(corpus.vocabulary.arrow)
        delimiter = np.frombuffer(settings.delimiter.encode(), dtype=np.uint8)
        self.heads, self.tails, self.shifts = np.empty((3, len(corpus.vocabulary)), dtype=np.uint64)
        kernels.spell(offsets, text, delimiter, self.heads, self.tails, self.shifts)
        self._progress = progress

    def candidates(self) -> Iterator[_Candidates]:
        """Yield the candidates block by block; each block overwrites the arrays of the last."""
        tokens, boundaries = np.asarray(self.corpus.tokens), np.asarray(self.corpus.boundaries)
        size = min(_BLOCK, len(tokens))
        keys = np.empty(size, dtype=np.uint64)
        firsts, lasts = np.empty((2, size), dtype=np.int64)
        state, prefix = np.array([0, -1]), np.zeros(1, dtype=np.uint64)
        for start in range(0, len(tokens), _BLOCK):
            stop = min(start + _BLOCK, len(tokens))
            found = kernels.candidates(
                tokens, boundaries, start, stop, self.connects, self.heads, self.tails,
                self.shifts, state, prefix, keys, firsts, lasts,
            )  # fmt: skip
            yield _Candidates(keys[:found], firsts[:found], lasts[:found])
            self.corpus.release()
            self._progress(stop - start)


def find_phrases(
    corpus: Corpus,
    settings: PhraseSettings,
    ranks: Ranks,
    directory: str | os.PathLike[str],
    progress: Callable[[int], None],
) -> list[Phrase]:
    """Return the phrases of the text of all ranks, highest score first."""
    text = _Text(corpus, settings, progress)
    total = int(ranks.total(np.array([len(corpus.tokens)]))[0])
    bits = min(max(total // _PARTITION, 1).bit_length(), _MAX_PARTITION_BITS)
    with tempfile.TemporaryFile(dir=directory) as file:
        places = _write_keys(text, bits, file)
        counts = _count(text, _parts(file, places), bits, settings, ranks)
    own = _accepted(text, counts, total, settings)
    if ranks.size > 1:
        gathered = [json.loads(data) for data in ranks.gather(json.dumps(own).encode())]
        own = [Phrase(tuple(words), *rest) for found in gathered for words, *rest in found]
    distinct = {phrase.words: phrase for phrase in own}.values()
    return sorted(distinct, key=lambda phrase: (-phrase.score, phrase.words))


def connector_mask(corpus: Corpus, settings: PhraseSettings) -> NDArray[np.bool_]:
    """Return a mask of the vocabulary's words that are connectors, (words,)."""
    ids = corpus.vocabulary.ids([*settings.connectors])
    connects = np.zeros(len(corpus.vocabulary), dtype=np.bool_)
    connects[ids[ids >= 0]] = True
    return connects


def _table(size: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the keys and counts of an empty hash table for up to *size* keys."""
    slots = 1 << max(2 * size, 1).bit_length()
    return np.zeros(slots, dtype=np.uint64), np.zeros(slots, dtype=np.int64)


def _write_keys(text: _Text, bits: int, file: IO[bytes]) -> NDArray[np.int64]:
    """Write the key of every candidate; return each block's partition offsets in the file."""
    places = []
    written = 0
    ordered = np.empty(_BLOCK, dtype=np.uint64)
    for block in text.candidates():
        offsets = np.empty((1 << bits) + 1, dtype=np.int64)
        kernels.partition(block.keys, bits, ordered, offsets)
        file.write(ordered[: len(block.keys)].data)
        places.append(offsets + written)
        written += len(block.keys)
    file.flush()
    return np.array(places)


def _parts(file: IO[bytes], places: NDArray[np.int64]) -> Iterator[NDArray[np.uint64]]:
    """Yield the keys of each partition."""
    for part in range(places.shape[1] - 1):
        pieces = [
            os.pread(file.fileno(), int(stop - start) * 8, int(start) * 8)
            for start, stop in places[:, part : part + 2]
        ]
        yield np.frombuffer(b"".join(pieces), dtype=np.uint64)


def _count(
    text: _Text,
    parts: Iterator[NDArray[np.uint64]],
    bits: int,
    settings: PhraseSettings,
    ranks: Ranks,
) -> _Counts:
    words = np.flatnonzero(~text.connects)
    word_parts = text.heads[words] >> np.uint64(kernels.KEY_BITS - bits)
    words = words[np.argsort(word_parts, kind="stable")]
    word_ends = np.cumsum(np.bincount(word_parts.astype(np.int64), minlength=1 << bits))
    word_counts = np.zeros(len(text.heads), dtype=np.int64)
    # With Mikolov's score, a candidate that occurs min_count times scores 0.
    floor = settings.min_count + (settings.scoring == "mikolov")
    distinct, frequent = 0, []
    for part, own in enumerate(parts):
        here = words[word_ends[part - 1] if part else 0 : word_ends[part]]
        keys, counts = own, np.ones(1, dtype=np.int64)
        if ranks.size > 1:
            keys, counts = _of_all_ranks(own, ranks)
        slots, slot_counts = _table(len(keys) + len(here))
        kernels.tally(slots, slot_counts, keys, counts)
        _add(slots, slot_counts, text.heads[here], text.corpus.vocabulary.counts[here])
        distinct += int(np.count_nonzero(slot_counts))
        found = np.empty(len(here), dtype=np.int64)
        kernels.look_up(slots, slot_counts, text.heads[here], found)
        word_counts[here] = found
        often = slot_counts >= floor
        frequent.append((slots[often], slot_counts[often]))
    keys, counts = (np.concatenate(arrays) for arrays in zip(*frequent, strict=True))
    slots, slot_counts = _table(len(keys))
    _add(slots, slot_counts, keys, counts)
    return _Counts(distinct, word_counts, (slots, slot_counts))


def _of_all_ranks(
    own: NDArray[np.uint64], ranks: Ranks
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the keys of a partition over all ranks, and their counts; keys may repeat."""
    keys, counts = np.unique(own, return_counts=True)
    every_key = b"".join(ranks.gather(keys.tobytes()))
    every_count = b"".join(ranks.gather(counts.astype(np.int64).tobytes()))
    return np.frombuffer(every_key, dtype=np.uint64), np.frombuffer(every_count, dtype=np.int64)


def _add(
    slots: NDArray[np.uint64],
    slot_counts: NDArray[np.int64],
    keys: NDArray[np.uint64],
    counts: NDArray[np.int64],
) -> None:
    if len(keys):
        kernels.tally(slots, slot_counts, keys, np.ascontiguousarray(counts))


def _accepted(text: _Text, counts: _Counts, total: int, settings: PhraseSettings) -> list[Phrase]:
    """Return the candidates of this rank that score above the threshold."""
    tokens = np.asarray(text.corpus.tokens)
    kept: dict[int, tuple[int, int, float, int]] = {}
    for block in text.candidates():
        found_counts = np.empty(len(block.keys), dtype=np.int64)
        scores = np.empty(len(block.keys), dtype=np.float64)
        found = kernels.accept(
            tokens, *block, counts.words, *counts.table, counts.distinct, settings.min_count,
            total, settings.scoring == "npmi", settings.threshold, found_counts, scores,
        )  # fmt: skip
        identities, places = np.unique(block.keys[:found], return_index=True)
        columns = (identities, block.firsts[places], block.lasts[places])
        rows = zip(*columns, scores[places], found_counts[places], strict=True)
        for identity, first, last, score, count in rows:
            kept.setdefault(int(identity), (int(first), int(last), float(score), int(count)))
    vocabulary = text.corpus.vocabulary
    return [
        Phrase(tuple(vocabulary.words(tokens[first : last + 1])), score, count)
        for first, last, score, count in kept.values()
    ]
