"""Pictures: places against scikit-learn, and what really stands on the paper."""

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
from sklearn.decomposition import PCA

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import OneHotEncoder, SkipGramEncoder, load
from embedkit.errors import ConfigurationError, ModelError, OutputExistsError, UnknownWordError
from embedkit.plotting import WordMap, draw, word_map
from embedkit.plotting.draw import draw_axes
from embedkit.plotting.figures import plain_settings
from embedkit.plotting.pairs import pair_of, read_pairs
from embedkit.plotting.theme import DARK, LIGHT, families
from embedkit.vectors.word_vectors import WordVectors

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "$x^2$", "</script><script>alert(1)</script>", "line\nend", "tab\t", "&amp;<b>", "a" * 300,
    "مرحبا", "東京", "\u202eevil", "\\frac", "%%data%%", "'", '"', "e\u0301", "\U0001f600", "_",
    "\x00", " ",
]  # fmt: skip


def random_vectors(words: list[str], dimension: int = 8) -> WordVectors:
    matrix = np.random.default_rng(3).standard_normal((len(words), dimension)).astype(np.float32)
    return WordVectors(Vocabulary(words, range(len(words), 0, -1)), matrix)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> WordVectors:
    """The model that scripts/demo makes."""
    path = tmp_path_factory.mktemp("world") / "model.embedkit"
    SkipGramEncoder().fit(ROOT / "corpora" / "world.txt").save(path)
    return load(path)


def shipped(name: str) -> tuple[list[tuple[str, str]], str, tuple[int, int]]:
    """Return pairs, title and size as docs/guides/pictures.md has them for a picture that ships."""
    page = (ROOT / "docs" / "guides" / "pictures.md").read_text()
    (command,) = re.findall(rf"^\$ (embedkit plot --pairs .* -o {name})$", page, re.MULTILINE)
    _, _, _, *words = shlex.split(command)
    pairs = [pair_of(word) for word in itertools.takewhile(lambda word: word[0] != "-", words)]
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
    """Return what is written in a figure, all of it, and the pixels that it takes."""
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


