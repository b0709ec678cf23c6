"""Projecting words onto a plane, with arrows between pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ConfigurationError
from embedkit.index.metrics import require_finite, unit_rows
from embedkit.plotting.options import PROJECTION_METHODS
from embedkit.validation import check_choice, refuse_string
from embedkit.vectors.lookup import RowOrVector, word_list
from embedkit.vectors.projection import principal_plane
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["WordMap", "word_map"]

Places: TypeAlias = NDArray[np.float64]

_MIN_WORDS = 5  # for t-SNE and UMAP
_PERPLEXITY = 30  # van der Maaten and Hinton 2008 recommend 5 to 50
_NEIGHBORS = 15  # the default of umap-learn


@dataclass(frozen=True)
class WordMap:
    """Words on a plane.

    Attributes:
        words: distinct; first the named words, then the most frequent.
        counts: how often each word occurs in the corpus, 0 if unknown.
        places: float64 (n, 2).
        arrows: start and end of each arrow, as indices into *words*.
        named: number of named words, which come first; words of pairs are named too.
        method: one of `PROJECTION_METHODS`.
        explained: the share of the variance along each axis, for "pca" only.
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
        """An explanation of the map for its readers."""
        number = f"{len(self.words):,} word{'s' if len(self.words) > 1 else ''}"
        if self.explained is None:
            name = {"tsne": "t-SNE", "umap": "UMAP"}[self.method]
            return (
                f"{name} of {number}: words close together are similar; directions and gaps have "
                "no meaning."
            )
        return (
            f"Principal components of {number}, vectors scaled to length 1. "
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
    """Project words onto a plane: their vectors, scaled to length 1, in two dimensions.

    Args:
        words: words to show; unknown ones are composed of n-grams if the vectors have them.
        pairs: two words each, with an arrow from the first to the second.
        top: also show the *top* most frequent words.
        method: one of `PROJECTION_METHODS`. "pca" is linear and keeps parallel arrows parallel.
            "tsne" and "umap" keep neighborhoods, not directions.
        seed: seed of "tsne" and "umap"; the same seed gives the same places.

    Raises:
        UnknownWordError: a word has no vector.
        ConfigurationError: there are no words, a pair does not have two different words, the
            method is unknown or needs more words, or umap-learn is not installed.
        ModelError: a vector contains NaN or infinity.
    """
    check_choice("projection method", method, PROJECTION_METHODS)
    refuse_string(words)
    arrows = [_ends(vectors, pair) for pair in pairs]
    named = [end for ends in arrows for end in ends] + _points(vectors, words)
    top = min(top, len(vectors))
    frequent = [_Point(word, row) for row, word in enumerate(vectors.vocabulary.words(range(top)))]
    chosen = {point.word: point for point in [*named, *frequent]}
    if not chosen:
        raise ConfigurationError(
            "there are no words to show.", hint="Pass words or pairs, or set top."
        )
    order = {word: place for place, word in enumerate(chosen)}
    units = _dense_units(vectors, [*chosen.values()])
    places, explained = _PROJECT[method](units, seed)
    return WordMap(
        words=tuple(chosen),
        counts=tuple(_count(vectors, point) for point in chosen.values()),
        places=places,
        arrows=tuple(dict.fromkeys((order[start.word], order[end.word]) for start, end in arrows)),
        named=len({point.word for point in named}),
        method=method,
        explained=explained,
    )


class _Point(NamedTuple):
    """A word as the vocabulary spells it, with its row; or one that is composed of n-grams."""

    word: str
    place: RowOrVector


def _points(vectors: WordVectors, words: Iterable[str]) -> list[_Point]:
    named = word_list(words)
    found = vectors.look_up(named)
    places = [place for word in named if (place := found[word]) is not None]
    return [
        _Point(vectors.vocabulary[place] if isinstance(place, int) else word, place)
        for word, place in zip(named, places, strict=True)
    ]


def _count(vectors: WordVectors, point: _Point) -> int:
    return int(vectors.vocabulary.counts[point.place]) if isinstance(point.place, int) else 0


def _ends(vectors: WordVectors, pair: Sequence[str]) -> tuple[_Point, _Point]:
    refuse_string(pair)
    if len(pair) != 2:
        raise ConfigurationError(f"a pair needs two words, got {list(pair)!r:.60}.")
    start, end = _points(vectors, pair)
    if start.word == end.word:
        raise ConfigurationError(
            f"cannot draw an arrow from {pair[0]!r} to {pair[1]!r}: they are the same word."
        )
    return start, end


def _dense_units(vectors: WordVectors, points: Sequence[_Point]) -> NDArray[np.float32]:
    """Return the vectors scaled to length 1, float32 (n, d); of sparse rows, the columns in use."""
    chosen = vectors.vectors_at([point.place for point in points])
    if vectors.is_sparse:
        chosen = chosen[:, np.unique(chosen.indices)].toarray()
    require_finite(chosen, lambda row: points[row].word)
    return np.asarray(unit_rows(chosen), dtype=np.float32)


Placed: TypeAlias = "tuple[Places, tuple[float, float] | None]"


def _pca(rows: NDArray[np.float32], _seed: int) -> Placed:
    plane = principal_plane(rows)
    first, second = plane.explained.tolist()
    return plane.apply(rows).astype(np.float64), (first, second)


def _tsne(rows: NDArray[np.float32], seed: int) -> Placed:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    _require_words(rows, "t-SNE")
    perplexity = min(_PERPLEXITY, (len(rows) - 1) / 3)
    # Initializing with principal components needs two dimensions.
    init = "pca" if min(rows.shape) >= 2 else "random"
    estimator = TSNE(perplexity=perplexity, init=init, random_state=seed)
    with threadpool_limits(1):  # with more, the order of summation, and so the places, would vary
        return estimator.fit_transform(rows).astype(np.float64), None


def _umap(rows: NDArray[np.float32], seed: int) -> Placed:
    try:
        from umap import UMAP
    except ImportError as error:
        raise ConfigurationError(
            "the method umap needs umap-learn, which is not installed.",
            hint="Install it with pip install 'embedkit[umap]'.",
        ) from error
    _require_words(rows, "UMAP")
    neighbors = min(_NEIGHBORS, len(rows) - 1)
    # Spectral initialization fails with few words.
    init: Any = "spectral" if len(rows) > 2 * _NEIGHBORS else _pca(rows, seed)[0]
    estimator = UMAP(n_neighbors=neighbors, init=init, random_state=seed, n_jobs=1)
    return np.asarray(estimator.fit_transform(rows), dtype=np.float64), None


def _require_words(rows: NDArray[np.float32], name: str) -> None:
    if len(rows) < _MIN_WORDS:
        raise ConfigurationError(
            f"{name} needs at least {_MIN_WORDS} words, got {len(rows)}.",
            hint="Show more words, or use the method pca.",
        )


_PROJECT: Mapping[str, Callable[[NDArray[np.float32], int], Placed]] = {
    "pca": _pca,
    "tsne": _tsne,
    "umap": _umap,
}
