"""classify with files and pipes."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROWS = [("the mayor0 of paris", "capital"), ("border1 with france", "country"),
        ("the mayor1 of rome", "capital"), ("border0 with italy", "country")] * 5  # fmt: skip
NETWORK = ("--head", "network")
TSV = "".join(f"{text}\t{label}\n" for text, label in ROWS)


@pytest.fixture(scope="module")
def kept(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with texts and a classifier of them; tests must not change it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "places.tsv").write_text(TSV)
    shutil.copytree(model, folder / "model.embedkit")
    line = [sys.executable, "-m", "embedkit", "classify", "train", "places.tsv"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True)
    assert "classifier.embedkit: 20 texts, 2 labels" in done.stdout
    assert done.stdout.endswith("Try: embedkit classify predict 'the mayor0 of paris'\n")
    shutil.rmtree(folder / "model.embedkit")  # the classifier needs it no more
    return folder


@pytest.fixture
def trained(kept: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kept, tmp_path, dirs_exist_ok=True)


def test_train_predict_evaluate(embedkit: Any, trained: Path) -> None:
    assert embedkit("classify", "predict", "Who is MADRID's mayor2?").stdout.startswith("capital\t")
    asked = embedkit("classify", "predict", "-", "--json", stdin="border2 with spain\nmayor1\n")
    first, second = map(json.loads, asked.stdout.splitlines())
    assert (first["label"], second["label"]) == ("country", "capital")
    assert sum(first["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert max(first["probabilities"], key=first["probabilities"].get) == "country"
    (trained / "test.csv").write_text(
        "madrid mayor0,capital\nborder0 spain,country\nborder1,capital\n"
    )
    done = embedkit("classify", "evaluate", "test.csv", "--picture", "confusion.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("accuracy 0.6667, macro F1 0.6667, 3 texts\n")
    assert re.search(r"^capital +1\.0000 +0\.5000 +0\.6667 +2$", done.stdout, re.MULTILINE)
    assert re.search(r"^capital +1 +1$", done.stdout, re.MULTILINE)
    assert (trained / "confusion.png").read_bytes().startswith(b"\x89PNG")
    report = json.loads(embedkit("classify", "evaluate", "test.csv", "--json").stdout)
    assert report["accuracy"] == pytest.approx(2 / 3)
    assert report["known_words"] == 1
    assert "100.0% of the words occur in training texts or have a vector" in done.stdout
    assert report["confusion"] == [[1, 1], [0, 1]]


def test_from_standard_input_with_every_option(embedkit: Any, model: Path, tmp_path: Path) -> None:
    lines = "".join(f"__label__{label} {text} é\n" for text, label in ROWS).encode("latin-1")
    train = ("classify", "train", "-", "-o", "c", "--model", model, "--encoding", "latin-1")
    done = embedkit(
        *train, *NETWORK, "--pooling", "tfidf", "--hidden", 4, "--hidden", 3, "--epochs", 30,
        "--seed", 3,
        "--balanced", "--format", "fasttext", "--json", stdin=lines,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["labels"] == ["capital", "country"]
    assert report["epochs"] <= 30
    network = json.loads((tmp_path / "c" / "network" / "config.json").read_text())
    assert network["settings"]["hidden"] == [4, 3]
    again = embedkit(*train, stdin=lines)
    assert again.returncode == 1
    assert "c already exists and was not overwritten" in again.stderr
    assert embedkit(*train, "--overwrite", "--quiet", stdin=lines).stdout == ""


def test_texts_without_known_words_are_reported(embedkit: Any, model: Path, tmp_path: Path) -> None:
    (tmp_path / "places.tsv").write_text(TSV)
    train = ("classify", "train", "places.tsv", "--model", model, "--head", "network")
    embedkit(*train, "--pooling", "mean", "--epochs", 1)
    done = embedkit("classify", "predict", "zzz")
    assert done.returncode == 0
    assert done.stderr.startswith("Warning: 1 of 1 text has no known word")
    assert len(done.stderr.splitlines()) == 1


def test_each_line_has_one_answer(embedkit: Any, trained: Path) -> None:
    done = embedkit("classify", "predict", "-", stdin="\ufeff\nthe mayor0 of paris\n  \nzzz\n")
    assert done.returncode == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [text for _, _, text in rows] == ["", "the mayor0 of paris", "", "zzz"]
    assert rows[0] == rows[2]
    assert rows[0][:2] == rows[3][:2]
    warning = (
        "Warning: 3 of 4 texts have no known word: their features come from letters alone, if any "
    )
    assert done.stderr.startswith(warning)
    assert len(done.stderr.splitlines()) == 1


def test_training_on_unknown_words_is_reported(embedkit: Any, model: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.tsv").write_text("qqq\ta\nzzz\tb\nmayor0\ta\n")
    train = ("classify", "train", "odd.tsv", "--model", model, "--head", "network", "--epochs", 2)
    for pooling, so in (("finetune", "begin as"), ("sum", "are")):
        done = embedkit(*train, "--pooling", pooling, "-o", pooling)
        assert done.returncode == 0
        known = "Warning: 2 of 3 texts have no known word: their features"
        # On a busy machine progress is printed too.
        printed = [line for line in done.stderr.splitlines() if not line.startswith("training: ")]
        assert printed == [f"{known} {so} zeros (rows 0, 1, counted from 0)."]
    assert embedkit(*train, "--quiet").stderr == ""


def test_an_existing_picture_is_kept(embedkit: Any, trained: Path) -> None:
    (trained / "mine.png").write_text("dear")
    evaluate = ("classify", "evaluate", "places.tsv", "--picture", "mine.png")
    done = embedkit(*evaluate)
    assert (done.returncode, done.stdout) == (1, "")
    assert "mine.png already exists and was not overwritten.\nHint: Pass --overwrite" in done.stderr
    assert (trained / "mine.png").read_text() == "dear"
    assert embedkit(*evaluate, "--overwrite").returncode == 0
    assert (trained / "mine.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_with_one_label_can_be_scored(embedkit: Any, trained: Path) -> None:
    (trained / "one.tsv").write_text("mayor0\tcapital\nmayor1\tcapital\n")
    done = embedkit("classify", "evaluate", "one.tsv")
    assert done.stderr == ""
    assert done.stdout.startswith("accuracy 1.0000")


def test_labels_that_the_classifier_does_not_know_are_reported(
    embedkit: Any, trained: Path
) -> None:
    (trained / "new.tsv").write_text("mayor0\tcapital\nmayor1\tcity\n")
    for command in ("evaluate", "errors"):
        done = embedkit("classify", command, "new.tsv")
        assert done.stderr == (
            "Warning: 1 of 2 texts has a label that the classifier does not know: 'city'.\n"
        )
        assert embedkit("classify", command, "new.tsv", "--quiet").stderr == ""


def test_numbers(embedkit: Any, tmp_path: Path) -> None:
    (tmp_path / "rents.tsv").write_text("small flat\t1\nlarge flat\t5\nlarge house\t9\n" * 8)
    arguments = ("rents.tsv", "--task", "number", "--no-vectors")
    done = embedkit("classify", "train", *arguments)
    assert "temperature" not in done.stdout
    trained = embedkit("classify", "train", *arguments, "--overwrite", "--json")
    assert "thresholds" not in json.loads(trained.stdout)
    (tmp_path / "other.tsv").write_text("small flat\t100\nlarge flat\t5\n")
    first, _, worst, *_ = embedkit("classify", "errors", "other.tsv", "-k", "1").stdout.splitlines()
    assert first == "2 texts, the largest errors first; the first 1:"
    assert worst.startswith("1     100    ")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("train", "good.tsv", "--model", "MODEL", *NETWORK, "--hidden", "99999999999"), 2,
         "each between 1 and 10,000, got (99999999999,)"),
        (("train", "good.tsv", "--model", "MODEL", "--seed", "9" * 26), 2,
         "seed must be an integer between 0 and 9,223,372,036,854,775,807, got 9999"),
        (("train", "good.tsv", "--model", "MODEL", *NETWORK, "--epochs", "99999999999"), 2,
         "epochs must be an integer between 1 and 1,000,000, got 99999999999"),
        (("train", "good.tsv", "--model", "MODEL", "--ngrams", "99999999999"), 2,
         "Invalid value for '--ngrams': must be between 1 and 10, got 99,999,999,999"),
        (("train", "good.tsv", "--model", "MODEL", "--head", "network", "--device", "foo"), 2,
         "unknown device 'foo'; choose from auto, cpu, cuda, cuda:N"),
        (("train", "cut.gz"), 1,
         "cut.gz is damaged or cut short after line "),
        (("train", "nowhere.tsv", "--model", "m"), 1, "cannot read nowhere.tsv: No such file"),
        (("train", "bad.tsv", "--model", "m"), 1, "bad.tsv, line 2: 1 column, but line 1 has 2"),
        (("train", "one.tsv", "--model", "MODEL"), 1, "one.tsv: every text has the label 'b'"),
        (("train", "good.tsv", "--model", "m"), 1, "there is no model at m.\nHint: "),
        (("train", "good.tsv", "--head", "network", "--pooling", "mean", "--ngrams", "2"), 2,
         "--ngrams cannot be used with --pooling mean"),
        (("train", "good.tsv", "-o", "mine", "--overwrite"), 1, "mine is not an embedkit model"),
        (("predict", "a"), 1, "there is no classifier at classifier.embedkit"),
        (("predict", "a", "-c", "MODEL"), 1, "holds a skipgram, not a classifier"),
        (("evaluate", "good.tsv", "--encoding", "utf-9"), 2, "unknown encoding 'utf-9'"),
    ],
)  # fmt: skip
def test_mistakes_are_reported(
    arguments: tuple[str, ...], code: int, message: str, inside: Any, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "good.tsv").write_text(TSV)
    (tmp_path / "bad.tsv").write_text("a\tb\nc\n")
    (tmp_path / "one.tsv").write_text("a\tb\nc\tb\n")
    lines = "".join(f"word {number * 7919 % 9973}\tlabel\n" for number in range(20_000))
    packed = gzip.compress(lines.encode())
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    given = [str(model) if argument == "MODEL" else argument for argument in arguments]
    done = inside("classify", *given)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
