"""The shares of tokens add up to the features of their text, for every pooling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.features.options import POOLINGS
from embedkit.features.transformers import TextFeatures
from embedkit.vectors.word_vectors import WordVectors

TEXTS = ["the mayor0 of paris, paris!", "nothing known", "", "border1 italy rome", "rome"]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("kind", ["skipgram", "onehot", "subwords"])
def test_shares_add_up_to_the_features(
    pooling: str, kind: str, model: Path, subword_model: Path
) -> None:
    if (kind, pooling) == ("onehot", "sif"):
        return  # rejected by `fit`
    vectors = embedkit.load(
        subword_model if kind == "subwords" else model,
        encoder="onehot" if kind == "onehot" else None,
    )
    features = TextFeatures(vectors, pooling).fit(TEXTS)
    with pytest.warns(embedkit.errors.UnknownWordsWarning):
        whole = features.transform(TEXTS)
    dense = whole.toarray() if sparse.issparse(whole) else whole
    for text, expected in zip(TEXTS, dense, strict=True):
        found = features.shares(text)
        assert list(found.tokens) == embedkit.tokenize(text)
        assert not found.values[~found.known].any()
        row = np.zeros(features.vectors_.dimension)
        row[found.columns] = found.values.sum(axis=0)
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-6)


def test_each_dimension_belongs_to_the_word_with_its_maximum() -> None:
    matrix = np.array([[1, 5, -3], [2, 5, -1]], dtype=np.float32)
    vectors = WordVectors(Vocabulary(["a", "b"]), matrix)
    features = TextFeatures(vectors, "max").fit([])
    found = features.shares("a b x a")
    third = 5 / 3  # three tokens have the maximum
    np.testing.assert_allclose(
        found.values, [[0, third, 0], [2, third, -1], [0, 0, 0], [0, third, 0]]
    )
    assert found.known.tolist() == [True, True, False, True]
