"""Look up the vectors of words, and apply a policy to the words that have none."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from embedkit.encoders import Encoder, load
from embedkit.errors import (
    ConfigurationError,
    UnknownWordError,
    UnknownWordsWarning,
    counted,
    plural,
)
from embedkit.features.options import OOV_POLICIES
from embedkit.features.tokens import TokenizedTexts
from embedkit.index.metrics import Matrix
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["WordRows", "check_oov", "find_rows", "open_vectors", "warn_of_unknown"]


@dataclass(frozen=True)
class WordRows:
    """Where to find the vectors of the distinct words of some texts.

    Attributes:
        rows: a row number for each word, int64 (words,): below V, a row of the model's matrix; from
            V on, a row of *extra*; -1 for a word that is left out.
        extra: vectors of words that the model does not have, float32 (k, d), dense or CSR like the
            model's matrix.
        known: whether a word has a vector, from the model or made for it, bool (words,).
    """

    rows: NDArray[np.int64]
    extra: Matrix
    known: NDArray[np.bool_]


def open_vectors(vectors: object) -> WordVectors:
    """Return the vectors that were passed to a transformer, as `WordVectors`.

    Raises:
        ModelError: there is no model at the path.
        ConfigurationError: it is not a path, vectors or an encoder.
    """
    if isinstance(vectors, WordVectors):
        return vectors
    if isinstance(vectors, Encoder):
        return vectors.vectors()
    if isinstance(vectors, str | os.PathLike):
        return load(vectors)
    raise ConfigurationError(
        f"vectors must be the path of a model, a WordVectors or an Encoder, got {vectors!r:.60}"
    )


def check_oov(oov: object, vectors: WordVectors) -> None:
    """Raise `ConfigurationError` unless *oov* is a policy that works with these vectors."""
    if callable(oov):
        return
    if oov not in OOV_POLICIES:
        raise ConfigurationError(
            f"unknown oov policy {oov!r:.60}; choose from {', '.join(OOV_POLICIES)}, or pass a "
            "function that returns the vector of a word"
        )
    if oov == "subwords" and vectors.subwords is None:
        raise ConfigurationError(
            'oov="subwords" needs vectors of character n-grams, and these vectors have none.',
            hint='Use oov="spell" or "skip", or a model with subwords.',
        )


def find_rows(
    vectors: WordVectors,
    tokens: TokenizedTexts,
    oov: str | Callable[[str], ArrayLike],
    *,
    folded: bool,
) -> WordRows:
    """Look up all distinct words at once, and apply *oov* once to each unknown one.

    Args:
        folded: the tokenizer has already folded the words, so do not try other spellings.

    Raises:
        UnknownWordError: a word has no vector and *oov* is "error". The message names the row.
        ConfigurationError: the function *oov* did not return a vector of the right length.
    """
    look_up = vectors.vocabulary.ids if folded else vectors.vocabulary.resolved_ids
    rows = look_up(tokens.words)
    unknown = np.flatnonzero(rows < 0)
    extra = np.zeros((0, vectors.dimension), dtype=np.float32)
    if len(unknown) and oov != "skip":
        words = tokens.words.take(pa.array(unknown)).to_pylist()
        if callable(oov):
            extra = _call(oov, words, vectors.dimension)
            rows[unknown] = len(vectors) + np.arange(len(words))
        else:
            rows[unknown], extra = _substitute(vectors, words, oov)
    known = rows >= 0
    if oov == "error" and not known.all():
        raise _unknown(vectors, tokens, known)
    if oov == "zero" and not known.all():
        rows[~known] = len(vectors) + len(extra)
        extra = np.concatenate([extra, np.zeros((1, vectors.dimension), dtype=np.float32)])
    return WordRows(rows, sparse.csr_array(extra) if vectors.is_sparse else extra, known)


def _unknown(
    vectors: WordVectors, tokens: TokenizedTexts, known: NDArray[np.bool_]
) -> UnknownWordError:
    """Return the error for the first token that is not a known word."""
    token = int(np.argmax(~known[tokens.indices]))
    word = tokens.words[tokens.indices[token]].as_py()
    row = f"row {tokens.text_of(token)} (counted from 0)"
    suggested = vectors.vocabulary.suggest(word)
    return UnknownWordError(word, suggested, row, has_ngrams=vectors.subwords is not None)


def _substitute(
    vectors: WordVectors, words: list[str], oov: str
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows of unknown words, -1 for those without, and the vectors of others.

    "spell" finds rows; all other policies compose vectors, if these vectors have n-grams.
    """
    rows = np.full(len(words), -1, dtype=np.int64)
    composed: list[NDArray[np.float32]] = []
    if oov == "spell" or vectors.subwords is not None:
        found = vectors.look_up(words, "spell" if oov == "spell" else "subwords")
        for number, place in enumerate(found.values()):
            if isinstance(place, np.ndarray):
                rows[number] = len(vectors) + len(composed)
                composed.append(place)
            elif place is not None:
                rows[number] = place
    extra = np.array(composed, dtype=np.float32).reshape(-1, vectors.dimension)
    return rows, extra


def _call(oov: Callable[[str], ArrayLike], words: list[str], dimension: int) -> NDArray[np.float32]:
    extra = np.empty((len(words), dimension), dtype=np.float32)
    for number, word in enumerate(words):
        vector = np.asarray(oov(word), dtype=np.float32)
        if vector.shape != (dimension,) or not np.isfinite(vector).all():
            raise ConfigurationError(
                f"oov({word!r}) returned {vector!r:.60}, of shape {vector.shape}; expected a vector"
                f" of {counted(dimension, 'finite number')}."
            )
        extra[number] = vector
    return extra


def warn_of_unknown(
    unknown: NDArray[np.bool_],
    kind: str = "text",
    lacking: str = "known word",
    effect: str = "are zeros",
    *,
    stacklevel: int,
) -> None:
    """Count the rows without a known word in one `UnknownWordsWarning`, if there are any.

    Args:
        unknown: whether a row has no known word, (n,).
        kind: of a row: "text" or "word".
        lacking: what such a row does not have.
        effect: what this means for its features.
        stacklevel: of `warnings.warn`, counted from this function, for the line of the user's code.
    """
    if count := int(unknown.sum()):
        first = ", ".join(map(str, np.flatnonzero(unknown)[:5]))
        warnings.warn(
            f"{count:,} of {counted(len(unknown), kind)} {plural(count, 'has', 'have')} no "
            f"{lacking}: {plural(count, 'its', 'their')} features {effect} "
            f"({plural(count, 'row')} {first}{', ...' if count > 5 else ''}, counted from 0).",
            UnknownWordsWarning,
            stacklevel=stacklevel,
        )
