"""The command as a process, and what comes of its walks when they are trained on."""

from __future__ import annotations

import fcntl
import gzip
import itertools
import json
import lzma
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from embedkit.encoders import load
from tests.conftest import Command

RING = "a\tb\nb\tc\nc\td\nd\ta\n"


@pytest.fixture
def edges(tmp_path: Path) -> Path:
    path = tmp_path / "edges.tsv"
    path.write_text(RING)
    return path


def test_a_file_of_walks(embedkit: Command, edges: Path, tmp_path: Path) -> None:
    done = embedkit("walks", edges.name, "--walks", 3, "--length", 5)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "4 nodes, 4 edges\n"
    assert done.stdout == (
        "walks.txt: 12 walks, 60 nodes\nTry: embedkit train walks.txt --tokenizer whitespace\n"
    )
    walks = [line.split() for line in (tmp_path / "walks.txt").read_text().splitlines()]
    assert sorted(walk[0] for walk in walks) == sorted("abcd" * 3)
    joined = {frozenset(line.split()) for line in RING.splitlines()}
    assert all({frozenset(step) for step in itertools.pairwise(w)} <= joined for w in walks)


def test_report_in_json(embedkit: Command, edges: Path) -> None:
    done = embedkit("walks", edges.name, "--json", "--quiet", "--q", 2, "--directed")
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report.pop("file") == "walks.txt"
    assert report == {
        "nodes": 4, "edges": 4, "directed": True, "weighted": False, "walks": 40, "steps": 1560,
        "walks_a_node": 10, "length": 40, "p": 1.0, "q": 2.0, "seed": 1,
    }  # fmt: skip


def test_standard_input_and_output(embedkit: Command, edges: Path, tmp_path: Path) -> None:
    embedkit("walks", edges.name)
    piped = embedkit("walks", "-", "-o", "-", "--quiet", stdin=RING)
    assert piped.stdout == (tmp_path / "walks.txt").read_text()
    assert piped.stderr == ""


def test_an_existing_file_is_kept(embedkit: Command, edges: Path, tmp_path: Path) -> None:
    (tmp_path / "walks.txt").write_text("mine")
    done = embedkit("walks", edges.name)
    assert done.returncode == 1
    assert "exists and was not overwritten.\nHint: Pass --overwrite" in done.stderr
    assert (tmp_path / "walks.txt").read_text() == "mine"
    assert embedkit("walks", edges.name, "--overwrite").returncode == 0
    assert len((tmp_path / "walks.txt").read_text().splitlines()) == 40


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["edges.tsv", "--p", "0"],
            2,
            "'--p': must be between 1e-06 and 1e+06, got 0",
        ),
        (["edges.tsv", "--walks", "0"], 2, "'--walks': must be at least 1, got 0"),
        (["edges.tsv", "--length", "x"], 2, "Error: Invalid value for '--length'"),
        (["nowhere.tsv"], 1, "Error: nowhere.tsv does not exist.\nHint: "),
        (["edges.tsv", "-o", "no/where.txt"], 1, "Hint: Create the parent directory first."),
        (["broken.tsv"], 1, "Error: broken.tsv, line 2: 1 column"),
    ],
)
def test_mistakes_are_reported(
    arguments: list[str], code: int, said: str, inside: Command, edges: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.tsv").write_text("a b\nc\n")
    done = inside("walks", *arguments)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == code
    assert not list(tmp_path.glob("*.txt*"))


@pytest.mark.parametrize("redirected", ["> /dev/full", "| head -n 1 > /dev/null", ">&-", "<&-"])
def test_streams_that_end_early(redirected: str, edges: Path) -> None:
    source = "-" if redirected == "<&-" else edges
    line = f'"{sys.executable}" -m embedkit walks {source} -o - --walks 20000 {redirected}'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("suffix", "opened"), [("gz", gzip.open), ("xz", lzma.open)])
def test_walks_are_compressed_as_the_name_says(
    embedkit: Command, edges: Path, tmp_path: Path, suffix: str, opened: Callable[[Path], IO[bytes]]
) -> None:
    for name in ("walks.txt", f"walks.txt.{suffix}"):
        assert embedkit("walks", edges.name, "-o", name).returncode == 0
    with opened(tmp_path / f"walks.txt.{suffix}") as file:
        assert file.read() == (tmp_path / "walks.txt").read_bytes()


def test_an_interrupt_leaves_nothing(edges: Path, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "embedkit", "walks", edges.name, "--walks", "1000000"]
    process = subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob(".walks.txt.*")):
        time.sleep(0.01)
    process.terminate()
    said = process.communicate(timeout=60)[1]
    assert said.endswith("Interrupted. Nothing was written to walks.txt.\n")
    assert "Traceback" not in said
    assert process.returncode == 128 + signal.SIGTERM
    assert [path.name for path in tmp_path.iterdir()] == ["edges.tsv"]


def test_a_terminal_sees_a_bar(edges: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    line = [sys.executable, "-m", "embedkit", "walks", edges.name, "--walks", "50000"]
    process = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 4096):
            seen += chunk
    except OSError:  # how a terminal ends
        pass
    os.close(ours)
    assert process.wait() == 0
    assert b"walking" in seen
    assert b"walks/s" in seen


def planted_partition(path: Path, groups: int = 4, size: int = 30) -> dict[str, int]:
    """Write a graph of groups: a node joins some eight of its own, and one of the others."""
    random = np.random.default_rng(3)
    group = {f"n{n:03}": n % groups for n in range(groups * size)}
    names = list(group)
    with path.open("w") as file:
        for a, first in enumerate(names):
            for second in names[a + 1 :]:
                chance = 8 / size if group[first] == group[second] else 1 / (size * (groups - 1))
                if random.random() < chance:
                    file.write(f"{first}\t{second}\n")
    return group


def test_communities_end_up_near_by_the_same_command(embedkit: Command, tmp_path: Path) -> None:
    """A random neighbor would be of the same group with a chance of a quarter."""
    group = planted_partition(tmp_path / "graph.tsv")
    shell = (
        f'"{sys.executable}" -m embedkit walks graph.tsv -o - --quiet | "{sys.executable}" -m '
        "embedkit train - --tokenizer whitespace --sample 0 --dimension 16 --workers 1 --epochs 20 "
        "-o graph.embedkit --quiet"
    )
    subprocess.run(["bash", "-c", f"set -o pipefail; {shell}"], check=True, cwd=tmp_path)
    vectors = load(tmp_path / "graph.embedkit")
    assert set(vectors.vocabulary) == set(group)
    own = [
        group[neighbor.word] == group[name]
        for name in group
        for neighbor in vectors.neighbors(name, 5)
    ]
    assert np.mean(own) > 0.9


def test_a_link_to_a_file_is_kept(embedkit: Command, folder: Path) -> None:
    (folder / "far").mkdir()
    (folder / "far" / "walks.txt").write_text("old")
    (folder / "link").symlink_to("far/walks.txt")
    assert embedkit("walks", "edges.tsv", "-o", "link", "--overwrite").returncode == 0
    assert (folder / "link").readlink() == Path("far/walks.txt")
    assert len((folder / "far" / "walks.txt").read_text().splitlines()) == 30
