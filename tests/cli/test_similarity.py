"""similarity, rank and odd-one-out."""

from __future__ import annotations

from pathlib import Path

import pytest

import embedkit as library
from tests.cli.helpers import assert_wrong_usage, json_lines
from tests.conftest import Command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rank", "paris"], "expected two different words"),
        (["rank", "paris", "paris"], "expected two different words"),
        (["similarity", "paris"], "expected two sets"),
        (["similarity", "paris,rome", ","], "a word is missing next to a comma in ','"),
        (["similarity", ",paris", "rome"], "a word is missing next to a comma in ',paris'"),
        (["odd-one-out", "paris", "rome", "paris"], "at least three different words"),
        (["odd-one-out"], "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_reported(
    inside: Command, model: Path, arguments: list[str], message: str
) -> None:
    assert_wrong_usage(inside(*arguments, "--model", model), message)


def test_answers_equal_those_of_the_library(embedkit: Command, model: Path) -> None:
    vectors = library.load(model)
    done = embedkit("rank", "-", "--json", "--model", model, stdin="paris france\nrome berlin\n")
    expected = [
        vectors.rank(a, b)
        for a, b in (
            ("paris", "france"),
            ("france", "paris"),
            ("rome", "berlin"),
            ("berlin", "rome"),
        )
    ]
    assert [line["rank"] for line in json_lines(done)] == expected
    done = embedkit("similarity", "paris,rome", "france,italy", "--json", "--model", model)
    score = vectors.similarity(["paris", "rome"], ["france", "italy"])
    assert json_lines(done)[0]["score"] == pytest.approx(score)
    words = ["paris", "rome", "berlin", "border1"]
    done = embedkit("odd-one-out", *words, "--model", model)
    first = vectors.odd_one_out(words)[0].word
    assert done.stdout.splitlines()[1].split()[1] == first
