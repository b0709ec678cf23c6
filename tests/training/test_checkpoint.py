"""Checkpoints, by themselves and by real processes that are killed."""

from __future__ import annotations

import json
import math
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import SkipGramEncoder, load, load_encoder
from embedkit.errors import (
    ConfigurationError,
    ModelError,
    OutputExistsError,
    StorageError,
    TrainingError,
)
from embedkit.training.checkpoint import Checkpoints
from embedkit.training.config import TrainingConfig
from embedkit.training.loop import TrainingHooks
from embedkit.training.report import EpochReport, Progress
from embedkit.training.state import TrainingState
from embedkit.training.trainer import train

CONFIG = TrainingConfig(dimension=4, epochs=3, workers=1)
WORDS = Vocabulary(["one", "two", "three"], [9, 8, 7])
WORLD = Path(__file__).parent.parent.parent / "corpora" / "world.txt"


def state(chunk: int, value: float = 0.5) -> TrainingState:
    inputs = np.full((3, 4), value, dtype=np.float32)
    pairs, losses = np.array([chunk, 1, 0]), np.array([0.1 + chunk, 1e-300, 0.0])
    return TrainingState(chunk, pairs, losses, 1.25, inputs, inputs + 1)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints.beside(tmp_path / "model.embedkit", every=0.01)


def save(checkpoints: Checkpoints, *chunks: int) -> None:
    for chunk in chunks:
        checkpoints.save(state(chunk, chunk / 7), CONFIG, WORDS, "text")


def test_saved_state_is_loaded_bit_for_bit(checkpoints: Checkpoints) -> None:
    save(checkpoints, 12)
    found = checkpoints.latest(CONFIG, WORDS, "text")
    expected = state(12, 12 / 7)
    assert found is not None
    assert (found.chunk, found.seconds) == (12, 1.25)
    for name in ("pairs", "losses", "inputs", "outputs"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_two_checkpoints_are_kept_and_each_is_a_model(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1, 2, 30)
    assert sorted(path.name for path in checkpoints.path.iterdir()) == ["0000000002", "0000000030"]
    assert load(checkpoints.path / "0000000002")["two"].tolist() == [np.float32(2 / 7)] * 4
    checkpoints.clear()
    assert not checkpoints.path.exists()


def test_only_checkpoints_are_removed(checkpoints: Checkpoints) -> None:
    """Neither files of the user beside and in them, nor directories that look like them."""
    save(checkpoints, 1)
    own = ["notes.txt", "2024/summer", "0123456789/x", ".draft.tmp/y", "0000000001/NOTES.md"]
    for name in own:
        path = checkpoints.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    save(checkpoints, 2, 3, 4)
    checkpoints.begin_again(overwrite=True)
    found = [path for path in checkpoints.path.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(checkpoints.path)) for path in found) == sorted(own)


def test_a_file_in_the_place_of_checkpoints_is_kept(checkpoints: Checkpoints) -> None:
    checkpoints.path.write_text("mine")
    with (
        pytest.raises(OutputExistsError, match="is a file and was not"),
        checkpoints.locked(),
    ):
        pass
    checkpoints.clear()
    assert checkpoints.path.read_text() == "mine"


def test_two_trainings_do_not_share_checkpoints(checkpoints: Checkpoints) -> None:
    with checkpoints.locked():
        encoder, other = SkipGramEncoder(min_count=1), Checkpoints(checkpoints.path)
        with pytest.raises(StorageError, match=f"is being written by process {os.getpid()}, since"):
            encoder.fit([["a", "b"]] * 9, checkpoints=other)
    assert list(checkpoints.path.parent.iterdir()) == []


@pytest.mark.parametrize("damage", ["vectors.safetensors", "vocabulary.arrow", "config.json"])
def test_damaged_checkpoint_is_skipped(checkpoints: Checkpoints, damage: str) -> None:
    save(checkpoints, 1, 2)
    newest = checkpoints.path / "0000000002" / damage
    newest.write_bytes(newest.read_bytes()[:-20])
    found = checkpoints.latest(CONFIG, WORDS, "text")
    assert found is not None
    assert found.chunk == 1
    shutil.copy(newest, checkpoints.path / "0000000001" / damage)
    with pytest.raises(ModelError, match="damaged"):
        checkpoints.latest(CONFIG, WORDS, "text")


