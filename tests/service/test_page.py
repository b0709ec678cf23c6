"""The page, in a real browser before a real service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

import embedkit
from embedkit.encoders import untrained
from embedkit.expressions import parse
from embedkit.vocabulary import Vocabulary
from tests.service.browser import PHONE, started, visited

QUESTION = "paris - france + italy"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with visited(browser, link(address, QUESTION)) as page:
        answered(page, "rome")
        yield page


def link(address: str, expression: str, **more: object) -> str:
    parts = {"q": expression, **more}
    return f"{address}/#" + "&".join(f"{name}={quote(str(part))}" for name, part in parts.items())


def answered(page: Any, first: str) -> None:
    """Wait until the list of answers begins with this word and the lesson has followed."""
    page.locator("#answers:not(.stale) li:first-child .word").get_by_text(first, exact=True).wait_for()
    page.locator("table[data-encoder=onehot]").wait_for()


def answers_of(page: Any) -> list[tuple[str, str]]:
    rows = page.locator("#answers button").all()
    return [(r.locator(".word").inner_text(), r.locator(".score").inner_text()) for r in rows]


def type_anew(page: Any, text: str) -> None:
    page.locator("#expression").press("Control+A")
    page.keyboard.type(text)


@pytest.mark.parametrize("metric", ["cosine", "l2", "dot"])
def test_answers_are_those_of_the_library(browser: Any, address: str, model: Path, metric: str) -> None:
    expected = embedkit.load(model).query("2 berlin - germany + spain", 5, metric=metric)
    with visited(browser, link(address, "2 berlin - germany + spain", k=5, metric=metric)) as page:
        answered(page, expected[0].word)
        assert answers_of(page) == [(word, f"{score:.4f}") for word, score in expected]


def test_answers_come_while_one_types(page: Any) -> None:
    page.keyboard.press("/")
    type_anew(page, "berlin - germany + spain")
    answered(page, "madrid")
    bars = [
        bar.evaluate("bar => parseFloat(getComputedStyle(bar, '::after').width)")
        for bar in page.locator("#answers .bar").all()
    ]
    assert all(longer >= shorter for longer, shorter in pairwise(bars))
    assert bars[0] > bars[-1] > 0
    assert "madrid" in page.locator("#told").inner_text()


def test_an_answer_that_comes_too_late_is_dropped(page: Any) -> None:
    def hold(route: Any) -> None:
        if "germany" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    held: list[Any] = []
    page.route("**/v1/query", hold)
    type_anew(page, "germany")
    while not held:
        page.wait_for_timeout(20)
    type_anew(page, "paris - france + spain")
    answered(page, "madrid")
    try:
        held[0].continue_()
    except Exception as error:  # the page has given the request up itself
        assert "route" in str(error).lower()
    page.wait_for_timeout(300)
    answered(page, "madrid")


def test_words_are_completed_by_keyboard(page: Any, model: Path) -> None:
    box = page.locator("#expression")
    type_anew(page, "berlin - germany + sp")
    options = page.locator("#completions li > span:first-child")
    options.first.wait_for()
    known = embedkit.load(model).vocabulary
    expected = [word for word in known if word.startswith("sp")][:8]  # most frequent first
    assert options.all_inner_texts() == expected
    assert box.get_attribute("aria-expanded") == "true"
    for _ in range(expected.index("spain") + 1):
        box.press("ArrowDown")
    active = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    assert active.get_attribute("aria-selected") == "true"
    assert active.locator("span").first.inner_text() == "spain"
    box.press("Enter")
    assert box.input_value() == "berlin - germany + spain"
    assert box.get_attribute("aria-expanded") == "false"
    answered(page, "madrid")
    for _ in range(len(" - germany + spain")):
        box.press("ArrowLeft")
    for _ in "berlin":
        box.press("Backspace")
    page.keyboard.type("par")  # the word under the caret, not the last one
    options.get_by_text("paris", exact=True).wait_for()
    box.press("Tab")
    assert box.input_value() == "paris - germany + spain"
    page.keyboard.type("0 + it")
    page.locator("#completions li").first.wait_for()
    box.press("Escape")
    assert page.locator("#completions").is_hidden()


def test_answers_are_walked_through_by_keyboard(page: Any) -> None:
    box = page.locator("#expression")
    box.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = answers_of(page)[1][0]
    assert page.locator(":focus").get_attribute("data-word") == second
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#q=rome")
    assert box.input_value() == "rome"
    page.go_back()
    answered(page, "rome")
    assert box.input_value() == QUESTION
    page.go_forward()
    page.wait_for_url("**/#q=rome")
    assert box.input_value() == "rome"


def test_an_unknown_word_is_told_kindly(page: Any) -> None:
    type_anew(page, "paris - frnace + italy")
    page.keyboard.press("Enter")
    problem = page.locator("#problem")
    problem.get_by_text("frnace").wait_for()
    problem.get_by_role("button", name="france", exact=True).click()
    answered(page, "rome")
    assert problem.inner_text() == ""
    assert page.locator("#expression").input_value() == QUESTION


def test_a_bad_expression_has_its_column_marked(page: Any) -> None:
    type_anew(page, "paris - * italy")
    page.keyboard.press("Enter")
    mark = page.locator("#problem mark")
    assert (mark.inner_text(), mark.get_attribute("title")) == ("*", "column 9")
    assert page.locator("#problem pre").inner_text() == "paris - * italy"
    assert page.locator("#expression").get_attribute("aria-invalid") == "true"


def test_a_link_reproduces_the_view(browser: Any, page: Any) -> None:
    page.locator("#k").select_option("5")
    page.locator("#metric").select_option("l2")
    page.locator("#map").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**map=*")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    with visited(browser, copied) as other:
        answered(other, answers_of(page)[0][0])
        assert answers_of(other) == answers_of(page)
        assert other.locator("#metric").input_value() == "l2"
        other.wait_for_timeout(600)
        written = "#map-words"
        page.locator(".in-words summary").click()
        other.locator(".in-words summary").click()
        assert other.locator(written).inner_text() == page.locator(written).inner_text()
        assert other.url == copied


def test_the_tables_are_those_of_the_library(page: Any, model: Path) -> None:
    def shown(encoder: str) -> list[list[float]]:
        rows = page.locator(f"table[data-encoder={encoder}] tbody tr").all()
        return [[float(cell) for cell in row.locator("td").all_inner_texts()] for row in rows]

    words = page.locator("table[data-encoder=skipgram] tbody th").all_inner_texts()
    assert words[:3] == ["paris", "france", "italy"]
    assert words[3] == "rome"
    for encoder in ("charcode", "onehot"):
        expected = untrained(encoder, Vocabulary(words)).vectors().distance(words)
        np.testing.assert_allclose(shown(encoder), expected, atol=0.0501)
    np.testing.assert_allclose(shown("skipgram"), embedkit.load(model).distance(words), atol=0.0051)


def test_the_map_draws_and_moves(page: Any) -> None:
    clip = page.locator("#map").bounding_box()

    def picture() -> bytes:
        page.wait_for_timeout(200)
        image: bytes = page.screenshot(clip=clip)
        return image

    first = picture()
    assert picture() == first
    seen = {first}
    page.mouse.move(clip["x"] + 300, clip["y"] + 200)
    page.mouse.down()
    page.mouse.move(clip["x"] + 340, clip["y"] + 260, steps=4)
    page.mouse.up()
    seen.add(picture())
    page.mouse.wheel(0, -300)
    seen.add(picture())
    page.get_by_role("button", name="These words").click()
    page.get_by_text("The two directions in which these words").wait_for()
    seen.add(picture())
    assert len(seen) == 4


def test_the_cloud_has_a_point_where_each_word_lies(browser: Any, address: str) -> None:
    """Every word's pixel is inked, and a pixel where no word lies is not."""
    with visited(browser, link(address, "paris")) as page:
        answered(page, answers_of(page)[0][0] if answers_of(page) else "france")
        page.wait_for_timeout(300)
        inked, blank = page.evaluate(
            """async () => {
                const places = new Float32Array(await (await fetch("v1/map")).arrayBuffer());
                const { Cloud } = await import("./page/cloud.js");
                const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 400 });
                const cloud = new Cloud(canvas);
                cloud.fill(places);
                const scale = 100, count = places.length / 2;
                cloud.draw({ centre: { x: 0, y: 0 }, scale, width: 400, height: 400, ratio: 1,
                    size: 4, count, ink: [0, 0, 0, 1] });
                const pixels = new Uint8Array(400 * 400 * 4);
                cloud.gl.readPixels(0, 0, 400, 400, cloud.gl.RGBA, cloud.gl.UNSIGNED_BYTE, pixels);
                const alpha = (x, y) => pixels[4 * (Math.floor(y) * 400 + Math.floor(x)) + 3];
                let inked = 0;
                for (let id = 0; id < count; id += 1) {
                    inked += alpha(200 + places[2 * id] * scale, 200 + places[2 * id + 1] * scale) > 0;
                }
                return [inked / count, alpha(2, 2)];
            }"""
        )
        assert (inked, blank) == (1, 0)


