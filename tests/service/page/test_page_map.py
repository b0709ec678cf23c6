"""The map: drawing, pointer and keyboard input."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tests.service.page.browser import QUESTION


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
