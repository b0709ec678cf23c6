"""Scores against gensim's for the same vectors and files."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from scipy import sparse

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import QuestionError
from embedkit.evaluation import analogy_accuracy, word_similarity
from embedkit.vectors.word_vectors import WordVectors

ROLES = ["country", "capital", "people"]
THEMES = 30
WORDS = [f"{role}{theme}" for theme in range(THEMES) for role in ROLES]


def structured(seed: int = 5) -> np.ndarray:
    """Rows that are a theme plus a role plus noise: some analogies hold and some do not."""
    random = np.random.default_rng(seed)
    themes, roles = random.normal(size=(THEMES, 1, 12)), random.normal(size=(1, 3, 12))
    noise = random.normal(size=(THEMES, 3, 12))
    rows = (themes + 2 * roles + 0.6 * noise).reshape(len(WORDS), 12)
    return (rows * random.uniform(0.5, 5, size=(len(WORDS), 1))).astype(np.float32)


def both(words: list[str], matrix: np.ndarray) -> tuple[WordVectors, KeyedVectors]:
    keyed = KeyedVectors(matrix.shape[1])
    keyed.add_vectors(words, matrix)
    return WordVectors(Vocabulary(words), matrix), keyed


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    return both(WORDS, structured())[0]


@pytest.fixture(scope="module")
def keyed() -> KeyedVectors:
    return both(WORDS, structured())[1]


@pytest.fixture
def analogies(tmp_path: Path) -> Path:
    random = np.random.default_rng(6)
    lines = []
    for left, right in [("country", "capital"), ("people", "country"), ("capital", "people")]:
        lines.append(f": {left} to {right}")
        for first, second in random.integers(0, THEMES + 3, size=(60, 2)):
            lines.append(f"{left}{first} {right}{first}\t{left.upper()}{second}  {right}{second}")
    path = tmp_path / "analogies.txt"
    path.write_text("\n".join([*lines, ": nobody knows these", "a b c d", ""]))
    return path


def similarity_lines(separator: str = "\t", words: list[str] | None = None) -> list[str]:
    random = np.random.default_rng(7)
    known = words or WORDS
    pairs = random.choice([*known, "unknown"], size=(80, 2))
    scores = random.uniform(0, 10, size=80).round(2)
    return [
        separator.join([first, second, str(score)])
        for (first, second), score in zip(pairs, scores, strict=True)
    ]


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def assert_analogies_are_gensims(
    vectors: WordVectors,
    keyed: KeyedVectors,
    path: Path,
    restrict: int,
    *,
    ignore_case: bool = True,
    count_unknown: bool = False,
) -> None:
    report = analogy_accuracy(
        vectors, path, restrict=restrict, case_sensitive=not ignore_case,
        count_unknown=count_unknown,
    )  # fmt: skip
    accuracy, sections = keyed.evaluate_word_analogies(
        str(path), restrict_vocab=restrict, case_insensitive=ignore_case,
        dummy4unknown=count_unknown,
    )  # fmt: skip
    skipped = [section.skipped * count_unknown for section in (*report.sections, report.total)]
    found = [
        (section.name, section.correct, section.asked + more)
        for section, more in zip(report.sections, skipped, strict=False)
    ]
    expected = [
        (
            section["section"],
            len(section["correct"]),
            len(section["correct"]) + len(section["incorrect"]),
        )
        for section in sections
    ]
    total = report.total.asked + skipped[-1]
    assert [*found, ("Total accuracy", report.total.correct, total)] == expected
    assert report.accuracy == pytest.approx(accuracy, rel=1e-12)


def assert_similarity_is_gensims(
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


@pytest.mark.parametrize("count_unknown", [False, True])
@pytest.mark.parametrize("ignore_case", [False, True])
@pytest.mark.parametrize("restrict", [30_000, 90, 61, 20])
def test_analogy_scores_are_gensims(
    vectors: WordVectors,
    keyed: KeyedVectors,
    analogies: Path,
    restrict: int,
    ignore_case: bool,
    count_unknown: bool,
) -> None:
    if not ignore_case:
        mixed = analogies.read_text().splitlines()
        analogies.write_text(
            "\n".join(line.lower() if n % 3 else line for n, line in enumerate(mixed))
        )
    assert_analogies_are_gensims(
        vectors, keyed, analogies, restrict, ignore_case=ignore_case, count_unknown=count_unknown
    )


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")  # its own
@pytest.mark.parametrize("top", [1, 3])
@pytest.mark.parametrize(
    ("method", "ask"), [("3cosadd", "most_similar"), ("3cosmul", "most_similar_cosmul")]
)
def test_a_right_answer_counts_among_gensims_first_ones(
    vectors: WordVectors, keyed: KeyedVectors, analogies: Path, method: str, ask: str, top: int
) -> None:
    """Asked one by one: gensim's evaluation knows 3CosAdd and the first answer alone."""
    report = analogy_accuracy(vectors, analogies, top=top, method=method)
    right = []
    for line in analogies.read_text().splitlines():
        words = [word.lower() for word in line.split()]
        if line.startswith(":"):
            continue
        if not all(word in WORDS for word in words):
            right.append(np.nan)
            continue
        a, b, c, d = words
        found = getattr(keyed, ask)([b, c], [a], topn=top)
        right.append(float(d in dict(found)))
    np.testing.assert_array_equal(report.outcomes, right)
    assert 0.1 < np.nanmean(right) < 0.9