def test_the_map_tells_words_to_hand_and_eye(page: Any) -> None:
    page.locator("#map").focus()
    page.keyboard.press("n")
    told = page.locator("#map-told").inner_text()
    assert told == "paris"
    page.keyboard.press("n")
    assert page.locator("#map-told").inner_text() == "france"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#q=france")
    page.locator(".in-words summary").click()
    page.locator("#map-words").get_by_text("france is marked").wait_for()


def test_a_click_on_the_map_opens_the_word(page: Any) -> None:
    page.wait_for_timeout(300)
    place = page.evaluate(
        """async () => {
            const state = await import("./page/view.js");
            return document.getElementById("map").getBoundingClientRect().toJSON();
        }"""
    )
    # The end of the arrows is the middle of nothing; a word's dot is found by walking the map.
    found = None
    for left in range(20, int(place["width"]), 14):
        for top in range(20, int(place["height"]), 28):
            page.mouse.move(place["x"] + left, place["y"] + top)
            if "on-word" in page.locator("#map").get_attribute("class"):
                found = (place["x"] + left, place["y"] + top)
                break
        if found:
            break
    assert found
    page.mouse.click(*found)
    card = page.locator("#card")
    card.wait_for()
    word = card.locator("strong").inner_text()
    card.get_by_role("button", name=f"Add {word}").click()
    assert page.locator("#expression").input_value() == f"{QUESTION} + {word}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible(browser: Any, address: str, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def violations(page: Any) -> list[str]:
        return [
            f"{one['id']}: {node['html'][:100]}"
            for one in axe.run(page).response["violations"]
            for node in one["nodes"]
        ]

    with visited(browser, link(address, QUESTION), theme=theme) as page:
        answered(page, "rome")
        page.locator(".in-words summary").click()
        assert violations(page) == []
        type_anew(page, "pari")
        page.locator("#completions li").first.wait_for()
        page.locator("#expression").press("ArrowDown")
        assert violations(page) == []
        type_anew(page, "parris - (")
        page.keyboard.press("Enter")
        page.locator("#problem mark").wait_for()
        assert violations(page) == []
        type_anew(page, "parris")
        page.keyboard.press("Enter")
        page.locator("#problem button").first.wait_for()
        assert violations(page) == []


