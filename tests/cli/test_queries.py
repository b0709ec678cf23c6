"""analogy, transfer, query and neighbors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import embedkit as library
from tests.cli.helpers import PAIRS, assert_wrong_usage, json_lines, rows
from tests.conftest import Command


def test_analogy_prints_the_question_and_ranked_answers(embedkit: Command, model: Path) -> None:
    done = embedkit("analogy", "paris", "france", "italy", "-k", 3, "--model", model)
    assert done.returncode == 0
    first, *answers = rows(done.stdout)
    assert first == ["paris", "-", "france", "+", "italy"]
    assert [row[0] for row in answers] == ["1", "2", "3"]
    assert answers[0][1] == "rome"
    scores = [float(row[2]) for row in answers]
    assert scores == sorted(scores, reverse=True)


def test_answers_equal_those_of_the_library(embedkit: Command, model: Path) -> None:
    vectors = library.load(model)
    for method in ("3cosadd", "3cosmul"):
        done = embedkit(
            "analogy", "paris", "france", "spain", "--method", method, "--json", "--model", model
        )
        found = json.loads(done.stdout)
        assert found["question"] == "paris - france + spain"
        expected = vectors.analogy("paris", "france", "spain", method=method)
        assert [answer["word"] for answer in found["answers"]] == [n.word for n in expected]
        scores = [answer["score"] for answer in found["answers"]]
        assert scores == pytest.approx([n.score for n in expected], abs=1e-6)


def test_questions_are_read_from_standard_input(embedkit: Command, model: Path) -> None:
    lines = "paris france italy\n\nparis france germany\n"
    done = embedkit("analogy", "-", "-k", 1, "--model", model, stdin=lines)
    assert [row[1] for row in rows(done.stdout) if row and row[0] == "1"] == ["rome", "berlin"]
    done = embedkit(
        "query", "-", "--json", "-k", 1, "--model", model, stdin="paris - france + spain"
    )
    assert json.loads(done.stdout)["answers"][0]["word"] == "madrid"
    done = embedkit("neighbors", "-", "-k", 2, "--model", model, stdin="paris\nrome\n")
    assert [row for row in rows(done.stdout) if len(row) == 1] == [["paris"], ["rome"]]
    assert embedkit("neighbors", "-", "--model", model).stdout == ""


def test_unknown_word_is_reported_with_similar_spellings(embedkit: Command, model: Path) -> None:
    done = embedkit("analogy", "pariss", "france", "italy", "--model", model)
    assert done.returncode == 1
    assert "'pariss' is not in the vocabulary.\nHint: Did you mean paris" in done.stderr
    assert "Traceback" not in done.stderr


def test_case_is_ignored_if_the_word_is_unknown(embedkit: Command, model: Path) -> None:
    done = embedkit("neighbors", "Paris", "-k", 1, "--model", model)
    assert done.returncode == 0


def test_weights_that_cancel_out_are_rejected(embedkit: Command, model: Path) -> None:
    done = embedkit("query", "0.1 paris + 0.2 Paris - 0.3 PARIS", "--model", model)
    assert done.returncode == 2
    assert "the weights of paris add up to 0" in done.stderr


@pytest.mark.parametrize("method", ["3cosavg", "lrcos"])
@pytest.mark.parametrize(
    "pairs", [PAIRS, ["--pairs", "france:paris", "--pairs", "italy:rome"]], ids=["commas", "twice"]
)
def test_example_pairs_give_the_answers_of_the_library(
    embedkit: Command, model: Path, method: str, pairs: list[str]
) -> None:
    options = ["--method", method, "--json", "--model", model]
    questions = ["germany", "spain"]
    done = embedkit("analogy", *options, *pairs, *questions)
    vectors = library.load(model)
    expected = vectors.analogies_from_pairs(
        [("france", "paris"), ("italy", "rome")], questions, method=method
    )
    for found, word, neighbors in zip(
        json_lines(done), ["germany", "spain"], expected, strict=True
    ):
        assert found["question"] == word
        assert found["answers"] == [
            {"word": n.word, "score": pytest.approx(n.score, abs=1e-6)} for n in neighbors
        ]


def test_transfer_reads_words_from_standard_input(embedkit: Command, model: Path) -> None:
    done = embedkit(
        "transfer", *PAIRS, "-", "-k", 1, "--model", model, stdin="germany\nspain\nfrance\n"
    )
    answers = [row.split()[1] for row in done.stdout.splitlines() if row.startswith("   1")]
    assert answers == ["berlin", "madrid", "paris"]
    back = embedkit(
        "transfer", *PAIRS, "--strength", -1, "-k", 1, "--json", "--model", model, "berlin"
    )
    assert json_lines(back)[0]["answers"][0]["word"] == "germany"  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analogy", *PAIRS], "Missing argument"),
        (
            ["analogy", *PAIRS, "--method", "3cosmul", "spain"],
            "--method 3cosmul cannot be used with --pairs; choose from 3cosavg, lrcos",
        ),
        (
            ["analogy", "a", "b", "c", "--method", "lrcos"],
            "--method lrcos needs --pairs, as in --pairs man:woman,king:queen; choose from 3cosadd",
        ),
        (["analogy", "a", "b"], "an analogy needs three words"),
        (["transfer", "spain"], "name example pairs, as in: --pairs man:woman,king:queen"),
        (["neighbors", "paris", "--restrict", "0"], "'--restrict': must be at least 1, got 0"),
        (["neighbors", "paris", "-k", "two"], "'two' is not a valid integer"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_reported(
    inside: Command, model: Path, arguments: list[str], message: str
) -> None:
    assert_wrong_usage(inside(*arguments, "--model", model), message)
