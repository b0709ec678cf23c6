"""convert, and files of other programs wherever a model is expected."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedkit import formats
from tests.cli.helpers import refused
from tests.conftest import Command


def test_every_command_reads_files_of_other_programs(embedkit: Command, model: Path) -> None:
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
    assert "x.txt, line 2: expected 2 numbers, got 1.\nHint: " in done.stderr
    done = embedkit("convert", "x.txt", "y.embedkit", "--errors", "skip")
    assert done.stdout.splitlines()[1:] == ["  unreadable    1", "  duplicate     1"]
    assert embedkit("convert", "x.txt", "y.embedkit").returncode == 1
    assert embedkit("convert", "x.txt", "y.pdf").returncode == 2
    assert embedkit("convert", "x.txt", "y.bin", "--to", "gensim").returncode == 2


@pytest.mark.parametrize("to", ["glove", "word2vec", "word2vec-binary", "npz"])
def test_convert_to_standard_output(embedkit: Command, folder: Path, to: str) -> None:
    embedkit("convert", "words", "file", "--to", to)
    shell = f"'{sys.executable}' -m embedkit convert words - --to {to}"
    piped, loud = (
        subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=True)
        for command in (f"{shell} --quiet | cat", f"{shell} > out; cat out")
    )
    (folder / "piped").write_bytes(piped.stdout)
    ours, theirs = (formats.read(folder / name, format=to) for name in ("piped", "file"))
    assert list(ours.vocabulary) == list(theirs.vocabulary)
    np.testing.assert_array_equal(ours.matrix, theirs.matrix)
    assert piped.stderr == b""
    assert loud.stdout == piped.stdout
    assert loud.stderr.startswith(b"-: ")
    assert f"(embedkit to {to})".encode() in loud.stderr


def test_standard_output_needs_a_format(embedkit: Command, folder: Path) -> None:
    said = refused(embedkit("convert", "words", "-"))
    assert "cannot tell the format of - by its name.\nHint: Choose one with --to" in said
    assert embedkit("convert", "words", "./-", "--to", "glove").returncode == 0
    assert formats.detect(folder / "-") == "glove"


def test_conversion_in_place_is_reported(embedkit: Command, folder: Path) -> None:
    embedkit("convert", "words", "w.glove")
    report = json.loads(embedkit("convert", "w.glove", "w.glove", "--overwrite", "--json").stdout)
    assert report["bytes"] == (folder / "w.glove").stat().st_size


def test_standard_input_and_an_option_for_the_output(inside: Command, tmp_path: Path) -> None:
    text = b"2 2\ncat 1 2\ndog 3 4\n"
    for data in (text, gzip.compress(text)):
        done = inside("convert", "-", "-o", "out.npz", "--overwrite", stdin=data)
        assert done.returncode == 0, done.stderr
        assert formats.read(tmp_path / "out.npz")["dog"].tolist() == [3, 4]
    assert inside("convert", "-", "-", "--to", "glove", stdin=text).stdout.split()[0] == "cat"
    assert "standard-input" in inside("convert", "-", "x.npz", stdin="2 2\ncat 1 2\ndog 3\n").stderr
    assert inside("convert", "x.npz").returncode == 2
    assert "once" in inside("convert", "x.npz", "y.npz", "-o", "z.npz").stderr
