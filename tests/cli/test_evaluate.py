"""evaluate: one model in detail, several side by side."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import embedkit as package
from embedkit.evaluation import accuracy_difference, analogy_accuracy
from tests.conftest import Command

QUESTIONS = """\
: capital
france paris italy rome
france paris germany berlin
france paris spain madrid
: gram1
paris france rome italy
paris france rome spain
paris france rome narnia
"""
PAIRS = "paris rome 9\nparis france 6\nmadrid spain 7\nmayor0 border0 1\nparis narnia 5\n"
CATEGORIES = "".join(
    f"{word}\t{category}\n"
    for category, words in [
        ("role", "mayor0 mayor1 mayor2"),
        ("country", "france0 france1 france2"),
    ]
    for word in words.split()
)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, text in [("q", QUESTIONS), ("pairs", PAIRS), ("categories", CATEGORIES)]:
        (tmp_path / name).write_text(text)
    return ["--analogies", "q", "--similarity", "pairs", "--categories", "categories"]


@pytest.fixture
def worse(model: Path, tmp_path: Path) -> Path:
    """The model with two of its dimensions left."""
    vectors = package.load(model)
    path = tmp_path / "worse.embedkit"
    package.WordVectors(vectors.vocabulary, vectors.matrix[:, :2]).save(path)
    return path


def test_one_model(embedkit: Command, model: Path, files: list[str]) -> None:
    lines = embedkit("evaluate", model, *files).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:6]] == [
        "capital", "gram1", "semantic", "syntactic", "total",
    ]  # fmt: skip
    assert lines[6].startswith("  95 % interval ")
    assert lines[6].endswith("; 83.3% of the questions asked")
    assert "4 of 5 (80.0%) pairs known" in lines[7]
    assert lines[8].startswith("categories: purity ")
    assert lines[8].endswith("of 2 clusters, 6 of 6 (100.0%) words known")
    again = embedkit("evaluate", "--model", model, *files).stdout.splitlines()
    assert again == lines


def test_models_side_by_side(
    embedkit: Command, model: Path, worse: Path, files: list[str], tmp_path: Path
) -> None:
    done = embedkit("evaluate", model, worse, *files)
    table = {}
    for line in done.stdout.splitlines()[:-1]:
        name, *cells = [cell for cell in line.split("  ") if cell]
        table.setdefault(name.strip(), [cell.strip() for cell in cells])
    scores = [analogy_accuracy(package.load(path), tmp_path / "q") for path in (model, worse)]
    assert table["total"] == [f"{score.accuracy:.1%}" for score in scores]
    assert table["known"] == ["83.3%", "83.3%"]
    assert {"Spearman", "Pearson", "purity", "semantic", "syntactic"} <= table.keys()
    assert done.stdout.splitlines()[0].split() == ["model.embedkit", "worse.embedkit"]


def test_json_of_several_models(
    embedkit: Command, model: Path, worse: Path, files: list[str], tmp_path: Path
) -> None:
    done = embedkit("evaluate", model, worse, *files, "--json", "--seed", "3", "--draws", "500")
    found = json.loads(done.stdout)
    scores = [analogy_accuracy(package.load(path), tmp_path / "q") for path in (model, worse)]
    expected = accuracy_difference(scores[0].outcomes, scores[1].outcomes, draws=500, seed=3)
    difference = found["differences"][str(worse)]["q"]
    assert difference["value"] == pytest.approx(expected.value)
    assert difference["interval"] == [expected.interval.low, expected.interval.high]
    assert (difference["compared"], difference["verdict"]) == (5, expected.verdict)
    for path, score in zip((model, worse), scores, strict=True):
        assert found["models"][str(path)]["q"]["accuracy"] == score.accuracy
        assert found["models"][str(path)]["pairs"]["found"] == 4
        assert found["models"][str(path)]["categories"]["categories"] == 2


def test_unknown_words_can_count_as_wrong(embedkit: Command, model: Path, files: list[str]) -> None:
    def total(*options: str) -> float:
        done = embedkit("evaluate", model, *files, "--json", *options)
        return float(json.loads(done.stdout)["q"]["accuracy"])

    usual = total()
    assert total("--count-unknown") == pytest.approx(usual * 5 / 6)
    assert total("--top", "5") >= usual


def test_counts_belong_to_the_accuracy(inside: Command, model: Path, tmp_path: Path) -> None:
    (tmp_path / "q").write_text(
        ": capitals\nfrance paris italy rome\nfrance paris italy madrid\nfrance paris narnia rome\n"
    )
    (tmp_path / "p").write_text("paris rome 5\nparis france 4\nmadrid spain 3\nx y 1\n")
    asked = ["evaluate", "--analogies", "q", "--similarity", "p", model]
    usual, counted = inside(*asked).stdout, inside(*asked, "--count-unknown").stdout
    assert "  total       50.0%       1 of      2  (1 skipped)" in usual
    assert "; 66.7% of the questions asked" in usual
    assert "3 of 4 (75.0%) pairs known\n" in usual
    assert "  total       33.3%       1 of      3  (1 unknown)" in counted
    assert "; 66.7% of the questions known, the others counted as wrong" in counted
    assert "3 of 4 (75.0%) pairs known, 4 counted\n" in counted
    found = json.loads(inside(*asked, "--count-unknown", "--json").stdout)
    assert found["q"]["total"] == {
        "name": "total", "correct": 1, "asked": 3, "skipped": 0, "unknown": 1,
        "composed": 0,
        "accuracy": 1 / 3, "coverage": 2 / 3,
    }  # fmt: skip
    assert found["q"]["count_unknown"] is True
    assert (found["p"]["found"], found["p"]["counted"]) == (3, 4)


def test_models_with_the_same_name_are_distinguished(
    embedkit: Command, model: Path, tmp_path: Path, files: list[str]
) -> None:
    for folder in ("a", "b"):
        shutil.copytree(model, tmp_path / folder / "m")
    done = embedkit("evaluate", "a/m", "b/m", "--similarity", "pairs")
    assert done.stdout.splitlines()[0].split() == ["a/m", "b/m"]
    assert done.stdout.count("unclear") == 2  # one of them in the legend


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        ([], "name a file with --analogies, --similarity or --categories", 2),
        (["nowhere.embedkit", "--analogies", "q"], "no model at nowhere.embedkit", 1),
        (["--analogies", "bad"], "bad, line 2: expected four words", 1),
        (["--similarity", "bad"], "bad, line 1: expected two words and a number", 1),
        (["--analogies", "unknown"], "unknown: too few known questions: the model knows 0 of 1", 1),
        (["--similarity", "unknown"], "unknown: too few known pairs: the model knows 0 of 1", 1),
        (["--categories", "unknown"], "unknown: too few known words", 1),
        (["--similarity", "pairs", "--restrict", "5"], "--restrict cannot be used without --", 2),
        (["--similarity", "pairs", "--method", "lrcos"], "--method cannot be used without --", 2),
        (["--categories", "categories", "--count-unknown"], "--count-unknown cannot be used", 2),
        (["--analogies", "q", "--analogies", "./q"], "./q is given twice", 2),
        (["--analogies", "q", "--similarity", "q"], "q is given twice", 2),
        (["m.embedkit", "./m.embedkit", "--analogies", "q"], "m.embedkit is given twice", 2),
        (["--analogies", "empty"], "empty contains no questions", 1),
        (["--similarity", "empty"], "empty contains no word pairs", 1),
        (["--categories", "empty"], "empty contains no words", 1),
        (["--analogies", "q", "--draws", "5"], "'--draws': must be at least 100, got 5", 2),
        (["--categories", "bad"], "bad, line 2: expected a word and its category", 1),
        (
            ["--analogies", "q", "--top", "0"],
            "'--top': must be at least 1, got 0",
            2,
        ),
        (
            ["--analogies", "q", "--draws", "99999999999"],
            "draws must be an integer between 100 and 1,0",
            2,
        ),
        (
            ["--analogies", "q", "--seed", "99999999999"],
            "seed must be an integer between 0 and 4,294,",
            2,
        ),
    ],
)
def test_mistakes_are_reported(
    inside: Command, model: Path, tmp_path: Path, files: list[str],
    arguments: list[str], message: str, code: int,
) -> None:  # fmt: skip
    (tmp_path / "bad").write_text(": a\nb c d\n")
    (tmp_path / "empty").write_text("# nothing\n" if "--analogies" not in arguments else ": a\n")
    unknown = {"--categories": "x y\n", "--similarity": "x y 1\n"}
    (tmp_path / "unknown").write_text(unknown.get("".join(arguments[:1]), "x y z q\n"))
    done = inside("evaluate", *arguments, *([] if "nowhere" in str(arguments) else [model]))
    assert message in done.stderr
    assert done.returncode == code


def test_a_correlation_that_does_not_exist_is_explained(
    inside: Command, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "pairs").write_text("paris rome 5\nparis france 5\nmadrid spain 5\n")
    asked = ["evaluate", "--similarity", "pairs", model]
    assert inside(*asked).stdout == (
        "pairs: no correlation, because all human scores are equal, 3 of 3 (100.0%) pairs known\n"
    )
    (tmp_path / "other").symlink_to(model)
    assert "nan" not in inside(*asked, "other").stdout
    found = json.loads(inside(*asked, "--json").stdout)["pairs"]
    assert (found["spearman"], found["interval"]) == (None, [None, None])


def test_evaluate_scores_analogies(embedkit: Command, model: Path, tmp_path: Path) -> None:
    questions = tmp_path / "q.txt"
    questions.write_text(
        ": capitals\nfrance paris italy rome\nfrance paris germany berlin\n"
        "france paris italy madrid\nfrance paris narnia rome\n"
    )
    done = embedkit("evaluate", "--analogies", questions, "--json", "--model", model)
    scores = json.loads(done.stdout)[str(questions)]
    total = {name: scores["total"][name] for name in ("correct", "asked", "skipped", "coverage")}
    assert total == {"correct": 2, "asked": 3, "skipped": 1, "coverage": 0.75}
    assert "66.7%" in embedkit("evaluate", "--analogies", questions, "--model", model).stdout
    questions.write_text("too few words\n")
    done = embedkit("evaluate", "--analogies", questions, "--model", model)
    assert (done.returncode, "line 1: expected four words" in done.stderr) == (1, True)
