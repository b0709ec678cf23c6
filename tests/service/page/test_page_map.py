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
    """The pixel of each word has the color, and a pixel without a word is blank."""
    inked, blank, alone = page.evaluate(
        """async () => {
            const places = new Float32Array(await (await fetch("v1/map")).arrayBuffer());
            const { Cloud } = await import("./page/cloud.js");
            const { Grid } = await import("./page/grid.js");
            const { View } = await import("./page/shared/view.js");
            const side = 400, bounds = { left: -2, right: 2, bottom: -2, top: 2 };
            const count = places.length / 2;
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = side;
            const cloud = new Cloud(canvas);
            cloud.fill(places, new Grid(places, bounds));
            const view = new View(bounds);
            Object.assign(view, { width: side, height: side });
            const picture = (ink) => {
                cloud.draw({ view, ratio: 1, size: 4, count, ink });
                const pixels = canvas.getContext("2d").getImageData(0, 0, side, side).data;
                const start = (x, y) => 4 * (Math.floor(y) * side + Math.floor(x));
                return (x, y) => [...pixels.slice(start(x, y), start(x, y) + 4)];
            };
            const black = picture([0, 0, 0, 1]);
            let inked = 0;
            for (let id = 0; id < count; id += 1) {
                const [x, y] = view.toPixels({ x: places[2 * id], y: places[2 * id + 1] });
                inked += black(x, y)[3] > 0;
            }
            const [x, y] = view.toPixels({ x: places[0], y: places[1] });
            view.zoomAt(100, x, y);  // the first word has this place for itself
            const alone = picture([173, 58, 25, 0.5])(x, y);
            return [inked / count, black(2, 2)[3], alone];
        }"""
    )
    assert (inked, blank) == (1, 0)
    np.testing.assert_allclose(alone[:3], [173, 58, 25], atol=2)
    assert 0.55 * 127 <= alone[3] <= 127  # less for rarer words


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


def labeled(page: Any) -> list[str]:
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
        named = labeled(page)
        assert len(named) == len(set(named))
        assert {"paris", "italy", *page.locator("#answers .word").all_text_contents()} <= set(named)
        page.locator("#k").select_option("50")
        page.locator("#answers li:nth-child(20)").wait_for()
        assert best.inner_text() in labeled(page)


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