def test_leftovers_of_a_killed_process_are_removed(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1)
    half = checkpoints.path / ".0000000002.0123456789abcdef.tmp"
    half.mkdir()
    (half / "vectors.safetensors").write_bytes(b"half")
    found = checkpoints.latest(CONFIG, WORDS, "text")
    assert found is not None
    assert not half.exists()


@pytest.mark.parametrize(
    ("config", "text", "problem"),
    [
        (replace(CONFIG, dimension=5), "text", "dimension was 4 and is now 5"),
        (
            replace(CONFIG, seed=2, window=3),
            "text",
            "window was 5 and is now 3; seed was 1 and is now 2",
        ),
        (CONFIG, "other", "the corpus is different"),
    ],
)
def test_checkpoint_of_another_training_is_rejected(
    checkpoints: Checkpoints, config: TrainingConfig, text: str, problem: str
) -> None:
    save(checkpoints, 1)
    with pytest.raises(ConfigurationError, match=f"belongs to another training run: {problem}"):
        checkpoints.latest(config, WORDS, text)
    assert checkpoints.latest(replace(CONFIG, workers=7), WORDS, "text") is not None


def test_settings_that_an_older_version_did_not_have_had_their_defaults(
    checkpoints: Checkpoints,
) -> None:
    save(checkpoints, 1)
    (path,) = checkpoints.path.glob("*/config.json")
    config = json.loads(path.read_text())
    for section in (config["settings"], config["checkpoint"]):
        section.pop("architecture", None)
        section.pop("buckets", None)
    path.write_text(json.dumps(config))
    assert checkpoints.latest(CONFIG, WORDS, "text") is not None
    with pytest.raises(ConfigurationError, match="architecture was 'skipgram' and is now 'cbow'"):
        checkpoints.latest(replace(CONFIG, architecture="cbow"), WORDS, "text")


def test_one_process_may_change_the_interval_between_synchronizations(
    checkpoints: Checkpoints,
) -> None:
    """It does not use it, and an older version stored another default."""
    checkpoints.save(state(1), replace(CONFIG, sync_every=125_000), WORDS, "text")
    assert checkpoints.latest(CONFIG, WORDS, "text") is not None
    with pytest.raises(ConfigurationError, match="sync_every was 125000 and is now 7"):
        checkpoints.latest(replace(CONFIG, sync_every=7), WORDS, "text")


def test_defaults_are_the_same_settings_as_their_values(tmp_path: Path) -> None:
    """A checkpoint stores values, so that another version may have other defaults."""
    corpus = Corpus.read([["king", "queen", "castle"]] * 50)
    config = TrainingConfig(dimension=4, epochs=2, workers=1, sample=0, buckets=100)

    def interrupt(_: EpochReport) -> None:
        raise KeyboardInterrupt

    checkpoints = Checkpoints(tmp_path / "model.checkpoint", every=1000)
    with pytest.raises(KeyboardInterrupt):
        train(corpus, config, TrainingHooks(on_epoch_end=interrupt, checkpoints=checkpoints))
    (path,) = checkpoints.path.glob("*/config.json")
    stored = json.loads(path.read_text())["settings"]
    given = {"min_ngram": 4, "max_ngram": 6, "learning_rate": 0.035}
    assert {name: stored[name] for name in given} == given
    resumed = TrainingHooks(checkpoints=checkpoints, resume=True)
    assert train(corpus, replace(config, **given), resumed).report.epochs == 2


def test_checkpoint_of_other_words_is_rejected(checkpoints: Checkpoints) -> None:
    """As many rows, but not of the same words: they would change owners."""
    save(checkpoints, 1)
    for words in (["one", "three", "two"], ["one", "two"]):
        others = Vocabulary(words, range(9, 9 - len(words), -1))
        with pytest.raises(ConfigurationError, match=r"vocabulary is different .*--continue-from"):
            checkpoints.latest(CONFIG, others, "text")


