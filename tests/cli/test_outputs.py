"""Where commands may write: not to what is no file, not to what they read, and to one stream."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from embedkit import formats
from embedkit.encoders import load
from tests.conftest import Command

TEXT = "we left new york by train\nold york is a small city\n" * 20
FILES: dict[str, list[str]] = {
    "phrases": ["phrases", "corpus.txt", "-o"],
    "phrases --list": ["phrases", "corpus.txt", "--list"],
    "walks": ["walks", "edges.tsv", "-o"],
    "convert": ["convert", "words", "--to", "glove"],
    "convert to npy": ["convert", "words", "--to", "npy"],
    "export": ["export", "jsonl", "--model", "words", "-o"],
    "plot": ["plot", "paris", "rome", "--model", "words", "-o"],
}
DIRECTORIES: dict[str, list[str]] = {
    "train": ["train", "corpus.txt", "--epochs", "1", "-o"],
    "train onehot": ["train", "corpus.txt", "--encoder", "onehot", "-o"],
    "convert": ["convert", "words", "--to", "embedkit"],
    "convert to static": ["convert", "words", "--to", "static"],
    "export": ["export", "projector", "--model", "words", "-o"],
    "postprocess": ["postprocess", "words", "--center", "-o"],
    "classify": ["classify", "train", "corpus.txt", "--vectors", "words", "-o"],
}
files = pytest.mark.parametrize("arguments", FILES.values(), ids=FILES)
directories = pytest.mark.parametrize("arguments", DIRECTORIES.values(), ids=DIRECTORIES)
every = pytest.mark.parametrize(
    "arguments", [*FILES.values(), *DIRECTORIES.values()], ids=[*FILES, *DIRECTORIES]
)


@pytest.fixture
def folder(tmp_path: Path, model: Path) -> Path:
    (tmp_path / "corpus.txt").write_text(TEXT)
    (tmp_path / "edges.tsv").write_text("a\tb\nb\tc\n")
    (tmp_path / "words").symlink_to(model)
    return tmp_path


def state(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.lstat().st_ino) for path in folder.rglob("*")}


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the error of a command that refuses to run, without what click says before it."""
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


@every
def test_an_empty_name_is_an_error(inside: Command, folder: Path, arguments: list[str]) -> None:
    before = state(folder)
    assert "the name is empty" in refused(inside(*arguments, "", "--overwrite"))
    assert state(folder) == before


@every
def test_the_working_directory_is_never_replaced(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    before = state(folder.parent)
    refused(inside(*arguments, ".", "--overwrite"))
    refused(inside(*arguments, "..", "--overwrite"))
    assert state(folder.parent) == before


@every
def test_a_pipe_is_told_as_one(inside: Command, folder: Path, arguments: list[str]) -> None:
    os.mkfifo(folder / "pipe.svg")
    (folder / "link.svg").symlink_to("pipe.svg")
    before = state(folder)
    for name in ("pipe.svg", "link.svg"):
        said = refused(inside(*arguments, name, "--overwrite"))
        assert f"{name} is a pipe and is kept. Name a " in said
    assert state(folder) == before


@files
def test_a_directory_is_no_file(inside: Command, folder: Path, arguments: list[str]) -> None:
    (folder / "taken.svg").mkdir()
    said = refused(inside(*arguments, "taken.svg", "--overwrite"))
    assert "taken.svg is a directory and is kept. Name a file" in said


@directories
def test_a_file_is_no_directory(inside: Command, folder: Path, arguments: list[str]) -> None:
    (folder / "taken").write_text("mine")
    said = refused(inside(*arguments, "taken", "--overwrite"))
    assert "taken is a file and is kept. Name a directory" in said
    assert (folder / "taken").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments", [*DIRECTORIES.values(), FILES["plot"], FILES["convert to npy"]]
)
def test_what_is_no_stream_does_not_go_to_standard_output(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    before = state(folder)
    assert "go to standard output" in refused(inside(*arguments, "-"))
    assert state(folder) == before


def test_a_link_to_a_file_stays(embedkit: Command, folder: Path) -> None:
    (folder / "far").mkdir()
    (folder / "far" / "walks.txt").write_text("old")
    (folder / "link").symlink_to("far/walks.txt")
    assert embedkit("walks", "edges.tsv", "-o", "link", "--overwrite").returncode == 0
    assert (folder / "link").readlink() == Path("far/walks.txt")
    assert len((folder / "far" / "walks.txt").read_text().splitlines()) == 30


@pytest.mark.parametrize("to", ["glove", "word2vec", "word2vec-binary", "npz"])
def test_convert_to_standard_output(embedkit: Command, folder: Path, to: str) -> None:
    embedkit("convert", "words", "file", "--to", to)
    piped = b""
    shell = f"'{sys.executable}' -m embedkit convert words - --to {to}"
    for command in (f"{shell} --quiet | cat", f"{shell} --quiet > out; cat out"):
        done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=True)
        assert done.stderr == b""
        (folder / "piped").write_bytes(done.stdout)
        ours, theirs = (formats.read(folder / name, format=to) for name in ("piped", "file"))
        assert list(ours.vocabulary) == list(theirs.vocabulary)
        np.testing.assert_array_equal(ours.matrix, theirs.matrix)
        assert piped in (b"", done.stdout)
        piped = done.stdout
    loud = subprocess.run(["bash", "-c", shell], cwd=folder, capture_output=True, check=True)
    assert loud.stdout == piped
    assert loud.stderr.startswith(b"-: ")
    assert f"(embedkit to {to})".encode() in loud.stderr


