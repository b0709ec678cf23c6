"""Word similarity against gensim and SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from scipy import sparse, stats

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import QuestionError
from embedkit.evaluation import analogy_accuracy, word_similarity
from embedkit.evaluation.datasets import read_pairs
from embedkit.evaluation.similarity import correlation, rank_correlation
from embedkit.vectors.word_vectors import WordVectors
from tests.evaluation.samples import WORDS, both, structured, write


def similarity_lines(separator: str = "\t", words: list[str] | None = None) -> list[str]:
    random = np.random.default_rng(7)
    known = words or WORDS
    pairs = random.choice([*known, "unknown"], size=(80, 2))
    scores = random.uniform(0, 10, size=80).round(2)
    return [
        separator.join([first, second, str(score)])
        for (first, second), score in zip(pairs, scores, strict=True)
    ]


def assert_matches_gensim(
    vectors: WordVectors,
    keyed: KeyedVectors,
    path: Path,
    delimiter: str = "\t",
    *,
    restrict: int = 300_000,
    ignore_case: bool = True,
    count_unknown: bool = False,
) -> None:
    report = word_similarity(
        vectors, path, restrict=restrict, case_sensitive=not ignore_case,
        count_unknown=count_unknown,
    )  # fmt: skip
    pearson, spearman, unknown = keyed.evaluate_word_pairs(
        str(path), delimiter=delimiter, case_insensitive=ignore_case, restrict_vocab=restrict,
        dummy4unknown=count_unknown,
    )  # fmt: skip
    assert report.spearman == pytest.approx(spearman[0], abs=1e-6)
    assert report.pearson == pytest.approx(pearson[0], abs=1e-6)
    assert 100 * (1 - report.found / report.total) == pytest.approx(unknown)
    assert report.counted == (report.total if count_unknown else report.found)


@pytest.mark.parametrize("separator", ["\t", ",", " "], ids=["tabs", "commas", "spaces"])
def test_correlations_match_gensim(
    vectors: WordVectors, keyed: KeyedVectors, tmp_path: Path, separator: str
) -> None:
    lines = ["# first, second, score", *similarity_lines(separator)]
    path = write(tmp_path / "pairs", *lines)
    assert_matches_gensim(vectors, keyed, path, separator)


@pytest.mark.parametrize("count_unknown", [False, True])
@pytest.mark.parametrize("ignore_case", [False, True])
@pytest.mark.parametrize("restrict", [300_000, 60])
def test_options_match_gensim(
    vectors: WordVectors, keyed: KeyedVectors, tmp_path: Path, restrict: int, ignore_case: bool,
    count_unknown: bool,
) -> None:  # fmt: skip
    lines = [line.upper() if n % 3 == 0 else line for n, line in enumerate(similarity_lines())]
    assert_matches_gensim(
        vectors, keyed, write(tmp_path / "pairs", *lines), restrict=restrict,
        ignore_case=ignore_case, count_unknown=count_unknown,
    )  # fmt: skip


def test_case_is_ignored(vectors: WordVectors, keyed: KeyedVectors, tmp_path: Path) -> None:
    path = write(tmp_path / "pairs", *(line.upper() for line in similarity_lines()))
    assert_matches_gensim(vectors, keyed, path)


def test_capitalized_words_match_gensim(tmp_path: Path) -> None:
    spellings = [word.title() for word in WORDS]
    path = write(tmp_path / "pairs", *similarity_lines(words=spellings))
    assert_matches_gensim(*both(spellings, structured()), path)


def test_pairs_with_unknown_words_are_left_out_and_counted(
    vectors: WordVectors, tmp_path: Path
) -> None:
    lines = ["country0 capital0 9", "country0 nowhere 5", "country1 capital2 1", "x y 3"]
    report = word_similarity(vectors, write(tmp_path / "pairs", *lines))
    assert (report.found, report.total) == (2, 4)


@pytest.mark.parametrize("separator", ["\t", " , ", "  "])
def test_blank_lines_and_comments_do_not_count(
    vectors: WordVectors, tmp_path: Path, separator: str
) -> None:
    pairs = [("country0", "capital0", "9"), ("country1", "capital2", "1"), ("people1", "x", "2")]
    lines = ["# comment", "", *(separator.join(pair) for pair in pairs), "   ", "#1 2 3"]
    assert word_similarity(vectors, write(tmp_path / "pairs", *lines)).total == 3


@pytest.mark.parametrize(
    "line",
    ["cat", "cat dog", "cat dog high", "cat,dog", "cat\tdog\t", "cat dog nan", "cat dog inf"],
)
def test_a_pair_without_a_number_is_named(vectors: WordVectors, tmp_path: Path, line: str) -> None:
    known = ["country0 capital0 9", "country1 capital2 1"]
    path = write(tmp_path / "pairs", "# comment", *known, line)
    with pytest.raises(QuestionError, match=r"pairs, line 4: expected two words and a number"):
        word_similarity(vectors, path)


@pytest.mark.parametrize("score", [analogy_accuracy, word_similarity])
def test_files_that_cannot_be_read_are_named(
    vectors: WordVectors, tmp_path: Path, score: Callable[..., object]
) -> None:
    write(tmp_path / "empty")
    (tmp_path / "latin1").write_bytes("café thé eau lait\n".encode("latin-1"))
    (tmp_path / "folder").mkdir()
    for name in ("missing", "empty", "latin1", "folder", "x" * 300):
        with pytest.raises(QuestionError, match=name):
            score(vectors, tmp_path / name)


def test_fewer_than_two_known_pairs_are_an_error(vectors: WordVectors, tmp_path: Path) -> None:
    path = write(tmp_path / "pairs", "country0 capital0 9", "x y 3", "y z 1")
    with pytest.raises(QuestionError, match="too few known pairs: the model knows 1 of 3 pairs"):
        word_similarity(vectors, path)


def test_similarity_of_zero_vectors_is_nan(tmp_path: Path) -> None:
    zeros = WordVectors(Vocabulary(WORDS), np.zeros((len(WORDS), 4), dtype=np.float32))
    report = word_similarity(zeros, write(tmp_path / "pairs", *similarity_lines()))
    assert math.isnan(report.spearman)
    assert math.isnan(report.pearson)
    assert report.undefined == "no correlation, because all cosines are equal"


def test_correlation_with_constant_human_scores_is_nan(
    vectors: WordVectors, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "pairs", "country0 capital0 5", "country1 people2 5", "people3 people4 5"
    )
    report = word_similarity(vectors, path)
    assert math.isnan(report.spearman)
    assert math.isnan(report.pearson)
    assert report.undefined == "no correlation, because all human scores are equal"


SIMLEX = """\
word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\tconcQ\tAssoc(USF)\tSimAssoc333\tSD(SimLex)
old\tnew\tA\t1.58\t2.72\t2.81\t2\t7.25\t1\t0.41
smart\tintelligent\tA\t9.2\t1.75\t2.46\t1\t7.11\t1\t0.67
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SIMLEX, [("old", "new", 1.58), ("smart", "intelligent", 9.2)]),
        ("take\tremove\tV\t6.81\tSYNONYMS\n", [("take", "remove", 6.81)]),  # SimVerb-3500
        ("Word 1,Word 2,Human (mean)\nlove,sex,6.77\n", [("love", "sex", 6.77)]),  # WordSim-353
        ("sun-n sunlight-n 50.000000\n", [("sun-n", "sunlight-n", 50)]),  # MEN
        ("squishing\tsquirt\t5.88\t7\t2\n", [("squishing", "squirt", 5.88)]),  # rare words
        ('"1,000","2,000",3\n', [("1,000", "2,000", 3)]),
        ("1,000 2,000 3\n", [("1,000", "2,000", 3)]),
        ("ann\u00a0lee bob 3\n", [("ann\u00a0lee", "bob", 3)]),
    ],
)
def test_layouts_of_well_known_files(
    text: str, expected: list[tuple[str, str, float]], tmp_path: Path
) -> None:
    (tmp_path / "pairs").write_text(text)
    assert read_pairs(tmp_path / "pairs") == expected


def test_sparse_vectors_are_scored_like_dense_ones(
    vectors: WordVectors, analogies: Path, tmp_path: Path
) -> None:
    pairs = write(tmp_path / "pairs", *similarity_lines())
    same = WordVectors(vectors.vocabulary, sparse.csr_array(vectors.matrix))
    assert analogy_accuracy(same, analogies) == analogy_accuracy(vectors, analogies)
    expected = word_similarity(vectors, pairs)
    assert word_similarity(same, pairs).spearman == pytest.approx(expected.spearman, abs=1e-6)


def test_correlations_match_scipy_along_the_last_axis() -> None:
    random = np.random.default_rng(11)
    first = random.integers(0, 5, (20, 30)).astype(float)  # with ties
    second = first + random.normal(size=(20, 30))
    pearson = [stats.pearsonr(x, y).statistic for x, y in zip(first, second, strict=True)]
    spearman = [stats.spearmanr(x, y).statistic for x, y in zip(first, second, strict=True)]
    np.testing.assert_allclose(correlation(first, second), pearson, rtol=1e-12)
    np.testing.assert_allclose(rank_correlation(first, second), spearman, rtol=1e-12)
    assert np.isnan(correlation(np.ones((2, 3)), first[:2, :3])).all()
