"""Better vectors from those that are trained: functions from `WordVectors` to `WordVectors`.

    average      input and output matrix averaged (Pennington et al. 2014, D14-1162; Levy et al.
                 2015, Q15-1016, call it w + c)
    center       the mean taken off, so that vectors point all ways (Mu and Viswanath 2018)
    remove_top   the first principal components taken off as well: all-but-the-top (the same)
    pca          fewer dimensions, those along which vectors differ most (Pearson 1901)
    rounded      as float16 or int8 will hold them

`postprocess` does several of them, in this order. They go block by block and sum up in float64:
beside the old and the new matrix memory holds a block and some (d, d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, ModelError
from embedkit.index.metrics import row_norms
from embedkit.storage.quantization import STORAGES, pack, unpack
from embedkit.validation import whole_number
from embedkit.vectors.projection import Projection, principal_axes
from embedkit.vectors.word_vectors import WordVectors

__all__ = [
    "Steps",
    "average",
    "center",
    "pca",
    "postprocess",
    "remove_top",
    "rounded",
]

_ROWS = 1 << 12
_MOST_DIMENSIONS = 1_000_000  # of any vectors; those at hand have fewer, which each step says


@dataclass(frozen=True)
class Steps:
    """What `postprocess` does; by default nothing.

    Attributes:
        average: average the input and the output matrix.
        center: take the mean off.
        remove_top: take so many principal components off, and the mean.
        pca: keep so many dimensions; None keeps all.
        storage: "float32", "float16" or "int8".

    Raises:
        ConfigurationError: a setting is outside its range.
    """

    average: bool = False
    center: bool = False
    remove_top: int = 0
    pca: int | None = None
    storage: str = "float32"

    def __post_init__(self) -> None:
        whole_number("remove_top", self.remove_top, 0, _MOST_DIMENSIONS)
        if self.pca is not None:
            whole_number("pca", self.pca, 1, _MOST_DIMENSIONS)
        if self.storage not in STORAGES:
            raise ConfigurationError(
                f"no storage {self.storage!r}; there are {', '.join(STORAGES)}"
            )


def postprocess(
    vectors: WordVectors, steps: Steps, *, context: NDArray[np.float32] | None = None
) -> WordVectors:
    """Return better vectors: averaged, centred, without the top, projected, rounded, in this order.

    What was done is written down under "postprocess" in the settings that are saved.

    Args:
        vectors: dense ones.
        steps: what to do.
        context: the output matrix, (V, d), which only `average` needs.

    Raises:
        ConfigurationError: the vectors are sparse, *context* is missing, or there are fewer
            dimensions than a step takes.
        ModelError: a vector holds what is no finite number.
    """
    _refuse(vectors)
    if steps.average:
        if context is None:
            raise ConfigurationError(
                "average needs the output matrix, and these vectors come without theirs.",
                hint="Take a model that embedkit train wrote.",
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
    return _with_matrix(vectors, vectors.matrix, postprocess=history)


def average(vectors: WordVectors, context: NDArray[np.float32]) -> WordVectors:
    """Return the mean of the input vectors and the output vectors, *context* (V, d).

    Raises:
        ConfigurationError: the shapes differ, or the vectors are sparse.
    """
    _refuse(vectors)
    if context.shape != vectors.matrix.shape:
        raise ConfigurationError(
            f"the output matrix is {context.shape}, the vectors are {vectors.matrix.shape}"
        )
    matrix = np.empty(vectors.matrix.shape, dtype=np.float32)
    for start in range(0, len(matrix), _ROWS):
        rows = slice(start, start + _ROWS)
        matrix[rows] = (vectors.matrix[rows] + context[rows]) / np.float32(2)
    return _with_matrix(vectors, matrix)


def center(vectors: WordVectors) -> WordVectors:
    """Return the vectors less their mean, each word counting once.

    Raises:
        ConfigurationError: the vectors are sparse.
        ModelError: a vector holds what is no finite number.
    """
    return _changed(vectors, 0, lambda block, space: block - space.mean)


def remove_top(vectors: WordVectors, count: int) -> WordVectors:
    """Return all but the top: less the mean and the first *count* principal components.

    Mu and Viswanath (2018, arXiv:1702.01417), who take d / 100 of d dimensions: v - m less its
    projections on u_1 .. u_count.

    Raises:
        ConfigurationError: there are no more than *count* dimensions, or the vectors are sparse.
        ModelError: a vector holds what is no finite number.
    """
    if count >= vectors.dimension:
        raise ConfigurationError(
            f"{count} of {vectors.dimension} dimensions cannot be taken off: none would be left.",
            hint=f"Fewer than {vectors.dimension}.",
        )

    def without(block: NDArray[np.float64], space: Projection) -> NDArray[np.float64]:
        centered = block - space.mean
        return np.asarray(centered - (centered @ space.axes.T) @ space.axes)

    return _changed(vectors, count, without)


def pca(vectors: WordVectors, count: int) -> WordVectors:
    """Return the vectors' places along their first *count* principal components, (V, count).

    The mean is taken off. Axes are those of `projection.principal_axes`.

    Raises:
        ConfigurationError: there are fewer dimensions, or the vectors are sparse.
        ModelError: a vector holds what is no finite number.
    """
    if count > vectors.dimension:
        raise ConfigurationError(
            f"{count} dimensions cannot be made of {vectors.dimension}.",
            hint=f"From 1 to {vectors.dimension}.",
        )
    return _with_matrix(vectors, _principal(vectors, count).apply(vectors.matrix))


def rounded(vectors: WordVectors, storage: str) -> WordVectors:
    """Return the vectors as they come back from float16 or int8; see `precision.pack`.

    Raises:
        ConfigurationError: the vectors are sparse, or *storage* cannot hold them.
    """
    _refuse(vectors)
    return _with_matrix(vectors, unpack(pack(vectors.matrix, storage)))


def _changed(
    vectors: WordVectors,
    count: int,
    change: Callable[[NDArray[np.float64], Projection], NDArray[np.float64]],
) -> WordVectors:
    """Return vectors that are changed block by block, given their first *count* components."""
    space = _principal(vectors, count)
    matrix = np.empty(vectors.matrix.shape, dtype=np.float32)
    for start in range(0, len(matrix), _ROWS):
        rows = slice(start, start + _ROWS)
        matrix[rows] = change(vectors.matrix[rows].astype(np.float64), space)
    return _with_matrix(vectors, matrix)


def _principal(vectors: WordVectors, count: int) -> Projection:
    _refuse(vectors)
    return principal_axes(vectors.matrix, count)


def _refuse(vectors: WordVectors) -> None:
    if vectors.is_sparse:
        raise ConfigurationError(
            "one-hot vectors are sparse, and no step would leave them so.",
            hint=("Take trained vectors."),
        )
    if not len(vectors):
        raise ConfigurationError("there are no words.")
    finite = np.isfinite(row_norms(vectors.matrix))
    if not finite.all():
        word = vectors.vocabulary[int(np.argmin(finite))]
        raise ModelError(
            f"the vector of {word!r} holds numbers that are not finite.",
            hint=("Train the model again."),
        )


def _with_matrix(vectors: WordVectors, matrix: NDArray[np.float32], **config: Any) -> WordVectors:
    known = {**vectors.config, "encoder": "vectors", "dimension": matrix.shape[1], **config}
    return WordVectors(vectors.vocabulary, matrix, config=known)
