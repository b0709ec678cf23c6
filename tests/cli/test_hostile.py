"""Streams that are closed, full or odd, and words that nobody expects: no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embedkit.cli.app import app
from embedkit.encoders import SkipGramEncoder

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def shell(command: str, model: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EMBEDKIT_MODEL": str(model)}
    line = f'"{sys.executable}" -m embedkit {command}'
    done = subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("command", ["neighbors -", "analogy -", "encode -", "train -"])
def test_closed_standard_input_is_an_error(command: str, model: Path, tmp_path: Path) -> None:
    output = f"-o {tmp_path}/new" if command == "train -" else ""
    done = shell(f"{command} {output} <&-", model)
    assert done.returncode == 1
    assert "standard input is closed" in done.stderr


@pytest.mark.parametrize("command", ["info", "encode paris", "neighbors paris --json", "--help"])
def test_output_that_takes_no_more_is_an_error(command: str, model: Path) -> None:
    done = shell(f"{command} > /dev/full", model)
    assert done.returncode == 1
    assert "cannot write the answer: No space left on device" in done.stderr
    assert shell(f"{command} >&-", model).returncode in (0, 1)


def test_a_usage_error_is_one_wherever_questions_come_from(model: Path) -> None:
    for source in ("paris france italy", "- <<< 'paris france italy'"):
        done = shell(f"analogy {source} --method 3cosmul --metric l2", model)
        assert done.returncode == 2
        assert "standard input" not in done.stderr


def test_the_line_of_a_bad_question_is_named(model: Path) -> None:
    done = shell("neighbors - <<< $'paris\\n\\nnowhere\\nrome'", model)
    assert done.returncode == 1
    assert "standard input, line 3: 'nowhere' is not in the vocabulary" in done.stderr


def test_a_byte_order_mark_is_no_part_of_a_word(embedkit: Command, model: Path) -> None:
    done = embedkit("neighbors", "-", "--model", model, stdin="\ufeffparis\nrome\n")
    assert done.stdout.startswith("paris\n")


def test_character_codes_need_no_model(embedkit: Command, model: Path) -> None:
    assert embedkit("encode", "cat", "no", "--encoder", "charcode").stdout.splitlines() == [
        "cat\t99\t97\t116", "no\t110\t111\t0",
    ]  # fmt: skip
    known = embedkit("encode", "猫", "--encoder", "charcode", "--model", model).stdout.split()
    assert known[:3] == ["猫", str(ord("猫")), "0"]


def test_scores_that_are_no_numbers_are_null(
    embedkit: Command, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "same").write_text("paris rome 1\nberlin madrid 1\n")
    (tmp_path / "unknown").write_text("one two three four\n")
    done = embedkit(
        "evaluate", "--similarity", "same", "--analogies", "unknown", "--json", "--model", model
    )
    found = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(name))
    assert found["same"]["spearman"] is None
    assert found["unknown"]["accuracy"] is None


def test_weights_that_cancel_out_are_an_error(embedkit: Command, model: Path) -> None:
    done = embedkit("query", "0.1 paris + 0.2 Paris - 0.3 PARIS", "--model", model)
    assert done.returncode == 2
    assert "the weights of paris add up to 0" in done.stderr


def test_a_folder_is_read_without_the_models_in_it(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("one two three four five six seven\n" * 20)
    for _ in range(2):
        done = embedkit("train", ".", "--sample", 0, "--epochs", 1, "--overwrite", "--json")
        assert json.loads(done.stdout)["training"]["tokens"] == 140
    assert "the name of a file is empty" in embedkit("train", "", "-o", "new").stderr


def test_what_is_no_model_is_not_offered_to_be_replaced(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("one two\n" * 20)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("kept")
    for option in ([], ["--overwrite"]):
        done = embedkit("train", "text.txt", "-o", "mine", *option)
        assert done.returncode == 1
        assert "is not an embedkit model and is kept" in done.stderr
        assert "--overwrite" not in done.stderr
    assert (tmp_path / "mine" / "letter").read_text() == "kept"
    assert "cannot write /proc/new" in embedkit("train", "text.txt", "-o", "/proc/new").stderr


def test_a_link_to_a_model_stays_a_link(tmp_path: Path) -> None:
    sentences = [["one", "two", "three"]] * 20
    encoder = SkipGramEncoder(dimension=4, epochs=1, sample=0).fit(sentences)
    encoder.save(tmp_path / "model")
    (tmp_path / "link").symlink_to("model")
    encoder.save(tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "model"]


def test_a_text_too_short_to_learn_from_is_said_to_be(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a b c d e f g h i j k l m n o p\n" * 40)
    done = embedkit("train", "text.txt")
    assert "next to nothing was learned. Remedy: more text" in done.stdout


@pytest.mark.parametrize("command", [["distance", "--encoder", "onehot"], ["compare"]])
def test_words_that_are_no_utf_8_are_told(embedkit: Command, command: list[str]) -> None:
    done = embedkit(*command, "caf\udce9", "cat")
    assert done.returncode == 2
    assert "'caf\\udce9' is no text in UTF-8" in done.stderr


def test_too_little_memory_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def greedy(**_: object) -> None:
        np.empty(1 << 60, dtype=np.uint8)

    monkeypatch.setattr(app.commands["info"], "callback", greedy)
    with pytest.raises(SystemExit) as end:
        app.main(["info"])
    assert end.value.code == 1
    assert "there is not enough memory for this. Nothing was written. Remedy:" in (
        capsys.readouterr().err
    )