@pytest.mark.parametrize("target", ["pgvector", "qdrant", "jsonl", "parquet"])
def test_export_to_standard_output(embedkit: Command, folder: Path, target: str) -> None:
    embedkit("export", target, "--model", "words", "-o", "file")
    shell = f"'{sys.executable}' -m embedkit export {target} --model words -o - | cat"
    done = subprocess.run(["bash", "-c", shell], cwd=folder, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == ((folder / "file").read_bytes(), b"")
    if target == "parquet":
        table = parquet.read_table(io.BytesIO(done.stdout))
        assert table["word"].to_pylist() == list(load(folder / "words").vocabulary)
    assert not (folder / "-").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "words", "-", "--to", "glove", "--json"],
        ["export", "jsonl", "--model", "words", "-o", "-", "--json"],
        ["phrases", "corpus.txt", "-o", "-", "--json"],
        ["phrases", "corpus.txt", "-o", "-", "--list", "-"],
    ],
)
def test_one_stream_takes_one_output(embedkit: Command, folder: Path, arguments: list[str]) -> None:
    assert "can go to standard output. Name a file" in refused(embedkit(*arguments))


def test_a_stream_has_no_name_that_tells_a_format(embedkit: Command, folder: Path) -> None:
    said = refused(embedkit("convert", "words", "-"))
    assert "the name - tells no format. Name one with --to" in said
    assert embedkit("convert", "words", "./-", "--to", "glove").returncode == 0
    assert formats.detect(folder / "-") == "glove"


@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-"])
@pytest.mark.parametrize(
    "arguments",
    ["convert words - --to npz", "convert words - --to glove", "export parquet --model words -o -"],
)
def test_a_stream_that_takes_nothing(folder: Path, arguments: str, redirected: str) -> None:
    command = f"'{sys.executable}' -m embedkit {arguments} {redirected}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "Error: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["phrases", "corpus.txt", "-o", "./same", "--list", "same"], "are both ./same"),
        (["phrases", "corpus.txt", "-o", "link"], "link is read"),
        (["phrases", ".", "--list", "corpus.txt"], "corpus.txt is read"),
        (["phrases", "edges.tsv", "--apply", "corpus.txt", "-o", "corpus.txt"], "txt is read"),
        (["walks", "edges.tsv", "-o", "./edges.tsv"], "./edges.tsv is read"),
    ],
)
def test_what_is_read_is_not_replaced(
    inside: Command, folder: Path, arguments: list[str], named: str
) -> None:
    (folder / "link").symlink_to("corpus.txt")
    said = refused(inside(*arguments, "--overwrite"))
    assert named in said
    assert (folder / "corpus.txt").read_text() == TEXT
    assert not (folder / "same").exists()


@pytest.mark.parametrize(
    ("arguments", "unused"),
    [
        (["phrases", "corpus.txt", "--apply", "p", "-o", "a", "--delimiter", "+"], "--delimiter"),
        (
            ["phrases", "corpus.txt", "--apply", "p", "-o", "a", "--threshold", "1",
             "--passes", "1", "--min-count", "5", "--scoring", "npmi", "--connectors", "none"],
            "--passes, --scoring, --threshold, --connectors, --min-count",
        ),
        (["train", "corpus.txt", "--phrase-threshold", "3"], "--phrase-threshold"),
        (["train", "corpus.txt", "--phrases", "0", "--phrase-min-count", "3"], "--phrase-min-"),
        (["postprocess", "words", "--float16", "--int8", "-o", "a"], "--int8"),
        (["plot", "--training", "words", "--method", "tsne", "-o", "a.svg"], "--method"),
    ],
)  # fmt: skip
def test_options_that_would_mean_nothing(
    inside: Command, folder: Path, arguments: list[str], unused: str
) -> None:
    before = state(folder)
    done = inside(*arguments)
    assert done.returncode == 2
    assert "has no use" in refused(done)
    assert unused in done.stderr
    assert state(folder) == before


def test_what_is_converted_in_place_is_reported(embedkit: Command, folder: Path) -> None:
    embedkit("convert", "words", "w.glove")
    report = json.loads(embedkit("convert", "w.glove", "w.glove", "--overwrite", "--json").stdout)
    assert report["bytes"] == (folder / "w.glove").stat().st_size
