"""Post-processing against formulas and scikit-learn's PCA."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

import embedkit as package
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import OneHotEncoder
from embedkit.errors import ConfigurationError, ModelError
from embedkit.storage.quantization import pack, unpack
from embedkit.vectors.postprocess import (
    Steps,
    average,
    center,
    pca,
    postprocess,
    remove_top,
    rounded,
)
from embedkit.vectors.word_vectors import WordVectors
from tests.conftest import Command
from tests.damage import save_unchecked

WORDS, DIMENSION = 9_000, 12  # more than two blocks


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    random = np.random.default_rng(2)
    spread = random.normal(size=(WORDS, DIMENSION)) * np.linspace(3, 0.5, DIMENSION)
    turned, _ = np.linalg.qr(random.normal(size=(DIMENSION, DIMENSION)))
    matrix = (spread @ turned + random.normal(size=DIMENSION) * 4).astype(np.float32)
    return WordVectors(Vocabulary([f"w{number}" for number in range(WORDS)]), matrix)


def without_top(matrix: np.ndarray, count: int) -> np.ndarray:
    """Mu and Viswanath's algorithm 1, by scikit-learn's components."""
    components = PCA(count, svd_solver="full").fit(matrix.astype(np.float64)).components_
    centered = matrix - matrix.mean(axis=0, dtype=np.float64)
    for axis in components:
        centered = centered - np.outer(centered @ axis, axis)
    return centered


def test_centered_vectors_have_mean_0(vectors: WordVectors) -> None:
    expected = vectors.matrix - vectors.matrix.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(center(vectors).matrix, expected, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3, DIMENSION - 1])
def test_remove_top_matches_the_published_algorithm(vectors: WordVectors, count: int) -> None:
    found = remove_top(vectors, count).matrix
    np.testing.assert_allclose(found, without_top(vectors.matrix, count), atol=1e-4)
    rank = np.linalg.matrix_rank(found.astype(np.float64), tol=0.1)
    assert rank == DIMENSION - count


@pytest.mark.parametrize("count", [1, 5, DIMENSION])
def test_pca_matches_scikit_learn(vectors: WordVectors, count: int) -> None:
    theirs = PCA(count, svd_solver="full").fit_transform(vectors.matrix.astype(np.float64))
    ours = pca(vectors, count)
    assert ours.dimension == count
    signs = np.sign((ours.matrix * theirs).sum(axis=0))
    np.testing.assert_allclose(ours.matrix, theirs * signs, atol=1e-3)


def test_pca_to_all_dimensions_keeps_distances(vectors: WordVectors) -> None:
    words = ["w1", "w2", "w8999"]
    np.testing.assert_allclose(
        pca(vectors, DIMENSION).distance(words), vectors.distance(words), rtol=1e-5
    )


def test_average_of_two_matrices(vectors: WordVectors) -> None:
    context = vectors.matrix[::-1]
    expected = (vectors.matrix.astype(np.float64) + context) / 2
    np.testing.assert_allclose(average(vectors, context).matrix, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ConfigurationError, match=r"\(9000, 12\), got \(9000, 11\)"):
        average(vectors, context[:, 1:])


def test_steps_are_done_in_the_documented_order(vectors: WordVectors) -> None:
    context = vectors.matrix[::-1].copy()
    steps = Steps(average=True, center=True, remove_top=2, pca=4, storage="int8")
    averaged = (vectors.matrix.astype(np.float64) + context) / 2
    removed = without_top(averaged, 2)
    expected = PCA(4, svd_solver="full").fit_transform(removed)
    found = postprocess(vectors, steps, context=context)
    signs = np.sign((found.matrix * expected).sum(axis=0))
    largest = np.abs(expected).max(axis=1, keepdims=True)
    assert (np.abs(found.matrix - expected * signs) <= largest / 250 + 1e-3).all()
    assert found.config["postprocess"] == [
        {"average": True, "center": True, "remove_top": 2, "pca": 4, "storage": "int8"}
    ]
    assert found.config["dimension"] == 4


def test_the_given_vectors_are_not_changed(vectors: WordVectors) -> None:
    before = vectors.matrix.copy()
    postprocess(vectors, Steps(center=True, storage="float16"))
    np.testing.assert_array_equal(vectors.matrix, before)
    assert "postprocess" not in vectors.config


def test_rounded_vectors_equal_saved_ones(vectors: WordVectors, tmp_path: Path) -> None:
    for storage in ("float16", "int8"):
        small = rounded(vectors, storage)
        np.testing.assert_array_equal(small.matrix, unpack(pack(vectors.matrix, storage)))
        small.save(tmp_path / storage, storage=storage)
        opened = package.load(tmp_path / storage)
        np.testing.assert_allclose(opened.matrix, small.matrix, rtol=1e-6)


STEPS: list[Callable[[WordVectors], WordVectors]] = [
    center,
    lambda vectors: remove_top(vectors, 1),
    lambda vectors: pca(vectors, 1),
    lambda vectors: rounded(vectors, "int8"),
    lambda vectors: average(vectors, vectors.matrix),
    lambda vectors: postprocess(vectors, Steps()),
]


@pytest.mark.parametrize("step", STEPS)
def test_sparse_vectors_are_rejected(step: Callable[[WordVectors], WordVectors]) -> None:
    sparse = OneHotEncoder().fit([["a", "b", "c"]] * 3).vectors()
    with pytest.raises(ConfigurationError, match="sparse vectors cannot be post-processed"):
        step(sparse)


@pytest.mark.parametrize("step", STEPS[:3])
def test_vectors_with_nan_are_rejected(
    step: Callable[[WordVectors], WordVectors], tmp_path: Path
) -> None:
    path = save_unchecked(tmp_path / "model", ["a", "b", "c"], [[1, 1], [np.nan, 1], [1, 1]])
    with pytest.raises(ModelError, match="the vector of 'b' contains NaN or infinity"):
        step(package.load(path))


def test_settings_beyond_the_dimension_are_rejected(vectors: WordVectors) -> None:
    with pytest.raises(ConfigurationError, match=r"pca must be at most .* 12, got 13"):
        pca(vectors, 13)
    with pytest.raises(ConfigurationError, match="none would be left"):
        remove_top(vectors, 12)
    with pytest.raises(ConfigurationError, match="averaging needs the output matrix"):
        postprocess(vectors, Steps(average=True))
    for wrong in ({"pca": 0}, {"remove_top": -1}, {"storage": "int4"}):
        with pytest.raises(ConfigurationError):
            Steps(**wrong)


QUESTIONS = "france paris italy rome\nfrance paris germany berlin\nfrance paris spain madrid\n"


def test_the_command(embedkit: Command, model: Path, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text(QUESTIONS)
    arguments = ["postprocess", model, "-o", "small", "--average", "--center", "--int8"]
    done = embedkit(*arguments, "--analogies", "q.txt")
    assert done.returncode == 0, done.stderr
    facts = json.loads(embedkit("info", "--model", "small", "--json").stdout)
    assert (facts["storage"], facts["dimension"], facts["encoder"]) == ("int8", 24, "vectors")
    assert f"{facts['bytes']:,} bytes" in done.stdout
    assert "q.txt: 100.0% before" in done.stdout
    encoder = package.SkipGramEncoder.load(model)
    assert encoder.context is not None
    both = (encoder.vectors().matrix + encoder.context) / 2
    expected = both - both.mean(axis=0)
    np.testing.assert_allclose(package.load(tmp_path / "small").matrix, expected, atol=0.02)
    assert embedkit("neighbors", "paris", "--model", "small").returncode == 0
    done = embedkit(*arguments)
    assert (done.returncode, "already exists and was not overwritten" in done.stderr) == (1, True)
    done = embedkit(*arguments, "--overwrite", "--analogies", "q.txt", "--json")
    found = json.loads(done.stdout)
    assert found["scores"]["q.txt"]["verdict"] in ("better", "worse", "unclear")
    assert 0.3 < found["neighbor_overlap"] <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "choose at least one step"),
        (["--pca", "25"], "dimension of the vectors, 24, got 25"),
        (["--remove-top", "24"], "none would be left"),
        (["--center", "--analogies", "nowhere.txt"], "cannot read nowhere.txt"),
    ],
)
def test_mistakes_write_nothing(
    embedkit: Command, model: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = embedkit("postprocess", model, "-o", "new", *arguments)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert not list(tmp_path.iterdir())
    done = embedkit("postprocess", model, "-o", "a", "--center")
    done = embedkit("postprocess", "a", "-o", "b", "--average")
    assert "averaging needs the output matrix" in done.stderr