def test_analogies_are_neither_all_right_nor_all_wrong(
    vectors: WordVectors, analogies: Path
) -> None:
    report = analogy_accuracy(vectors, analogies)
    assert 0.2 < report.accuracy < 0.8
    assert all(0 < section.correct < section.asked for section in report.sections[:3])


def test_analogies_of_words_in_several_spellings_are_gensims(analogies: Path) -> None:
    random = np.random.default_rng(8)
    matrix = structured()
    spellings = [*WORDS, *(word.title() for word in WORDS), *(word.upper() for word in WORDS)]
    rows = np.vstack([matrix, *(matrix + random.normal(0, 0.2, matrix.shape) for _ in range(2))])
    assert_analogies_are_gensims(*both(spellings, rows.astype(np.float32)), analogies, 30_000)


def test_analogies_of_capitalised_words_are_gensims(analogies: Path) -> None:
    spellings = [word.title() for word in WORDS]
    assert_analogies_are_gensims(*both(spellings, structured()), analogies, 30_000)


def test_questions_with_unknown_words_are_skipped_and_counted(
    vectors: WordVectors, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "questions",
        "country0 capital0 country1 capital1",
        ": second",
        "country0 capital0 country1 nowhere",
        "country0 capital0 country99 capital1",
        "country2 capital2 country1 capital1",
        ": third",
    )
    report = analogy_accuracy(vectors, path)
    counted = [(section.name, section.asked, section.skipped) for section in report.sections]
    assert counted == [("questions", 1, 0), ("second", 1, 2), ("third", 0, 0)]
    assert (report.total.asked, report.total.skipped) == (2, 2)


def test_accuracy_without_a_known_question_is_nan(vectors: WordVectors, tmp_path: Path) -> None:
    report = analogy_accuracy(vectors, write(tmp_path / "questions", ": section", "a b c d"))
    assert math.isnan(report.accuracy)
    assert report.total.skipped == 1


@pytest.mark.parametrize("separator", ["\t", ",", " "], ids=["tabs", "commas", "spaces"])
def test_similarity_scores_are_gensims(
    vectors: WordVectors, keyed: KeyedVectors, tmp_path: Path, separator: str
) -> None:
    lines = ["# first, second, score", *similarity_lines(separator)]
    path = write(tmp_path / "pairs", *lines)
    assert_similarity_is_gensims(vectors, keyed, path, separator)


@pytest.mark.parametrize("count_unknown", [False, True])
@pytest.mark.parametrize("ignore_case", [False, True])
@pytest.mark.parametrize("restrict", [300_000, 60])
def test_similarity_options_are_gensims(
    vectors: WordVectors, keyed: KeyedVectors, tmp_path: Path, restrict: int, ignore_case: bool,
    count_unknown: bool,
) -> None:  # fmt: skip
    lines = [line.upper() if n % 3 == 0 else line for n, line in enumerate(similarity_lines())]
    assert_similarity_is_gensims(
        vectors, keyed, write(tmp_path / "pairs", *lines), restrict=restrict,
        ignore_case=ignore_case, count_unknown=count_unknown,
    )  # fmt: skip