def test_the_theme_is_kept(page: Any) -> None:
    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = ground()
    page.get_by_role("button", name="Dark").click()
    dark = ground()
    assert dark != light
    page.reload()
    assert ground() == dark


@pytest.mark.parametrize("expression", [QUESTION, "parris - (", "paris - frnace"])
def test_a_phone_scrolls_only_downwards(browser: Any, address: str, expression: str) -> None:
    with visited(browser, link(address, expression), size=PHONE) as page:
        page.wait_for_timeout(600)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_a_service_that_is_busy_or_away_is_waited_for(page: Any) -> None:
    refusals = iter([429])

    def refuse(route: Any) -> None:
        if status := next(refusals, None):
            error = {"type": "overloaded", "message": "too many questions", "hint": ""}
            route.fulfill(status=status, json={"error": error}, headers={"Retry-After": "1"})
        else:
            route.continue_()

    banner = page.locator("#banner")
    page.route("**/v1/query", refuse)
    type_anew(page, "berlin - germany + spain")
    banner.get_by_text("busy").wait_for()
    answered(page, "madrid")
    assert banner.is_hidden()
    page.context.set_offline(True)
    type_anew(page, QUESTION)
    banner.get_by_text("cannot be reached").wait_for()
    page.context.set_offline(False)
    answered(page, "rome")
    assert banner.is_hidden()


def test_a_key_is_asked_for_and_kept_for_the_visit(browser: Any, locked_address: str) -> None:
    with visited(browser, link(locked_address, QUESTION)) as page:
        dialog = page.locator("#key-dialog")
        for key in ("wrong", "sesame"):
            dialog.wait_for()
            page.locator("#key").fill(key)
            page.keyboard.press("Enter")
        answered(page, "rome")
        page.reload()
        answered(page, "rome")
        assert dialog.is_hidden()


def test_words_are_quoted_where_an_expression_would_misread_them(page: Any) -> None:
    words = ["paris", "1984", "c++", "new york", "rock'n'roll", "o'", "-", "3d", "1e5", "e-mail", "(a", "a*b", '5"', "."]
    said = page.evaluate(
        """async (words) => {
            const { inExpression } = await import("./page/dom.js");
            return words.map(inExpression);
        }""",
        words,
    )
    for word, text in zip(words, said, strict=True):
        assert [term.word for term in parse(f"x + {text} - y")] == ["x", word, "y"]


def test_the_nearest_point_is_the_nearest(page: Any) -> None:
    random = np.random.default_rng(0)
    places = random.normal(size=(3_000, 2)).astype(np.float32)
    asked = random.normal(size=(200, 2))
    found = page.evaluate(
        """async ([places, asked]) => {
            const { boundsOf, Grid } = await import("./page/grid.js");
            const flat = Float32Array.from(places.flat());
            const grid = new Grid(flat, boundsOf(flat));
            return asked.map(([x, y]) => grid.nearest(x, y, 0.5, 2000));
        }""",
        [places.tolist(), asked.tolist()],
    )
    distances = np.linalg.norm(places[None, :2000].astype(float) - asked[:, None], axis=2)
    nearest = np.where(distances.min(axis=1) <= 0.5, distances.argmin(axis=1), -1)
    assert found == nearest.tolist()


def test_examples_and_facts_are_those_of_the_model(page: Any, model: Path) -> None:
    assert re.search(rf"\b{len(embedkit.load(model))} words", page.locator("#facts").inner_text())
    chip = page.locator("#examples button").last
    expression = chip.inner_text()
    chip.click()
    assert page.locator("#expression").input_value() == expression
    assert embedkit.load(model).query(expression, 1)
