"""Benchmarks with words outside the vocabulary of vectors with n-grams."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embedkit.errors import ConfigurationError
from embedkit.evaluation import analogy_accuracy, category_purity, word_similarity
from embedkit.evaluation.comparison import ScoreSettings, compare, score
from tests.conftest import Command
from tests.evaluation.samples import write
from tests.subwords import ALIEN, WORDS, composed, extended, subword_vectors

VECTORS = subword_vectors()
QUESTIONS = [
    "walk walked talk talked",
    "walk walked sing singing",
    "walks walked talk talked",  # a composed word
    "walk walking talk talking",  # an answer outside the vocabulary
    f"walk walked {ALIEN} car",
    "Walks Walked Talks Talked",  # composed in the spelling of the vocabulary
]


def unit(word: str) -> np.ndarray:
    vector = VECTORS[word][:] if word in VECTORS else composed(word)
    return np.asarray(vector / np.linalg.norm(vector))


def rank_by_hand(question: str) -> int:
    """Return the number of words nearer to b - a + c than d, by 3CosAdd."""
    a, b, c, d = question.lower().split()
    target = unit(b) - unit(a) + unit(c)
    scores = {word: float(unit(word) @ target) for word in WORDS if word not in (a, b, c)}
    return sum(value > scores[d] for value in scores.values())


def test_analogies_compose_the_words_of_questions_if_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "q", ": verbs", *QUESTIONS)
    known = analogy_accuracy(VECTORS, path)
    assert (known.total.asked, known.total.skipped, known.total.composed) == (2, 4, 0)
    asked = analogy_accuracy(VECTORS, path, oov="subwords")
    expected = [rank_by_hand(QUESTIONS[number]) for number in (0, 1, 2, 5)]
    assert asked.ranks.tolist() == [*expected[:3], -1, -1, expected[3]]
    assert (asked.total.asked, asked.total.skipped, asked.total.composed) == (4, 2, 2)
    assert asked.sections[0].composed == 2
    assert asked.coverage == pytest.approx(4 / 6)
    counted = analogy_accuracy(VECTORS, path, oov="subwords", count_unknown=True)
    assert (counted.total.asked, counted.total.unknown) == (6, 2)
    assert np.isnan(asked.outcomes).tolist() == [False, False, False, True, True, False]


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
def test_composed_words_count_as_words_of_a_larger_vocabulary(method: str, tmp_path: Path) -> None:
    path = write(tmp_path / "q", ": verbs", *QUESTIONS[:3])
    found = analogy_accuracy(VECTORS, path, method=method, oov="subwords", top=20)
    whole = analogy_accuracy(extended("walks"), path, method=method, top=20)
    assert found.total.composed == 1
    # The larger vocabulary has one more answer to the first two questions.
    assert all(0 <= b - a <= 1 for a, b in zip(found.ranks, whole.ranks, strict=True))
    assert found.ranks[2] == whole.ranks[2]


@pytest.mark.parametrize("method", ["3cosavg", "lrcos"])
def test_pairs_may_begin_with_composed_words(method: str, tmp_path: Path) -> None:
    pairs = [("walk", "walked"), ("talks", "talked"), ("sings", "singing"), ("happyish", "happy")]
    lines = [f"{a} {b} {c} {d}" for a, b in pairs for c, d in pairs if a != c]
    path = write(tmp_path / "q", ": verbs", *lines)
    with_n_grams = analogy_accuracy(VECTORS, path, method=method, oov="subwords")
    assert (with_n_grams.total.asked, with_n_grams.total.composed) == (4, 3)
    assert with_n_grams.ranks.min() >= 0
    assert analogy_accuracy(VECTORS, path, method=method, count_unknown=True).total.unknown == 4


def test_words_that_are_less_frequent_than_the_limit_are_not_composed(tmp_path: Path) -> None:
    path = write(tmp_path / "q", ": verbs", "walk walked talk talked", "Car walked walk talked")
    report = analogy_accuracy(VECTORS, path, restrict=6, oov="subwords")
    assert (report.total.asked, report.total.composed) == (1, 0)
    lines = ["walk\ttalk\t3", "walk\tcar\t1", "walks\ttalk\t2", "sing\twalk\t1"]
    pairs = write(tmp_path / "p", *lines)
    assert word_similarity(VECTORS, pairs, restrict=6).found == 3


def test_similarity_is_that_of_a_vocabulary_with_the_words(tmp_path: Path) -> None:
    lines = ["walk\ttalk\t7", "walks\ttalking\t6", "Happyish\tcar\t1", f"walk\t{ALIEN}\t9"]
    path = write(tmp_path / "p", *lines)
    found = word_similarity(VECTORS, path)
    expected = word_similarity(extended("walks", "talking", "happyish"), path)
    assert (found.found, found.composed, found.counted, found.total) == (3, 2, 3, 4)
    assert (expected.found, expected.composed) == (3, 0)
    np.testing.assert_allclose(found.ours, expected.ours, atol=1e-6)
    assert found.spearman == pytest.approx(expected.spearman)
    with_all = word_similarity(VECTORS, path, count_unknown=True)
    assert (with_all.found, with_all.counted, with_all.ours[-1]) == (3, 4, 0)
    with pytest.raises(Exception, match="knows 1 of 4 pairs"):
        word_similarity(VECTORS, path, oov="skip")


def test_categories_are_those_of_a_vocabulary_with_the_words(tmp_path: Path) -> None:
    words = {"walk": "a", "walks": "a", "walked": "a", "happy": "b", "happyish": "b", ALIEN: "b"}
    path = write(tmp_path / "c", *[f"{word}\t{category}" for word, category in words.items()])
    found = category_purity(VECTORS, path)
    expected = category_purity(extended("walks", "happyish"), path)
    assert (found.found, found.composed, found.total) == (5, 2, 6)
    np.testing.assert_array_equal(found.outcomes, expected.outcomes)
    assert category_purity(VECTORS, path, oov="skip").found == 3


def test_models_are_compared_on_the_questions_that_both_answer(tmp_path: Path) -> None:
    lines = ["walk\ttalk\t7", "walks\ttalking\t6", "happy\tcar\t1", "sing\twalk\t2"]
    path = str(write(tmp_path / "p", *lines))
    settings = ScoreSettings(draws=100)
    both = compare(
        score(VECTORS, "similarity", path, settings),
        score(extended("other"), "similarity", path, settings),
        settings,
    )
    assert both.compared == 3  # not the composed pair


def test_another_policy_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "p", "walk\ttalk\t7", "sing\ttalk\t6")
    with pytest.raises(ConfigurationError, match="oov"):
        word_similarity(VECTORS, path, oov="spell")
    with pytest.raises(ConfigurationError, match="oov"):
        ScoreSettings(oov="error")


def test_the_command_says_how_many_were_composed(
    embedkit: Command, subword_model: Path, tmp_path: Path
) -> None:
    write(tmp_path / "q", ": verbs", *QUESTIONS)
    write(tmp_path / "p", "walk\ttalk\t7", "walks\ttalking\t6", "happy\tcar\t1")
    write(tmp_path / "c", "walk\ta", "walks\ta", "happy\tb")
    asked = ["evaluate", "--analogies", "q", "--similarity", "p", "--categories", "c"]
    done = embedkit(*asked, subword_model)
    assert "(4 skipped)" in done.stdout
    assert "3 of 3 (100.0%) pairs known, 1 of them composed\n" in done.stdout
    assert "3 of 3 (100.0%) words known, 1 of them composed\n" in done.stdout
    done = embedkit(*asked[:5], "--oov", "subwords", subword_model)
    assert "of      4  (2 skipped, 2 composed)" in done.stdout
    found = json.loads(embedkit(*asked[:5], "--oov", "subwords", "--json", subword_model).stdout)
    assert (found["q"]["total"]["composed"], found["p"]["composed"]) == (2, 1)
    done = embedkit(*asked[:5], "--oov", "skip", subword_model)
    assert "composed" not in done.stdout
    assert "2 of 3 (66.7%) pairs known\n" in done.stdout
    subword_vectors().save(tmp_path / "other")
    done = embedkit(*asked, subword_model, "other")
    assert [line.split() for line in done.stdout.splitlines() if "composed" in line] == [
        ["composed", "1", "1"]
    ] * 2