def test_case_of_similarity_files_is_ignored(
    vectors: WordVectors, keyed: KeyedVectors, tmp_path: Path
) -> None:
    path = write(tmp_path / "pairs", *(line.upper() for line in similarity_lines()))
    assert_similarity_is_gensims(vectors, keyed, path)


def test_similarity_of_capitalised_words_is_gensims(tmp_path: Path) -> None:
    spellings = [word.title() for word in WORDS]
    path = write(tmp_path / "pairs", *similarity_lines(words=spellings))
    assert_similarity_is_gensims(*both(spellings, structured()), path)


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


@pytest.mark.parametrize("line", ["country0 capital0 country1", "a b c d e", "word"])
def test_analogy_of_other_than_four_words_names_the_line(
    vectors: WordVectors, tmp_path: Path, line: str
) -> None:
    path = write(tmp_path / "questions", ": section", "a b c d", "", line)
    with pytest.raises(QuestionError, match=rf"questions, line 4: expected four words.*'{line}'"):
        analogy_accuracy(vectors, path)


@pytest.mark.parametrize(
    "line",
    ["cat", "cat dog", "cat dog high", "cat,dog", "cat\tdog\t", "cat dog nan", "cat dog inf"],
)
def test_pair_without_a_number_names_the_line(
    vectors: WordVectors, tmp_path: Path, line: str
) -> None:
    known = ["country0 capital0 9", "country1 capital2 1"]
    path = write(tmp_path / "pairs", "# comment", *known, line)
    with pytest.raises(QuestionError, match=r"pairs, line 4: expected two words and a number"):
        word_similarity(vectors, path)


@pytest.mark.parametrize("score", [analogy_accuracy, word_similarity])
def test_file_that_cannot_be_used_is_named(
    vectors: WordVectors, tmp_path: Path, score: Callable[..., object]
) -> None:
    write(tmp_path / "empty")
    (tmp_path / "latin1").write_bytes("café thé eau lait\n".encode("latin-1"))
    (tmp_path / "folder").mkdir()
    for name in ("missing", "empty", "latin1", "folder"):
        with pytest.raises(QuestionError, match=name):
            score(vectors, tmp_path / name)


def test_fewer_than_two_known_pairs_are_an_error(vectors: WordVectors, tmp_path: Path) -> None:
    path = write(tmp_path / "pairs", "country0 capital0 9", "x y 3", "y z 1")
    with pytest.raises(QuestionError, match="two known pairs; the model knows 1 of 3"):
        word_similarity(vectors, path)


def test_similarity_of_zero_vectors_is_nan(tmp_path: Path) -> None:
    zeros = WordVectors(Vocabulary(WORDS), np.zeros((len(WORDS), 4), dtype=np.float32))
    report = word_similarity(zeros, write(tmp_path / "pairs", *similarity_lines()))
    assert math.isnan(report.spearman)
    assert math.isnan(report.pearson)


def test_correlation_with_constant_human_scores_is_nan(
    vectors: WordVectors, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "pairs", "country0 capital0 5", "country1 people2 5", "people3 people4 5"
    )
    report = word_similarity(vectors, path)
    assert math.isnan(report.spearman)
    assert math.isnan(report.pearson)


def test_analogies_of_zero_vectors_are_scored(analogies: Path) -> None:
    zeros = WordVectors(Vocabulary(WORDS), np.zeros((len(WORDS), 4), dtype=np.float32))
    report = analogy_accuracy(zeros, analogies)
    assert report.total.asked > 0
    assert report.accuracy < 0.1


def test_sparse_vectors_are_scored_like_dense_ones(
    vectors: WordVectors, analogies: Path, tmp_path: Path
) -> None:
    pairs = write(tmp_path / "pairs", *similarity_lines())
    same = WordVectors(vectors.vocabulary, sparse.csr_array(vectors.matrix))
    assert analogy_accuracy(same, analogies) == analogy_accuracy(vectors, analogies)
    expected = word_similarity(vectors, pairs)
    assert word_similarity(same, pairs).spearman == pytest.approx(expected.spearman, abs=1e-6)
