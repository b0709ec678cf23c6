"""classify explain, inspect and errors."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from embedkit.classification.explanation import explain
from embedkit.classification.text_classifier import TextClassifier
from embedkit.cli import classify_explain

TEXTS = ["the mayor0 of paris", "border1 with france", "the mayor1 of rome", "spain: madrid"] * 5
LABELS = ["capital", "country", "capital", "other"] * 5


@pytest.fixture(scope="module")
def classifiers(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a linear classifier, a network and one of numbers; tests do not change it."""
    folder = tmp_path_factory.mktemp("classifiers")
    TextClassifier.train(TEXTS, LABELS, str(model)).save(folder / "linear")
    network = TextClassifier.train(
        TEXTS, LABELS, str(model), head="network", hidden=(6, 4), epochs=5
    )
    network.save(folder / "network")
    numbers = TextClassifier.train(TEXTS, [1.0, 2, 3, 9] * 5, None, task="number")
    numbers.save(folder / "numbers")
    several = TextClassifier.train(TEXTS, [("a",), ("b",), ("a", "b"), ()] * 5, None, task="labels")
    several.save(folder / "several")
    return folder


@pytest.mark.parametrize("kind", ["linear", "network"])
def test_words_ngrams_and_bias_add_up(kind: str, embedkit: Any, classifiers: Path) -> None:
    ask = ("classify", "explain", "the mayor0 of rome", "-c", classifiers / kind)
    done = embedkit(*ask, "-k", 2)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"\w+ \([01]\.\d{4}\) rather than \w+ \(0\.\d{4}\)", lines[1])
    assert lines[0] == "the mayor0 of rome"
    rows = {
        match[1]: float(match[2])
        for match in re.finditer(r"^(\S.*?) +([+-][\d.]+)", done.stdout, re.MULTILINE)
    }
    words = sum(rows[word] for word in ("the", "mayor0", "of", "rome"))
    assert words == pytest.approx(rows["all words"], abs=3e-4)
    assert rows["all words"] + rows["n-grams"] + rows["bias"] == pytest.approx(
        rows["total"], abs=3e-4
    )
    assert sum("<start>" in name or " " in name for name in rows) >= 3
    assert any("other n-gram" in name for name in rows)
    assert ("letters" in done.stdout) == (kind == "linear")
    found = json.loads(embedkit(*ask, "--json").stdout)
    added = [part["contribution"] for part in (*found["words"], *found["ngrams"])]
    assert found["bias"] + sum(added) == pytest.approx(found["total"], abs=1e-5)
    assert [word["term"] for word in found["words"]] == ["the", "mayor0", "of", "rome"]


def test_a_batch_and_a_page(embedkit: Any, classifiers: Path, tmp_path: Path) -> None:
    ask = ("classify", "explain", "-", "-c", classifiers / "linear", "--html", "why.html")
    done = embedkit(*ask, "--json", "-q", stdin="mayor0 <b>\n\nborder1\n")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [
        "mayor0 <b>", "", "border1",
    ]  # fmt: skip
    page = (tmp_path / "why.html").read_text()
    assert page.count("<section>") == 3
    assert "<b>" not in page
    again = embedkit(*ask, stdin="a\n")
    assert (again.returncode, again.stdout) == (1, "")
    assert "why.html already exists and was not overwritten" in again.stderr
    assert embedkit(*ask, "--overwrite", "-q", stdin="a\n").returncode == 0
    assert (tmp_path / "why.html").read_text().count("<section>") == 1


def test_other_tasks(embedkit: Any, classifiers: Path) -> None:
    done = embedkit("classify", "explain", "spain", "-c", classifiers / "numbers")
    assert re.match(r"spain\n\d+\.\d+\n", done.stdout)
    total = float(re.search(r"^total +(\S+)$", done.stdout, re.MULTILINE)[1])
    predicted = embedkit("classify", "predict", "spain", "-c", classifiers / "numbers").stdout
    assert total == pytest.approx(float(predicted.split("\t")[0]), abs=1e-3)
    done = embedkit("classify", "explain", "spain", "-c", classifiers / "several", "--label", "b")
    assert re.match(r"spain\nb \(0\.\d{4}\)\n", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("explain", "a", "-c", "linear", "--label", "x"),
         "unknown label 'x'; choose from capital, country, other"),
        (("explain", "a", "-c", "linear", "--label", "other", "--against", "other"),
         "cannot compare the label 'other' with itself"),
        (("explain", "a", "-c", "numbers", "--against", "x"),
         "a classifier that predicts numbers has no labels"),
        (("explain", "a", "-c", "nowhere"), "there is no classifier at"),
        (("inspect", "-c", "linear", "--units", "3"), "--units cannot be used with a linear"),
        (("inspect", "x.tsv", "-c", "linear"), "EXAMPLES cannot be used with a linear classifier"),
        (("inspect", "-c", "network", "--picture", "a.bmp"), "unknown picture format '.bmp'"),
        (("errors", "x.tsv", "-c", "linear"), "cannot read x.tsv"),
    ],
)  # fmt: skip
def test_mistakes_are_reported(
    arguments: tuple[str, ...], message: str, embedkit: Any, classifiers: Path
) -> None:
    names = {path.name for path in classifiers.iterdir()} | {"nowhere"}
    done = embedkit("classify", *(classifiers / a if a in names else a for a in arguments))
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert done.stdout == ""


