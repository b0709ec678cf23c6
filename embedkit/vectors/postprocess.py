"""Post-processing of trained vectors: functions from `WordVectors` to `WordVectors`.

    average      average the input and the output matrix (Pennington et al. 2014, D14-1162; w + c
                 in Levy et al. 2015, Q15-1016)
    center       subtract the mean (Mu and Viswanath 2018, arXiv:1702.01417)
    remove_top   subtract the mean and the top principal components (all-but-the-top, ibid.)
    pca          project onto the first principal components (Pearson 1901)
    prune_ngrams keep the rows of the character n-grams that matter most
    rounded      round as float16 or int8 storage does

`postprocess` combines them, in this order, after pruning n-grams. If the vectors have character
n-grams, words that are composed of them follow the same map, except for `average`: the output
matrix has no n-grams, so they are dropped. The functions work in blocks and sum in float64. In
addition to the old and the new matrix, they need memory for a block and a few (d, d) matrices.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.ngrams import word_bytes
from embedkit.errors import ConfigurationError, DroppedNgramsWarning, counted
from embedkit.index.metrics import require_finite, row_norms
from embedkit.storage.quantization import STORAGES, pack, unpack
from embedkit.validation import check_choice, whole_number
from embedkit.vectors.lookup import Composer
from embedkit.vectors.projection import Projection, principal_axes
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "Steps",
    "average",
    "center",
    "pca",
    "postprocess",
    "prune_ngrams",
    "remove_top",
    "rounded",
]

_ROWS = 1 << 12
_MOST_DIMENSIONS = 1_000_000  # each step also checks the dimension of its vectors


@dataclass(frozen=True)
class Steps:
    """The steps of `postprocess`; none by default.

    Attributes:
        prune_ngrams: number of rows of character n-grams to keep; see `Subwords.most_useful`. The
            vectors of words in the vocabulary stay the same.
        average: average the input and the output matrix.
        center: subtract the mean.
        remove_top: number of principal components to subtract, together with the mean.
        pca: number of dimensions to keep; None keeps all.
        storage: "float32", "float16" or "int8".

    Raises:
        ConfigurationError: a setting is out of range.
    """

    prune_ngrams: int | None = None
    average: bool = False
    center: bool = False
    remove_top: int = 0
    pca: int | None = None
    storage: str = "float32"

    def __post_init__(self) -> None:
        if self.prune_ngrams is not None:
            whole_number("prune_ngrams", self.prune_ngrams, 1, 2**31 - 1)
        whole_number("remove_top", self.remove_top, 0, _MOST_DIMENSIONS)
        if self.pca is not None:
            whole_number("pca", self.pca, 1, _MOST_DIMENSIONS)
        check_choice("storage", self.storage, STORAGES)


def postprocess(
    vectors: WordVectors, steps: Steps, *, context: NDArray[np.float32] | None = None
) -> WordVectors:
    """Return vectors after all *steps*, in the order of the module's docstring.

    The steps are recorded under "postprocess" in the config, which is saved with the vectors.

    Args:
        vectors: dense vectors.
        steps: what to do.
        context: the output matrix, (V, d); needed only by `average`.

    Raises:
        ConfigurationError: the vectors are sparse, *context* is missing, the vectors have too few
            dimensions for a step, or no n-grams to prune.
        ModelError: a vector contains NaN or infinity.

    Warns:
        DroppedNgramsWarning: averaging drops the n-grams.
    """
    _check(vectors)
    if steps.prune_ngrams is not None:
        vectors = prune_ngrams(vectors, steps.prune_ngrams)
    if steps.average:
        if context is None:
            raise ConfigurationError(
                "averaging needs the output matrix, which these vectors do not have.",
                hint="Use a model that embedkit train wrote.",
            )
        vectors = average(vectors, context)
    if steps.remove_top:
        vectors = remove_top(vectors, steps.remove_top)
    elif steps.center:
        vectors = center(vectors)
    if steps.pca is not None:
        vectors = pca(vectors, steps.pca)
    if steps.storage != "float32":
        vectors = rounded(vectors, steps.storage)
    done = {name: value for name, value in asdict(steps).items() if value}
    history = [*vectors.config.get("postprocess", []), done]
    return _with_matrix(vectors, vectors.matrix, vectors.subwords, postprocess=history)


def prune_ngrams(vectors: WordVectors, count: int) -> WordVectors:
    """Return the vectors with only *count* rows of n-grams; see `Subwords.most_useful`.

    Raises:
        ConfigurationError: the vectors have no n-grams.
        ModelError: a row of n-grams contains NaN or infinity.
    """
    if not isinstance(vectors.subwords, Subwords):
        raise ConfigurationError(
            "these vectors have no character n-grams to prune.",
            hint="Use a model that embedkit train --encoder subword wrote, or a fastText model.",
        )
    vectors.subwords.require_finite()
    kept = vectors.subwords.most_useful(count, word_bytes(vectors.vocabulary.words()))
    return _with_matrix(vectors, vectors.matrix, kept)


def average(vectors: WordVectors, context: NDArray[np.float32]) -> WordVectors:
    """Return the mean of the input vectors and the output vectors, *context* (V, d).

    Raises:
        ConfigurationError: the shapes differ, or the vectors are sparse.

    Warns:
        DroppedNgramsWarning: the vectors have character n-grams, which the output matrix has not.
    """
    _check(vectors)
    if context.shape != vectors.matrix.shape:
        raise ConfigurationError(
            f"the output matrix must have the shape of the vectors, {vectors.matrix.shape}, got "
            f"{context.shape}"
        )
    matrix = np.empty(vectors.matrix.shape, dtype=np.float32)
    for start in range(0, len(matrix), _ROWS):
        rows = slice(start, start + _ROWS)
        matrix[rows] = (vectors.matrix[rows] + context[rows]) / np.float32(2)
    if vectors.subwords is not None:
        warnings.warn(
            "averaging drops the character n-grams, because the output matrix has none: unknown "
            "words will have no vectors.",
            DroppedNgramsWarning,
            stacklevel=2,
        )
    return _with_matrix(vectors, matrix, None)


def center(vectors: WordVectors) -> WordVectors:
    """Return the vectors minus their mean over all words.

    Raises:
        ConfigurationError: the vectors are sparse.
        ModelError: a vector contains NaN or infinity.
    """
    mean = _principal(vectors, 0).mean
    return _mapped(vectors, None, -mean)


def remove_top(vectors: WordVectors, count: int) -> WordVectors:
    """Return the vectors minus their mean and their first *count* principal components.

    This is all-but-the-top (Mu and Viswanath 2018, arXiv:1702.01417): v - m minus its projections
    onto u_1 .. u_count. The authors suggest removing d / 100 components of d dimensions.

    Raises:
        ConfigurationError: the vectors have at most *count* dimensions, or they are sparse.
        ModelError: a vector contains NaN or infinity.
    """
    if count >= vectors.dimension:
        raise ConfigurationError(
            f"cannot remove {count} of {counted(vectors.dimension, 'dimension')}: none would be "
            "left.",
            hint=f"Remove fewer than {vectors.dimension}.",
        )

    space = _principal(vectors, count)
    linear = np.eye(vectors.dimension) - space.axes.T @ space.axes
    return _mapped(vectors, linear, -space.mean @ linear)


def pca(vectors: WordVectors, count: int) -> WordVectors:
    """Return the centered vectors projected onto their first *count* principal components.

    The result has the shape (V, count); see `projection.principal_axes`.

    Raises:
        ConfigurationError: the vectors have fewer than *count* dimensions, or they are sparse.
        ModelError: a vector contains NaN or infinity.
    """
    if count > vectors.dimension:
        raise ConfigurationError(
            f"pca must be at most the dimension of the vectors, {vectors.dimension}, got {count}.",
            hint=f"Choose a number between 1 and {vectors.dimension}.",
        )
    space = _principal(vectors, count)
    return _mapped(vectors, space.axes.T, -space.mean @ space.axes.T)


def rounded(vectors: WordVectors, storage: str) -> WordVectors:
    """Return the vectors rounded to float16 or int8; see `storage.quantization.pack`.

    Raises:
        ConfigurationError: the vectors are sparse, or *storage* cannot represent them.
    """
    _check(vectors)
    subwords = vectors.subwords
    if isinstance(subwords, Subwords):
        subwords = subwords.packed(storage)
    return _with_matrix(vectors, unpack(pack(vectors.matrix, storage)), subwords)


def _mapped(
    vectors: WordVectors, linear: NDArray[np.float64] | None, constant: NDArray[np.float64]
) -> WordVectors:
    """Return the vectors mapped to x A + b: *linear* is A, (d, k), or None for the identity."""
    matrix = np.empty((len(vectors), len(constant)), dtype=np.float32)
    for start in range(0, len(matrix), _ROWS):
        block: NDArray[np.float64] = vectors.matrix[start : start + _ROWS].astype(np.float64)
        matrix[start : start + _ROWS] = (block if linear is None else block @ linear) + constant
    subwords = vectors.subwords
    mapped = subwords.mapped(linear, constant) if isinstance(subwords, Subwords) else None
    return _with_matrix(vectors, matrix, mapped)


def _principal(vectors: WordVectors, count: int) -> Projection:
    _check(vectors)
    return principal_axes(vectors.matrix, count)


def _check(vectors: WordVectors) -> None:
    if vectors.is_sparse:
        raise ConfigurationError(
            "sparse vectors cannot be post-processed: no step keeps them sparse.",
            hint="Use trained vectors.",
        )
    if not len(vectors):
        raise ConfigurationError("there are no vectors to post-process")
    require_finite(row_norms(vectors.matrix), vectors.vocabulary.__getitem__)
    if isinstance(vectors.subwords, Subwords):
        vectors.subwords.require_finite()


def _with_matrix(
    vectors: WordVectors, matrix: NDArray[np.float32], subwords: Composer | None, **config: object
) -> WordVectors:
    known = {**vectors.config, "encoder": "vectors", "dimension": matrix.shape[1], **config}
    return WordVectors(vectors.vocabulary, matrix, config=known, subwords=subwords)
