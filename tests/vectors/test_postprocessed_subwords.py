"""Post-processing of vectors with n-grams: composed words follow the same maps as all others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import embedkit as package
from embedkit.corpus.ngrams import word_bytes
from embedkit.errors import ConfigurationError, DroppedNgramsWarning, ModelError
from embedkit.storage.config_file import read_config, write_config
from embedkit.storage.quantization import PackedRows
from embedkit.vectors.postprocess import Steps, average, center, pca, postprocess, remove_top
from embedkit.vectors.word_vectors import WordVectors
from tests.cli.helpers import refused
from tests.conftest import Command
from tests.subwords import ALIEN, NEW, WORDS, buckets, composed, subword_vectors

VECTORS = subword_vectors()
NEW_VECTORS = np.array([composed(word) for word in NEW])


def affine(matrix: np.ndarray, mapped: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the affine map between the rows of two matrices, by least squares."""
    ones = np.ones((len(matrix), 1))
    solution = np.linalg.lstsq(np.hstack([matrix, ones]), mapped, rcond=None)[0]
    return lambda rows: np.hstack([rows, np.ones((len(rows), 1))]) @ solution


def many_words() -> WordVectors:
    """Return the vectors with enough other words to determine an affine map."""
    random = np.random.default_rng(5).normal(size=(60, VECTORS.dimension)).astype(np.float32)
    names = [f"q{number}" for number in range(60)]
    matrix = np.concatenate([VECTORS.matrix, random])
    return WordVectors([*WORDS, *names], matrix, subwords=VECTORS.subwords)


@pytest.mark.parametrize(
    "step",
    [
        center,
        lambda vectors: remove_top(vectors, 2),
        lambda vectors: pca(vectors, 4),
        lambda vectors: pca(remove_top(vectors, 1), 6),
        lambda vectors: remove_top(pca(center(vectors), 8), 3),
    ],
    ids=["center", "remove_top", "pca", "both", "three"],
)
def test_composed_words_follow_the_map_of_the_others(
    step: Callable[[WordVectors], WordVectors], tmp_path: Path
) -> None:
    before = many_words()
    after = step(before)
    expected = affine(before.matrix, after.matrix)(NEW_VECTORS)
    np.testing.assert_allclose(after.encode(NEW), expected, atol=1e-4)
    after.save(tmp_path / "m")
    loaded = package.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.encode(NEW), after.encode(NEW))
    assert loaded.get(ALIEN) is None  # not the offset alone
    assert after.subwords is not None
    words = word_bytes(WORDS)
    own = after.subwords.own_rows(words, after.encode(WORDS))
    np.testing.assert_allclose(after.subwords.compose(words, own), after.encode(WORDS), atol=1e-5)


def test_averaging_drops_the_n_grams_and_says_so(tmp_path: Path) -> None:
    with pytest.warns(DroppedNgramsWarning, match="drops the character n-grams"):
        after = average(VECTORS, VECTORS.matrix)
    assert after.subwords is None
    after.save(tmp_path / "m")
    assert "subwords" not in package.load(tmp_path / "m").config


@pytest.mark.parametrize("storage", ["float16", "int8"])
def test_rows_of_n_grams_are_stored_in_fewer_bytes(storage: str, tmp_path: Path) -> None:
    after = postprocess(VECTORS, Steps(center=True, storage=storage))
    after.save(tmp_path / "m", storage=storage)
    loaded = package.load(tmp_path / "m")
    rows = loaded.subwords.rows
    assert isinstance(rows, PackedRows)
    assert (str(rows.packed.dtype), rows.packed.flags.owndata) == (storage, False)
    largest = np.abs(np.asarray(VECTORS.subwords.rows)).max()
    step = largest / 254 if storage == "int8" else largest / 2048
    expected = NEW_VECTORS - VECTORS.matrix.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(loaded.encode(NEW), expected, atol=step)
    loaded.save(tmp_path / "again")
    again = package.load(tmp_path / "again")
    np.testing.assert_array_equal(again.encode(NEW), loaded.encode(NEW))


def test_pruning_keeps_the_rows_with_the_largest_weight() -> None:
    uses: dict[int, int] = {}
    for word in WORDS:
        for bucket in buckets(word):
            uses[bucket] = uses.get(bucket, 0) + 1
    old = VECTORS.subwords
    lengths = np.linalg.norm(np.asarray(old.rows, dtype=np.float64), axis=1)
    weights = {b: uses[b] * lengths[row] for row, b in enumerate(old.ids.tolist())}
    expected = sorted(sorted(weights, key=lambda bucket: -weights[bucket])[:25])
    after = postprocess(VECTORS, Steps(prune_ngrams=25))
    assert after.subwords.ids.tolist() == expected
    np.testing.assert_array_equal(after.matrix, VECTORS.matrix)
    rows = dict(zip(old.ids.tolist(), old.rows, strict=True))
    for word in NEW:
        found = [rows[b] if b in expected else 0 * rows[expected[0]] for b in buckets(word)]
        np.testing.assert_allclose(
            after.subwords.encode([word])[0], np.mean(found, axis=0), atol=1e-6
        )
    assert postprocess(VECTORS, Steps(prune_ngrams=10**6)).subwords.ids.tolist() == [*old.ids]
    packed = postprocess(after, Steps(storage="int8"))
    again = postprocess(packed, Steps(prune_ngrams=5)).subwords
    assert (len(again.rows), again.storage) == (5, "int8")


def test_settings_out_of_range_and_vectors_without_n_grams_are_errors() -> None:
    with pytest.raises(ConfigurationError, match="prune_ngrams"):
        Steps(prune_ngrams=0)
    plain = WordVectors(WORDS, VECTORS.matrix)
    with pytest.raises(ConfigurationError, match="no character n-grams to prune"):
        postprocess(plain, Steps(prune_ngrams=3))


def test_the_command_reports_n_grams_and_what_is_dropped(
    embedkit: Command, subword_model: Path, tmp_path: Path
) -> None:
    done = embedkit(
        "postprocess", subword_model, "-o", "small", "--prune-ngrams", 20, "--pca", 5, "--int8"
    )
    assert "10 words, 5 dimensions, 20 n-grams, int8" in done.stdout
    facts = [line.split() for line in embedkit("info", "small").stdout.splitlines()]
    start = facts.index(["subwords"])
    expected = {"shortest": "3", "longest": "5", "buckets": "100,000", "rows": "20"}
    assert dict(facts[start + 1 : start + 6]) == {**expected, "storage": "int8"}
    assert embedkit("neighbors", "talking", "--model", "small").returncode == 0
    WordVectors(WORDS, VECTORS.matrix).save(tmp_path / "plain")
    done = embedkit("postprocess", "plain", "-o", "x", "--prune-ngrams", 20)
    assert (done.returncode, "no character n-grams" in done.stderr) == (2, True)


def test_damaged_n_grams_are_an_error(embedkit: Command, tmp_path: Path) -> None:
    vectors = postprocess(VECTORS, Steps(storage="int8"))
    vectors.save(tmp_path / "m", storage="int8")
    path = tmp_path / "m" / "config.json"
    config = read_config(path, 2)
    write_config(path, {**config, "subwords": {"shortest": 3}})
    for command in (
        ["info", "m"],
        ["neighbors", "walk", "--model", "m"],
        ["convert", "m", "x.vec"],
    ):
        assert "m is damaged: " in refused(embedkit(*command))
    with pytest.raises(ModelError, match="damaged"):
        package.load(tmp_path / "m")
