"""Outputs: never over an input, a directory, a pipe or the working directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from embedkit.cli.app import app
from embedkit.cli.parameters import OutputPath
from embedkit.system.locks import locked_output
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
    "train": ["train", "corpus.txt", "--epochs", "1", "--sample", "0", "-o"],
    "train onehot": ["train", "corpus.txt", "--encoder", "onehot", "-o"],
    "convert": ["convert", "words", "--to", "embedkit"],
    "convert to static": ["convert", "words", "--to", "static"],
    "export": ["export", "projector", "--model", "words", "-o"],
    "postprocess": ["postprocess", "words", "--center", "-o"],
    "classify": ["classify", "train", "corpus.txt", "--model", "words", "-o"],
    "search": ["search", "build", "corpus.txt", "--format", "tsv", "--model", "words", "-o"],
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
        assert f"{name} is a pipe and was not overwritten.\nHint: Choose a " in said
    assert state(folder) == before


@files
def test_a_directory_is_not_replaced_by_a_file(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    (folder / "taken.svg").mkdir()
    said = refused(inside(*arguments, "taken.svg", "--overwrite"))
    assert "taken.svg is a directory and was not overwritten.\nHint: Choose a file" in said


@directories
def test_a_file_is_not_replaced_by_a_directory(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    (folder / "taken").write_text("mine")
    said = refused(inside(*arguments, "taken", "--overwrite"))
    assert "taken is a file and was not overwritten.\nHint: Choose a directory" in said
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


@every
def test_an_output_that_another_process_is_writing_is_not_written(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    with locked_output(folder / "out.svg"):
        before = state(folder)
        said = refused(inside(*arguments, "out.svg", "--overwrite"))
        assert f"out.svg is being written by process {os.getpid()}, since 20" in said
        assert state(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", "build", "words"],
        ["index", "drop", "words"],
        ["classify", "evaluate", "corpus.txt", "--picture", "words"],
    ],
)
def test_a_model_that_another_process_is_writing_is_not_changed(
    inside: Command, folder: Path, arguments: list[str]
) -> None:
    with locked_output(folder / "words"):
        said = refused(inside(*arguments))
        assert f"words is being written by process {os.getpid()}, since 20" in said


def test_every_output_is_locked_in_these_tests() -> None:
    """A command that gets a new output belongs in the lists above."""
    tested = {line[0] for line in [*FILES.values(), *DIRECTORIES.values()]}

    def commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
        for name, command in group.commands.items():
            if isinstance(command, click.Group):
                yield from ((name, inner) for _, inner in commands(command))
            else:
                yield name, command

    writing = {
        name
        for name, command in commands(app)
        if any(isinstance(param.type, OutputPath) for param in command.params)
    }
    assert writing == tested


@pytest.mark.parametrize("name", ["train", "train onehot", "convert", "postprocess", "classify"])
def test_overwriting_keeps_the_notes_of_the_user(inside: Command, folder: Path, name: str) -> None:
    (folder / "corpus.txt").write_text("__label__a one two\n__label__b two three\n" * 30)
    arguments = [*DIRECTORIES[name], "out"]
    assert inside(*arguments).returncode == 0
    for note in ("NOTES.md", "vectors/mine/plot.svg"):
        (folder / "out" / note).parent.mkdir(parents=True, exist_ok=True)
        (folder / "out" / note).write_text(note)
    (folder / "out" / "index.faiss").write_text("of other vectors")
    before = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    done = inside(*arguments, "--overwrite")
    assert done.returncode == 0, done.stderr
    after = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert before - after == {"out/index.faiss"}
    assert after <= before
    assert (folder / "out" / "NOTES.md").read_text() == "NOTES.md"
    assert (folder / "out" / "vectors" / "mine" / "plot.svg").exists()


def test_an_index_is_replaced_beside_the_notes_of_the_user(
    inside: Command, folder: Path, model: Path
) -> None:
    shutil.copytree(model, folder / "own")
    (folder / "own" / "figures").mkdir()
    (folder / "own" / "figures" / "a.txt").write_text("mine")
    (folder / "own" / "index.faiss").touch()
    assert "removed the index" in inside("index", "drop", "own").stdout
    assert not (folder / "own" / "index.faiss").exists()
    assert (folder / "own" / "figures" / "a.txt").read_text() == "mine"


def test_the_model_of_another_program_is_not_replaced(inside: Command, folder: Path) -> None:
    """Transformers, too, calls its settings config.json."""
    (folder / "bert").mkdir()
    (folder / "bert" / "config.json").write_text('{"model_type": "bert", "vocab_size": 30522}')
    (folder / "bert" / "model.safetensors").write_text("weights")
    before = state(folder)
    said = refused(inside("train", "corpus.txt", "-o", "bert", "--overwrite"))
    assert "bert is not an embedkit model and was not overwritten" in said
    assert state(folder) == before
