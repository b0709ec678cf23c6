"""Opening model directories: other encoders, exact search, and vectors that are pickled."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import load, load_encoder, untrained
from embedkit.errors import ConfigurationError, ModelError
from embedkit.formats import write
from embedkit.storage.model_directory import write_model
from embedkit.vectors.word_vectors import WordVectors
from tests.subwords import subword_vectors


@pytest.mark.parametrize("encoder", [None, "charcode", "onehot"])
@pytest.mark.parametrize("exact", [False, True])
def test_loaded_vectors_are_pickled_without_numbers(
    model: Path, encoder: str | None, exact: bool
) -> None:
    vectors = load(model, encoder=encoder, exact=exact)
    data = pickle.dumps(vectors)
    assert len(data) < 50_000
    again = pickle.loads(data)
    assert again.vocabulary == vectors.vocabulary
    assert abs(again.matrix - vectors.matrix).max() == 0
    assert again.neighbors("paris", 3) == vectors.neighbors("paris", 3)
    if encoder is None:
        assert isinstance(again.matrix, np.memmap)


@pytest.mark.filterwarnings("ignore::embedkit.errors.MissingMatrixWarning")
def test_n_grams_of_a_file_are_those_of_the_encoder_subword(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    write(subword_vectors(), path, format="fasttext")
    for name in (None, "subword"):
        assert load(path, encoder=name).subwords is not None
    with pytest.raises(ConfigurationError, match="'skipgram' vectors cannot be made"):
        load(path, encoder="skipgram")
    write(WordVectors(["a"], np.ones((1, 2), np.float32)), tmp_path / "x.txt")
    with pytest.raises(ConfigurationError, match="'subword' vectors cannot be made"):
        load(tmp_path / "x.txt", encoder="subword")


def test_an_encoder_that_needs_training_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match=r"list of words; choose from charcode, onehot\."):
        untrained("skipgram", Vocabulary(["a"]))


def test_a_model_of_an_unknown_encoder_is_rejected(tmp_path: Path) -> None:
    write_model(tmp_path / "m", config={"encoder": "glove"}, vocabulary=Vocabulary(["a"]))
    with pytest.raises(ModelError, match=r"encoder 'glove'.*Run pip install --upgrade embedkit\."):
        load(tmp_path / "m")


def test_a_path_must_be_a_path() -> None:
    for path in (None, 5, ["a"]):
        for open_model in (load, load_encoder):
            with pytest.raises(TypeError, match="expected a path, as a string"):
                open_model(path)  # type: ignore[arg-type]