class TestPlaces:
    def test_they_are_the_principal_components_of_unit_vectors(self, model: Path) -> None:
        vectors = load(model)
        pairs = [("france", "paris"), ("italy", "rome"), ("spain", "madrid")]
        found = word_map(vectors, pairs=pairs)
        assert found.words == ("france", "paris", "italy", "rome", "spain", "madrid")
        assert found.arrows == ((0, 1), (2, 3), (4, 5))
        rows = np.array([vectors[word] for word in found.words], dtype=np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        expected = PCA(2).fit(rows)
        np.testing.assert_allclose(
            np.abs(found.places), np.abs(expected.transform(rows)), atol=1e-5
        )
        np.testing.assert_allclose(found.explained, expected.explained_variance_ratio_, rtol=1e-4)

    def test_words_come_once_and_those_that_are_named_first(self, model: Path) -> None:
        vectors = load(model)
        found = word_map(vectors, ["rome", "Rome", "paris"], pairs=[("paris", "france")], top=3)
        assert found.words[:3] == ("paris", "france", "rome")
        assert found.named == 3
        frequent = [w for w in vectors.vocabulary.words(range(3)) if w not in found.words[:3]]
        assert list(found.words[3:]) == frequent
        assert found.counts[0] == vectors.vocabulary.counts[vectors.row("paris")]

    @pytest.mark.parametrize(
        "method",
        ["tsne", pytest.param("umap", marks=pytest.mark.slow)],  # which compiles for a minute
    )
    @pytest.mark.filterwarnings("ignore")  # of numba and of umap-learn
    def test_neighbourhoods_stay_and_a_seed_repeats_them(self, method: str) -> None:
        if method == "umap":
            pytest.importorskip("umap", reason="umap-learn is not here")
        random = np.random.default_rng(0)
        centres = np.eye(3, 20) * 10
        matrix = np.concatenate([c + random.standard_normal((15, 20)) for c in centres])
        words = [f"w{n}" for n in range(45)]
        vectors = WordVectors(Vocabulary(words, [1] * 45), matrix.astype(np.float32))
        first, again = (word_map(vectors, top=45, method=method, seed=7) for _ in range(2))
        np.testing.assert_array_equal(first.places, again.places)
        assert first.explained is None
        distances = np.linalg.norm(first.places[:, None] - first.places[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        assert (distances.argmin(axis=1) // 15 == np.arange(45) // 15).all()
        with pytest.raises(ConfigurationError, match="wants at least 5 words, not 4"):
            word_map(vectors, top=4, method=method)
        assert word_map(vectors, top=5, method=method).places.shape == (5, 2)

    @pytest.mark.parametrize("dimension", [1, 2])
    def test_few_dimensions_and_few_words(self, dimension: int, tmp_path: Path) -> None:
        vectors = random_vectors(list("abcdef"), dimension)
        for words in (["a"], ["a", "a"], ["a", "b"], list("abcdef")):
            found = word_map(vectors, words)
            assert np.isfinite(found.places).all()
            assert draw(found, tmp_path / "a.png", overwrite=True) == []
        assert word_map(vectors, list("abcdef"), method="tsne").places.shape == (6, 2)

    def test_one_hot_words_are_equally_far_apart(self, tmp_path: Path) -> None:
        vectors = OneHotEncoder().fit([list("abc")]).vectors()
        places = word_map(vectors, list("abc")).places
        sides = [np.linalg.norm(a - b) for a, b in itertools.combinations(places, 2)]
        np.testing.assert_allclose(sides, np.sqrt(2), rtol=1e-6)

    def test_what_cannot_be_shown(self, model: Path) -> None:
        vectors = load(model)
        with pytest.raises(UnknownWordError, match="Did you mean paris"):
            word_map(vectors, ["pariss"])
        with pytest.raises(ConfigurationError, match="no arrow from 'rome' to 'Rome'"):
            word_map(vectors, pairs=[("rome", "Rome")])
        with pytest.raises(ConfigurationError, match="a pair has two words"):
            word_map(vectors, pairs=[("rome", "paris", "oslo")])
        with pytest.raises(ConfigurationError, match="a list of words, got the string"):
            word_map(vectors, pairs=["rome"])
        with pytest.raises(ConfigurationError, match="no word to show"):
            word_map(vectors)
        with pytest.raises(ConfigurationError, match="no method 'mds'; there are pca"):
            word_map(vectors, ["rome"], method="mds")
        broken = WordVectors(Vocabulary(["a"], [1]), np.array([[np.nan, 1]], dtype=np.float32))
        with pytest.raises(ModelError, match="the vector of 'a' holds numbers"):
            word_map(broken, ["a"])


class TestDrawing:
    @pytest.mark.parametrize("name", ["gender.png", "tense.png", "capitals.png"])
    def test_the_pictures_that_ship(self, name: str, world: WordVectors) -> None:
        pairs, title, size = shipped(name)
        found = word_map(world, pairs=pairs)
        axes = drawn(found, title, size)
        assert sorted(t.get_text() for t in labels_of(axes)) == sorted(found.words)
        check_labels(axes)
        arrows = [(t.xyann, t.xy) for t in axes.texts if isinstance(t, Annotation)]
        np.testing.assert_allclose(arrows, found.places[np.array(found.arrows)])
        differences = np.diff(np.array(arrows), axis=1)[:, 0]
        cosines = differences @ differences.mean(axis=0)
        assert (cosines > 0).all(), "the arrows point in all directions"
        assert (ROOT / "docs" / "images" / name).stat().st_size < 150_000

    def test_a_unit_is_as_long_across_as_up(self, model: Path) -> None:
        axes = drawn(word_map(load(model), top=20), size=(1500, 700))
        (x0, y0), (x1, y1) = axes.transData.transform([(0, 0), (0.1, 0.1)])
        assert x1 - x0 == pytest.approx(y1 - y0, rel=1e-6)

    def test_a_crowd_is_labelled_as_far_as_there_is_room(self, model: Path) -> None:
        words = [f"word{n}" for n in range(1_000)]
        axes = drawn(word_map(random_vectors(words), words[500:510], top=1_000))
        labels = [label.get_text() for label in labels_of(axes)]
        assert set(words[500:510]) <= set(labels)
        assert 50 < len(labels) < 1_000
        check_labels(axes)

    def test_words_at_the_same_place_are_told_apart(self) -> None:
        matrix = np.ones((6, 3), dtype=np.float32)
        vectors = WordVectors(Vocabulary(list("abcdef"), [1] * 6), matrix)
        axes = drawn(word_map(vectors, pairs=[("a", "b")], top=6, words=list("cdef")))
        assert len(labels_of(axes)) == 6
        check_labels(axes)

    def test_what_has_no_room_is_named(self, tmp_path: Path) -> None:
        words = [f"{'long' * 9}{n}" for n in range(400)]
        (remark,) = draw(
            word_map(random_vectors(words), words), tmp_path / "a.png", size=(400, 400)
        )
        assert re.search(r"of 400 words have a dot and, for want of room, no label: long", remark)

    def test_hostile_words(self, tmp_path: Path) -> None:
        found = word_map(random_vectors(HOSTILE), HOSTILE)
        for suffix in ("png", "svg", "pdf", "html"):
            remarks = draw(found, tmp_path / f"a.{suffix}", title="$</script>\n")
            assert all("no font of this machine" in remark for remark in remarks)
        root = ET.parse(tmp_path / "a.svg").getroot()
        texts = {node.text for node in root.iter("{http://www.w3.org/2000/svg}text")}
        assert {"$x^2$", "</script><script>alert(1)</script>", "line\\nend", "&amp;<b>"} <= texts
        assert "evil" in texts, "marks of direction are left out"
        check_labels(drawn(found))

    def test_words_without_a_font_are_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("embedkit.plotting.theme._regular_fonts", dict)
        word = "東京"
        (remark,) = draw(word_map(random_vectors(["a", word]), ["a", word]), tmp_path / "a.png")
        assert f"no font of this machine has all characters of {word}" in remark
        assert families(["naïve", "Ελλάδα", "привет", "مرحبا"]) == (["DejaVu Sans"], [])

    def test_pictures_are_reproducible(self, model: Path, tmp_path: Path) -> None:
        found = word_map(load(model), ["paris", "rome"], top=30)
        for suffix in ("png", "svg", "pdf", "html"):
            first, second = tmp_path / f"1.{suffix}", tmp_path / f"2.{suffix}"
            draw(found, first)
            draw(found, second)
            assert first.read_bytes() == second.read_bytes()

    def test_dark(self, model: Path, tmp_path: Path) -> None:
        draw(word_map(load(model), top=5), tmp_path / "a.svg", dark=True)
        text = (tmp_path / "a.svg").read_text()
        assert DARK.paper in text
        assert LIGHT.paper not in text

    def test_refused(self, model: Path, tmp_path: Path) -> None:
        found = word_map(load(model), top=5)
        with pytest.raises(ConfigurationError, match=r"ends in none of .png, .svg, .pdf, .html"):
            draw(found, tmp_path / "a.bmp")
        with pytest.raises(ConfigurationError, match="400 to 10,000 pixels a side, not 20 x 900"):
            draw(found, tmp_path / "a.png", size=(20, 900))
        (tmp_path / "a.png").write_text("mine")
        with pytest.raises(OutputExistsError):
            draw(found, tmp_path / "a.png")
        assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
        assert (tmp_path / "a.png").read_text() == "mine"

    def test_without_matplotlib(self, model: Path, tmp_path: Path) -> None:
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

    def test_no_state_of_matplotlib_is_touched(self, model: Path, tmp_path: Path) -> None:
        import matplotlib as mpl

        before = dict(mpl.rcParams)
        draw(word_map(load(model), top=5), tmp_path / "a.svg")
        assert dict(mpl.rcParams) == before


class TestPairs:
    @pytest.mark.parametrize("text", ["king:queen", "king queen", " king\tqueen\n", "king  queen"])
    def test_ways_to_write_one(self, text: str) -> None:
        assert pair_of(text) == ("king", "queen")

    def test_a_tab_leaves_the_rest_alone(self) -> None:
        assert pair_of("new york:city\tunited states") == ("new york:city", "united states")
        assert pair_of("new york:albany") == ("new york", "albany")

    @pytest.mark.parametrize("text", ["", "king", "king:", ":queen", "a:b:c", "a b c", "a\tb\tc"])
    def test_what_is_none(self, text: str, tmp_path: Path) -> None:
        from embedkit.errors import QuestionError

        with pytest.raises(QuestionError, match="expected two words"):
            pair_of(text)
        path = tmp_path / "pairs.txt"
        path.write_text(f"king:queen\n\n{text or 'x'}\n")
        with pytest.raises(QuestionError, match=r"pairs\.txt, line 3: expected two words"):
            read_pairs(path)

    def test_files(self, tmp_path: Path) -> None:
        import gzip
        import lzma

        from embedkit.errors import QuestionError

        path = tmp_path / "pairs.gz"
        path.write_bytes(gzip.compress("\ufeffking:queen\r\nman woman\r\n".encode()))
        assert read_pairs(path) == [("king", "queen"), ("man", "woman")]
        for content, message in ((b"", "no pair in it"), (b"a b\n\xff", "byte 5: not UTF-8")):
            path.write_bytes(content)
            with pytest.raises(QuestionError, match=message):
                read_pairs(path)
        for damaged in (gzip.compress(b"a b\n")[:10], lzma.compress(b"a b\n")[:12]):
            path.write_bytes(damaged + b"\xff" * 20)
            with pytest.raises(QuestionError, match=r"pairs\.gz: "):
                read_pairs(path)
        with pytest.raises(QuestionError, match="No such file"):
            read_pairs(tmp_path / "nowhere")
