"""Pairs, ranks, sets, odd ones and unknown words on the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import embedkit as library

Command = Callable[..., "subprocess.CompletedProcess[str]"]
PAIRS = ["--pairs", "france:paris", "italy:rome"]


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("method", ["3cosavg", "lrcos"])
@pytest.mark.parametrize("separator", [["--"], []], ids=["--", "no colon"])
def test_example_pairs_answer_like_the_library(
    embedkit: Command, model: Path, method: str, separator: list[str]
) -> None:
    options = ["--method", method, "--json", "--model", model]
    done = embedkit("analogy", *options, *PAIRS, *separator, "germany", "spain")
    vectors = library.load(model)
    expected = vectors.analogies_from_pairs(
        [("france", "paris"), ("italy", "rome")], ["germany", "spain"], method=method
    )
    for found, word, neighbors in zip(lines(done), ["germany", "spain"], expected, strict=True):
        assert found["question"] == word
        assert found["answers"] == [
            {"word": n.word, "score": pytest.approx(n.score, abs=1e-6)} for n in neighbors
        ]


def test_transfer_answers_words_of_a_pipe(embedkit: Command, model: Path) -> None:
    done = embedkit(
        "transfer", *PAIRS, "-", "-k", 1, "--model", model, stdin="germany\nspain\nfrance\n"
    )
    answers = [row.split()[1] for row in done.stdout.splitlines() if row.startswith("   1")]
    assert answers == ["berlin", "madrid", "paris"]
    back = embedkit(
        "transfer", *PAIRS, "--strength", -1, "-k", 1, "--json", "--model", model, "berlin"
    )
    assert lines(back)[0]["answers"][0]["word"] == "germany"  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analogy", "--pairs", "francerome", "--", "italy"], "got 'francerome'"),
        (["analogy", "--pairs", "a:b:c", "--", "italy"], "got 'a:b:c'"),
        (["analogy", "--pairs", ":b", "--", "italy"], "got ':b'"),
        (["analogy", "--pairs"], "'--pairs' requires an argument"),
        (["analogy", *PAIRS], "Missing argument"),
        (["analogy", *PAIRS, "--method", "3cosmul", "spain"], "3cosmul wants no pairs"),
        (["analogy", "a", "b", "c", "--method", "lrcos"], "lrcos wants example pairs"),
        (["transfer", "spain"], "learned from --pairs"),
        (["rank", "paris"], "expected two different words"),
        (["rank", "paris", "paris"], "expected two different words"),
        (["similarity", "paris"], "expected two sets"),
        (["similarity", "paris,rome", ","], "expected two sets"),
        (["odd-one-out", "paris", "rome", "paris"], "at least three different words"),
        (["odd-one-out"], "Missing argument"),
        (["neighbors", "paris", "--restrict", "0"], "--restrict"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_named(
    inside: Command, model: Path, arguments: list[str], message: str
) -> None:
    done = (
        inside(*arguments, "--model", model) if arguments[-1] != "--pairs" else inside(*arguments)
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_rank_similarity_and_odd_one_out_are_those_of_the_library(
    embedkit: Command, model: Path
) -> None:
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
    assert [line["rank"] for line in lines(done)] == expected
    done = embedkit("similarity", "paris,rome", "france,italy", "--json", "--model", model)
    score = vectors.similarity(["paris", "rome"], ["france", "italy"])
    assert lines(done)[0]["score"] == pytest.approx(score)
    words = ["paris", "rome", "berlin", "border1"]
    done = embedkit("odd-one-out", *words, "--model", model)
    first = vectors.odd_one_out(words)[0].word
    assert done.stdout.splitlines()[1].split()[1] == first


def test_who_may_answer_can_be_said(embedkit: Command, model: Path) -> None:
    question = ["analogy", "paris", "france", "italy", "-k", 1, "--json", "--model", model]
    assert lines(embedkit(*question))[0]["answers"][0]["word"] == "rome"  # type: ignore[index]
    done = embedkit(*question, "--exclude", "Rome", "--exclude", "mayor1")
    assert lines(done)[0]["answers"][0]["word"] not in ("rome", "mayor1")  # type: ignore[index]
    done = embedkit(*question, "-k", 100, "--include-question")
    everyone = {answer["word"] for answer in lines(done)[0]["answers"]}  # type: ignore[attr-defined]
    assert {"paris", "france", "italy"} <= everyone
    frequent = library.load(model).vocabulary.words(range(5))
    done = embedkit("neighbors", "paris", "--restrict", 5, "--json", "--model", model)
    answers = {answer["word"] for answer in lines(done)[0]["answers"]}  # type: ignore[attr-defined]
    assert answers <= set(frequent)


def test_one_unknown_word_spoils_no_batch(embedkit: Command, model: Path) -> None:
    asked = ["neighbors", "-", "-k", 1, "--model", model]
    text = "paris\nnowhere\nrome\n"
    done = embedkit(*asked, "--oov", "skip", stdin=text)
    assert done.returncode == 0
    assert [row for row in done.stdout.splitlines() if row and row[0] != " "] == ["paris", "rome"]
    assert "left out: 'nowhere'. 1 of 3 questions have no answer" in done.stderr
    found = lines(embedkit(*asked, "--oov", "skip", "--json", stdin=text))
    assert [("error" in line, "answers" in line) for line in found] == [
        (False, True), (True, False), (False, True),
    ]  # fmt: skip
    assert "'nowhere' is not in the vocabulary" in str(found[1]["error"])


def test_what_stands_for_an_unknown_word_is_told(embedkit: Command, model: Path) -> None:
    done = embedkit("neighbors", "pariss", "-k", 1, "--oov", "spell", "--model", model)
    assert "'pariss': 'paris' is taken" in done.stderr
    done = embedkit("query", "pariss + rome", "--oov", "spell", "--json", "--model", model)
    assert lines(done)[0]["taken"] == {"pariss": "paris"}
    done = embedkit("distance", "pariss", "rome", "--oov", "spell", "--json", "--model", model)
    expected = library.load(model).distance(["paris", "rome"]).tolist()
    assert lines(done)[0]["table"] == expected
    done = embedkit("encode", "pariss", "qqqqq", "--oov", "spell", "--model", model)
    assert [row.split("\t")[0] for row in done.stdout.splitlines()] == ["pariss"]
    assert "left out: 'qqqqq'" in done.stderr
    done = embedkit("neighbors", "pariss", "--oov", "subwords", "--model", model)
    assert (done.returncode, "no character n-grams" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "asked",
    [
        ["neighbors", "qqqqq"],
        ["analogy", "qqqqq", "paris", "rome"],
        ["transfer", *PAIRS, "qqqqq"],
        ["odd-one-out", "qqqqq", "wwwwww", "paris"],
        ["rank", "paris", "qqqqq"],
        ["similarity", "paris", "qqqqq"],
        ["distance", "qqqqq"],
        ["encode", "qqqqq"],
    ],
    ids=lambda asked: asked[0],
)
def test_no_answer_at_all_is_a_failure(inside: Command, model: Path, asked: list[str]) -> None:
    for options in ([], ["--oov", "skip"], ["--oov", "spell"]):
        done = inside(*asked, *options, "--model", model)
        assert (done.returncode, done.stdout) == (1, "")
        assert "qqqqq" in done.stderr
        assert "Traceback" not in done.stderr
