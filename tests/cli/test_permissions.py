"""Paths that cannot be opened, in every option and argument that takes one: plain errors."""

from __future__ import annotations

import importlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from embedkit.classification.text_classifier import TextClassifier
from embedkit.cli.app import app
from embedkit.cli.parameters import ModelPath, OutputPath
from embedkit.retrieval import TextIndex
from tests.conftest import Command

PATH = "PATH"
MODEL = ["--model", PATH]
PAIRS = ["--pairs", "france:paris"]
READING: list[list[str]] = [
    ["train", PATH],
    ["train", "text", "--encoder", "onehot", "--temporary-directory", PATH],
    ["train", "text", "--continue-from", PATH],
    ["train", "text", "--min-count", "1", "--evaluate", PATH],
    ["train", "text", "--phrases", "1", "--phrase-connectors", PATH],
    ["phrases", PATH, "-o", "out"],
    ["phrases", "text", "-o", "out", "--apply", PATH],
    ["phrases", "text", "-o", "out", "--connectors", PATH],
    ["phrases", "text", "-o", "out", "--temporary-directory", PATH],
    ["walks", PATH],
    ["classify", "train", PATH, "--model", "words"],
    ["classify", "train", "labeled", "--head", "network", *MODEL],
    ["classify", "predict", "a text", "--classifier", PATH],
    ["classify", "evaluate", PATH, "--classifier", "network"],
    ["classify", "evaluate", "labeled", "--classifier", PATH],
    ["classify", "explain", "a text", "--classifier", PATH],
    ["classify", "inspect", PATH, "--classifier", "network"],
    ["classify", "inspect", "--classifier", PATH],
    ["classify", "errors", PATH, "--classifier", "network"],
    ["classify", "errors", "labeled", "--classifier", PATH],
    ["search", "build", PATH, "--model", "words", "-o", "docs"],
    ["search", "build", "documents.tsv", "-o", "docs", *MODEL],
    ["search", "ask", PATH, "paris"],
    ["search", "add", PATH, "documents.tsv"],
    ["search", "add", "documents", PATH, "--model", "words"],
    ["search", "delete", PATH, "0"],
    ["search", "info", PATH],
    ["analogy", "paris", "france", "italy", *MODEL],
    ["analogy", "--pairs", f"@{PATH}", "italy", "--model", "words"],
    ["query", "paris", *MODEL],
    ["neighbors", "paris", *MODEL],
    ["transfer", *PAIRS, "italy", *MODEL],
    ["similarity", "paris", "rome", *MODEL],
    ["rank", "paris", "rome", *MODEL],
    ["odd-one-out", "paris", "rome", "italy", *MODEL],
    ["distance", "paris", "rome", *MODEL],
    ["compare", "paris", "rome", *MODEL],
    ["encode", "paris", *MODEL],
    ["encode", "paris", "--encoder", "charcode", *MODEL],
    ["info", PATH],
    ["plot", "paris", "rome", "-o", "out.svg", *MODEL],
    ["plot", "--pairs", f"@{PATH}", "-o", "out.svg", "--model", "words"],
    ["plot", "--training", PATH, "-o", "out.svg"],
    ["evaluate", PATH, "--similarity", "scores"],
    ["evaluate", "words", "--similarity", PATH],
    ["evaluate", "words", "--analogies", PATH],
    ["evaluate", "words", "--categories", PATH],
    ["convert", PATH, "out.npz"],
    ["convert", PATH, "out.npz", "--format", "word2vec"],
    ["export", "jsonl", "-o", "out", *MODEL],
    ["postprocess", PATH, "-o", "out", "--center"],
    ["postprocess", "words", "-o", "out", "--center", "--similarity", PATH],
    ["index", "build", PATH],
    ["index", "compare", PATH],
    ["index", "drop", PATH],
    ["serve", PATH],
    ["serve", "words", "--api-key-file", PATH],
]
WRITING: list[list[str]] = [
    ["train", "text", "-o", PATH],
    ["train", "text", "-o", "out", "--log-json", PATH],
    ["phrases", "text", "-o", PATH],
    ["phrases", "text", "--list", PATH],
    ["walks", "edges", "-o", PATH],
    ["classify", "train", "labeled", "--model", "words", "-o", PATH],
    ["classify", "evaluate", "labeled", "--picture", f"{PATH}.svg"],
    ["classify", "explain", "a text", "--classifier", "network", "--html", PATH],
    ["classify", "inspect", "--classifier", "network", "--picture", f"{PATH}.svg"],
    ["plot", "paris", "rome", "--model", "words", "-o", f"{PATH}.svg"],
    ["plot", "paris", "rome", "--model", "words", "-o", f"{PATH}.html"],
    ["convert", "words", f"{PATH}.npz"],
    ["convert", "words", f"{PATH}.npy"],
    ["convert", "words", PATH],
    ["convert", "words", "-o", PATH],
    ["convert", "words", PATH, "--to", "static"],
    ["export", "jsonl", "--model", "words", "-o", PATH],
    ["export", "projector", "--model", "words", "-o", PATH],
    ["postprocess", "words", "--center", "-o", PATH],
    ["search", "build", "documents.tsv", "--model", "words", "-o", PATH],
]
LONG = "n" * 300

