"""The lesson: words as numbers, distances worked out, neighbors in each encoding, guided steps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

import embedkit
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import untrained
from tests.service.page.browser import (
    PHONE,
    QUESTION,
    answered,
    link,
    type_anew,
    visited,
)


def numbers_in(text: str) -> list[float]:
    return [float(part) for part in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]


def test_words_are_shown_as_numbers_and_distances_worked_out(page: Any, model: Path) -> None:
    vectors = embedkit.load(model)
    page.fill("#lesson-words", "paris rome, italy")
    page.keyboard.press("Enter")
    page.wait_for_url("**words=paris%2Crome%2Citaly*")
    page.get_by_role("heading", name="paris and rome, worked out").first.wait_for()
    codes = page.locator("article:has(#lesson-charcode) .codes").all_text_contents()
    assert numbers_in(codes[0]) == [112, 97, 114, 105, 115]
    assert numbers_in(codes[1]) == [114, 111, 109, 101, 0]  # padded
    places = page.locator("article:has(#lesson-onehot) .places").all_text_contents()
    rows = [vectors.find(word) for word in ("paris", "rome", "italy")]
    assert [numbers_in(place)[-1] for place in places] == [row + 1 for row in rows]

    page.locator("table[data-encoder=charcode] [data-pair='1,2']").hover()
    page.get_by_role("heading", name="rome and italy, worked out").first.wait_for()
    code = untrained("charcode", Vocabulary(["rome", "italy"])).vectors()
    shown = numbers_in(page.locator("#working-charcode .sum").inner_text())
    assert shown[-1] == np.round(code.distance(["rome", "italy"])[0, 1], 4)
    squares = (np.diff(code.encode(["rome", "italy"]), axis=0) ** 2).ravel()
    assert shown[: len(squares)] == squares.tolist()
    assert numbers_in(page.locator("#working-onehot .sum").inner_text())[-1] == 1.4142
    words = vectors.encode(["rome", "italy"])
    assert numbers_in(page.locator("#working-skipgram .sum").inner_text())[-1] == np.round(
        np.linalg.norm(words[0] - words[1]), 4
    )
    measures = page.locator("#working-skipgram .measures li").all_text_contents()
    cosine = vectors.similarity("rome", "italy")
    np.testing.assert_allclose(numbers_in(measures[1])[-1], cosine, atol=2e-4)
    np.testing.assert_allclose(numbers_in(measures[2])[-1], np.sqrt(2 - 2 * cosine), atol=2e-4)
    page.locator("#measure").select_option("cosine")
    cell = page.locator("table[data-encoder=skipgram] [data-pair='1,2']")
    np.testing.assert_allclose(float(cell.inner_text()), cosine, atol=6e-3)
    page.locator("table[data-encoder=charcode] [data-pair='0,1']").focus()
    page.keyboard.press("ArrowRight")  # moves through the cells
    page.get_by_role("heading", name="paris and italy, worked out").first.wait_for()


def test_neighbors_are_shown_in_each_encoding(page: Any, model: Path) -> None:
    vectors = embedkit.load(model)
    page.locator("#nearest-skipgram li").first.wait_for()
    word = page.locator("table[data-encoder=skipgram] tbody th").first.inner_text()

    def nearest(encoder: str) -> list[tuple[str, float]]:
        rows = page.locator(f"#nearest-{encoder} li").all()
        return [
            (row.locator(".word").inner_text(), float(row.locator(".score").inner_text()))
            for row in rows
        ]

    assert nearest("skipgram") == [
        (word, round(score, 4)) for word, score in vectors.neighbors(word, 5)
    ]
    codes = untrained("charcode", vectors.vocabulary).vectors()
    expected = codes.neighbors(word, 5, metric="l2")
    np.testing.assert_allclose(
        [score for _, score in nearest("charcode")], [score for _, score in expected], atol=1e-4
    )
    assert {score for _, score in nearest("onehot")} == {1.4142}
    others = f"{len(vectors) - 1:,} other words"
    page.locator("#nearest-onehot p").get_by_text(others).wait_for()


def test_only_what_the_model_answers_right_is_an_example(
    page: Any, address: str, browser: Any, model: Path
) -> None:
    vectors = embedkit.load(model)
    chips = [text for text in page.locator("#examples button").all_text_contents() if " - " in text]
    assert QUESTION in chips
    right = {"paris - france + italy": "rome", "berlin - germany + spain": "madrid"}
    assert all(vectors.query(chip, 1)[0].word == right[chip] for chip in chips)
    relation = page.locator("#relations button").get_by_text("Country – capital")
    relation.click()
    page.wait_for_url("**pairs=*")
    pairs = [pair.split("%3A") for pair in page.url.split("pairs=")[1].split("%2C")]
    assert len(pairs) >= 3
    arrows = page.locator("#map-words p").first
    for country, capital in pairs:
        arrows.get_by_text(f"from {country} to {capital}").wait_for(state="attached")
    with visited(browser, page.url) as other:  # the link shows the same arrows
        other.locator("#map-words").get_by_text("Arrows from").wait_for(state="attached")
        pressed = other.locator("#relations [aria-pressed=true]")
        pressed.wait_for()
        assert pressed.inner_text().startswith("Country")
        type_anew(other, "berlin")
        other.get_by_text("berlin is marked").wait_for(state="attached")


def test_the_axis_of_two_words_is_a_projection(page: Any, model: Path) -> None:
    page.get_by_role("button", name="Between two words").click()
    page.fill("#axis-from", "france")
    page.fill("#axis-to", "germany")
    page.keyboard.press("Enter")
    page.wait_for_url("**axis=france%2Cgermany*")
    page.locator("#map-words").get_by_text("rome (").wait_for(state="attached")
    page.wait_for_timeout(600)
    vectors = embedkit.load(model)

    def unit(word: str) -> Any:
        return vectors[word] / np.linalg.norm(vectors[word])

    axis = unit("germany") - unit("france")
    result = unit("paris") - unit("france") + unit("italy")
    for line in page.locator("#map-words li").all_text_contents():
        word = line.split(" (")[0]
        expected = [
            unit(word) @ axis / np.linalg.norm(axis), unit(word) @ result / np.linalg.norm(result)
        ]  # fmt: skip
        np.testing.assert_allclose(numbers_in(line)[-2:], expected, atol=0.0051)
    assert page.locator("#axis-right").inner_text() == "germany →"


def test_the_steps_are_linked_and_skippable(browser: Any, address: str) -> None:
    with visited(browser, link(address, QUESTION, step=3)) as page:
        heading = page.locator("#guide h2:visible")
        assert heading.inner_text() == "What does distance mean?"
        page.get_by_role("button", name="Next", exact=True).press("Enter")
        assert heading.inner_text() == "Calculating with words"
        assert heading.evaluate("heading => heading === document.activeElement")
        page.wait_for_url("**step=4*")
        page.go_back()
        page.get_by_text("Lesson, step 3 of 5").wait_for()
        page.get_by_role("button", name="Close the lesson").click()
        assert page.locator("#guide").is_hidden()
        assert "step" not in page.url
        answered(page, "rome")
        page.get_by_role("button", name="Lesson", exact=True).click()
        assert heading.inner_text() == "What is a vector?"


def test_a_step_shows_what_it_is_about(browser: Any, address: str) -> None:
    from playwright.sync_api import expect  # the browser may be missing

    with visited(browser, link(address, QUESTION, step=2), size=(1280, 700)) as page:
        answered(page, "rome")
        lists = page.locator("#nearest-onehot li")
        lists.first.wait_for()
        page.get_by_role("button", name="lists of nearest words").click()
        expect(lists.last).to_be_in_viewport()
        page.get_by_role("button", name="Next", exact=True).click()
        for shown in (
            "table[data-encoder=onehot] th >> nth=1",
            "#working-onehot .sum",
            "#guide-next",
        ):
            expect(page.locator(shown)).to_be_in_viewport(ratio=1)
        page.set_viewport_size({"width": 1280, "height": 500})  # too low for the whole step
        expect(page.locator("#guide-next")).to_be_in_viewport(ratio=1)

    with visited(browser, link(address, "rome", step=4), size=PHONE) as page:
        page.locator("#answers li").first.wait_for()
        page.locator("#guide [data-ask]").first.click()
        answered(page, "rome")
        expect(page.locator("#expression")).to_be_in_viewport(ratio=1)
        assert page.locator("#expression").input_value() == QUESTION


def test_an_axis_needs_two_different_words(page: Any) -> None:
    page.get_by_role("button", name="Between two words").click()
    for left, right in [("france", "france"), ("france", " ")]:
        page.fill("#axis-from", left)
        page.fill("#axis-to", right)
        page.keyboard.press("Enter")
        assert page.locator("#axis-to:invalid").count() == 1
        assert "france" not in page.url.split("axis=")[1]
    page.fill("#axis-to", "germany")
    page.keyboard.press("Enter")
    page.wait_for_url("**axis=france%2Cgermany*")