def test_what_a_classifier_has_learned(embedkit: Any, classifiers: Path, tmp_path: Path) -> None:
    ask = ("classify", "inspect", "-c", classifiers / "linear")
    done = embedkit(*ask, "-k", 2)
    assert re.search(r"^capital\n  words for it +\S+ \+\d+\.\d\d, ", done.stdout, re.MULTILINE)
    found = json.loads(embedkit(*ask, "--json").stdout)
    assert [terms["label"] for terms in found["labels"]] == ["capital", "country", "other"]
    (tmp_path / "t.tsv").write_text("".join(f"{t}\tx\n" for t in TEXTS[:4]))
    ask = ("classify", "inspect", "t.tsv", "-c", classifiers / "network", "--units", 3)
    done = embedkit(*ask, "--picture", "units.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("hidden layer 1: 6 relu units, the 3 most important\n  unit ")
    assert "\n3 labels\n  capital\n    words: " in done.stdout
    assert "inputs: unit " in done.stdout
    assert (tmp_path / "units.png").read_bytes().startswith(b"\x89PNG")
    layers = json.loads(embedkit(*ask, "--json").stdout)["layers"]
    assert [layer["layer"] for layer in layers] == ["hidden layer 1", "hidden layer 2", "labels"]
    assert len(layers[2]["units"][0]["inputs"]) == 3
    kept = embedkit(*ask, "--picture", "units.png")
    assert "units.png already exists and was not overwritten" in kept.stderr


def test_mistakes_and_suspect_labels(embedkit: Any, classifiers: Path, tmp_path: Path) -> None:
    rows = [*zip(TEXTS[:8], LABELS[:8], strict=True)]
    rows[5] = (rows[5][0], "capital")
    (tmp_path / "t.tsv").write_text("text\tlabel\n" + "".join(f"{t}\t{n}\n" for t, n in rows))
    ask = ("classify", "errors", "t.tsv", "-c", classifiers / "linear")
    first, head, row, _, *rest = embedkit(*ask).stdout.splitlines()
    assert first == "The prediction differs for 1 of 8 texts:"
    assert head.split() == ["line", "label", "predicted", "probability", "text"]
    assert re.fullmatch(r"7 +capital  country  +[01]\.\d{4}  border1 with france", row)
    assert rest[0] == "1 label looks wrong:"
    found = json.loads(embedkit(*ask, "--json").stdout)
    assert (found["texts"], found["wrong"], found["suspect"]) == (8, 1, 1)
    assert found["suspects"][0]["line"] == 7
    done = embedkit("classify", "errors", "-", "-c", classifiers / "numbers", stdin="spain,3\n")
    assert done.stdout.startswith("1 text, the largest errors first:\nline")


def test_colors_show_size_and_sign(classifiers: Path) -> None:
    found = explain(TextClassifier.load(classifiers / "linear"), "Mayor0 of france, zzz")
    shown = classify_explain._colored(found)
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == "Mayor0 of france, zzz"
    strongest = max(found.words, key=lambda word: abs(word.value))
    colors = classify_explain._FOR if strongest.value > 0 else classify_explain._AGAINST
    colored = re.search(rf"48;5;{colors[-1]}m(\w+)\x1b", shown)
    assert colored is not None
    assert colored[1].lower() == strongest.term
    assert shown.endswith(" zzz")  # nothing is known of it


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_has_colors(
    environment: dict[str, str],
    colored: bool,
    classifiers: Path,
) -> None:
    main, terminal = pty.openpty()
    line = [sys.executable, "-m", "embedkit", "classify", "explain", "mayor0", "-c", "linear"]
    given = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    subprocess.run(
        line, cwd=classifiers, stdout=terminal, check=True,
        env={**given, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(terminal)
    printed = os.read(main, 65536).decode()
    os.close(main)
    assert ("\x1b[" in printed) == colored
    assert "total" in printed