# An ordinary user may not be able to read the library, so it is imported before.
for module in (
    "classification.explanation_page", "classification.network_explanation",
    "classification.report", "classification.text_classifier", "classification.unit_picture",
    "heads.training", "plotting.draw", "plotting.figures", "service.server", "service.settings",
):  # fmt: skip
    importlib.import_module(f"embedkit.{module}")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """A classifier."""
    path = tmp_path_factory.mktemp("classifier") / "network"
    settings = {"head": "network", "pooling": "mean", "hidden": (2,), "epochs": 1}
    TextClassifier.train(["paris", "rome"] * 9, ["a", "b"] * 9, str(model), **settings).save(path)
    return path


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """An index of documents."""
    path = tmp_path_factory.mktemp("search") / "documents"
    TextIndex.build(["paris is a city", "rome is a city"], path, str(model))
    return path


@pytest.fixture(autouse=True)
def inputs(
    inside: Command,
    model: Path,
    network: Path,
    documents: Path,
    ordinary_user: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A folder of an ordinary user with inputs, and others that may not be entered or read."""
    user, group = os.geteuid(), os.getegid()
    for source, name in ((model, "words"), (network, "network"), (documents, "documents")):
        os.seteuid(os.getuid())
        copy = shutil.copytree(source, ordinary_user / name)
        for path in [copy, *copy.rglob("*")]:
            os.chown(path, user, group)
        os.seteuid(user)
    shutil.copytree(ordinary_user / "words", ordinary_user / "closed" / "x")
    shutil.copytree(ordinary_user / "words", ordinary_user / "unreadable")
    (ordinary_user / "file").touch()
    (ordinary_user / "text").write_text("we left new york by train\nold york is a city\n" * 20)
    (ordinary_user / "edges").write_text("a\tb\nb\tc\n")
    (ordinary_user / "labeled").write_text("__label__a paris\n__label__b rome\n" * 9)
    (ordinary_user / "documents.tsv").write_text("id\ttext\n7\tparis\n")
    (ordinary_user / "scores").write_text("paris rome 1\nberlin madrid 2\nparis berlin 3\n")
    (ordinary_user / "file").chmod(0)
    (ordinary_user / "unreadable" / "vectors.safetensors").chmod(0)
    (ordinary_user / "closed").chmod(0)
    monkeypatch.chdir(ordinary_user)
    yield ordinary_user
    (ordinary_user / "closed").chmod(stat.S_IRWXU)


def with_path(arguments: list[str], path: str) -> list[str]:
    return [argument.replace(PATH, path) for argument in arguments]


@pytest.mark.parametrize("path", ["closed/x", LONG, "file"])
@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_an_input_that_cannot_be_opened(inside: Command, arguments: list[str], path: str) -> None:
    done = inside(*with_path(arguments, path))
    assert done.returncode in (1, 2), done.stdout
    assert path[:40] in done.stderr
    problems = {
        LONG: ["File name too long"],
        "file": ["Permission denied", "is a file", "is not a"],
    }
    assert any(one in done.stderr for one in problems.get(path, ["Permission denied"]))
    assert "damaged" not in done.stderr


@pytest.mark.parametrize("path", ["closed/x", LONG])
@pytest.mark.parametrize("arguments", WRITING, ids=" ".join)
def test_an_output_that_cannot_be_written(inside: Command, arguments: list[str], path: str) -> None:
    done = inside(*with_path(arguments, path))
    assert done.returncode in (1, 2), done.stdout
    assert path[:40] in done.stderr
    assert ("File name too long" if path == LONG else "Permission denied") in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        line
        for line in READING
        if line[-2:] == MODEL or line in (["info", PATH], ["convert", PATH, "out.npz"])
    ],
    ids=" ".join,
)
def test_a_model_that_may_not_be_read_is_not_called_damaged(
    inside: Command, arguments: list[str]
) -> None:
    done = inside(*with_path(arguments, "unreadable"))
    assert done.returncode == 1, done.stdout
    assert "cannot read unreadable/vectors.safetensors: Permission denied" in done.stderr


def test_every_path_of_every_command_is_tested() -> None:
    """An option or argument that takes a path belongs in the lists above."""
    tested = [" ".join(line) for line in (*READING, *WRITING)]

    def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
        for name, command in group.commands.items():
            if isinstance(command, click.Group):
                yield from commands(command, f"{before}{name} ")
            else:
                yield before + name, command

    for name, command in commands(app):
        lines = [line for line in tested if line.startswith(f"{name} ")]
        for param in command.params:
            if not isinstance(param.type, click.Path | ModelPath | OutputPath):
                continue
            given = [PATH] if isinstance(param, click.Argument) else param.opts
            assert any(f"{option} {PATH}" in line for line in lines for option in given) or any(
                line.endswith(PATH) or f" {PATH} " in line for line in lines
            ), (name, param.name)
