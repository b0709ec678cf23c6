"""train as a user meets it: real processes, real signals, real full disks."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedkit.encoders import CharCodeEncoder, OneHotEncoder, load_encoder
from embedkit.storage.model_directory import FORMAT
from tests.conftest import heed_interrupts

Command = Callable[..., "subprocess.CompletedProcess[str]"]

TEXT = "the cat sat on the mat\nthe dog sat on the log\n" * 50
QUICK = ["--dimension", "8", "--epochs", "2", "--sample", "0"]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_train_then_ask(embedkit: Command, text: Path, tmp_path: Path) -> None:
    done = embedkit("train", "corpus.txt", *QUICK)
    assert done.returncode == 0
    assert "600 tokens, 100 sentences, 7 distinct words" in done.stderr
    assert re.search(r"model\.embedkit: 7 words, 8 dimensions\n2 epochs in .* words/s", done.stdout)
    suggestion = done.stdout.splitlines()[-1].removeprefix("Try: embedkit ").split()
    assert embedkit(*suggestion).returncode == 0
    assert not leftovers(tmp_path)


def test_json_report_and_quiet(embedkit: Command, text: Path) -> None:
    done = embedkit("train", text, *QUICK, "--json", "--quiet", "-o", "a.embedkit")
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert (report["model"], report["words"], report["dimension"]) == ("a.embedkit", 7, 8)
    assert report["training"]["tokens"] == 600
    assert len(report["training"]["epoch_losses"]) == 2
    quiet = embedkit("train", text, *QUICK, "--quiet", "-o", "b.embedkit")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_one_worker_gives_the_same_bytes(embedkit: Command, text: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert embedkit("train", text, *QUICK, "--workers", 1, "-o", name).returncode == 0
    for file in ("vectors.safetensors", "vocabulary.arrow"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_several_sources_standard_input_and_compression(
    embedkit: Command, text: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "one.gz").write_bytes(gzip.compress(TEXT.encode()))
    (folder / "two.txt").write_text(TEXT)
    done = embedkit("train", folder, "-", *QUICK, stdin=TEXT)
    assert "1,800 tokens, 300 sentences" in done.stderr


@pytest.mark.parametrize(
    ("name", "kind"), [("charcode", CharCodeEncoder), ("onehot", OneHotEncoder)]
)
def test_other_encoders(
    embedkit: Command, text: Path, tmp_path: Path, name: str, kind: type
) -> None:
    done = embedkit("train", text, "--encoder", name, "--min-count", 60)
    assert done.returncode == 0
    encoder = load_encoder(tmp_path / "model.embedkit")
    assert isinstance(encoder, kind)
    assert encoder.vocabulary.words() == ["the", "sat", "on"]
    assert embedkit("neighbors", "the", "--metric", "l2").returncode == 0


def test_tokenizer_whitespace_keeps_tokens(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "baskets.txt").write_text("Milk/2% BREAD!\n" * 20)
    embedkit("train", "baskets.txt", "--tokenizer", "whitespace", *QUICK)
    assert load_encoder(tmp_path / "model.embedkit").vocabulary.words() == ["Milk/2%", "BREAD!"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file corpus.txt"),
        (b"", "the corpus is empty"),
        (b" \n\n", "the corpus is empty"),
        (b"a b c d\n", "occur at least min_count=5 times"),
        (
            b"only\n",
            (
                "0 of 1 distinct words occur at least min_count=5 times; training needs 2. The most"
                " frequent word occurs 1 times. Use a longer text."
            ),
        ),
        (
            b"a a b b b\n",
            "The most frequent word occurs 3 times. Lower --min-count (min_count) to 2 or",
        ),
        (
            b"fine\nna\xefve\n",
            (
                "corpus.txt, line 2, byte 3: 0xef is not UTF-8. Convert the "
                "file (iconv -f latin1 -t utf-8), or pass"
            ),
        ),
        (
            "ein Wörtchen".encode("utf-16"),
            (
                "corpus.txt, line 1, byte 1: 0xff is not UTF-8. It "
                "looks like UTF-16: convert the file (iconv -f utf-16 -t utf-8)."
            ),
        ),
        (b"\x89PNG\0\0", "it holds zero bytes, as no text does: name a text."),
        (gzip.compress(b"x " * 9_000, mtime=0)[:-12], "corpus.txt is damaged or cut short"),
    ],
)
def test_bad_texts(inside: Command, tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "corpus.txt").write_bytes(content)
    done = inside("train", "corpus.txt")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model.embedkit").exists()
    assert not leftovers(tmp_path)


def test_going_on_needs_an_output_matrix(
    embedkit: Command, model: Path, text: Path, tmp_path: Path
) -> None:
    assert embedkit("postprocess", model, "-o", "small", "--int8").returncode == 0
    assert embedkit("train", text, "-o", "codes", "--encoder", "charcode").returncode == 0
    for name in ("small", "codes"):
        done = embedkit("train", text, "--continue-from", name)
        assert done.returncode == 1
        assert f"{name} has no output matrix, which training goes on from" in done.stderr
        assert "Name the model as embedkit train wrote it." in done.stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a place that takes no file")
def test_a_temporary_directory_that_takes_no_file(embedkit: Command, text: Path) -> None:
    done = embedkit("train", text, "--temporary-directory", "/proc")
    assert done.returncode == 1
    assert "cannot write /proc" in done.stderr
    assert done.stderr.endswith("Choose a directory that you may write to.\n")


def test_errors_replace_reads_on(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_bytes(b"na\xefve reader\n" * 10)
    assert embedkit("train", "corpus.txt", "--errors", "replace", *QUICK).returncode == 0


def test_what_is_there_is_kept(embedkit: Command, text: Path, tmp_path: Path) -> None:
    (tmp_path / "model.embedkit").write_text("precious")
    for option in ([], ["--overwrite"]):
        done = embedkit("train", text, *QUICK, *option)
        assert done.returncode == 1
        assert "is kept" in done.stderr
        assert (tmp_path / "model.embedkit").read_text() == "precious"


def test_overwrite_replaces_a_model(embedkit: Command, text: Path, tmp_path: Path) -> None:
    embedkit("train", text, *QUICK)
    before = (tmp_path / "model.embedkit" / "vectors.safetensors").read_bytes()
    done = embedkit("train", text, *QUICK, "--seed", 2)
    assert (done.returncode, "model.embedkit exists and is kept" in done.stderr) == (1, True)
    assert (tmp_path / "model.embedkit" / "vectors.safetensors").read_bytes() == before
    assert embedkit("train", text, *QUICK, "--seed", 2, "--overwrite").returncode == 0
    assert (tmp_path / "model.embedkit" / "vectors.safetensors").read_bytes() != before
    assert not leftovers(tmp_path)


def test_the_output_is_checked_before_the_work(embedkit: Command, tmp_path: Path) -> None:
    done = embedkit("train", "missing.txt", "-o", "no/such/folder/model")
    assert "there is no directory" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_the_old_model(
    embedkit: Command, text: Path, tmp_path: Path, number: signal.Signals
) -> None:
    embedkit("train", text, *QUICK)
    before = {p.name: p.read_bytes() for p in (tmp_path / "model.embedkit").iterdir()}
    process = subprocess.Popen(
        [sys.executable, "-m", "embedkit", "train", text, "--overwrite", "--epochs", "9999",
         "--dimension", "1000", "--sample", "0", "--window", "15", "--checkpoint-every", "0"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=heed_interrupts,
    )  # fmt: skip
    assert process.stderr is not None
    assert "tokens" in process.stderr.readline()
    time.sleep(1.0)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert errors.endswith("Interrupted. Nothing was written to model.embedkit.\n")
    assert "Traceback" not in errors
    assert {p.name: p.read_bytes() for p in (tmp_path / "model.embedkit").iterdir()} == before
    assert not leftovers(tmp_path)


def limited_to(size: int) -> Callable[[], None]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [1_000, 20_000])
def test_a_disk_that_takes_no_more(text: Path, tmp_path: Path, size: int) -> None:
    """Too little room for the ids, and for the model."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "embedkit", "train", text, "--dimension", "1000", "--sample", "0",
         "--temporary-directory", temporary],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        preexec_fn=limited_to(size), env={**os.environ, "NUMBA_DISABLE_JIT": "0"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Error: cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model.embedkit").exists()
    assert not leftovers(tmp_path)
    assert not list(temporary.iterdir())


def damage_missing(model: Path) -> None:
    for path in model.iterdir():
        path.unlink()
    model.rmdir()


def damage_half_written(model: Path) -> None:
    (model / "config.json").unlink()


def damage_truncated(model: Path) -> None:
    path = model / "vectors.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def damage_vocabulary(model: Path) -> None:
    path = model / "vocabulary.arrow"
    path.write_bytes(path.read_bytes()[:200])


def damage_newer(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "format": 99}))


def damage_encoder(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "encoder": "oracle"}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_missing, "there is no model at model.embedkit. embedkit train"),
        (damage_half_written, "not an embedkit model: it holds no config.json"),
        (damage_truncated, "damaged or cut short: 100 bytes of"),
        (damage_vocabulary, "vocabulary.arrow is damaged"),
        (damage_newer, f"has format 99; this version of embedkit reads up to {FORMAT}"),
        (damage_encoder, "encoder 'oracle'"),
    ],
)
def test_damaged_models(
    inside: Command, text: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    inside("train", text, *QUICK)
    damage(tmp_path / "model.embedkit")
    done = inside("neighbors", "cat")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
