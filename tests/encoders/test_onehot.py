"""One-hot vectors: exact, sparse, and small however many words there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import OneHotEncoder

WORDS = [f"w{number}" for number in range(40)]

MANY_WORDS = """
import resource, sys
import numpy as np
import faiss, pyarrow.compute, scipy.sparse, rapidfuzz
from embedkit.encoders import OneHotEncoder
from embedkit.corpus.vocabulary import Vocabulary

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

OneHotEncoder.from_vocabulary(Vocabulary(["a", "b"])).vectors().neighbors("a")
before = megabytes()
encoder = OneHotEncoder.from_vocabulary(Vocabulary([f"word{n}" for n in range(50_000)]))
vectors = encoder.vectors()
for metric in ("cosine", "l2", "dot"):
    print(*(word for word, _ in vectors.neighbors("word7", 3, metric=metric)))
    print(*(word for word, _ in vectors.analogy("word0", "word1", "word2", 3, metric=metric)))
encoder.encode(["word7"] * 1000)
vectors.distance(["word1", "word49999"])
print(megabytes() - before)
"""


@pytest.fixture
def encoder() -> OneHotEncoder:
    return OneHotEncoder.from_vocabulary(Vocabulary(WORDS))


def test_all_vectors_are_the_identity_matrix(encoder: OneHotEncoder) -> None:
    matrix = encoder.vectors().matrix
    assert sparse.issparse(matrix)
    assert matrix.format == "csr"
    assert matrix.nnz == len(WORDS)
    np.testing.assert_array_equal(matrix.toarray(), np.eye(len(WORDS), dtype=np.float32))


def test_encode_gives_one_1_a_row(encoder: OneHotEncoder) -> None:
    rows = encoder.encode(["w3", "w39", "w3"])
    assert rows.format == "csr"
    assert rows.nnz == 3
    assert [row.tolist().index(1) for row in rows.toarray()] == [3, 39, 3]


def test_different_words_are_the_root_of_2_apart(encoder: OneHotEncoder) -> None:
    table = encoder.vectors().distance(WORDS)
    expected = np.full((40, 40), np.sqrt(2.0))
    np.fill_diagonal(expected, 0.0)
    np.testing.assert_allclose(table, expected, rtol=1e-15)


@pytest.mark.parametrize(("metric", "score"), [("l2", 2**0.5), ("cosine", 0.0), ("dot", 0.0)])
def test_every_other_word_is_as_near_as_the_next(
    encoder: OneHotEncoder, metric: str, score: float
) -> None:
    found = encoder.vectors().neighbors("w1", 39, metric=metric)
    assert [word for word, _ in found] == [word for word in WORDS if word != "w1"]
    assert [near for _, near in found] == pytest.approx([score] * 39)


def test_model_of_another_encoder_gives_one_hot_vectors(model: Path) -> None:
    vectors = embedkit.load(model, encoder="onehot")
    assert vectors.dimension == len(vectors) == len(embedkit.load(model))
    assert vectors.distance(["paris", "rome"])[0, 1] == pytest.approx(2**0.5)


def test_fifty_thousand_words_take_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MANY_WORDS], capture_output=True, text=True, check=True
    )
    *answers, megabytes = done.stdout.splitlines()
    assert answers == ["word0 word1 word2", "word3 word4 word5"] * 3
    assert float(megabytes) < 100
