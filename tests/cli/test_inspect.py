"""distance, compare and encode."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import embedkit as library
from tests.conftest import Command


def test_character_codes_need_no_model(embedkit: Command, model: Path) -> None:
    assert embedkit("encode", "cat", "no", "--encoder", "charcode").stdout.splitlines() == [
        "cat\t99\t97\t116", "no\t110\t111\t0",
    ]  # fmt: skip
    known = embedkit("encode", "猫", "--encoder", "charcode", "--model", model).stdout.split()
    assert known[:3] == ["猫", str(ord("猫")), "0"]


@pytest.mark.parametrize("command", [["distance", "--encoder", "onehot"], ["compare"]])
def test_words_that_are_not_utf_8_are_rejected(embedkit: Command, command: list[str]) -> None:
    done = embedkit(*command, "caf\udce9", "cat")
    assert done.returncode == 2
    assert "'caf\\udce9' cannot be encoded as UTF-8" in done.stderr


def test_distance_needs_no_model_for_character_codes(embedkit: Command) -> None:
    done = embedkit("distance", "cat", "bat", "paw", "--encoder", "charcode", "--json")
    table = np.array(json.loads(done.stdout)["table"])
    expected = [[0, 1, 178**0.5], [1, 0, 205**0.5], [178**0.5, 205**0.5, 0]]
    np.testing.assert_allclose(table, expected)
    text = embedkit("distance", "cat", "paw", "--encoder", "charcode").stdout
    assert "13.3417" in text
    one_hot = embedkit("distance", "cat", "paw", "--encoder", "onehot", "--json").stdout
    assert json.loads(one_hot)["table"][0][1] == pytest.approx(2**0.5)


def test_distance_by_the_model(embedkit: Command, model: Path) -> None:
    vectors = library.load(model)
    for metric in ("l2", "cosine", "dot"):
        done = embedkit("distance", "paris", "rome", "--metric", metric, "--json", "--model", model)
        expected = vectors.distance(["paris", "rome"], metric=metric)
        np.testing.assert_allclose(json.loads(done.stdout)["table"], expected)


def test_compare_shows_three_tables(embedkit: Command, model: Path) -> None:
    done = embedkit("compare", "paris", "rome", "--model", model)
    assert [line.split(":")[0] for line in done.stdout.splitlines() if ": " in line] == [
        "Character codes", "One-hot", "Skip-gram",
    ]  # fmt: skip
    tables = json.loads(embedkit("compare", "paris", "rome", "--model", model, "--json").stdout)
    assert set(tables["tables"]) == {"charcode", "onehot", "skipgram"}
    without = embedkit("compare", "cat", "bat")
    assert without.returncode == 0
    assert "no model at model.embedkit" in without.stdout


def test_encode_prints_vectors(embedkit: Command, model: Path) -> None:
    vector = library.load(model)["paris"]
    word, *numbers = embedkit("encode", "paris", "--model", model).stdout.split()
    assert word == "paris"
    np.testing.assert_allclose([float(n) for n in numbers], vector, rtol=1e-4)
    done = embedkit("encode", "rome", "paris", "--encoder", "onehot", "--json", "--model", model)
    places = [json.loads(line)["index"] for line in done.stdout.splitlines()]
    assert places == list(library.load(model).vocabulary.ids(["rome", "paris"]))
