"""Places against scikit-learn, and what cannot be shown."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import OneHotEncoder, load
from embedkit.errors import ConfigurationError, ModelError, UnknownWordError
from embedkit.plotting import PROJECTION_METHODS, draw, word_map
from embedkit.plotting.word_map import _PROJECT
from embedkit.vectors.word_vectors import WordVectors
from tests.damage import save_unchecked
from tests.plotting.samples import random_vectors


def test_each_projection_method_is_implemented() -> None:
    assert tuple(_PROJECT) == PROJECTION_METHODS


def test_places_are_the_principal_components_of_unit_vectors(model: Path) -> None:
    vectors = load(model)
    pairs = [("france", "paris"), ("italy", "rome"), ("spain", "madrid")]
    found = word_map(vectors, pairs=pairs)
    assert found.words == ("france", "paris", "italy", "rome", "spain", "madrid")
    assert found.arrows == ((0, 1), (2, 3), (4, 5))
    rows = np.array([vectors[word] for word in found.words], dtype=np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = PCA(2).fit(rows)
    np.testing.assert_allclose(np.abs(found.places), np.abs(expected.transform(rows)), atol=1e-5)
    np.testing.assert_allclose(found.explained, expected.explained_variance_ratio_, rtol=1e-4)


def test_words_are_distinct_and_named_words_come_first(model: Path) -> None:
    vectors = load(model)
    found = word_map(vectors, ["rome", "Rome", "paris"], pairs=[("paris", "france")], top=3)
    assert found.words[:3] == ("paris", "france", "rome")
    assert found.named == 3
    frequent = [w for w in vectors.vocabulary.words(range(3)) if w not in found.words[:3]]
    assert list(found.words[3:]) == frequent
    assert found.counts[0] == vectors.vocabulary.counts[vectors.row("paris")]


@pytest.mark.parametrize(
    "method",
    ["tsne", pytest.param("umap", marks=pytest.mark.slow)],  # which compiles for a minute
)
@pytest.mark.filterwarnings("ignore")  # of numba and of umap-learn
def test_neighborhoods_are_kept_and_reproducible_by_seed(method: str) -> None:
    if method == "umap":
        pytest.importorskip("umap", reason="umap-learn is not here")
    random = np.random.default_rng(0)
    centers = np.eye(3, 20) * 10
    matrix = np.concatenate([c + random.standard_normal((15, 20)) for c in centers])
    words = [f"w{n}" for n in range(45)]
    vectors = WordVectors(Vocabulary(words, [1] * 45), matrix.astype(np.float32))
    first, again = (word_map(vectors, top=45, method=method, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.places, again.places)
    assert first.explained is None
    distances = np.linalg.norm(first.places[:, None] - first.places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 15 == np.arange(45) // 15).all()
    with pytest.raises(ConfigurationError, match="needs at least 5 words, got 4"):
        word_map(vectors, top=4, method=method)
    assert word_map(vectors, top=5, method=method).places.shape == (5, 2)


@pytest.mark.parametrize("dimension", [1, 2])
def test_few_dimensions_and_few_words_work(dimension: int, tmp_path: Path) -> None:
    vectors = random_vectors(list("abcdef"), dimension)
    for words in (["a"], ["a", "a"], ["a", "b"], list("abcdef")):
        found = word_map(vectors, words)
        assert np.isfinite(found.places).all()
        assert draw(found, tmp_path / "a.png", overwrite=True) == []
    assert word_map(vectors, list("abcdef"), method="tsne").places.shape == (6, 2)


def test_one_hot_words_are_equally_far_apart(tmp_path: Path) -> None:
    vectors = OneHotEncoder().fit([list("abc")]).vectors()
    places = word_map(vectors, list("abc")).places
    sides = [np.linalg.norm(a - b) for a, b in itertools.combinations(places, 2)]
    np.testing.assert_allclose(sides, np.sqrt(2), rtol=1e-6)


def test_invalid_words_pairs_and_methods_are_rejected(model: Path, tmp_path: Path) -> None:
    vectors = load(model)
    with pytest.raises(UnknownWordError, match="Did you mean paris"):
        word_map(vectors, ["pariss"])
    with pytest.raises(ConfigurationError, match="cannot draw an arrow from 'rome' to 'Rome'"):
        word_map(vectors, pairs=[("rome", "Rome")])
    with pytest.raises(ConfigurationError, match="a pair needs two words"):
        word_map(vectors, pairs=[("rome", "paris", "oslo")])
    with pytest.raises(ConfigurationError, match="a list of words, got the string"):
        word_map(vectors, pairs=["rome"])
    with pytest.raises(ConfigurationError, match="no words to show"):
        word_map(vectors)
    with pytest.raises(
        ConfigurationError, match="unknown projection method 'mds'; choose from pca, tsne, umap"
    ):
        word_map(vectors, ["rome"], method="mds")
    broken = load(save_unchecked(tmp_path / "model", ["a"], [[np.nan, 1]]))
    with pytest.raises(ModelError, match="the vector of 'a' contains NaN"):
        word_map(broken, ["a"])
