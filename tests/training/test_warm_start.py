"""Epoch callbacks, early stopping, and training that continues a model with new text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import SkipGramEncoder, load, load_encoder
from embedkit.errors import ConfigurationError, QuestionError
from embedkit.evaluation import EarlyStopping, analogy_accuracy
from embedkit.training.config import TrainingConfig
from embedkit.training.loop import TrainingHooks
from embedkit.training.report import EpochReport
from embedkit.training.trainer import train_skipgram
from embedkit.training.warm_start import WarmStart, warm_start
from embedkit.vectors.word_vectors import WordVectors

CORPORA = Path(__file__).parent.parent.parent / "corpora"
WORLD, ANALOGIES = CORPORA / "world.txt", CORPORA / "analogies.txt"
OLD = [["sun", "moon", "star"], ["sun", "star"]] * 30
NEW = [["sun", "comet", "star"], ["comet", "tail"], ["rare", "moon"]] * 10 + [["once", "sun"]]
SETTINGS = {"dimension": 8, "epochs": 3, "sample": 0, "workers": 1, "min_count": 5}


def test_epoch_reports_equal_training_without_callbacks() -> None:
    seen: list[tuple[int, float | None]] = []
    shots: list[np.ndarray] = []

    def look(report: EpochReport) -> None:
        seen.append((report.epoch, report.loss))
        shots.append(report.vectors.copy())
        assert not report.vectors.flags.writeable

    corpus = Corpus.read(WORLD)
    config = TrainingConfig(dimension=16, epochs=3, workers=1)
    watched = train_skipgram(corpus, config, TrainingHooks(on_epoch_end=look))
    alone = train_skipgram(corpus, config)
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert (
        tuple(loss for _, loss in seen) == alone.report.epoch_losses == watched.report.epoch_losses
    )
    assert watched.vectors.tobytes() == alone.vectors.tobytes() == shots[-1].tobytes()
    assert not np.array_equal(shots[0], shots[1])


@pytest.mark.parametrize("workers", [1, 3])
def test_callback_ends_training(workers: int) -> None:
    corpus = Corpus.read(WORLD)
    config = TrainingConfig(dimension=8, epochs=50, workers=workers)
    hooks = TrainingHooks(on_epoch_end=lambda report: report.epoch == 2)
    report = train_skipgram(corpus, config, hooks).report
    assert report.epochs == len(report.epoch_losses) == 2


def test_error_in_a_callback_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError):
        SkipGramEncoder(**SETTINGS).fit(
            OLD, on_epoch_end=lambda report: 1 // (report.epoch - 1) > 9
        )


def epoch(accuracy: float) -> EpochReport:
    """Return vectors that answer this share of four questions."""
    matrix = np.zeros((16, 12), dtype=np.float32)
    for question in range(4):
        rows = matrix[question * 4 : question * 4 + 4]
        rows[:3, question * 3 : question * 3 + 3] = np.eye(3)
        rows[3] = rows[1] - rows[0] + rows[2] if question < 4 * accuracy else -rows[1]
    words = [f"{letter}{number}" for number in range(4) for letter in "abcd"]
    return EpochReport(1, 9, 0.1, 1.0, Vocabulary(words), matrix)


@pytest.mark.parametrize(
    ("patience", "accuracies", "stops"),
    [
        (1, [0.25, 0.5, 0.5], [False, False, True]),
        (2, [0.5, 0.25, 0.75, 0.75, 0.5], [False, False, False, False, True]),
        (None, [0.5, 0.25, 0.25, 0.0], [False] * 4),
    ],
)
def test_patience_counts_epochs_without_a_better_score(
    patience: int | None, accuracies: list[float], stops: list[bool], tmp_path: Path
) -> None:
    questions = tmp_path / "questions"
    questions.write_text("".join(f"a{n} b{n} c{n} d{n}\n" for n in range(4)))
    stopping = EarlyStopping(questions, patience)
    assert [stopping(epoch(accuracy)) for accuracy in accuracies] == stops
    assert stopping.accuracies == accuracies


def test_unusable_questions_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="cannot read"):
        EarlyStopping(tmp_path / "nowhere")
    (tmp_path / "others").write_text("one two three four\n")
    with pytest.raises(QuestionError, match="too few known questions: the model knows 0 of 1"):
        EarlyStopping(tmp_path / "others")(epoch(1.0))


def test_counts_words_and_rows_of_a_warm_start() -> None:
    config = TrainingConfig(**{**SETTINGS, "dimension": 2})
    old = WarmStart(
        Vocabulary(["sun", "star", "moon"], [60, 60, 30]),
        np.arange(6, dtype=np.float32).reshape(3, 2),
        np.arange(10, 16, dtype=np.float32).reshape(3, 2),
    )
    new = warm_start(old, Corpus.read(NEW), config)
    found = dict(zip(new.vocabulary, new.vocabulary.counts.tolist(), strict=True))
    # "once" is too rare to be added; the three old words occur 11, 10 and 10 times more.
    assert found == {"sun": 71, "star": 70, "moon": 40, "comet": 20, "tail": 10, "rare": 10}
    assert list(new.vocabulary)[:4] == ["sun", "star", "moon", "comet"]
    assert new.vectors[:3].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert new.context[:3].tolist() == [[10, 11], [12, 13], [14, 15]]
    assert not new.context[3:].any()
    assert 0 < np.abs(new.vectors[3:]).max() <= 0.5 / 2


def test_training_continues_with_new_text() -> None:
    first = SkipGramEncoder(**SETTINGS).fit(OLD)
    second = SkipGramEncoder(**SETTINGS).fit(NEW, start=first)
    assert set(second.vocabulary) == {"sun", "star", "moon", "comet", "tail", "rare"}
    assert not np.array_equal(second.encode(["sun"]), first.encode(["sun"]))
    # Words that the new text lacks are drawn as noise only, so their input vectors stay.
    third = SkipGramEncoder(**SETTINGS).fit([["comet", "tail"]] * 20, start=second)
    np.testing.assert_array_equal(third.encode(["moon", "rare"]), second.encode(["moon", "rare"]))
    assert third.report["tokens"] == 40


def test_unusable_start_is_an_error(tmp_path: Path) -> None:
    first = SkipGramEncoder(**SETTINGS).fit(OLD)
    with pytest.raises(ConfigurationError, match=r"dimension is 9, but .* have 8"):
        SkipGramEncoder(**{**SETTINGS, "dimension": 9}).fit(NEW, start=first)
    first.vectors().save(tmp_path / "vectors")
    bare = load_encoder(tmp_path / "vectors")
    assert isinstance(bare, SkipGramEncoder)
    with pytest.raises(ConfigurationError, match="have no output matrix"):
        SkipGramEncoder(**SETTINGS).fit(NEW, start=bare)


def embedkit(*arguments: object, folder: Path) -> str:
    command = [sys.executable, "-m", "embedkit", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_command_scores_epochs_stops_and_logs(tmp_path: Path) -> None:
    said = embedkit(
        "train", WORLD, "--dimension", 32, "--epochs", 40, "--evaluate", ANALOGIES,
        "--patience", 1, "--log-json", "log", folder=tmp_path,
    )  # fmt: skip
    shown = re.findall(r"epoch (\d+) of 40: loss 0\.\d+, analogies (\d+\.\d)%", said)
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


def test_the_command_continues_from_a_model(tmp_path: Path) -> None:
    for name, sentences in (("old.txt", OLD), ("new.txt", NEW)):
        (tmp_path / name).write_text("".join(" ".join(words) + "\n" for words in sentences))
    common = ["--sample", 0, "--epochs", 2]
    embedkit("train", "old.txt", "-o", "old", "--dimension", 8, *common, folder=tmp_path)
    embedkit("train", "new.txt", "-o", "new", "--continue-from", "old", *common, folder=tmp_path)
    vectors: WordVectors = load(tmp_path / "new")
    assert vectors.dimension == 8
    assert {"moon", "comet"} <= set(vectors.vocabulary)
