"""Vectors of n-grams whose composition is known: a loop over n-grams hashed by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.ngrams import Ngrams
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

WORDS = [
    "walk",
    "walked",
    "walking",
    "talk",
    "talked",
    "sing",
    "singing",
    "happy",
    "unhappy",
    "car",
]
NEW = ["talking", "walks", "happyish"]
"""Words outside the vocabulary that share n-grams with it."""

ALIEN = "zzzz"
"""A word none of whose n-grams is one of the vocabulary."""

DIMENSION = 12
NGRAMS = Ngrams(3, 5, 100_000)


def by_hand(word: str, shortest: int, longest: int, buckets: int) -> list[int]:
    """Return the buckets of n-grams as in fastText's computeSubwords and hash."""
    marked = f"<{word}>"
    found = []
    for start in range(len(marked)):
        for size in range(1, longest + 1):
            end = start + size
            if end > len(marked) or size < shortest:
                continue
            if size == 1 and (start == 0 or end == len(marked)):
                continue
            value = 2166136261
            for byte in marked[start:end].encode("utf-8", "surrogatepass"):
                signed = byte - 256 if byte > 127 else byte
                value = ((value ^ (signed & 0xFFFFFFFF)) * 16777619) & 0xFFFFFFFF
            found.append(value % buckets)
    return found


def buckets(word: str) -> list[int]:
    """Return the bucket of each n-gram of a word."""
    return by_hand(word, NGRAMS.shortest, NGRAMS.longest, NGRAMS.buckets)


_REACHED = sorted({bucket for word in WORDS for bucket in buckets(word)})
_RANDOM = np.random.default_rng(7)
_ROWS = dict(
    zip(
        _REACHED,
        _RANDOM.normal(size=(len(_REACHED), DIMENSION)).astype(np.float32) + np.float32(0.3),
        strict=True,
    )
)


def composed(word: str) -> NDArray[np.float64]:
    """Return the mean row of a word's n-grams, (d,); n-grams without a row count as zero."""
    rows = [_ROWS.get(bucket, np.zeros(DIMENSION)) for bucket in buckets(word)]
    return np.mean(np.asarray(rows, dtype=np.float64), axis=0)


def subword_vectors() -> WordVectors:
    """Return vectors with n-grams; each word's is the mean of an own row and its n-grams' rows."""
    random = np.random.default_rng(8)
    matrix = []
    for word in WORDS:
        count = len(buckets(word))
        matrix.append((composed(word) * count + random.normal(size=DIMENSION)) / (count + 1))
    rows = np.array([_ROWS[bucket] for bucket in _REACHED], dtype=np.float32)
    return WordVectors(
        Vocabulary(WORDS, np.arange(len(WORDS), 0, -1) * 10),
        np.array(matrix, dtype=np.float32),
        subwords=Subwords(rows, NGRAMS, np.array(_REACHED, dtype=np.int32)),
        config={"encoder": "subword", "training": {"tokenizer": "words"}},
    )


def extended(*words: str) -> WordVectors:
    """Return the same vectors, with composed words as ordinary words at the end."""
    known = subword_vectors()
    extra = np.array([composed(word) for word in words], dtype=np.float32)
    return WordVectors([*known, *words], np.concatenate([known.matrix, extra]))
