"""train, and disks that are full."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from embedkit.cli import event_log
from embedkit.corpus.ngrams import Ngrams
from embedkit.encoders import (
    CharCodeEncoder,
    OneHotEncoder,
    SkipGramEncoder,
    SubwordEncoder,
    load,
    load_encoder,
)
from embedkit.evaluation import analogy_accuracy
from tests.cli.helpers import QUICK, TEXT, leftovers
from tests.conftest import Command

CORPORA = Path(__file__).parent.parent.parent / "corpora"
WORLD, ANALOGIES = CORPORA / "world.txt", CORPORA / "analogies.txt"


def test_train_then_ask(embedkit: Command, text: Path, tmp_path: Path) -> None:
    done = embedkit("train", "corpus.txt", *QUICK)
    assert done.returncode == 0
    assert "600 tokens, 100 sentences, 7 distinct words" in done.stderr
    assert re.search(r"model\.embedkit: 7 words, 8 dimensions\n2 epochs in .* words/s", done.stdout)
    suggestion = done.stdout.splitlines()[-1].removeprefix("Try: embedkit ").split()
    assert embedkit(*suggestion).returncode == 0
    assert not leftovers(tmp_path)


def test_a_long_word_is_not_suggested(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text(f"{'x' * 100_000} cat dog\n" * 9)
    done = embedkit("train", "long.txt", "--encoder", "onehot")
    assert done.stdout.splitlines()[-1] == "Try: embedkit neighbors cat"


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
        (None, "corpus.txt does not exist.\nHint: "),
        (b"", "the corpus is empty"),
        (b" \n\n", "the corpus is empty"),
        (b"a b c d\n", "occur at least min_count=5 times"),
        (
            b"only\n",
            (
                "0 of 1 distinct word occurs at least min_count=5 times; training needs at "
                "least 2. The most frequent word occurs 1 time.\nHint: Use a longer text."
            ),
        ),
        (
            b"a a b b b\n",
            "The most frequent word occurs 3 times.\nHint: Lower --min-count (min_count) to 2, or",
        ),
        (
            b"fine\nna\xefve\n",
            (
                "corpus.txt, line 2, byte 3: 0xef is not valid UTF-8.\nHint: Convert the "
                "file (iconv -f latin1 -t utf-8), pass --encoding latin1"
            ),
        ),
        (
            "ein Wörtchen".encode("utf-16"),
            (
                "corpus.txt, line 1, byte 1: 0xff is not valid UTF-8.\nHint: The file "
                "looks like UTF-16. Convert it (iconv -f utf-16 -t utf-8)."
            ),
        ),
        (
            b"\x89PNG\0\0",
            "The file contains zero bytes, so it is probably not text. Choose a text file.",
        ),
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


def test_continuing_needs_an_output_matrix(
    embedkit: Command, model: Path, text: Path, tmp_path: Path
) -> None:
    assert embedkit("postprocess", model, "-o", "small", "--int8").returncode == 0
    assert embedkit("train", text, "-o", "codes", "--encoder", "charcode").returncode == 0
    for name in ("small", "codes"):
        done = embedkit("train", text, "--continue-from", name)
        assert done.returncode == 1
        assert f"{name} has no output matrix to continue training from" in done.stderr
        assert "Use the model that embedkit train wrote, or a .bin file of" in done.stderr


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="needs a directory that is not writable"
)
def test_an_unwritable_temporary_directory_is_reported(embedkit: Command, text: Path) -> None:
    done = embedkit("train", text, "--temporary-directory", "/proc")
    assert done.returncode == 1
    assert "cannot write /proc" in done.stderr
    assert done.stderr.endswith("Choose a directory that you may write to.\n")


def test_bytes_that_are_not_utf_8_can_be_replaced_or_skipped(
    embedkit: Command, tmp_path: Path
) -> None:
    (tmp_path / "corpus.txt").write_bytes(b"na\xefve reader\n" * 10)
    for policy in ("replace", "skip"):
        done = embedkit(
            "train", "corpus.txt", "--errors", policy, *QUICK, "-o", f"{policy}.embedkit"
        )
        assert done.returncode == 0
        word = {"replace": "na", "skip": "nave"}[policy]
        assert word in load_encoder(tmp_path / f"{policy}.embedkit").vocabulary


def test_existing_files_are_kept(embedkit: Command, text: Path, tmp_path: Path) -> None:
    (tmp_path / "model.embedkit").write_text("precious")
    for option in ([], ["--overwrite"]):
        done = embedkit("train", text, *QUICK, *option)
        assert done.returncode == 1
        assert "was not overwritten" in done.stderr
        assert (tmp_path / "model.embedkit").read_text() == "precious"


def test_overwrite_replaces_a_model(embedkit: Command, text: Path, tmp_path: Path) -> None:
    embedkit("train", text, *QUICK)
    before = (tmp_path / "model.embedkit" / "vectors.safetensors").read_bytes()
    done = embedkit("train", text, *QUICK, "--seed", 2)
    assert (
        done.returncode,
        "embedkit already exists and was not" in done.stderr,
    ) == (1, True)
    assert (tmp_path / "model.embedkit" / "vectors.safetensors").read_bytes() == before
    assert embedkit("train", text, *QUICK, "--seed", 2, "--overwrite").returncode == 0
    assert (tmp_path / "model.embedkit" / "vectors.safetensors").read_bytes() != before
    assert not leftovers(tmp_path)


def test_the_output_is_checked_before_the_work(embedkit: Command, tmp_path: Path) -> None:
    done = embedkit("train", "missing.txt", "-o", "no/such/folder/model")
    assert "there is no directory" in done.stderr


def limited_to(size: int) -> Callable[[], None]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [1_000, 20_000])
def test_a_full_disk_is_reported(text: Path, tmp_path: Path, size: int) -> None:
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


def test_models_in_a_folder_of_texts_are_ignored(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("one two three four five six seven\n" * 20)
    for _ in range(2):
        done = embedkit("train", ".", "--sample", 0, "--epochs", 1, "--overwrite", "--json")
        assert json.loads(done.stdout)["training"]["tokens"] == 140
    assert "a file name is empty" in embedkit("train", "", "-o", "new").stderr


def test_a_folder_that_is_not_a_model_is_kept(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("one two\n" * 20)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("kept")
    for option in ([], ["--overwrite"]):
        done = embedkit("train", "text.txt", "-o", "mine", *option)
        assert done.returncode == 1
        assert "is not an embedkit model and was not overwritten" in done.stderr
        assert "--overwrite" not in done.stderr
    assert (tmp_path / "mine" / "letter").read_text() == "kept"
    assert "cannot write /proc/new" in embedkit("train", "text.txt", "-o", "/proc/new").stderr


def test_a_link_to_a_model_stays_a_link(tmp_path: Path) -> None:
    sentences = [["one", "two", "three"]] * 20
    encoder = SkipGramEncoder(dimension=4, epochs=1, sample=0).fit(sentences)
    encoder.save(tmp_path / "model")
    (tmp_path / "link").symlink_to("model")
    encoder.save(tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "model"]


def test_settings_of_a_gpu_are_refused_on_a_cpu(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a b\n")
    for option in (("--rows", "bfloat16"), ("--precision", "float32")):
        done = embedkit("train", "text.txt", "--device", "cpu", *option)
        assert done.returncode == 2
        assert f"{option[0]} cannot be used on a CPU." in done.stderr
        if not Path("/proc/driver/nvidia/version").exists():
            done = embedkit("train", "text.txt", *option)
            assert f"{option[0]} cannot be used on a CPU, which --device auto chose." in done.stderr


def test_time_chooses_the_epochs(embedkit: Command, text: Path, tmp_path: Path) -> None:
    done = embedkit("train", text, "-o", tmp_path / "m", "--dimension", 8, "--time", "1.5s")
    assert done.returncode == 0, done.stderr
    report = load_encoder(tmp_path / "m").report
    assert report["epochs"] == report["plan"]["epochs"] > 1
    assert f"{report['epochs']} epochs for 1.5 s" in done.stdout
    assert "words_per_second" in embedkit("info", "--model", tmp_path / "m").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--time", "soon"], "expected a time, such as 90s, 5m or 1h, got 'soon'"),
        (["--time", "0.5s"], "must be between 1s and 8760h, got 0.5s"),
        (["--time", "5m", "--epochs", "3"], "epochs and time_budget cannot be combined"),
        (["--time", "5m", "--encoder", "onehot"], "--time cannot be used with --encoder onehot"),
    ],
)
def test_a_time_that_cannot_be_used(
    embedkit: Command, text: Path, options: list[str], message: str
) -> None:
    done = embedkit("train", text, *options)
    assert done.returncode in (1, 2)
    assert message in done.stderr


def test_a_loss_like_guessing_is_reported(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a b c d e f g h i j k l m n o p\n" * 40)
    done = embedkit("train", "text.txt", "--sample", "1e-4")
    assert "almost nothing was learned. Use more text" in done.stderr
    assert "sample=0 (--sample 0)" in done.stderr
    slow = ("train", "text.txt", "--overwrite", "--epochs", 1, "--learning-rate", 1e-6)
    done = embedkit(*slow)
    assert "almost nothing was learned" in done.stderr
    assert "--sample" not in done.stderr
    assert embedkit(*slow, "--quiet").stderr == ""


def test_epochs_are_scored_and_logged_until_they_stop_improving(
    embedkit: Command, tmp_path: Path
) -> None:
    done = embedkit(
        "train", WORLD, "--dimension", 32, "--epochs", 40, "--evaluate", ANALOGIES,
        "--patience", 1, "--log-json", "log", "--log-dir", "runs/first",
    )  # fmt: skip
    shown = re.findall(r"epoch (\d+) of 40: loss 0\.\d+, analogies (\d+\.\d)%", done.stderr)
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    epochs = [event for event in events if event["event"] == "epoch"]
    assert 2 <= len(shown) == len(epochs) < 40
    scores = [event["analogies"] for event in epochs]
    assert scores == sorted(scores[:-1]) + scores[-1:]
    assert scores[-1] <= scores[-2]
    model = load(tmp_path / "model.embedkit")
    assert analogy_accuracy(model, ANALOGIES).accuracy == scores[-1]
    assert model.config["training"]["epochs"] == len(epochs)
    assert any(event["event"] == "progress" and event["tokens_per_second"] > 0 for event in events)
    scalars = tensorboard_scalars(tmp_path / "runs" / "first")
    steps = [*range(1, len(epochs) + 1)]
    assert scalars["epoch/loss"] == [
        (step, pytest.approx(epoch["loss"], rel=1e-6))
        for step, epoch in zip(steps, epochs, strict=True)
    ]
    assert scalars["epoch/analogies"] == [
        (step, pytest.approx(score, rel=1e-6)) for step, score in zip(steps, scores, strict=True)
    ]
    for name in ("loss", "learning_rate", "words_per_second"):
        tokens, values = zip(*scalars[f"training/{name}"], strict=True)
        assert list(tokens) == sorted(tokens)
        assert min(values) > 0


def tensorboard_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return steps and values as TensorBoard itself reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def test_log_dir_without_tensorboard_is_an_error(
    embedkit: Command, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "find_spec", lambda _: None)
    done = embedkit("train", text, "--log-dir", "runs")
    assert done.returncode == 2
    assert "--log-dir needs TensorBoard, which is not installed" in done.stderr
    assert "pip install 'embedkit[tensorboard]'" in done.stderr


def test_log_dir_that_is_a_file_is_an_error(embedkit: Command, text: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    done = embedkit("train", text, "--log-dir", "runs")
    assert done.returncode == 1
    assert "--log-dir runs is a file, not a directory.\nHint: Choose another path." in done.stderr
    assert (tmp_path / "runs").read_text() == "a file"


def test_limits_of_counting_are_reported(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(
        "sun moon star comet\nsun moon star\nincomprehensibilities sun moon star\n" * 30
    )
    limits = ["--max-vocabulary", 3, "--max-word-length", 12, "--count-memory", "32.5M"]
    done = embedkit("train", "text.txt", "--sample", 0, "--epochs", 1, "--json", *limits)
    assert (
        "left out by --max-vocabulary: 1 word (30 tokens); kept words occur at least 90 times"
        in done.stderr
    )
    assert "left out by --max-word-length: 30 tokens of more than 12 characters" in done.stderr
    report = json.loads(done.stdout)["training"]
    assert report["left_out"] == {"words": 1, "tokens": 30, "too_long": 30}
    assert [*load(tmp_path / "model.embedkit").vocabulary] == ["sun", "moon", "star"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--count-memory", "2X", "expected a size, such as 500M or 2G, got '2X'"),
        ("--count-memory", "31M", "must be between 32M and 1,024T, got 31M"),
        ("--count-memory", "2K", "must be between 32M and 1,024T, got 2K"),
        ("--max-vocabulary", "0", "must be between 1 and 2,147,483,646, got 0"),
        ("--max-word-length", "65537", "must be between 1 and 65,536, got 65,537"),
    ],
)
def test_limit_of_counting_out_of_range(
    embedkit: Command, text: Path, option: str, value: str, message: str
) -> None:
    done = embedkit("train", text, option, value)
    assert done.returncode == 2
    assert f"Invalid value for '{option}': {message}" in done.stderr


def test_training_continues_from_a_model(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("sun moon star\nsun star\n" * 30)
    (tmp_path / "new.txt").write_text("sun comet star\ncomet tail\n" * 10)
    common = ["--sample", 0, "--epochs", 2]
    assert embedkit("train", "old.txt", "-o", "old", "--dimension", 8, *common).returncode == 0
    done = embedkit("train", "new.txt", "-o", "new", "--continue-from", "old", *common)
    assert done.returncode == 0, done.stderr
    vectors = load(tmp_path / "new")
    assert vectors.dimension == 8
    assert {"moon", "comet"} <= set(vectors.vocabulary)


def test_training_continues_from_a_file_of_fasttext(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("sun moon star\nsun star\n" * 30)
    (tmp_path / "new.txt").write_text("sun comet star\ncomet tail\n" * 10)
    common = ["--sample", 0, "--epochs", 2]
    settings = ["--dimension", 8, "--min-ngram", 4, "--buckets", 700, "--architecture", "cbow"]
    embedkit("train", "old.txt", "-o", "old", "--encoder", "subword", *settings, *common)
    done = embedkit("convert", "old", "old.bin", "--to", "fasttext")
    assert "(embedkit to fasttext)" in done.stdout
    again = ["train", "new.txt", "-o", "new", "--continue-from"]
    done = embedkit(*again, "old.bin", *common)
    assert done.returncode == 0, done.stderr
    model = load_encoder(tmp_path / "new")
    assert isinstance(model, SubwordEncoder)
    assert (model.dimension, model.config.architecture) == (8, "cbow")
    assert model.config.ngrams == Ngrams(4, 5, 700)
    assert {"moon", "comet"} <= set(model.vocabulary)
    for options, problem in {
        ("--encoder", "skipgram"): "n-grams of 4 to 5 in 700 buckets, but the settings ask for no",
        ("--min-ngram", 3): "n-grams of 4 to 5 in 700 buckets, but the settings ask for n-grams of",
        ("--dimension", 9): "dimension is 9, but the vectors to continue from have 8",
    }.items():
        done = embedkit(*again, "old.bin", *options, "--overwrite")
        assert done.returncode == 2
        assert problem in done.stderr
        assert "distinct words" not in done.stderr  # the text was not read
    data = bytearray((tmp_path / "old.bin").read_bytes())
    data[8 + 6 * 4] = 1  # the loss
    (tmp_path / "old.bin").write_bytes(data)
    done = embedkit(*again, "old.bin", "--overwrite")
    assert done.returncode == 1
    assert "old.bin has no output matrix to continue training from. It was trained with hier" in (
        done.stderr
    )


def test_options_that_do_not_suit_the_model_to_continue_from(embedkit: Command, text: Path) -> None:
    embedkit("train", text, *QUICK, "-o", "old")
    done = embedkit("train", text, "-o", "new", "--continue-from", "old", "--buckets", 9)
    assert done.returncode == 2
    assert "--buckets cannot be used with --encoder skipgram" in done.stderr
    assert "Pass --encoder subword" in done.stderr
