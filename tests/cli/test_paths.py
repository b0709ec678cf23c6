"""Outputs: never over an input, a directory, a pipe or the working directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.helpers import refused, state
from tests.conftest import Command

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
    "classify": ["classify", "train", "corpus.txt", "--model", "words", "-o"],
}
files = pytest.mark.parametrize("arguments", FILES.values(), ids=FILES)
directories = pytest.mark.parametrize("arguments", DIRECTORIES.values(), ids=DIRECTORIES)
every = pytest.mark.parametrize(
    "arguments", [*FILES.values(), *DIRECTORIES.values()], ids=[*FILES, *DIRECTORIES]
)


@every
def test_an_empty_name_is_rejected(inside: Command, folder: Path, arguments: list[str]) -> None:
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
def test_a_pipe_is_not_replaced(inside: Command, folder: Path, arguments: list[str]) -> None:
    os.mkfifo(folder / "pipe.svg")
    (folder / "link.svg").symlink_to("pipe.svg")
    before = state(folder)
    for name in ("pipe.svg", "link.svg"):
        said = refused(inside(*arguments, name, "--overwrite"))
        assert f"{name} is a pipe and is kept.\nHint: Name a " in said
    assert state(folder) == before


@files
def test_a_directory_is_not_replaced_by_a_file(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    (folder / "taken.svg").mkdir()
    said = refused(inside(*arguments, "taken.svg", "--overwrite"))
    assert "taken.svg is a directory and is kept.\nHint: Name a file" in said


@directories
def test_a_file_is_not_replaced_by_a_directory(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    (folder / "taken").write_text("mine")
    said = refused(inside(*arguments, "taken", "--overwrite"))
    assert "taken is a file and is kept.\nHint: Name a directory" in said
    assert (folder / "taken").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments", [*DIRECTORIES.values(), FILES["plot"], FILES["convert to npy"]]
)
def test_directories_and_pictures_do_not_go_to_standard_output(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    before = state(folder)
    assert "to standard output" in refused(inside(*arguments, "-"))
    assert state(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "words", "-", "--to", "glove", "--json"],
        ["export", "jsonl", "--model", "words", "-o", "-", "--json"],
        ["phrases", "corpus.txt", "-o", "-", "--json"],
        ["phrases", "corpus.txt", "-o", "-", "--list", "-"],
    ],
)
def test_standard_output_takes_one_output(
    embedkit: Command, folder: Path, arguments: list[str]
) -> None:
    assert "can go to standard output.\nHint: Name a file" in refused(embedkit(*arguments))


@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-"])
@pytest.mark.parametrize(
    "arguments",
    ["convert words - --to npz", "convert words - --to glove", "export parquet --model words -o -"],
)
def test_a_full_or_closed_output_is_reported(folder: Path, arguments: str, redirected: str) -> None:
    command = f"'{sys.executable}' -m embedkit {arguments} {redirected}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "Error: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["phrases", "corpus.txt", "-o", "./same", "--list", "same"], "are the same file, ./same"),
        (["phrases", "corpus.txt", "-o", "link"], "link is an input"),
        (["phrases", ".", "--list", "corpus.txt"], "corpus.txt is an input"),
        (["phrases", "edges.tsv", "--apply", "corpus.txt", "-o", "corpus.txt"], "txt is an input"),
        (["walks", "edges.tsv", "-o", "./edges.tsv"], "./edges.tsv is an input"),
    ],
)
def test_inputs_are_not_replaced(
    inside: Command, folder: Path, arguments: list[str], named: str
) -> None:
    (folder / "link").symlink_to("corpus.txt")
    before = (folder / "corpus.txt").read_text()
    said = refused(inside(*arguments, "--overwrite"))
    assert named in said
    assert (folder / "corpus.txt").read_text() == before
    assert not (folder / "same").exists()
