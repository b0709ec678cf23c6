"""Words outside the vocabulary of a model with n-grams, in every command that takes words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.helpers import json_lines, refused
from tests.conftest import Command
from tests.subwords import ALIEN, composed, extended

OTHERS = extended("talking")
COMMANDS = [
    ["neighbors", "talking"],
    ["analogy", "talking", "talk", "walk"],
    ["analogy", "--pairs", "walk:walking", "talking"],
    ["transfer", "--pairs", "walk:walking", "talking"],
    ["query", "talking - talk"],
    ["similarity", "talking", "walk,walked"],
    ["distance", "talking", "walk"],
    ["encode", "talking", "walk"],
    ["rank", "talking", "walk"],
    ["odd-one-out", "talking", "walk", "car"],
    ["plot", "talking", "walk", "car"],
]


@pytest.mark.parametrize("asked", COMMANDS, ids=lambda asked: asked[0])
def test_they_are_composed_and_named(
    asked: list[str], embedkit: Command, subword_model: Path
) -> None:
    done = embedkit(*asked, "--model", subword_model, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "'talking' is not in the vocabulary; composed of its n-grams.\n"
    if asked[0] != "encode":
        assert json_lines(done)[0]["composed"] == ["talking"]


def test_the_case_of_the_vocabulary_is_used_and_named(
    embedkit: Command, subword_model: Path
) -> None:
    done = embedkit("encode", "walks", "Happyish", "--model", subword_model)
    assert done.stderr == (
        "'walks' is not in the vocabulary; composed of its n-grams.\n"
        "'Happyish' is not in the vocabulary; composed of the n-grams of 'happyish'.\n"
    )
    numbers = [float(cell) for cell in done.stdout.splitlines()[1].split("\t")[1:]]
    np.testing.assert_allclose(numbers, composed("happyish"), atol=1e-6)


@pytest.mark.parametrize("asked", COMMANDS, ids=lambda asked: asked[0])
def test_a_word_without_a_known_n_gram_is_an_error(
    asked: list[str], embedkit: Command, subword_model: Path
) -> None:
    words = [part.replace("talking", ALIEN) for part in asked]
    error = refused(embedkit(*words, "--model", subword_model, "--json"))
    assert (
        f"'{ALIEN}' is not in the vocabulary, and none of its character n-grams is known" in error
    )


def test_answers_are_those_of_a_model_that_has_the_word(
    embedkit: Command, subword_model: Path, tmp_path: Path
) -> None:
    OTHERS.save(tmp_path / "whole")
    for asked in COMMANDS:
        done = embedkit(*asked, "--model", subword_model, "--json")
        expected = json_lines(embedkit(*asked, "--model", tmp_path / "whole", "--json"))
        for found, line in zip(json_lines(done), expected, strict=True):
            found.pop("composed", None)
            _assert_alike(found, line)


def _assert_alike(found: object, expected: object) -> None:
    """Compare JSON documents, numbers nearly; the last answers may be other words."""
    if isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-4)
    elif isinstance(expected, dict):
        assert isinstance(found, dict)
        for name, value in expected.items():
            _assert_alike(found[name], value)
    elif isinstance(expected, list):
        assert isinstance(found, list)
        for one, other in zip(found, expected, strict=False):
            _assert_alike(one, other)
    else:
        assert found == expected


def test_encode_prints_the_mean_row_of_the_n_grams(embedkit: Command, subword_model: Path) -> None:
    done = embedkit("encode", "walks", "--model", subword_model)
    numbers = [float(cell) for cell in done.stdout.split("\t")[1:]]
    np.testing.assert_allclose(numbers, composed("walks"), atol=1e-6)


def test_words_to_exclude_must_be_in_the_vocabulary(embedkit: Command, subword_model: Path) -> None:
    asked = ["neighbors", "talking", "-k", 1, "--model", subword_model]
    error = refused(embedkit(*asked, "--exclude", "talks"))
    assert error.startswith("Error: 'talks' is not in the vocabulary.")
    for oov in ("skip", "spell", "subwords"):
        done = embedkit(*asked, "--exclude", "zzzzzzzz", "--oov", oov)
        assert done.returncode == (1 if oov == "skip" else 0)  # skip leaves out the question


def test_composing_can_be_switched_off(embedkit: Command, subword_model: Path) -> None:
    done = embedkit("neighbors", "talking", "--oov", "skip", "--model", subword_model)
    assert (done.returncode, done.stdout) == (1, "")
    assert "skipped: 'talking'" in done.stderr


def test_comparing_encoders_shows_those_of_the_model(
    embedkit: Command, subword_model: Path
) -> None:
    done = embedkit("compare", "talking", "walk", "--model", subword_model)
    assert done.stdout.count("talking") == 6  # the head and a row of three tables
