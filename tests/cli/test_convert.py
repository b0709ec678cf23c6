"""The command convert, and other programs' files wherever a model is asked for."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Command


def test_every_command_asks_a_foreign_file(embedkit: Command, model: Path) -> None:
    done = embedkit("convert", model, "words.vec.gz", "--json")
    report = json.loads(done.stdout)
    assert report["target_format"] == "word2vec"
    assert report["repairs"] == {}
    for command in (
        ["neighbors", "paris", "-k", "2"], ["encode", "paris"], ["distance", "paris", "rome"],
        ["compare", "paris", "rome"], ["analogy", "paris", "france", "italy"],
    ):  # fmt: skip
        answers = [embedkit(*command, "--model", m).stdout for m in (model, "words.vec.gz")]
        assert answers[0] == answers[1] != ""
    facts = json.loads(embedkit("info", "--model", "words.vec.gz", "--json").stdout)
    assert (facts["format"], facts["words"]) == ("word2vec", report["words"])
    codes = embedkit("encode", "paris", "--encoder", "charcode", "--model", "words.vec.gz").stdout
    assert codes.startswith("paris\t112\t97")


def test_repairs_are_printed(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"a 1 2\nb 1\na 3 4\n")
    done = embedkit("convert", "x.txt", "y.embedkit")
    assert done.returncode == 1
    assert "x.txt, line 2: 1 number, not 2.\nHint: " in done.stderr
    done = embedkit("convert", "x.txt", "y.embedkit", "--errors", "skip")
    assert done.stdout.splitlines()[1:] == ["  unreadable    1", "  duplicate     1"]
    assert embedkit("convert", "x.txt", "y.embedkit").returncode == 1
    assert embedkit("convert", "x.txt", "y.pdf").returncode == 2
    assert embedkit("convert", "x.txt", "y.bin", "--to", "fasttext").returncode == 2
