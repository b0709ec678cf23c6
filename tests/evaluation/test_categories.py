"""Purity, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ModelError, QuestionError
from embedkit.evaluation import category_purity
from embedkit.evaluation.categories import in_majority
from embedkit.vectors.word_vectors import WordVectors
from tests.damage import save_unchecked

WORDS = ["ant", "bee", "cat", "dog", "oak", "elm", "fir"]
# Three directions: ant, bee, cat and oak lie along the first, dog along the second, elm and fir
# along the third.
ROWS = [(5, 0, 0), (1, 0.1, 0), (2, 0, 0.1), (0, 3, 0), (9, 0, 0.3), (0, 0, 4), (0, 0.1, 1)]
CATEGORIES = "ant\tinsect\nbee\tinsect\ncat\tbeast\ndog\tbeast\noak\ttree\nelm\ttree\nfir\ttree\n"


def vectors(rows: list[tuple[float, ...]] = ROWS) -> WordVectors:
    return WordVectors(Vocabulary(WORDS), np.array(rows, dtype=np.float32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "categories"
    path.write_text(CATEGORIES + "unicorn\tbeast\n")
    return path


def test_purity_of_three_clusters(path: Path) -> None:
    """{ant, bee, cat, oak} has 2 insects at most, {dog} 1, {elm, fir} 2: 5 of 7 are right."""
    report = category_purity(vectors(), path)
    assert report.purity == pytest.approx(5 / 7)
    assert (report.categories, report.found, report.total) == (3, 7, 8)
    np.testing.assert_array_equal(report.outcomes, [1, 1, 0, 1, 0, 1, 1, np.nan])
    assert report.coverage == 7 / 8


def test_the_textbooks_example() -> None:
    """Manning, Raghavan and Schuetze 2008, figure 16.4: (5 + 4 + 3) / 17 = 0.71."""
    clusters = np.repeat([0, 1, 2], [6, 6, 5])
    labels = np.array([*"xxxxxo", *"xoooo#", *"xx###"])
    _, numbers = np.unique(labels, return_inverse=True)
    assert in_majority(clusters, numbers).mean() == pytest.approx(12 / 17)


def test_sparse_vectors_are_clustered_like_dense_ones(path: Path) -> None:
    same = WordVectors(Vocabulary(WORDS), sparse.csr_array(vectors().matrix))
    assert category_purity(same, path).purity == category_purity(vectors(), path).purity


def test_vectors_that_are_all_the_same_are_one_cluster(path: Path) -> None:
    report = category_purity(vectors([(1, 1, 1)] * 7), path)
    assert report.purity == pytest.approx(3 / 7)


def test_too_few_words_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "few"
    path.write_text("ant\tinsect\nbee\tinsect\nunicorn\tbeast\n")
    with pytest.raises(QuestionError, match=r"few: too few .* knows 2 of 3 words, in 1 category"):
        category_purity(vectors(), path)
    path.write_text("")
    with pytest.raises(QuestionError, match="few contains no words"):
        category_purity(vectors(), path)


def test_vectors_with_nan_are_rejected(path: Path, tmp_path: Path) -> None:
    model = save_unchecked(tmp_path / "model", WORDS, [(np.nan, 0, 0), *ROWS[1:]])
    with pytest.raises(ModelError, match="contain NaN or infinity"):
        category_purity(embedkit.load(model), path)
