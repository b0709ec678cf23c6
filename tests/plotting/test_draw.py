"""Pictures: what is drawn, and where."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.text import Annotation, Text

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import load
from embedkit.errors import ConfigurationError, OutputExistsError
from embedkit.plotting import WordMap, draw, word_map
from embedkit.plotting.draw import draw_axes
from embedkit.plotting.figures import plain_settings
from embedkit.plotting.theme import DARK, LIGHT, families
from embedkit.vectors.word_lists import WordReader
from embedkit.vectors.word_vectors import WordVectors
from tests.plotting.samples import random_vectors

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "$x^2$", "</script><script>alert(1)</script>", "line\nend", "tab\t", "&amp;<b>", "a" * 300,
    "مرحبا", "東京", "\u202eevil", "\\frac", "%%data%%", "'", '"', "e\u0301", "\U0001f600", "_",
    "\x00", " ",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(world_model: Path) -> WordVectors:
    return load(world_model)


def documented(name: str) -> tuple[list[tuple[str, str]], str, tuple[int, int]]:
    """Return the pairs, title and size of a picture in docs/guides/pictures.md."""
    page = (ROOT / "docs" / "guides" / "pictures.md").read_text()
    (command,) = re.findall(rf"^\$ (embedkit plot --pairs .* -o {name})$", page, re.MULTILINE)
    _, _, _, *words = shlex.split(command)
    named = itertools.takewhile(lambda word: word[0] != "-", words)
    pairs = [pair for word in named for pair in WordReader().pairs(word)]
    width, height = words[words.index("--size") + 1].split("x")
    return pairs, words[words.index("--title") + 1], (int(width), int(height))


def drawn(words: WordMap, title: str = "", size: tuple[int, int] = (1200, 900)) -> Any:
    with plain_settings():
        axes, _ = draw_axes(words, title=title, size=size, theme=LIGHT)
        axes.figure.draw_without_rendering()
    return axes


def labels_of(axes: Any) -> list[Text]:
    return [text for text in axes.texts if not isinstance(text, Annotation)]


def boxes_of(axes: Any) -> list[tuple[str, Any]]:
    """Return all text of a figure and its extent in pixels."""
    ticks = [axes.xaxis.label, axes.yaxis.label]
    for axis in (axes.xaxis, axes.yaxis):
        low, high = axis.get_view_interval()
        inside = [low <= place <= high for place in axis.get_ticklocs()]
        ticks += itertools.compress(axis.get_ticklabels(), inside)
    written = [*labels_of(axes), *axes.figure.texts, *(ticks if axes.axison else [])]
    with plain_settings():
        return [(t.get_text(), t.get_window_extent()) for t in written if t.get_text().strip()]


def check_labels(axes: Any) -> None:
    """No two pieces of text overlap, and none leaves the figure."""
    boxes = boxes_of(axes)
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0
        assert apart, (one, other)
    frame = axes.figure.bbox
    for text, box in boxes:
        assert frame.x0 <= box.x0 <= box.x1 <= frame.x1, text
        assert frame.y0 <= box.y0 <= box.y1 <= frame.y1, text


@pytest.mark.parametrize("name", ["gender.png", "tense.png", "capitals.png"])
def test_pictures_in_docs_have_all_labels_and_arrows(name: str, world: WordVectors) -> None:
    pairs, title, size = documented(name)
    found = word_map(world, pairs=pairs)
    axes = drawn(found, title, size)
    assert sorted(t.get_text() for t in labels_of(axes)) == sorted(found.words)
    check_labels(axes)
    arrows = [(t.xyann, t.xy) for t in axes.texts if isinstance(t, Annotation)]
    np.testing.assert_allclose(arrows, found.places[np.array(found.arrows)])
    differences = np.diff(np.array(arrows), axis=1)[:, 0]
    cosines = differences @ differences.mean(axis=0)
    assert (cosines > 0).all(), "the arrows do not have a common direction"
    assert (ROOT / "docs" / "images" / name).stat().st_size < 150_000


def test_both_axes_have_the_same_scale(model: Path) -> None:
    axes = drawn(word_map(load(model), top=20), size=(1500, 700))
    (x0, y0), (x1, y1) = axes.transData.transform([(0, 0), (0.1, 0.1)])
    assert x1 - x0 == pytest.approx(y1 - y0, rel=1e-6)


def test_dense_maps_label_named_words_and_others_where_there_is_room(model: Path) -> None:
    words = [f"word{n}" for n in range(1_000)]
    axes = drawn(word_map(random_vectors(words), words[500:510], top=1_000))
    labels = [label.get_text() for label in labels_of(axes)]
    assert set(words[500:510]) <= set(labels)
    assert 50 < len(labels) < 1_000
    check_labels(axes)


def test_words_at_the_same_place_have_separate_labels() -> None:
    matrix = np.ones((6, 3), dtype=np.float32)
    vectors = WordVectors(Vocabulary(list("abcdef"), [1] * 6), matrix)
    axes = drawn(word_map(vectors, pairs=[("a", "b")], top=6, words=list("cdef")))
    assert len(labels_of(axes)) == 6
    check_labels(axes)


def test_words_without_room_are_listed_in_a_warning(tmp_path: Path) -> None:
    words = [f"{'long' * 9}{n}" for n in range(400)]
    (warning,) = draw(word_map(random_vectors(words), words), tmp_path / "a.png", size=(400, 400))
    assert re.search(r"there was no room to label [\d,]+ of 400 words: long", warning)


def test_words_with_special_characters_are_drawn_as_text(tmp_path: Path) -> None:
    found = word_map(random_vectors(HOSTILE), HOSTILE)
    for suffix in ("png", "svg", "pdf", "html"):
        warnings = draw(found, tmp_path / f"a.{suffix}", title="$</script>\n")
        assert all("no installed font" in warning for warning in warnings)
    root = ET.parse(tmp_path / "a.svg").getroot()
    texts = {node.text for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"$x^2$", "</script><script>alert(1)</script>", "line\\nend", "&amp;<b>"} <= texts
    assert "evil" in texts, "direction marks are removed"
    check_labels(drawn(found))


def test_words_without_a_font_are_listed_in_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedkit.plotting.theme._regular_fonts", dict)
    word = "東京"
    (warning,) = draw(word_map(random_vectors(["a", word]), ["a", word]), tmp_path / "a.png")
    assert f"no installed font has all characters of {word}" in warning
    assert families(["naïve", "Ελλάδα", "привет", "مرحبا"]) == (["DejaVu Sans"], [])


def test_pictures_are_reproducible(model: Path, tmp_path: Path) -> None:
    found = word_map(load(model), ["paris", "rome"], top=30)
    for suffix in ("png", "svg", "pdf", "html"):
        first, second = tmp_path / f"1.{suffix}", tmp_path / f"2.{suffix}"
        draw(found, first)
        draw(found, second)
        assert first.read_bytes() == second.read_bytes()


def test_dark_pictures_use_the_dark_theme(model: Path, tmp_path: Path) -> None:
    draw(word_map(load(model), top=5), tmp_path / "a.svg", dark=True)
    text = (tmp_path / "a.svg").read_text()
    assert DARK.paper in text
    assert LIGHT.paper not in text


def test_invalid_outputs_and_sizes_are_rejected(model: Path, tmp_path: Path) -> None:
    found = word_map(load(model), top=5)
    with pytest.raises(ConfigurationError, match=r"picture format '.bmp' .* .svg, .pdf, .html"):
        draw(found, tmp_path / "a.bmp")
    with pytest.raises(ConfigurationError, match="between 400 and 10,000 pixels, got 20 x 900"):
        draw(found, tmp_path / "a.png", size=(20, 900))
    (tmp_path / "a.png").write_text("mine")
    with pytest.raises(OutputExistsError):
        draw(found, tmp_path / "a.png")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_text() == "mine"


def test_html_works_without_matplotlib(model: Path, tmp_path: Path) -> None:
    script = f"""
import sys
sys.modules["matplotlib"] = sys.modules["umap"] = None
from embedkit.encoders import load
from embedkit.errors import ConfigurationError
from embedkit.plotting import draw, word_map
vectors = load({str(model)!r})
found = word_map(vectors, top=5)
draw(found, "a.html")
for attempt in (lambda: draw(found, "a.png"), lambda: word_map(vectors, top=9, method="umap")):
    try:
        attempt()
    except ConfigurationError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert "pip install 'embedkit[viz]'" in first
    assert "pip install 'embedkit[umap]'" in second
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_matplotlib_settings_are_not_changed(model: Path, tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    draw(word_map(load(model), top=5), tmp_path / "a.svg")
    assert dict(mpl.rcParams) == before
