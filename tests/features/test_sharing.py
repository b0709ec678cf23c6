"""Vectors are passed to other processes as the path of their model, and memory-mapped there."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ModelError, UnknownWordError
from embedkit.features import TextFeatures
from embedkit.vectors.word_vectors import WordVectors

QUESTIONS = ["where is the president", "where is new york", "who is a president", "who is rare"]


def mapped_files(features: TextFeatures) -> tuple[int, bool, list[str]]:
    """Return the process id, whether the matrix is a memory map, and the mapped model files."""
    address = features.vectors_.matrix.ctypes.data
    files = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, stop = (int(end, 16) for end in line.split()[0].split("-"))
        if start <= address < stop:
            files.append(line.split(maxsplit=5)[-1])
    return os.getpid(), isinstance(features.vectors_.matrix, np.memmap), files


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_workers_map_the_vectors_instead_of_copying_them(saved: Path) -> None:
    for given in (saved, embedkit.load(saved), embedkit.load_encoder(saved)):
        features = TextFeatures(given).fit(QUESTIONS)
        answers = joblib.Parallel(n_jobs=2)(joblib.delayed(mapped_files)(features) for _ in "ab")
        for process, mapped, files in answers:
            assert process != os.getpid()
            assert mapped
            assert files == [str(saved / "vectors.safetensors")]


BIG = 3_000


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 12 MB, far larger than its path."""
    path = tmp_path_factory.mktemp("big") / "big.embedkit"
    matrix = np.random.default_rng(0).normal(size=(BIG, 1_000)).astype(np.float32)
    words = [f"word{number}" for number in range(BIG)]
    WordVectors(Vocabulary(words, range(BIG, 0, -1)), matrix).save(path)
    return path


def test_a_pickle_contains_the_path(big: Path) -> None:
    kinds: list[Any] = [
        big,
        embedkit.load(big),
        embedkit.load_encoder(big),
        embedkit.load(big, encoder="charcode"),
    ]
    for given in kinds:
        features = TextFeatures(given).fit(["word1"])
        data = pickle.dumps(features)
        assert len(data) < 1_000
        again = pickle.loads(data)
        assert np.array_equal(again.transform(["word7"]), features.transform(["word7"]))
        assert not again.vectors_.matrix.flags.writeable


def test_vectors_in_memory_are_pickled(vectors: WordVectors) -> None:
    for given in (
        vectors,
        embedkit.OneHotEncoder().fit([QUESTIONS[0].split()]),
        embedkit.SkipGramEncoder(dimension=4, min_count=1, sample=0, workers=1, epochs=1).fit(
            [question.split() for question in QUESTIONS]
        ),
    ):
        features = TextFeatures(given, pooling="max").fit(QUESTIONS)
        again = pickle.loads(pickle.dumps(features))
        ours, theirs = features.transform(["president is"]), again.transform(["president is"])
        assert abs(ours - theirs).max() == 0
        assert again.vectors_.vocabulary == features.vectors_.vocabulary


def test_a_pickle_works_in_another_working_directory(
    big: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(big.parent)
    features = TextFeatures("big.embedkit").fit(["word1"])
    (tmp_path / "features.pickle").write_bytes(pickle.dumps(features))
    script = (
        "import pickle; f = pickle.load(open('features.pickle', 'rb'))\n"
        "print(float(f.transform(['word7'])[0, 0]))"
    )
    printed = subprocess.check_output([sys.executable, "-c", script], cwd=tmp_path, text=True)
    assert float(printed) == features.transform(["word7"])[0, 0]


@pytest.mark.parametrize("change", ["removed", "trained again", "other vectors"])
def test_a_pickle_of_a_changed_model_is_rejected(
    change: str, vectors: WordVectors, tmp_path: Path
) -> None:
    path = tmp_path / "model.embedkit"
    vectors.save(path)
    data = pickle.dumps(TextFeatures(path).fit(["the"]))
    if change == "removed":
        path.rename(tmp_path / "elsewhere.embedkit")
    else:
        config = {"training": {"seconds": 2.5}} if change == "trained again" else {}
        matrix = vectors.matrix if change == "trained again" else 2 * np.asarray(vectors.matrix)
        WordVectors(vectors.vocabulary, matrix, config=config).save(path, overwrite=True)
    message = "there is no model" if change == "removed" else "is not the model that was open when"
    with pytest.raises(ModelError, match=message):
        pickle.loads(data)


def test_an_encoder_that_was_trained_again_is_pickled_whole(model: Path) -> None:
    encoder: Any = embedkit.load_encoder(model)
    sentences = [["a", "b", "c", "d"]] * 20
    fresh = embedkit.SkipGramEncoder(dimension=24, min_count=1, sample=0, workers=1, epochs=1)
    encoder.config = fresh.config
    encoder.fit(sentences)
    again = pickle.loads(pickle.dumps(encoder))
    assert again.vocabulary == encoder.vocabulary
    assert np.array_equal(again.vectors().matrix, encoder.vectors().matrix)


def test_an_error_in_a_worker_is_raised_unchanged(vectors: WordVectors) -> None:
    features = TextFeatures(vectors, oov="error").fit([])
    with pytest.raises(UnknownWordError, match=re.escape("row 1 (counted from 0): 'xyz'")):
        joblib.Parallel(n_jobs=2)(
            joblib.delayed(features.transform)(texts) for texts in (["the"], ["is", "xyz"])
        )
