"""3CosAvg and LRCos over files: each pair of a relation asked for with the others as examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.evaluation import analogy_accuracy
from embedkit.vectors.word_vectors import WordVectors

COUNTRIES = 20
WORDS = [f"{role}{number}" for number in range(COUNTRIES) for role in ("country", "capital", "x")]
PAIRS = [(f"country{number}", f"capital{number}") for number in range(COUNTRIES)]


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    """Rows of a country plus a role plus noise: some analogies hold and some do not."""
    random = np.random.default_rng(3)
    places = random.normal(size=(COUNTRIES, 1, 10))
    roles = random.normal(size=(1, 3, 10))
    rows = places + roles + 0.7 * random.normal(size=(COUNTRIES, 3, 10))
    return rows.reshape(len(WORDS), 10).astype(np.float32)


@pytest.fixture(scope="module")
def vectors(matrix: np.ndarray) -> WordVectors:
    return WordVectors(Vocabulary(WORDS), matrix)


@pytest.fixture
def google(tmp_path: Path) -> Path:
    """All ordered pairs of a relation, and of one whose words are not known."""
    lines = [": capitals", *(f"{a} {b} {c} {d}" for a, b in PAIRS for c, d in PAIRS if a != c)]
    path = tmp_path / "questions.txt"
    path.write_text("\n".join([*lines, ": unknown", "a b c d", "country0 capital0 e f", ""]))
    return path


def units_of(matrix: np.ndarray) -> dict[str, np.ndarray]:
    rows = matrix.astype(np.float64)
    return dict(zip(WORDS, rows / np.linalg.norm(rows, axis=1, keepdims=True), strict=True))


def before(scores: dict[str, float], word: str, right: str) -> int:
    """Return how many words other than *word* are better than the right one."""
    return sum(score > scores[right] for other, score in scores.items() if other != word)


def test_3cosavg_adds_the_mean_difference_of_the_other_pairs(
    vectors: WordVectors, matrix: np.ndarray, google: Path
) -> None:
    units, expected = units_of(matrix), []
    for word, answer in PAIRS:
        others = [units[end] - units[start] for start, end in PAIRS if start != word]
        target = units[word] + np.mean(others, axis=0)
        expected.append(before({w: float(units[w] @ target) for w in WORDS}, word, answer))
    report = analogy_accuracy(vectors, google, method="3cosavg")
    assert report.ranks.tolist() == [*expected, -1, -1, -1, -1]
    assert 0.2 < report.accuracy < 0.95


def test_lrcos_asks_for_the_class_of_the_other_answers(
    vectors: WordVectors, matrix: np.ndarray, google: Path
) -> None:
    units, expected = units_of(matrix), []
    for word, answer in PAIRS:
        others = [pair for pair in PAIRS if pair[0] != word]
        ends = [end for _, end in others]
        spread = [WORDS[int(place)] for place in np.linspace(0, len(WORDS) - 1, len(others))]
        wrong = [start for start, _ in others] + [w for w in spread if w not in ends]
        model = LogisticRegression().fit(
            [units[w] for w in [*ends, *wrong]], [1] * len(ends) + [0] * len(wrong)
        )
        likely = model.predict_proba([units[w] for w in WORDS])[:, 1]
        scores = {
            w: float(p * (units[w] @ units[word])) for w, p in zip(WORDS, likely, strict=True)
        }
        expected.append(before(scores, word, answer))
    report = analogy_accuracy(vectors, google, method="lrcos")
    assert report.ranks.tolist()[: len(PAIRS)] == expected
    assert 0.2 < report.accuracy < 0.95


@pytest.mark.parametrize("method", ["3cosavg", "lrcos"])
def test_pairs_are_counted_once_and_without_examples_not_at_all(
    vectors: WordVectors, google: Path, method: str
) -> None:
    report = analogy_accuracy(vectors, google, method=method)
    counts = [(section.name, section.asked, section.skipped) for section in report.sections]
    assert counts == [("capitals", COUNTRIES, 0), ("unknown", 0, 4)]
    assert report.coverage == pytest.approx(COUNTRIES / (COUNTRIES + 4))


@pytest.mark.parametrize("method", ["3cosavg", "lrcos"])
def test_answers_are_those_of_the_question_with_pairs(
    vectors: WordVectors, google: Path, method: str
) -> None:
    found = []
    for word, answer in PAIRS:
        [best] = vectors.analogy_from_pairs(
            [pair for pair in PAIRS if pair[0] != word], word, 1, method=method,
            include_question=True, exclude=[word],
        )  # fmt: skip
        found.append(best.word == answer)
    report = analogy_accuracy(vectors, google, method=method)
    assert (report.ranks[: len(PAIRS)] == 0).tolist() == found


def test_any_answer_of_bats_is_right_and_may_be_one_of_the_examples(tmp_path: Path) -> None:
    """By hand: animals point up, kinds right, and two animals have one kind."""
    words = ["cat", "dog", "trout", "mammal", "fish", "beast"]
    matrix = np.array([[0, 1, 0], [0, 1, 0.1], [0, 1, 1], [1, 0, 0], [1, 0, 1], [0.9, 0, 0]])
    vectors = WordVectors(Vocabulary(words), matrix.astype(np.float32))
    path = tmp_path / "kinds.txt"
    path.write_text("cat\tunknown/beast/mammal\ndog\tmammal\ntrout\tfish\nDOG\tmammal\nlynx\tcat\n")
    report = analogy_accuracy(vectors, path, method="3cosavg")
    assert report.ranks.tolist()[:2] == [0, 0]
    assert (report.total.asked, report.total.skipped) == (3, 1)  # DOG is dog


@pytest.mark.parametrize("count_unknown", [False, True])
def test_bats_sections_hold_their_pairs(
    vectors: WordVectors, tmp_path: Path, count_unknown: bool
) -> None:
    folder = tmp_path / "bats" / "1_Geography"
    folder.mkdir(parents=True)
    lines = [f"{start}\t{end}\n" for start, end in PAIRS]
    (folder / "capitals.txt").write_text("".join(lines) + "nowhere\tnothing\n")
    report = analogy_accuracy(
        vectors, tmp_path / "bats", method="3cosavg", count_unknown=count_unknown
    )
    [section] = report.sections
    assert (section.group, section.asked) == ("1_Geography", COUNTRIES + count_unknown)
    assert (section.skipped, section.unknown) == (not count_unknown, 1)
    assert report.accuracy == section.correct / section.asked


def test_one_hot_vectors_have_3cosavg_and_no_lrcos(google: Path) -> None:
    one_hot = WordVectors(Vocabulary(WORDS), sparse.eye_array(len(WORDS), format="csr"))
    dense = WordVectors(Vocabulary(WORDS), np.eye(len(WORDS), dtype=np.float32))
    found = analogy_accuracy(one_hot, google, method="3cosavg")
    assert found.ranks.tolist() == analogy_accuracy(dense, google, method="3cosavg").ranks.tolist()
    with pytest.raises(ConfigurationError, match="lrcos needs dense vectors"):
        analogy_accuracy(one_hot, google, method="lrcos")
