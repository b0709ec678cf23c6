"""Models with character n-grams: copies keep them, and other formats warn that they do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import embedkit as package
from embedkit import formats
from embedkit.errors import DroppedNgramsWarning, MissingMatrixWarning
from embedkit.vectors.postprocess import Steps, postprocess
from embedkit.vectors.word_vectors import WordVectors
from tests.conftest import Command
from tests.subwords import NEW, WORDS, composed, subword_vectors


@pytest.mark.parametrize("target", ["x.vec", "x.npz", "x.safetensors"])
def test_formats_without_n_grams_say_so(target: str, tmp_path: Path) -> None:
    with pytest.warns(DroppedNgramsWarning, match="no character n-grams"):
        formats.write(subword_vectors(), tmp_path / target)
    assert formats.read(tmp_path / target).vocabulary.words() == WORDS


def test_commands_warn_unless_they_are_quiet(embedkit: Command, subword_model: Path) -> None:
    for command in (
        ["convert", subword_model, "a.vec"],
        ["export", "jsonl", "--model", subword_model, "-o", "a.jsonl"],
    ):
        done = embedkit(*command)
        assert done.returncode == 0, done.stderr
        assert "have no character n-grams, so unknown words will have no vectors" in done.stderr
        assert embedkit(*command, "--overwrite", "--quiet").stderr == ""


def test_model_directories_keep_them(embedkit: Command, subword_model: Path) -> None:
    assert embedkit("convert", subword_model, "copy", "--limit", 4).stderr == ""
    done = embedkit("encode", "talking", "--model", "copy")
    numbers = [float(cell) for cell in done.stdout.split("\t")[1:]]
    np.testing.assert_allclose(numbers, composed("talking"), atol=1e-6)


def test_an_index_answers_for_composed_words(embedkit: Command, tmp_path: Path) -> None:
    known = subword_vectors()
    others = np.random.default_rng(3).normal(size=(1_000, known.dimension)).astype(np.float32)
    words = [*known, *(f"q{number}" for number in range(1_000))]
    matrix = np.concatenate([known.matrix, others])
    WordVectors(words, matrix, subwords=known.subwords).save(tmp_path / "m")
    expected = package.load(tmp_path / "m").neighbors("talking", 3)
    built = embedkit("index", "build", "m", "--kind", "hnsw")
    assert built.returncode == 0, built.stderr
    found = package.load(tmp_path / "m").neighbors("talking", 3)
    assert [one.word for one in found] == [one.word for one in expected]


def test_fasttext_files_have_the_offset_of_centered_vectors(tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext")
    for number, steps in enumerate([Steps(center=True), Steps(pca=6, storage="int8")]):
        vectors = postprocess(subword_vectors(), steps)
        path = tmp_path / f"{number}.bin"
        with pytest.warns(MissingMatrixWarning):
            formats.write(vectors, path, format="fasttext")
        model = fasttext.load_model(str(path))
        for word in [*WORDS, *NEW]:
            np.testing.assert_allclose(model.get_word_vector(word), vectors[word], atol=1e-5)
