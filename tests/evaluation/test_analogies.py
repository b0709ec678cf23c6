"""Accuracy of analogies against gensim."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import QuestionError
from embedkit.evaluation import analogy_accuracy
from embedkit.vectors.word_vectors import WordVectors
from tests.evaluation.samples import WORDS, both, structured, write


def assert_matches_gensim(
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
    found = [(section.name, section.correct, section.asked) for section in report.sections]
    expected = [
        (
            section["section"],
            len(section["correct"]),
            len(section["correct"]) + len(section["incorrect"]),
        )
        for section in sections
    ]
    total = report.total
    assert [*found, ("Total accuracy", total.correct, total.asked)] == expected
    assert report.accuracy == pytest.approx(accuracy, rel=1e-12)


@pytest.mark.parametrize("count_unknown", [False, True])
@pytest.mark.parametrize("ignore_case", [False, True])
@pytest.mark.parametrize("restrict", [30_000, 90, 61, 20])
def test_accuracy_matches_gensim(
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
    assert_matches_gensim(
        vectors, keyed, analogies, restrict, ignore_case=ignore_case, count_unknown=count_unknown
    )


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")  # its own
@pytest.mark.parametrize("top", [1, 3])
@pytest.mark.parametrize(
    ("method", "ask"), [("3cosadd", "most_similar"), ("3cosmul", "most_similar_cosmul")]
)
def test_the_top_answers_match_gensim(
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


def test_words_with_several_spellings_match_gensim(analogies: Path) -> None:
    random = np.random.default_rng(8)
    matrix = structured()
    spellings = [*WORDS, *(word.title() for word in WORDS), *(word.upper() for word in WORDS)]
    rows = np.vstack([matrix, *(matrix + random.normal(0, 0.2, matrix.shape) for _ in range(2))])
    assert_matches_gensim(*both(spellings, rows.astype(np.float32)), analogies, 30_000)


def test_capitalized_words_match_gensim(analogies: Path) -> None:
    spellings = [word.title() for word in WORDS]
    assert_matches_gensim(*both(spellings, structured()), analogies, 30_000)


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
    total = report.total
    assert (total.asked, total.skipped, total.unknown, total.coverage) == (2, 2, 2, 0.5)
    same = analogy_accuracy(vectors, path, count_unknown=True)
    counted = [(section.name, section.asked, section.unknown) for section in same.sections]
    assert counted == [("questions", 1, 0), ("second", 3, 2), ("third", 0, 0)]
    assert (same.total.asked, same.total.skipped, same.total.coverage) == (4, 0, 0.5)
    assert same.accuracy == same.total.correct / 4 == np.nanmean(same.outcomes)


def test_a_file_without_a_known_question_is_an_error(vectors: WordVectors, tmp_path: Path) -> None:
    path = write(tmp_path / "questions", ": section", "a b c d")
    with pytest.raises(QuestionError, match="too few known questions: the model knows 0 of 1"):
        analogy_accuracy(vectors, path)
    report = analogy_accuracy(vectors, path, count_unknown=True)
    assert (report.accuracy, report.total.asked, report.total.unknown) == (0, 1, 1)


def test_accuracy_of_a_section_without_a_known_question_is_nan(
    vectors: WordVectors, tmp_path: Path
) -> None:
    known = "country0 capital0 country1 capital1"
    path = write(tmp_path / "questions", ": first", known, ": second", "a b c d")
    report = analogy_accuracy(vectors, path)
    assert math.isnan(report.sections[1].accuracy)
    assert report.total.skipped == 1


@pytest.mark.parametrize("line", ["country0 capital0 country1", "a b c d e", "word"])
def test_a_line_without_four_words_is_named(
    vectors: WordVectors, tmp_path: Path, line: str
) -> None:
    path = write(tmp_path / "questions", ": section", "a b c d", "", line)
    with pytest.raises(QuestionError, match=rf"questions, line 4: expected four words.*'{line}'"):
        analogy_accuracy(vectors, path)


def test_analogies_of_zero_vectors_are_scored(analogies: Path) -> None:
    zeros = WordVectors(Vocabulary(WORDS), np.zeros((len(WORDS), 4), dtype=np.float32))
    report = analogy_accuracy(zeros, analogies)
    assert report.total.asked > 0
    assert report.accuracy < 0.1
