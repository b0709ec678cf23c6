"""plot as a user meets it; its page in a real browser."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import embedkit as library
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.plotting import draw, read_loss_curves, word_map
from embedkit.vectors.word_vectors import WordVectors
from tests.conftest import Command
from tests.service.page.browser import started, visited

PAIRS = ["france:paris", "italy:rome", "spain:madrid"]
EVIL = [
    "</script><script>document.title='evil'</script>",
    "<img src=x onerror=alert(1)>",
    "%%data%%",
]


def texts(path: Path) -> set[str | None]:
    return {node.text for node in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")}


def test_pairs_from_arguments_files_and_standard_input(
    embedkit: Command, model: Path, tmp_path: Path
) -> None:
    lines = "".join(f"{pair}\n" for pair in PAIRS)
    (tmp_path / "pairs.txt").write_text(lines)
    for number, pairs in enumerate((",".join(PAIRS), "@pairs.txt", "@-")):
        done = embedkit(
            "plot", "--pairs", pairs, "-o", f"{number}.svg", "--model", model, stdin=lines
        )
        assert done.stdout == f"{number}.svg: 6 words, 3 arrows\n", done.stderr
        assert {"france", "paris", "rome"} <= texts(tmp_path / f"{number}.svg")
    assert len({(tmp_path / f"{n}.svg").read_bytes() for n in range(3)}) == 1


def test_json_has_the_coordinates_of_the_library(embedkit: Command, model: Path) -> None:
    done = embedkit("plot", "--pairs", ",".join(PAIRS), "--json", "--model", model)
    found = json.loads(done.stdout)
    expected = word_map(library.load(model), pairs=[pair.split(":") for pair in PAIRS])
    assert [(p["word"], p["x"], p["y"]) for p in found["points"]] == [
        (word, x, y) for word, (x, y) in zip(expected.words, expected.places.tolist(), strict=True)
    ]
    assert found["arrows"] == [pair.split(":") for pair in PAIRS]
    assert found["explained"] == list(expected.explained or ())


def test_losses_of_models_and_logs(embedkit: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("one two three four five six\n" * 50)
    train = ["train", "text.txt", "--sample", "0", "--epochs", "3", "--workers", "1", "--log-json"]
    for _ in range(2):
        done = embedkit(*train, "log", "--overwrite")
        assert done.returncode == 0, done.stderr
    asked = ["plot", "--training", "model.embedkit", "log"]
    done = embedkit(*asked, "-o", "losses.svg", "--json")
    runs = json.loads(done.stdout)["runs"]
    config = json.loads((tmp_path / "model.embedkit" / "config.json").read_text())
    losses = config["training"]["epoch_losses"]
    assert [run["name"] for run in runs] == ["model.embedkit", "log 1", "log 2"]
    for run in runs:
        assert run["epochs"] == [1, 2, 3]
        assert run["losses"] == pytest.approx(losses)
    assert {"model.embedkit", "log 1", "log 2", "epoch"} <= texts(tmp_path / "losses.svg")
    (tmp_path / "log").write_text('{"event": "epoch", "epoch": 1, "loss": null}\n{"event": 1\n')
    done = embedkit(*asked, "-o", "other.png")
    assert done.returncode == 1
    assert "log, line 2: not a line of a training log" in done.stderr
    assert "Hint: Choose a log that embedkit train --log-json wrote." in done.stderr
    assert not (tmp_path / "other.png").exists()


def test_an_epoch_without_a_pair_has_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('{"event": "progress"}\n{"event": "epoch", "epoch": 1, "loss": null}\n')
    (run,) = read_loss_curves([path])
    assert (run.name, run.epochs, run.losses) == ("log", (1,), (None,))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["paris"], 2, "name the picture"),
        (["-o", "a.png"], 2, "name some words"),
        (
            ["paris", "-o", "a.gif"],
            2,
            "unknown picture format '.gif' of a.gif.\nHint: Choose from .png",
        ),
        (
            ["paris", "-o", "a.png", "--size", "9by9"],
            2,
            "expected WIDTHxHEIGHT, such as 1600x1200; got '9by9'",
        ),
        (
            ["paris", "-o", "a.png", "--size", "9x9"],
            2,
            "must be between 400 and 10,000 pixels, got 9 x 9",
        ),
        (
            ["pariss", "-o", "a.png"],
            1,
            "'pariss' is not in the vocabulary.\nHint: Did you mean paris",
        ),
        (["--pairs", "paris", "-o", "a.png"], 2, "expected two words, such as king:queen"),
        (["--pairs", "rome:rome", "-o", "a.png"], 2, "they are the same word"),
        (["--pairs", "@-", "-o", "a.png"], 1, "standard input, line 2: expected two words"),
        (["--training", "--top", "5", "-o", "a.png"], 2, "--top cannot be used with --training"),
        (["--training", "nowhere", "-o", "a.png"], 1, "there is no model at nowhere"),
        (["paris", "rome", "--method", "tsne", "-o", "a.png"], 2, "needs at least 5 words"),
        (["paris", "-o", "nowhere/a.png"], 1, "Hint: Create the parent directory first."),
    ],
)
def test_mistakes_are_reported(
    arguments: list[str], code: int, message: str, inside: Command, model: Path, tmp_path: Path
) -> None:
    done = inside("plot", *arguments, "--model", model, stdin="rome:paris\nparis\n")
    assert message in done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_existing_picture_is_kept(embedkit: Command, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("mine")
    ask = ["plot", "paris", "rome", "-o", "a.html", "--model", model]
    assert "\nHint: Pass --overwrite" in embedkit(*ask).stderr
    assert (tmp_path / "a.html").read_text() == "mine"
    assert embedkit(*ask, "--overwrite").returncode == 0
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")


def view(page: Any) -> list[float]:
    page.wait_for_timeout(100)  # a frame
    return [float(part) for part in page.locator("canvas").get_attribute("data-view").split()]


def test_slow_projections_are_announced(
    inside: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["embedkit.cli.plot"], "_SLOW_WORDS", 50)  # instead of 500
    words = [f"w{number}" for number in range(50)]
    library.WordVectors(words, np.random.default_rng(0).normal(size=(50, 4))).save(
        tmp_path / "model.embedkit"
    )
    asked = ["plot", "--method", "tsne", "-o", "a.svg", "--overwrite"]
    assert "projecting 50 words by tsne" in inside(*asked, "--top", 50).stderr
    assert "projecting" not in inside(*asked, "--top", 20).stderr


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_in_a_browser(theme: str, tmp_path: Path) -> None:
    """It draws, finds, zooms, tells; words stay words; nothing is asked of any network."""
    words = [*EVIL, *(f"word{n}" for n in range(500))]
    matrix = np.random.default_rng(0).standard_normal((len(words), 5)).astype(np.float32)
    vectors = WordVectors(Vocabulary(words, range(len(words), 0, -1)), matrix)
    found = word_map(vectors, pairs=[EVIL[:2]], top=600)
    draw(found, tmp_path / "a.html", title=EVIL[0])
    with (
        started() as browser,
        visited(browser, (tmp_path / "a.html").as_uri(), theme=theme) as page,
    ):
        canvas = page.locator("canvas[data-labels]")
        canvas.wait_for()
        assert int(canvas.get_attribute("data-labels")) > 20
        colors = page.evaluate(
            "() => { const c = document.querySelector('canvas'); const d = c.getContext('2d')"
            ".getImageData(0, 0, c.width, c.height).data; const seen = new Set();"
            "for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255)"
            " seen.add(`${d[i]},${d[i+1]},${d[i+2]}`); return [...seen]; }"
        )
        assert ("196,80,15" if theme == "light" else "255,154,92") in colors, "no start of an arrow"
        assert page.locator("h1").inner_text() == EVIL[0]
        assert page.locator("img").count() == 0

        before = view(page)
        page.locator("#search").fill("WORD77")
        page.locator("#search").press("Enter")
        x, y, scale = view(page)
        place = found.places[found.words.index("word77")]
        np.testing.assert_allclose([x, y], place, rtol=1e-4, atol=1e-6)
        assert scale > before[2]
        count = len(words) - words.index("word77")
        assert page.locator("#status").inner_text() == f"word77: {count} times in the corpus"

        page.locator("#search").fill("onerror")
        assert page.locator("#matches li").all_inner_texts() == [EVIL[1]]
        page.locator("#search").fill("nothing like it")
        page.locator("#search").press("Enter")
        assert page.locator("#status").inner_text() == "No matching word on this map."
        page.locator("#zoom-all").click()
        assert view(page) == pytest.approx(before)
        page.locator("canvas").hover()
        page.mouse.wheel(0, -500)
        assert view(page)[2] > before[2] * 1.5
        page.keyboard.press("0")
        assert view(page) == pytest.approx(before)
