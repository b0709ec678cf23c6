"""phrases and train --phrases: files, pipes and lists."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.phrases import Phrases
from embedkit.encoders import load_encoder
from embedkit.system.compression import decompress
from tests.conftest import sentences

Command = Callable[..., "subprocess.CompletedProcess[str]"]

TEXT = "we left new york city by train\nold york is a small city\n" * 40
JOINED = "we_left new_york_city by_train\nold_york is_a small_city\n" * 40
PAIRS = ["--threshold", "0.1", "--passes", "2"]
QUICK = ["--dimension", "8", "--epochs", "2", "--sample", "0", "--workers", "1"]
OPENERS = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress, ".txt": bytes}


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_text_and_list(embedkit: Command, text: Path, tmp_path: Path) -> None:
    done = embedkit("phrases", text, *PAIRS, "-o", "out.txt", "--list", "p.tsv")
    assert (done.returncode, "520 tokens, 80 sentences" in done.stderr) == (0, True)
    learned = Phrases.load(tmp_path / "p.tsv")
    assert done.stdout.startswith(f"{len(learned.passes[0])} and {len(learned.passes[1])} phrases")
    written = (tmp_path / "out.txt").read_text()
    assert "new_york" in written
    assert written == "".join(" ".join(s) + "\n" for s in learned.apply(Corpus.read(text)))
    again = embedkit("phrases", text, "--apply", "p.tsv", "-o", "-", "--quiet")
    assert (again.stdout, again.stderr) == (written, "")
    listed = embedkit("phrases", "-", *PAIRS, "--list", "-", "-q", stdin=TEXT)
    assert listed.stdout == (tmp_path / "p.tsv").read_text()
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst", ".txt"])
def test_the_suffix_compresses(embedkit: Command, text: Path, tmp_path: Path, suffix: str) -> None:
    plain = embedkit("phrases", text, *PAIRS, "-o", "-", "-q").stdout
    assert embedkit("phrases", text, *PAIRS, "-o", f"out{suffix}").returncode == 0
    data = (tmp_path / f"out{suffix}").read_bytes()
    if suffix in OPENERS:
        assert OPENERS[suffix](data).decode() == plain
    with (tmp_path / f"out{suffix}").open("rb") as file:
        assert decompress(file).read().decode() == plain


def test_json_report(embedkit: Command, text: Path) -> None:
    done = embedkit("phrases", text, *PAIRS, "-o", "out.txt", "--json", "--quiet")
    facts = json.loads(done.stdout)
    assert (facts["tokens"], facts["sentences"], facts["file"]) == (520, 80, "out.txt")
    assert facts["phrases"]["scoring"] == "mikolov"
    assert len(facts["phrases"]["found"]) == 2


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 2, "name a file with --output (-o) or --list"),
        (["-o", "a", "--min-count", "0"], 2, "'--min-count': must be at least 1, got 0"),
        (["-o", "a", "--threshold", "nan"], 2, "threshold must be a finite number above 0"),
        (
            ["-o", "a", "--threshold", "2", "--scoring", "npmi"],
            2,
            "threshold must be a number between -1 and 1, got 2.0",
        ),
        (["-o", "a", "--delimiter", "a b"], 2, "delimiter"),
        (["-o", "a", "--passes", "0"], 2, "'--passes': must be between 1 and 10, got 0"),
        (["-o", "a", "--passes", "99"], 2, "got 99"),
        (["-o", "a", "--connectors", "nowhere"], 1, "Hint: Pass a file of words, none or english"),
        (["-o", "a", "--apply", "nowhere"], 1, "cannot read nowhere"),
        (["-o", "-", "--list", "-"], 2, "can go to standard output"),
        (["-o", "-", "--json"], 2, "can go to standard output"),
        (["-o", "a", "--list", "a"], 2, "--output and --list are the same file, a"),
        (["-o", "corpus.txt"], 2, "corpus.txt is an input and would be replaced"),
        (["-o", "no/where"], 1, "cannot write no/where"),
        (["-o", "a", "--temporary-directory", "nowhere"], 1, "cannot write nowhere: No such file"),
    ],
)
def test_mistakes_are_reported(
    inside: Command, text: Path, tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    done = inside("phrases", text, *options)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]
    assert text.read_text() == TEXT


@pytest.mark.parametrize("number", ["-1", "11", "99", "two"])
def test_train_rejects_numbers_of_passes(
    inside: Command, text: Path, tmp_path: Path, number: str
) -> None:
    done = inside("train", text, "--phrases", number)
    assert done.returncode == 2
    assert not (tmp_path / "model.embedkit").exists()


def test_empty_text_and_one_word_sentences(embedkit: Command, tmp_path: Path) -> None:
    empty = embedkit("phrases", "-", "-o", "a")
    assert (empty.returncode, "the corpus is empty" in empty.stderr) == (1, True)
    done = embedkit("phrases", "-", "-o", "-", "-q", stdin="one\n\ntwo\n")
    assert done.stdout == "one\ntwo\n"


def test_a_closed_pipe_is_not_an_error(text: Path, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text(TEXT * 2_000)
    command = f"{sys.executable} -m embedkit phrases long.txt -o - -q | head -1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_a_killed_process_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(TEXT)
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen(
        [sys.executable, "-m", "embedkit", "phrases", "pipe", "-o", "out.txt"], cwd=tmp_path
    )
    with (tmp_path / "pipe").open("w") as pipe:
        pipe.write(TEXT)
        pipe.flush()
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    # Only the lock is left, which locks nothing any more.
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.txt.lock", "in.txt", "pipe"]
    subprocess.run(
        [sys.executable, "-m", "embedkit", "phrases", "in.txt", "-o", "out.txt"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out.txt", "pipe"]


def test_train_with_phrases_is_training_on_the_joined_text(
    embedkit: Command, text: Path, tmp_path: Path
) -> None:
    phrases = ["--phrases", "2", "--phrase-threshold", "0.1"]
    assert embedkit("train", text, *QUICK, *phrases, "-o", "a").returncode == 0
    embedkit("phrases", text, *PAIRS, "-o", "joined.txt")
    assert embedkit("train", "joined.txt", *QUICK, "-o", "b").returncode == 0
    for file in ("vectors.safetensors", "vocabulary.arrow"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    report = json.loads(embedkit("info", "--model", "a", "--json").stdout)
    assert report["training"]["phrases"]["passes"] == 2
    assert report["training"]["phrases"]["threshold"] == 0.1
    assert embedkit("neighbors", "old york is a", "--model", "a").returncode == 0


def test_train_without_passes_joins_nothing(embedkit: Command, text: Path, tmp_path: Path) -> None:
    assert embedkit("train", text, *QUICK, "--phrases", "0").returncode == 0
    model = load_encoder(tmp_path / "model.embedkit")
    assert "new" in model.vocabulary
    assert "phrases" not in model.report  # type: ignore[attr-defined]


def test_resumes_only_with_the_same_phrases(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("".join(" ".join(s) + "\n" for s in sentences()))
    settings = ["--dimension", "8", "--sample", "0", "--phrases", "1", "--phrase-threshold", "0.05"]
    process = subprocess.Popen(
        [sys.executable, "-m", "embedkit", "train", "corpus.txt", *settings, "--epochs", "5000",
         "--checkpoint-every", "0.2"],
        cwd=tmp_path, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    folder = tmp_path / "model.embedkit.checkpoint"
    while process.poll() is None and not (folder.exists() and any(folder.glob("[0-9]*"))):
        time.sleep(0.01)
    process.kill()
    process.wait(60)
    resume = ["train", "corpus.txt", "--epochs", "5000", "--dimension", "8", "--sample", "0"]
    other = embedkit(*resume, "--resume")
    assert (other.returncode, "the corpus is different" in other.stderr) == (2, True)
    # The same phrases are found again: what stops it now is another setting.
    same = embedkit(*resume, *settings[4:], "--window", "3", "--resume")
    assert (same.returncode, "the corpus" in same.stderr) == (2, False)
    assert "window was 5 and is now 3" in same.stderr


def test_continued_with_phrases_of_new_text(embedkit: Command, text: Path, tmp_path: Path) -> None:
    phrases = ["--phrases", "1", "--phrase-threshold", "0.1"]
    embedkit("train", text, *QUICK, "-o", "a")
    done = embedkit("train", text, *QUICK, *phrases, "--continue-from", "a", "-o", "b")
    assert done.returncode == 0
    words = load_encoder(tmp_path / "b").vocabulary
    assert {"york", "new_york"} <= set(words)
