"""JSON, and notes on unknown words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import embedkit as library
from embedkit.cli.output import tab_separated
from tests.cli.helpers import PAIRS, json_lines
from tests.conftest import Command


def test_scores_that_are_not_numbers_are_null(
    embedkit: Command, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "same").write_text("paris rome 1\nberlin madrid 1\n")
    done = embedkit("evaluate", "--similarity", "same", "--json", "--model", model)
    found = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(name))
    assert found["same"]["spearman"] is None


def test_unknown_words_can_be_skipped(embedkit: Command, model: Path) -> None:
    asked = ["neighbors", "-", "-k", 1, "--model", model]
    text = "paris\nnowhere\nrome\n"
    done = embedkit(*asked, "--oov", "skip", stdin=text)
    assert done.returncode == 0
    assert [row for row in done.stdout.splitlines() if row and row[0] != " "] == ["paris", "rome"]
    assert "skipped: 'nowhere'. 1 of 3 questions has no answer" in done.stderr
    found = json_lines(embedkit(*asked, "--oov", "skip", "--json", stdin=text))
    assert [("error" in line, "answers" in line) for line in found] == [
        (False, True), (True, False), (False, True),
    ]  # fmt: skip
    assert "'nowhere' is not in the vocabulary" in str(found[1]["error"])


def test_replacements_of_unknown_words_are_reported(embedkit: Command, model: Path) -> None:
    done = embedkit("neighbors", "pariss", "-k", 1, "--oov", "spell", "--model", model)
    assert "'pariss' is not in the vocabulary; using 'paris'." in done.stderr
    done = embedkit("query", "pariss + rome", "--oov", "spell", "--json", "--model", model)
    assert json_lines(done)[0]["replaced"] == {"pariss": "paris"}
    done = embedkit("distance", "pariss", "rome", "--oov", "spell", "--json", "--model", model)
    expected = library.load(model).distance(["paris", "rome"]).tolist()
    assert json_lines(done)[0]["table"] == expected
    done = embedkit("encode", "pariss", "qqqqq", "--oov", "spell", "--model", model)
    assert [row.split("\t")[0] for row in done.stdout.splitlines()] == ["pariss"]
    assert "skipped: 'qqqqq'" in done.stderr
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
def test_exit_code_is_1_if_no_question_has_an_answer(
    inside: Command, model: Path, asked: list[str]
) -> None:
    for options in ([], ["--oov", "skip"], ["--oov", "spell"]):
        done = inside(*asked, *options, "--model", model)
        assert (done.returncode, done.stdout) == (1, "")
        assert "qqqqq" in done.stderr
        assert "Traceback" not in done.stderr


def test_cells_between_tabs_are_escaped() -> None:
    assert tab_separated("a\tb\r", 0.5, "c\nd") == "a\\tb\\r\t0.5\tc\\nd"
