"""Words on a plane, and the arrows between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError, ModelError
from embedkit.index.metrics import unit_rows
from embedkit.validation import refuse_string
from embedkit.vectors.projection import principal_plane
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["METHODS", "WordMap", "word_map"]

Places: TypeAlias = NDArray[np.float64]

_FEWEST = 5  # words that a neighbourhood can be made of
_PERPLEXITY = 30  # van der Maaten and Hinton 2008 recommend 5 to 50
_NEIGHBORS = 15  # what umap-learn takes by itself


@dataclass(frozen=True)
class WordMap:
    """Words on a plane.

    Attributes:
        words: distinct; those that were named first, then the most frequent.
        counts: how often each occurs in the corpus, 0 where that is not known.
        places: float64 (n, 2).
        arrows: the two ends of each, as places in *words*.
        named: how many of the words were named, by themselves or in a pair.
        method: a key of `METHODS`.
        explained: the share of the variance of these words along each axis, for "pca" only.
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]
    places: Places
    arrows: tuple[tuple[int, int], ...]
    named: int
    method: str
    explained: tuple[float, float] | None

    @property
    def caption(self) -> str:
        """What has to be known to read the map."""
        number = f"{len(self.words):,} word{'s' if len(self.words) > 1 else ''}"
        if self.explained is None:
            name = {"tsne": "t-SNE", "umap": "UMAP"}[self.method]
            return f"{name} of {number}: near words are alike; directions and gaps mean nothing."
        return (
            f"Principal components of {number}, vectors brought to length 1. "
            f"The plane holds {sum(self.explained):.0%} of the variance."
        )


def word_map(
    vectors: WordVectors,
    words: Iterable[str] = (),
    *,
    pairs: Iterable[Sequence[str]] = (),
    top: int = 0,
    method: str = "pca",
    seed: int = 1,
) -> WordMap:
    """Put words on a plane: their vectors, brought to length 1, in two dimensions.

    Args:
        words: words to show.
        pairs: two words each, with an arrow from the first to the second.
        top: so many of the most frequent words as well.
        method: "pca" is linear: arrows and parallelograms are what they were. "tsne" (van der
            Maaten and Hinton 2008) and "umap" (McInnes et al. 2018) keep neighbourhoods, not
            directions.
        seed: of "tsne" and "umap"; the same seed gives the same places.

    Raises:
        UnknownWordError: a word has no vector.
        ConfigurationError: nothing to show, a pair that is none, too few words for the method, no
            such method, or umap-learn is missing.
        ModelError: a vector holds numbers that are not finite.
    """
    if method not in METHODS:
        raise ConfigurationError(f"no method {method!r}; there are {', '.join(METHODS)}")
    refuse_string(words)
    arrows = [_ends(vectors, pair) for pair in pairs]
    named = [row for ends in arrows for row in ends] + [vectors.row(word) for word in words]
    frequent = range(min(top, len(vectors)))
    order = {row: place for place, row in enumerate(dict.fromkeys([*named, *frequent]))}
    if not order:
        raise ConfigurationError("there is no word to show: name some, or how many with top.")
    rows = np.fromiter(order, dtype=np.int64)
    names = vectors.vocabulary.words(order)
    places, explained = METHODS[method](_dense_units(vectors, rows, names), seed)
    return WordMap(
        words=tuple(names),
        counts=tuple(vectors.vocabulary.counts[rows].tolist()),
        places=places,
        arrows=tuple(dict.fromkeys((order[start], order[end]) for start, end in arrows)),
        named=len(set(named)),
        method=method,
        explained=explained,
    )


def _ends(vectors: WordVectors, pair: Sequence[str]) -> tuple[int, int]:
    refuse_string(pair)
    if len(pair) != 2:
        raise ConfigurationError(f"a pair has two words, not {list(pair)!r:.60}")
    start, end = (vectors.row(word) for word in pair)
    if start == end:
        raise ConfigurationError(
            f"there is no arrow from {pair[0]!r} to {pair[1]!r}: they are the same word."
        )
    return start, end


def _dense_units(
    vectors: WordVectors, rows: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.float32]:
    """Return the rows at length 1, float32 (n, d); of sparse ones the columns that are used."""
    chosen = vectors.matrix[rows]
    if vectors.is_sparse:
        chosen = chosen[:, np.unique(chosen.indices)].toarray()
    finite = np.isfinite(chosen).all(axis=1)
    if not finite.all():
        raise ModelError(
            f"the vector of {names[int(np.argmin(finite))]!r} holds numbers that are not finite.",
            hint="Train the model again.",
        )
    return np.asarray(unit_rows(chosen), dtype=np.float32)


Placed: TypeAlias = "tuple[Places, tuple[float, float] | None]"


def _pca(rows: NDArray[np.float32], _seed: int) -> Placed:
    plane = principal_plane(rows)
    first, second = plane.explained.tolist()
    return plane.apply(rows).astype(np.float64), (first, second)


def _tsne(rows: NDArray[np.float32], seed: int) -> Placed:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    _refuse_few(rows, "t-SNE")
    perplexity = min(_PERPLEXITY, (len(rows) - 1) / 3)
    # The variance of one dimension alone is what starts from the principal components needs not.
    init = "pca" if min(rows.shape) >= 2 else "random"
    estimator = TSNE(perplexity=perplexity, init=init, random_state=seed)
    with threadpool_limits(1):  # threads add up in any order, and the places would differ
        return estimator.fit_transform(rows).astype(np.float64), None


def _umap(rows: NDArray[np.float32], seed: int) -> Placed:
    try:
        from umap import UMAP
    except ImportError as error:
        raise ConfigurationError(
            "--method umap needs umap-learn.", hint="pip install 'embedkit[umap]'."
        ) from error
    _refuse_few(rows, "UMAP")
    neighbors = min(_NEIGHBORS, len(rows) - 1)
    # Its spectral start fails on a handful of words.
    init: Any = "spectral" if len(rows) > 2 * _NEIGHBORS else _pca(rows, seed)[0]
    estimator = UMAP(n_neighbors=neighbors, init=init, random_state=seed, n_jobs=1)
    return np.asarray(estimator.fit_transform(rows), dtype=np.float64), None


def _refuse_few(rows: NDArray[np.float32], name: str) -> None:
    if len(rows) < _FEWEST:
        raise ConfigurationError(
            f"{name} shows neighbourhoods and wants at least {_FEWEST} words, not {len(rows)}.",
            hint="Name more, or --method pca.",
        )


METHODS: Mapping[str, Callable[[NDArray[np.float32], int], Placed]] = {
    "pca": _pca,
    "tsne": _tsne,
    "umap": _umap,
}
