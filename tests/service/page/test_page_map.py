"""The map: drawing, pointer and keyboard input."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tests.service.page.browser import PHONE, QUESTION, answered, link, type_anew, visited


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
    page.get_by_text("components of these words").wait_for()
    seen.add(picture())
    assert len(seen) == 4


def test_the_cloud_has_a_point_for_each_word(page: Any) -> None:
    """The pixel of each word is drawn, and a pixel without a word is blank."""
    inked, blank = page.evaluate(
        """async () => {
            const places = new Float32Array(await (await fetch("v1/map")).arrayBuffer());
            const { Cloud } = await import("./page/cloud.js");
            const side = 400, scale = 100, count = places.length / 2;
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = side;
            const cloud = new Cloud(canvas);
            cloud.fill(places);
            cloud.draw({ centre: { x: 0, y: 0 }, scale, width: side, height: side, ratio: 1,
                size: 4, count, ink: [0, 0, 0, 1] });
            const pixels = new Uint8Array(side * side * 4);
            const { gl } = cloud;
            gl.readPixels(0, 0, side, side, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
            const alpha = (x, y) => pixels[4 * (Math.floor(y) * side + Math.floor(x)) + 3];
            const at = (share) => side / 2 + share * scale;
            let inked = 0;
            for (let id = 0; id < count; id += 1) {
                inked += alpha(at(places[2 * id]), at(places[2 * id + 1])) > 0;
            }
            return [inked / count, alpha(2, 2)];
        }"""
    )
    assert (inked, blank) == (1, 0)


def test_words_of_the_map_are_selected_by_keyboard(page: Any) -> None:
    page.locator("#map").focus()

    def told(key: str) -> str:
        page.keyboard.press(key)
        page.wait_for_timeout(50)  # the labels are drawn again around the selected word
        word: str = page.locator("#map-status").inner_text()
        return word

    walked = [told("n") for _ in range(5)]
    assert walked[:3] == ["paris", "france", "italy"]
    assert len(set(walked)) == 5
    assert told("p") == walked[3]
    page.locator(".in-words summary").click()
    page.get_by_text("The arrow from france to paris, drawn from italy").wait_for()
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/#q={walked[3]}")
    page.locator("#map-words").get_by_text(f"{walked[3]} is marked").wait_for()


def test_a_click_on_the_map_opens_the_word(page: Any) -> None:
    place = page.locator("#map").bounding_box()
    spots = product(range(20, int(place["width"]), 14), range(20, int(place["height"]), 14))
    for left, top in spots:  # search for a word with the pointer
        page.mouse.move(place["x"] + left, place["y"] + top)
        if "on-word" in page.locator("#map").get_attribute("class"):
            break
    page.mouse.down()
    page.mouse.up()
    card = page.locator("#card")
    card.wait_for()
    word = card.locator("strong").inner_text()
    card.get_by_role("button", name=f"Add {word}").click()
    assert page.locator("#expression").input_value() == f"{QUESTION} + {word}"


def labelled(page: Any) -> list[str]:
    """Return the words that have a label on the map."""
    page.wait_for_timeout(600)
    return [line.split(" (")[0] for line in page.locator("#map-words li").all_text_contents()]


def test_each_word_of_the_question_and_each_answer_has_one_label(
    browser: Any, address: str
) -> None:
    with visited(browser, link(address, "paris + paris - italy")) as page:
        best = page.locator("#answers .word").first
        best.wait_for()
        page.locator("#map-words p").first.wait_for(state="attached")
        named = labelled(page)
        assert len(named) == len(set(named))
        assert {"paris", "italy", *page.locator("#answers .word").all_text_contents()} <= set(named)
        page.locator("#k").select_option("50")
        page.locator("#answers li:nth-child(20)").wait_for()
        assert best.inner_text() in labelled(page)


def test_a_difference_is_an_arrow(page: Any) -> None:
    type_anew(page, "paris - france")
    words = page.locator("#map-words")
    words.get_by_text("The arrow from france to paris.").wait_for(state="attached")


def test_one_finger_scrolls_the_page_and_two_move_the_map(browser: Any, address: str) -> None:
    with visited(browser, link(address, QUESTION), size=PHONE) as page:
        answered(page, "rome")
        devtools = page.context.new_cdp_session(page)

        def touch(*paths: tuple[tuple[float, float], tuple[float, float]]) -> None:
            """Move fingers on the map along lines, in pixels from its center."""
            page.locator("#map").scroll_into_view_if_needed()
            box = page.locator("#map").bounding_box()
            for step in range(13):
                points = [
                    {
                        "x": box["x"] + box["width"] / 2 + start[0] + step / 12 * way[0],
                        "y": box["y"] + box["height"] / 2 + start[1] + step / 12 * way[1],
                    }
                    for start, way in paths
                ]
                kind = "touchMove" if step else "touchStart"
                devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
            page.wait_for_timeout(400)

        before = page.evaluate("scrollY")
        touch(((0, 60), (0, -150)))
        assert page.evaluate("scrollY") > before + 50
        assert "map=" not in page.url
        touch(((0, 20), (0, 60)), ((0, -20), (0, -60)))
        page.wait_for_url("**map=*")
        assert page.evaluate("visualViewport.scale") == 1  # the map grew, not the page


def test_the_grid_finds_the_nearest_point(page: Any) -> None:
    random = np.random.default_rng(0)
    places = random.normal(size=(3_000, 2)).astype(np.float32)
    asked = random.normal(size=(200, 2))
    found = page.evaluate(
        """async ([places, asked]) => {
            const { boundsOfMost, Grid } = await import("./page/grid.js");
            const flat = Float32Array.from(places.flat());
            const grid = new Grid(flat, boundsOfMost(flat));
            return asked.map(([x, y]) => grid.nearest(x, y, 0.5, 2000));
        }""",
        [places.tolist(), asked.tolist()],
    )
    distances = np.linalg.norm(places[None, :2000].astype(float) - asked[:, None], axis=2)
    nearest = np.where(distances.min(axis=1) <= 0.5, distances.argmin(axis=1), -1)
    assert found == nearest.tolist()