def test_other_number_of_ranks_is_rejected(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1)
    with pytest.raises(ConfigurationError, match="ranks was 1 and is now 2"):
        checkpoints.latest(CONFIG, WORDS, "text", ranks=2)
    with pytest.raises(ConfigurationError, match="chunk_tokens was 10000 and is now 9"):
        checkpoints.latest(CONFIG, WORDS, "text", chunk_tokens=9)


def test_ranks_refuse_the_stops_of_another_schedule(checkpoints: Checkpoints) -> None:
    """An older version did not store the schedule, of which the checkpoint counts the stops."""
    checkpoints.save(replace(state(1), ranks=2, stopped=64), CONFIG, WORDS, "text")
    found = checkpoints.latest(CONFIG, WORDS, "text", ranks=2)
    assert found is not None
    assert found.stopped == 64
    (path,) = checkpoints.path.glob("*/config.json")
    config = json.loads(path.read_text())
    assert config["checkpoint"].pop("schedule") == found.schedule
    path.write_text(json.dumps(config))
    with pytest.raises(ConfigurationError, match="synchronized at other points") as caught:
        checkpoints.latest(CONFIG, WORDS, "text", ranks=2)
    assert str(path.parent) in str(caught.value)


def test_one_rank_needs_no_schedule(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1)
    (path,) = checkpoints.path.glob("*/config.json")
    config = json.loads(path.read_text())
    del config["checkpoint"]["schedule"]
    path.write_text(json.dumps(config))
    found = checkpoints.latest(CONFIG, WORDS, "text")
    assert found is not None
    assert found.chunk == 1


def test_earlier_checkpoints_are_kept_without_overwrite(checkpoints: Checkpoints) -> None:
    checkpoints.begin_again(overwrite=False)
    save(checkpoints, 1)
    with pytest.raises(OutputExistsError, match=r"--resume .* to continue .* --overwrite to start"):
        checkpoints.begin_again(overwrite=False)
    checkpoints.begin_again(overwrite=True)
    assert checkpoints.latest(CONFIG, WORDS, "text") is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_not_saved(checkpoints: Checkpoints, value: float) -> None:
    save(checkpoints, 1)
    with pytest.raises(
        TrainingError, match=r"learning_rate=0\.05.*checkpoints and models were kept"
    ):
        checkpoints.save(state(2, value), CONFIG, WORDS, "text")
    found = checkpoints.latest(CONFIG, WORDS, "text")
    assert found is not None
    assert found.chunk == 1


def test_unwritable_path_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*file/x\.checkpoint"):
        save(Checkpoints.beside(tmp_path / "file" / "x"), 1)


@pytest.mark.parametrize("every", [0, -1.0, float("nan")])
def test_seconds_between_checkpoints_are_checked(every: float) -> None:
    with pytest.raises(ConfigurationError, match="interval between checkpoints must be above 0"):
        Checkpoints("x", every=every)


SUBWORDS = {"min_ngram": 3, "max_ngram": 4, "buckets": 5_000}


