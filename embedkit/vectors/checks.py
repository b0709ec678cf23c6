"""Checks of the words and the matrix that vectors are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, ModelError, counted, quoted
from embedkit.index.metrics import Matrix, all_finite
from embedkit.vectors.lookup import word_list
from embedkit.vectors.subwords import Subwords

__all__ = ["check_subwords", "check_vectors", "read_only_matrix", "vocabulary_of"]


def vocabulary_of(words: Vocabulary | Sequence[str]) -> Vocabulary:
    """Return *words* as a vocabulary, most frequent first.

    Raises:
        ConfigurationError: a word is listed twice.
    """
    if isinstance(words, Vocabulary):
        return words
    listed = word_list(words)
    if len(set(listed)) < len(listed):
        twice = next(word for number, word in enumerate(listed) if word in listed[:number])
        raise ConfigurationError(f"the word {twice!r} is listed twice")
    return Vocabulary(listed)


def read_only_matrix(matrix: Matrix) -> Matrix:
    """Return a read-only view of a matrix as float32, (n, d), dense or CSR.

    Raises:
        ConfigurationError: the matrix does not have two axes, or is not made of real numbers.
    """
    is_sparse = hasattr(matrix, "toarray")
    try:
        matrix = matrix.tocsr() if is_sparse else np.asanyarray(matrix)
        if np.iscomplexobj(matrix):
            raise ConfigurationError("expected a matrix of real numbers, got complex numbers.")
        if len(matrix.shape) != 2:
            raise ConfigurationError(f"expected a matrix with two axes, got {len(matrix.shape)}")
        with np.errstate(over="ignore"):  # see `check_vectors`
            matrix = matrix.astype(np.float32, copy=False)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            f"expected a matrix of numbers, one row for each word: {error}."
        ) from error
    if not is_sparse:
        return _read_only(matrix)
    parts = tuple(_read_only(part) for part in (matrix.data, matrix.indices, matrix.indptr))
    return type(matrix)(parts, shape=matrix.shape)


def check_subwords(subwords: object, dimension: int) -> None:
    """Check rows of n-grams like the vectors that they come with; other composers pass.

    Raises:
        ConfigurationError: their length is not *dimension*, or a number is NaN or infinite.
    """
    if not isinstance(subwords, Subwords):
        return
    if subwords.rows.shape[1] != dimension:
        raise ConfigurationError(
            f"the rows of n-grams have {counted(subwords.rows.shape[1], 'dimension')}, and the "
            f"vectors {dimension:,}."
        )
    try:
        subwords.require_finite()
    except ModelError as error:
        raise ConfigurationError(
            error.message, hint="Replace the numbers, or leave the row out."
        ) from error


def check_vectors(vocabulary: Vocabulary, matrix: Matrix) -> None:
    """Check that words and vectors belong together, and that each is one that files can hold.

    Args:
        vocabulary: V words.
        matrix: float32 (V, d), dense or CSR.

    Raises:
        ConfigurationError: the numbers of words and rows differ, a word is empty, or a number is
            NaN or infinite.
    """
    if matrix.shape[0] != len(vocabulary):
        raise ConfigurationError(
            f"{counted(len(vocabulary), 'word')} but {counted(matrix.shape[0], 'row')}"
        )
    # from_dlpack, because most other ways out of Arrow import pandas, which takes half a second.
    lengths = np.from_dlpack(pc.binary_length(vocabulary.arrow))
    if not lengths.all():
        raise ConfigurationError(
            f"the word of row {int(np.argmin(lengths))} is empty.",
            hint="Leave it out, with its row.",
        )
    if all_finite(matrix):
        return
    if isinstance(matrix, np.ndarray):
        row, column = divmod(int(np.argmin(np.isfinite(matrix))), matrix.shape[1])
    else:
        place = int(np.argmin(np.isfinite(matrix.data)))
        row = int(np.searchsorted(matrix.indptr, place, side="right")) - 1
        column = int(matrix.indices[place])
    raise ConfigurationError(
        f"column {column} of the vector of {quoted(vocabulary[row])}, row {row}, is "
        f"{matrix[row, column]}; vectors must be finite float32 numbers.",
        hint="Replace the number, or leave the word out. Columns and rows are counted from 0.",
    )


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
