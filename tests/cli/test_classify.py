"""classify as a user meets it: real processes, files and pipes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROWS = [("the mayor0 of paris", "capital"), ("border1 with france", "country"),
        ("the mayor1 of rome", "capital"), ("border0 with italy", "country")] * 5  # fmt: skip
TSV = "".join(f"{text}\t{label}\n" for text, label in ROWS)


@pytest.fixture
def trained(embedkit: Any, model: Path, tmp_path: Path) -> Path:
    (tmp_path / "places.tsv").write_text(TSV)
    shutil.copytree(model, tmp_path / "model.embedkit")
    done = embedkit("classify", "train", "places.tsv", "-o", "helpdesk.embedkit")
    assert done.returncode == 0, done.stderr
    assert "helpdesk.embedkit: 20 texts, 2 labels" in done.stdout
    assert done.stdout.endswith("Try: embedkit classify predict 'the mayor0 of paris'\n")
    shutil.rmtree(tmp_path / "model.embedkit")  # the classifier needs it no more
    return tmp_path


def test_train_predict_evaluate(embedkit: Any, trained: Path) -> None:
    assert embedkit("classify", "predict", "Who is MADRID's mayor2?").stdout.startswith("capital\t")
    asked = embedkit("classify", "predict", "-", "--json", stdin="border2 with spain\n\nmayor1\n")
    first, second = map(json.loads, asked.stdout.splitlines())
    assert (first["label"], second["label"]) == ("country", "capital")
    assert sum(first["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert max(first["probabilities"], key=first["probabilities"].get) == "country"
    (trained / "test.csv").write_text("madrid mayor0,capital\nspain,country\nspain,capital\n")
    done = embedkit("classify", "evaluate", "test.csv", "--picture", "confusion.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("accuracy 0.6667, macro F1 0.6667, 3 texts\n")
    assert re.search(r"^capital +1\.0000 +0\.5000 +0\.6667 +2$", done.stdout, re.MULTILINE)
    assert re.search(r"^capital +1 +1$", done.stdout, re.MULTILINE)
    assert (trained / "confusion.png").read_bytes().startswith(b"\x89PNG")
    report = json.loads(embedkit("classify", "evaluate", "test.csv", "--json").stdout)
    assert report["accuracy"] == pytest.approx(2 / 3)
    assert report["confusion"] == [[1, 1], [0, 1]]


def test_from_standard_input_with_every_option(embedkit: Any, model: Path, tmp_path: Path) -> None:
    lines = "".join(f"__label__{label} {text} é\n" for text, label in ROWS).encode("latin-1")
    train = ("classify", "train", "-", "-o", "c", "--vectors", model, "--encoding", "latin-1")
    done = embedkit(
        *train, "--pooling", "tfidf", "--hidden", 4, "--hidden", 3, "--epochs", 30, "--seed", 3,
        "--balanced", "--format", "fasttext", "--json", stdin=lines,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["labels"] == ["capital", "country"]
    assert report["epochs"] <= 30
    network = json.loads((tmp_path / "c" / "network" / "config.json").read_text())
    assert network["settings"]["hidden"] == [4, 3]
    again = embedkit(*train, stdin=lines)
    assert again.returncode == 1
    assert "c exists and is kept" in again.stderr
    assert embedkit(*train, "--overwrite", "--quiet", stdin=lines).stdout == ""


def test_texts_of_unknown_words_are_told_in_a_line(
    embedkit: Any, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "places.tsv").write_text(TSV)
    embedkit("classify", "train", "places.tsv", "--vectors", model, "--pooling", "mean")
    done = embedkit("classify", "predict", "zzz")
    assert done.returncode == 0
    assert done.stderr.startswith("Warning: 1 of 1 texts have no known word")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("train", "nowhere.tsv", "--vectors", "m"), 1, "cannot read nowhere.tsv: No such file"),
        (("train", "bad.tsv", "--vectors", "m"), 1, "bad.tsv, line 2: 1 column, but line 1 has 2"),
        (("train", "one.tsv", "--vectors", "MODEL"), 1, "one.tsv: the label of every text is 'b'"),
        (("train", "good.tsv", "--vectors", "m"), 1, "there is no model at m. Remedy:"),
        (("train", "good.tsv", "--pooling", "mean", "--ngrams", "2"), 2, "--ngrams has no use"),
        (("train", "good.tsv", "-o", "mine", "--overwrite"), 1, "mine is not an embedkit model"),
        (("predict", "a"), 1, "cannot open helpdesk.embedkit as a classifier"),
        (("predict", "a", "-c", "MODEL"), 1, "holds a skipgram, not a classifier"),
        (("evaluate", "good.tsv", "--encoding", "utf-9"), 2, "no encoding 'utf-9'"),
    ],
)
def test_mistakes(
    arguments: tuple[str, ...], code: int, message: str, embedkit: Any, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "good.tsv").write_text(TSV)
    (tmp_path / "bad.tsv").write_text("a\tb\nc\n")
    (tmp_path / "one.tsv").write_text("a\tb\nc\tb\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    given = [str(model) if argument == "MODEL" else argument for argument in arguments]
    done = embedkit("classify", *given)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