@pytest.mark.parametrize(
    ("after", "settings"),
    [
        (1, {}),
        (5, {}),
        (20, {}),
        (3, SUBWORDS),
        (3, {"architecture": "cbow"}),
        (3, {**SUBWORDS, "architecture": "cbow", "position_weights": True}),
    ],
)
def test_run_interrupted_by_ctrl_c_resumes_to_the_same_bytes(
    checkpoints: Checkpoints, after: int, settings: dict[str, Any]
) -> None:
    corpus = Corpus.read(WORLD)
    config = TrainingConfig(dimension=16, epochs=3, workers=1, **settings)
    whole = train(corpus, config)
    calls = 0

    def interrupt(_: Progress) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            raise KeyboardInterrupt

    patient = Checkpoints(checkpoints.path, every=1000)
    try:
        resumed = train(corpus, config, TrainingHooks(interrupt, checkpoints=patient))
    except KeyboardInterrupt:
        state = next(checkpoints.path.iterdir())
        kind = "subword" if config.ngrams else "skipgram"
        assert load_encoder(state).name == kind, "each checkpoint is a model"
        assert load_encoder(state).vectors().neighbors("paris")
        resumed = train(corpus, config, TrainingHooks(checkpoints=patient, resume=True))
    assert resumed.vectors.tobytes() == whole.vectors.tobytes()
    assert resumed.context.tobytes() == whole.context.tobytes()
    if whole.subwords is not None:
        assert resumed.subwords is not None
        assert resumed.subwords.rows.tobytes() == whole.subwords.rows.tobytes()
    assert resumed.report.epoch_losses == whole.report.epoch_losses
    assert resumed.report.pairs == whole.report.pairs


COMMAND = [
    sys.executable, "-m", "embedkit", "train", str(WORLD), "--workers", "1", "--epochs", "12",
    "--dimension", "32", "--quiet", "-o",
]  # fmt: skip


def facts(model: Path) -> dict[str, object]:
    config = json.loads((model / "config.json").read_text())
    del config["training"]["seconds"], config["training"]["tokens_per_second"]
    return {
        "config": config,
        **{
            name: (model / name).read_bytes()
            for name in ("vectors.safetensors", "vocabulary.arrow")
        },
    }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    model = tmp_path_factory.mktemp("whole") / "model.embedkit"
    subprocess.run([*COMMAND, model], check=True)
    return facts(model)


def killed_and_resumed(folder: Path, kills: int, chance: random.Random) -> tuple[Path, int]:
    """Train with so many kills on the way; return the model and the kills that hit a checkpoint."""
    model = folder / "model.embedkit"
    # A process may be killed when its model is written and before it has ended.
    command = [*COMMAND, model, "--resume", "--overwrite", "--checkpoint-every", "0.05"]
    generations = folder / "model.embedkit.checkpoint"
    found = 0
    for _ in range(kills):
        process = subprocess.Popen(command)
        before = set(generations.glob("0*"))
        while process.poll() is None and set(generations.glob("0*")) <= before:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        if process.wait() == 0:
            break
        found += bool(list(generations.glob("0*")))
    subprocess.run(command, check=True)
    assert not generations.exists()
    return model, found


def test_killed_run_resumes_to_the_same_bytes(
    tmp_path: Path, uninterrupted: dict[str, object]
) -> None:
    model, found = killed_and_resumed(tmp_path, 4, random.Random(0))
    assert found >= 2
    assert facts(model) == uninterrupted


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_runs_killed_many_times(
    seed: int, tmp_path: Path, uninterrupted: dict[str, object]
) -> None:
    model, found = killed_and_resumed(tmp_path, 6, random.Random(seed + 1))
    assert found >= 3
    assert facts(model) == uninterrupted


def wait_for_tokens(log: Path) -> None:
    """Wait until a log says that tokens were trained on; its first line may say that none were."""
    for _ in range(6_000):
        lines = log.read_text().splitlines(keepends=True) if log.exists() else []
        if any(json.loads(line).get("tokens") for line in lines if line.endswith("\n")):
            return
        time.sleep(0.01)
    raise AssertionError("training did not begin")


