"""Standard streams that are closed, and encodings that lack some characters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import embedkit
from embedkit.cli.streams import decoded, encodable_path
from tests.conftest import shell

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0"}
LATIN = {"PYTHONIOENCODING": "latin1"}


def run(
    folder: Path, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "embedkit", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )


def test_an_answer_that_cannot_be_written_is_an_error(model: Path) -> None:
    done = shell("neighbors paris >&-", model)
    assert done.returncode == 1
    assert done.stderr == "Error: cannot write the answer: standard output is closed.\n"


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_training_needs_no_standard_streams(folder: Path, closed: str) -> None:
    """And no file that it opens gets the number of a closed stream."""
    out = folder / "new.embedkit"
    shell(f"train {folder}/corpus.txt -o {out} --encoder onehot --quiet {closed}", out)
    assert embedkit.load_encoder(out).name == "onehot"


def test_a_message_that_cannot_be_written_is_lost(model: Path) -> None:
    done = shell("neighbors nowhere 2>&-", model)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_characters_that_the_encoding_lacks_are_escaped(tmp_path: Path) -> None:
    done = run(tmp_path, LATIN, "distance", "é", "猫", "--encoder", "charcode")
    assert done.returncode == 0, done.stderr
    rows = [line.split()[0] for line in done.stdout.decode("latin1").splitlines()]
    assert rows == ["é", "é", "\\u732b"]
    done = run(tmp_path, LATIN, "distance", "é", "猫", "--encoder", "charcode", "--json")
    assert json.loads(done.stdout)["words"] == ["é", "猫"]


def test_arguments_are_utf8_in_a_locale_without_an_encoding(tmp_path: Path) -> None:
    folder = tmp_path / "é"
    folder.mkdir()
    (folder / "text").write_text("é 猫 é 猫\n" * 9)
    done = run(tmp_path, ASCII, "train", "é/text", "-o", "é/m", "--encoder", "charcode", "-q")
    assert (done.returncode, done.stderr) == (0, b"")
    done = run(tmp_path, ASCII, "distance", "é", "猫", "--model", "é/m", "--json")
    table = json.loads(done.stdout)
    assert table["words"] == ["é", "猫"]
    assert table["table"][0][1] == ord("猫") - ord("é")
    done = run(tmp_path, ASCII, "neighbors", "ü", "--model", "é/m", "--encoder", "onehot")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"is not in the vocabulary" in done.stderr


def test_a_name_that_is_not_utf8_names_a_file(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / name).mkdir()
    (tmp_path / name / "text").write_text("one two one two\n" * 9)
    done = run(tmp_path, {}, "train", f"{name}/text", "-o", f"{name}/m", "--encoder", "onehot")
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert rb"caf\udce9/m: 2 words" in done.stdout
    done = run(tmp_path, {}, "info", f"{name}/m")
    assert done.returncode == 0, done.stderr


def test_arguments_and_paths_survive(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("word", "é", "猫", os.fsdecode(b"caf\xe9")):
        assert decoded(name) == name
        assert encodable_path(name) == name
