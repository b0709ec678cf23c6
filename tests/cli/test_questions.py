"""The options of questions, and models that cannot be opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import embedkit as library
from embedkit.storage.model_directory import FORMAT
from tests.cli.helpers import QUICK, json_lines, rows
from tests.conftest import Command


def test_another_encoder_uses_the_words_of_the_model(embedkit: Command, model: Path) -> None:
    done = embedkit(
        "neighbors", "paris", "--encoder", "charcode", "--metric", "l2", "-k", 1, "--model", model
    )
    assert done.returncode == 0
    done = embedkit("neighbors", "paris", "--encoder", "onehot", "--metric", "l2", "--model", model)
    assert {row[2] for row in rows(done.stdout)[1:]} == {"1.4142"}


def test_options_limit_the_answers(embedkit: Command, model: Path) -> None:
    question = ["analogy", "paris", "france", "italy", "-k", 1, "--json", "--model", model]
    assert json_lines(embedkit(*question))[0]["answers"][0]["word"] == "rome"  # type: ignore[index]
    done = embedkit(*question, "--exclude", "Rome", "--exclude", "mayor1")
    assert json_lines(done)[0]["answers"][0]["word"] not in ("rome", "mayor1")  # type: ignore[index]
    done = embedkit(*question, "-k", 100, "--include-question")
    everyone = {answer["word"] for answer in json_lines(done)[0]["answers"]}  # type: ignore[attr-defined]
    assert {"paris", "france", "italy"} <= everyone
    frequent = library.load(model).vocabulary.words(range(5))
    done = embedkit("neighbors", "paris", "--restrict", 5, "--json", "--model", model)
    answers = {answer["word"] for answer in json_lines(done)[0]["answers"]}  # type: ignore[attr-defined]
    assert answers <= set(frequent)


def damage_missing(model: Path) -> None:
    for path in model.iterdir():
        path.unlink()
    model.rmdir()


def damage_half_written(model: Path) -> None:
    (model / "config.json").unlink()


def damage_truncated(model: Path) -> None:
    path = model / "vectors.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def damage_vocabulary(model: Path) -> None:
    path = model / "vocabulary.arrow"
    path.write_bytes(path.read_bytes()[:200])


def damage_newer(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "format": 99}))


def damage_encoder(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "encoder": "oracle"}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_missing, "there is no model at model.embedkit.\nHint: "),
        (damage_half_written, "not an embedkit model: it has no config.json"),
        (damage_truncated, "damaged or cut short: 'context' lacks 100 bytes"),
        (damage_vocabulary, "vocabulary.arrow is damaged"),
        (damage_newer, f"has format 99; this version of embedkit reads up to {FORMAT}"),
        (damage_encoder, "encoder 'oracle'"),
    ],
)
def test_damaged_models_are_rejected(
    inside: Command, text: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    inside("train", text, *QUICK)
    damage(tmp_path / "model.embedkit")
    done = inside("neighbors", "cat")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