@pytest.mark.parametrize(
    ("number", "every"),
    [(signal.SIGINT, "300"), pytest.param(signal.SIGTERM, "0", marks=pytest.mark.slow)],
)
def test_signal_writes_a_checkpoint_and_prints_how_to_resume(
    number: int, every: str, tmp_path: Path, uninterrupted: dict[str, object]
) -> None:
    model = tmp_path / "model.embedkit"
    command = [*COMMAND, model, "--log-json", tmp_path / "log"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for_tokens(tmp_path / "log")
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 128 + number
    checkpoints = f"{model}.checkpoint"
    assert said.endswith(
        f"Interrupted. Nothing was written to {model}. The last checkpoint is in {checkpoints}. "
        "Run the same command with --resume to continue from it.\n"
    )
    assert not model.exists()
    again = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert again.returncode == 1
    assert "contains the checkpoints of an interrupted training run" in again.stderr
    log = (tmp_path / "log").read_text().splitlines()
    subprocess.run([*command, "--resume", "--checkpoint-every", every], check=True)
    assert facts(model) == uninterrupted
    stood, went_on = (
        [event["tokens"] for event in map(json.loads, lines) if event["event"] == "progress"]
        for lines in (log, (tmp_path / "log").read_text().splitlines()[len(log) :])
    )
    assert went_on[0] >= stood[-1] > 0, "it did not begin again"
    assert not (tmp_path / "model.embedkit.checkpoint").exists()


LARGE = [
    sys.executable, "-m", "embedkit", "train", str(WORLD), "--workers", "1", "--epochs", "99",
    "--dimension", "1000",
]  # fmt: skip


def test_further_signals_do_not_cut_a_checkpoint(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*LARGE, "--log-json", "log"], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )  # fmt: skip
    while not (tmp_path / "log").exists() or not (tmp_path / "log").read_text():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("Interrupted: writing a checkpoint ..."):
        assert process.poll() is None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
        time.sleep(0.02)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert "Interrupted. Nothing was written to model.embedkit. The last checkpoint is in" in said
    (checkpoint,) = (tmp_path / "model.embedkit.checkpoint").iterdir()
    assert load(checkpoint).dimension == 1000


def test_a_checkpoint_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*LARGE, "--log-json", "log"], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    while not (tmp_path / "log").exists() or not (tmp_path / "log").read_text():
        assert process.poll() is None
        time.sleep(0.01)
    (tmp_path / "model.embedkit.checkpoint").touch()
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "No checkpoint was written. Error: cannot write" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("seconds", [0, pytest.param(0.2, marks=pytest.mark.slow), 0.5])
def test_no_checkpoint_is_claimed_that_is_not_there(seconds: float, tmp_path: Path) -> None:
    process = subprocess.Popen(LARGE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stderr is not None
    assert "tokens" in process.stderr.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert "Traceback" not in said
    written = bool(list(tmp_path.glob("model.embedkit.checkpoint/*")))
    assert ("The last checkpoint is in" in said) == written
    assert ("No checkpoint was written." in said) == (not written)
    assert written or not list(tmp_path.iterdir())


def test_interrupted_epoch_callback_is_called_again_after_resuming(
    checkpoints: Checkpoints,
) -> None:
    corpus = Corpus.read(WORLD)
    config = TrainingConfig(dimension=8, epochs=4, workers=1)
    told = []

    def interrupt(report: EpochReport) -> None:
        if report.epoch == 2:
            raise KeyboardInterrupt
        told.append(report.epoch)

    patient = Checkpoints(checkpoints.path, every=1000)
    with pytest.raises(KeyboardInterrupt):
        train(corpus, config, TrainingHooks(on_epoch_end=interrupt, checkpoints=patient))
    train(
        corpus,
        config,
        TrainingHooks(
            on_epoch_end=lambda report: told.append(report.epoch),
            checkpoints=patient,
            resume=True,
        ),
    )
    assert told == [1, 2, 3, 4]


def test_reported_loss_is_never_nan() -> None:
    losses = []
    train(
        Corpus.read(WORLD),
        TrainingConfig(dimension=8, epochs=6, workers=1),
        TrainingHooks(lambda progress: losses.append(progress.loss), lambda report: None),
    )
    assert losses
    assert not any(map(math.isnan, losses[1:])), "the first may come before any pair"


def test_a_full_disk_leaves_the_last_checkpoint(checkpoints: Checkpoints) -> None:
    save(checkpoints, 1)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*0000000002"):
            save(checkpoints, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in checkpoints.path.iterdir()] == ["0000000001"]
    found = checkpoints.latest(CONFIG, WORDS, "text")
    assert found is not None
    assert found.chunk == 1
