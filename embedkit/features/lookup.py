"""Words to rows of a matrix: where vectors come from, and what becomes of unknown words."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from embedkit.encoders import Encoder, load
from embedkit.errors import ConfigurationError, UnknownWordError, UnknownWordsWarning
from embedkit.features.tokens import Tokens
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["OOV_POLICIES", "Rows", "check_oov", "find_rows", "open_vectors", "warn_of_unknown"]

OOV_POLICIES = ("zero", "ignore", "error")


@dataclass(frozen=True)
class Rows:
    """Where the distinct words of some texts have their vectors.

    Attributes:
        rows: a row for each word, int64 (words,); -1 for a word that is left out.
        made: vectors of the rows from V on, float32 (k, d), dense or CSR as the model's are.
        known: whether a word's vector is of the model or made for it, bool (words,).
    """

    rows: NDArray[np.int64]
    made: Any
    known: NDArray[np.bool_]


def open_vectors(vectors: Any) -> WordVectors:
    """Return the vectors that a transformer was given.

    Raises:
        ModelError: it is the path of something else than a model.
        ConfigurationError: it is neither a path nor vectors nor an encoder.
    """
    if isinstance(vectors, WordVectors):
        return vectors
    if isinstance(vectors, Encoder):
        return vectors.vectors()
    if isinstance(vectors, str | os.PathLike):
        return load(vectors)
    raise ConfigurationError(
        f"vectors is the path of a model, a WordVectors or an Encoder, not {vectors!r:.60}"
    )


def check_oov(oov: Any) -> None:
    """Raise `ConfigurationError` if *oov* is no policy for unknown words."""
    if not callable(oov) and oov not in OOV_POLICIES:
        raise ConfigurationError(
            f"oov is {', '.join(map(repr, OOV_POLICIES))} or a function from a word to its vector, "
            f"not {oov!r:.60}"
        )


def find_rows(
    vectors: WordVectors, tokens: Tokens, oov: str | Callable[[str], Any], *, folded: bool
) -> Rows:
    """Look up all distinct words at once; a function *oov* is asked once for each unknown one.

    Args:
        folded: the words are as the tokeniser folds them, so no other spelling need be tried.

    Raises:
        UnknownWordError: a word has no vector and *oov* is "error". The message names the row.
        ConfigurationError: *oov* gave something else than a vector of the right length.
    """
    look_up = vectors.vocabulary.ids if folded else vectors.vocabulary.resolved_ids
    rows = look_up(tokens.words)
    known = rows >= 0
    unknown = np.flatnonzero(~known)
    made = np.zeros((0, vectors.dimension), dtype=np.float32)
    if len(unknown) and oov == "error":
        token = int(np.argmax(~known[tokens.indices]))
        word = tokens.words[tokens.indices[token]].as_py()
        row = f"row {tokens.text_of(token)} (counted from 0)"
        raise UnknownWordError(word, vectors.vocabulary.suggest(word), row)
    if len(unknown) and oov == "zero":
        rows[unknown] = len(vectors)
        made = np.zeros((1, vectors.dimension), dtype=np.float32)
    elif len(unknown) and callable(oov):
        rows[unknown] = len(vectors) + np.arange(len(unknown))
        made = _make(oov, tokens.words.take(pa.array(unknown)).to_pylist(), vectors.dimension)
        known = np.ones(len(rows), dtype=np.bool_)
    return Rows(rows, sparse.csr_array(made) if vectors.is_sparse else made, known)


def _make(oov: Callable[[str], Any], words: list[str], dimension: int) -> NDArray[np.float32]:
    made = np.empty((len(words), dimension), dtype=np.float32)
    for place, word in enumerate(words):
        vector = np.asarray(oov(word), dtype=np.float32)
        if vector.shape != (dimension,) or not np.isfinite(vector).all():
            raise ConfigurationError(
                f"oov({word!r}) gave {vector!r:.60}, of the shape {vector.shape}; a vector has "
                f"{dimension} finite numbers."
            )
        made[place] = vector
    return made


def warn_of_unknown(
    unknown: NDArray[np.bool_],
    what: str = "text",
    lacking: str = "known word",
    so: str = "are zeros",
    *,
    stacklevel: int,
) -> None:
    """Say in one `UnknownWordsWarning` how many rows have no known word, and what follows.

    Args:
        unknown: whether a row has none, (n,).
        what: "text" or "word".
        lacking: what such a row has not.
        so: what becomes of its features.
        stacklevel: of `warnings.warn`, seen from here; the line that a user wrote.
    """
    if count := int(unknown.sum()):
        first = ", ".join(map(str, np.flatnonzero(unknown)[:5]))
        warnings.warn(
            f"{count:,} of {len(unknown):,} {what}s have no {lacking}: their features {so} "
            f"(rows {first}{', ...' if count > 5 else ''}, from 0).",
            UnknownWordsWarning,
            stacklevel=stacklevel,
        )
