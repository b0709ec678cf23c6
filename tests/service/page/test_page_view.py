"""The page: links, tables, themes, phones and accessibility."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import untrained
from tests.service.page.browser import (
    DESKTOP,
    PHONE,
    QUESTION,
    answered,
    answers_of,
    link,
    type_anew,
    visited,
)


def test_a_link_reproduces_the_view(browser: Any, page: Any) -> None:
    page.locator("#k").select_option("5")
    page.locator("#metric").select_option("l2")
    page.locator("#map").focus()
    page.keyboard.press("+")
    page.wait_for_url("**map=*")
    zoomed = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url != zoomed)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    with visited(browser, copied) as other:
        answered(other, answers_of(page)[0][0])
        assert answers_of(other) == answers_of(page)
        assert other.locator("#metric").input_value() == "l2"
        page.locator(".in-words summary").click()
        other.locator(".in-words summary").click()
        written = page.locator("#map-words").inner_text()
        from playwright.sync_api import expect  # the browser may be missing

        expect(other.locator("#map-words")).to_have_text(written, use_inner_text=True)
        assert other.url == copied


def test_tables_equal_those_of_the_library(page: Any, model: Path) -> None:
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_accessible(browser: Any, address: str, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if theme == "dark":  # only colors depend on the theme
        options["runOnly"] = ["color-contrast", "link-in-text-block"]

    def violations(page: Any) -> list[str]:
        return [
            f"{one['id']}: {node['html'][:100]}"
            for one in axe.run(page, options=options).response["violations"]
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
        page.get_by_role("button", name="Lesson", exact=True).click()
        page.locator("#relations button").first.click()
        page.get_by_role("button", name="Between two words").click()
        for summary in page.locator(".more summary").all():
            summary.click()
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


def test_a_phone_does_not_scroll_sideways(browser: Any, address: str) -> None:
    with visited(browser, link(address, QUESTION), size=PHONE) as page:
        answered(page, "rome")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        for expression, problem in (("parris - (", "parris - ("), ("paris - frnace", "frnace")):
            type_anew(page, expression)
            page.keyboard.press("Enter")
            page.locator("#problem", has_text=problem).wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_controls_on_a_phone_are_large_enough_for_a_finger(browser: Any, address: str) -> None:
    with visited(browser, link(address, QUESTION, step=3), size=(320, 700)) as page:
        answered(page, "rome")
        page.locator("#relations button").first.wait_for()
        page.locator(".more summary").first.click()
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, select, summary, a, #lesson-words")]
                .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)
                .map((one) => `${one.textContent}: ${one.getBoundingClientRect().height}`)"""
        )
        assert small == []
        box = page.locator("#expression")
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_forced_colors_keep_bars_and_buttons(page: Any) -> None:
    page.emulate_media(forced_colors="active")

    def color(selector: str, pseudo: str = "") -> str:
        return str(
            page.locator(selector).first.evaluate(
                "(one, pseudo) => getComputedStyle(one, pseudo).backgroundColor", pseudo
            )
        )

    assert color("#answers .bar", "::after") != color("#answers .bar")
    assert color("[data-axes][aria-pressed=true]") != color("[data-axes][aria-pressed=false]")
    border = page.locator("#copy").evaluate("one => getComputedStyle(one).borderTopColor")
    assert border != color("#copy")


def test_forced_colors_keep_pressed_buttons_readable(page: Any) -> None:
    page.emulate_media(forced_colors="active")
    page.locator("#relations button").first.click()
    page.locator("#relations [aria-pressed=true]").wait_for()
    ground, *texts = page.evaluate(
        """() => {
            const all = "[aria-pressed=true], [aria-pressed=true] *";
            const pressed = [...document.querySelectorAll(all)];
            const styles = pressed.map((one) => getComputedStyle(one));
            return [styles[0].backgroundColor, ...styles.map(({ color }) => color)];
        }"""
    )
    assert len(texts) >= 2
    assert ground not in texts
    page.get_by_role("button", name="Whole vocabulary").click()
    axis = page.locator("[data-axes][aria-pressed=true]")
    axis.wait_for()
    assert axis.evaluate("one => getComputedStyle(one).color") == texts[0]


def test_words_of_the_list_are_not_broken(browser: Any, address: str) -> None:
    words = ["granddaughter", "international", "cat", "pneumono" * 20]
    answers = [{"word": word, "score": 0.5} for word in words]
    terms = [{"word": "paris", "weight": 1.0}]
    for size in (DESKTOP, PHONE, (320, 700)):
        with visited(browser, address, size=size) as page:
            page.route("**/v1/query", lambda route: route.fulfill(
                json={"question": "paris", "terms": terms, "answers": answers}))  # fmt: skip
            page.goto("about:blank")
            page.goto(link(address, "paris", step=4))
            page.locator("#answers .word", has_text=words[3]).wait_for()
            rows = page.locator("#answers button").all()
            heights = [row.locator(".word").bounding_box()["height"] for row in rows]
            assert heights[0] == heights[1] == heights[2] < heights[3]
            bars = [row.locator(".bar").bounding_box() for row in rows]
            assert len({bar["x"] for bar in bars}) == 1
            assert min(bar["width"] for bar in bars) >= 32
            assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_words_written_from_right_to_left_stay_in_place(page: Any) -> None:
    type_anew(page, "\u0645\u0644\u0643 - \u0631\u062c\u0644")
    page.keyboard.press("Enter")
    word = page.locator("#problem b")
    word.wait_for()
    assert word.evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"
    assert page.locator("#expression:dir(rtl)").count() == 1
    type_anew(page, "paris")
    assert page.locator("#expression:dir(ltr)").count() == 1


def test_a_long_expression_is_not_read_aloud(page: Any) -> None:
    type_anew(page, " + ".join(["paris", "rome"] * 10))
    status = page.locator("#answers-status")
    status.get_by_text("an expression of 147 characters").wait_for(state="attached")


def test_static_files_are_revalidated(page: Any) -> None:
    for path in ("/", "/page/main.js", "/page/shared/view.js"):
        answer = page.request.get(page.url.split("/#")[0] + path)
        assert answer.headers["cache-control"] == "no-cache"
