"""The page on which a network learns: stages, running, errors, links and accessibility."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import embedkit
from tests.service.page.browser import PHONE, visited
from tests.service.page.network_page import (
    STAGES,
    as_number,
    neurons,
    numbers,
    opened,
    progress,
    ready,
    run_for,
    stage,
    worked_out,
)

NARROW = (320, 640)
FOLDER = Path(embedkit.__file__).parent / "service" / "page" / "network"
MAX_BYTES = 60_000
KNOWN_SHARES = [0.6364, 0.2341, 0.0861, 0.0317, 0.0117]  # softmax of 5, 4, 3, 2, 1


@pytest.fixture(scope="module")
def kept(browser: Any, address: str) -> Iterator[Any]:
    """One page for many tests: another tab would load and compile everything again."""
    with opened(browser, address) as page:
        yield page


@pytest.fixture
def page(kept: Any, address: str) -> Any:
    kept.goto(f"{address}/network#")
    kept.reload()
    ready(kept)
    return kept


def test_the_words_page_links_to_it(browser: Any, address: str) -> None:
    with visited(browser, address) as page:
        page.get_by_role("link", name="Network").click()
        page.wait_for_url("**/network")
        ready(page)
        assert page.locator("nav [aria-current=page]").inner_text() == "Network"
        page.get_by_role("link", name="Words").click()
        page.locator("#expression").wait_for()


def test_each_neuron_is_worked_out(page: Any) -> None:
    buttons = neurons(page)
    assert len(buttons) == 2 + 3 + 3 + 1
    values = [as_number(button.locator(".value").inner_text()) for button in buttons]
    for place, button in enumerate(buttons):
        button.hover()
        if place < 2:
            text = page.locator("#neuron").inner_text()
            measured, mean, deviation, scaled = numbers(text)
            assert scaled == values[place]
            assert (measured - mean) / deviation == pytest.approx(scaled, abs=0.02)
            continue
        *products, bias, total = worked_out(page)
        for value, weight, product, *_ in products:
            expected = as_number(value) * as_number(weight)
            assert as_number(product) == pytest.approx(expected, abs=0.02)
        added = sum(as_number(row[2]) for row in [*products, bias])
        assert as_number(total[2]) == pytest.approx(added, abs=0.021)
        is_hidden = place < 8
        expected = max(as_number(total[2]), 0) if is_hidden else as_number(total[2])
        assert values[place] == pytest.approx(expected, abs=0.001)
        assert ("set any negatives to 0" in page.locator("#neuron").inner_text()) == is_hidden
    layers = page.locator("#picture line").count()
    assert layers == 2 * 3 + 3 * 3 + 3 * 1


def test_a_pair_passes_four_stages(page: Any) -> None:
    def text_of(place: int) -> str:
        return str(page.locator("#stages li p:last-child").nth(place).inner_text())

    assert stage(page) == STAGES[0]
    first = page.locator("#pair").inner_text()
    page.locator("#picture button").last.click()
    page.get_by_role("button", name="Next stage").click()
    assert stage(page) == STAGES[1]
    output, target, loss = numbers(text_of(1))[-3:]
    assert loss == pytest.approx((output - target) ** 2, abs=0.01)
    page.get_by_role("button", name="Next stage").click()
    assert stage(page) == STAGES[2]
    bias, gradient, following = [as_number(cell) for cell in worked_out(page)[-2][2:]]
    assert gradient == pytest.approx(2 * (output - target), abs=0.01)  # of a squared error
    assert following == pytest.approx(bias - 0.03 * gradient, abs=0.01)
    page.locator("#lines").select_option("gradients")
    assert page.locator("#picture line[stroke-width='0']").count() > 0  # ReLU set neurons to 0
    page.locator("#lines").select_option("weights")
    page.get_by_role("button", name="Next stage").click()
    assert stage(page) == STAGES[3]
    now, _, before = [as_number(cell) for cell in worked_out(page)[-2][2:]]
    assert (now, before) == (following, bias)
    was, falls = numbers(text_of(3))[-2:]
    assert falls < was == pytest.approx(loss, abs=0.0001)
    assert progress(page)[0] == 1
    assert stage(page) in page.locator("#status").inner_text()
    page.get_by_role("button", name="Next stage").click()
    assert stage(page) == STAGES[0]
    assert page.locator("#pair").inner_text() != first
    page.get_by_role("button", name="Next pair").click()
    assert progress(page)[0] == 2


def test_forced_colors_keep_the_selected_neuron_readable(page: Any) -> None:
    page.emulate_media(forced_colors="active")
    color, ground = page.locator("#picture [aria-pressed=true]").evaluate(
        "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
    )
    assert {color, ground} == {"rgb(0, 0, 0)", "rgb(255, 255, 255)"}


def test_running_lowers_the_loss_and_reset_restores_it(page: Any) -> None:
    start = page.locator("#summary").inner_text()
    run_for(page, 500)
    paused = progress(page)
    assert paused[1] < 0.2 * numbers(start)[1]
    page.wait_for_timeout(600)
    assert progress(page) == paused
    page.get_by_role("button", name="Reset", exact=True).click()
    assert page.locator("#summary").inner_text() == start
    page.get_by_role("button", name="Reset with new random weights").click()
    page.wait_for_url("**seed=9")
    assert page.locator("#summary").inner_text() != start


def test_an_infinite_loss_is_explained_and_undone(browser: Any, address: str) -> None:
    with opened(browser, address, "layers=0&rate=10") as page:
        ready(page)
        page.locator("#speed").select_option("4000")
        page.get_by_role("button", name="Run").click()
        offer = page.get_by_role("button", name="Reset with a learning rate of 1")
        offer.wait_for()
        assert "The loss became infinite" in page.locator("#problem").inner_text()
        for name in ("Next stage", "Next pair", "Run"):
            assert page.get_by_role("button", name=name).is_disabled()
        offer.click()
        page.wait_for_url("**rate=1")
        page.locator("#run:enabled:focus").wait_for()
        assert page.locator("#problem *").count() == 0
        assert progress(page)[0] == 0
        page.locator("[name=rate]").select_option("0.01")
        run_for(page, 300)
        assert math.isfinite(progress(page)[1])


def test_a_layer_of_zeros_is_explained(browser: Any, address: str) -> None:
    with opened(browser, address, "layers=2&units=1&rate=0.1&seed=1") as page:
        ready(page)
        assert page.locator("#dead").inner_text() == ""
        page.get_by_role("button", name="Next pair").click()
        assert "Hidden layer 2 is 0 for every pair" in page.locator("#dead").inner_text()
        loss = progress(page)[1]
        page.get_by_role("button", name="Next pair").click()
        assert progress(page)[1] != loss  # the bias of the output still learns
        page.get_by_role("button", name="Reset", exact=True).click()
        assert page.locator("#dead").inner_text() == ""


def test_softmax_and_its_loss_have_the_known_values(page: Any) -> None:
    def shares() -> list[float]:
        cells = page.locator("#softmax tbody td:nth-child(4)").all_inner_texts()
        return [float(cell) for cell in cells]

    assert shares() == KNOWN_SHARES
    assert page.locator("#softmax tfoot").inner_text().split() == ["sum", "233.20", "1"]
    for label, loss in enumerate([0.4519, 1.4519, 2.4519, 3.4519, 4.4519], start=1):
        page.get_by_label(f"Label {label} is true", exact=True).check()
        share = KNOWN_SHARES[label - 1]
        expected = f"−log {share:.4f} = {loss}"
        assert expected in page.locator("#log-text").inner_text()
        assert expected in str(page.locator("#log [role=img]").get_attribute("aria-label"))
        assert -math.log(share) == pytest.approx(loss, abs=0.005)
    page.get_by_label("Score of label 5").fill("6")
    assert shares() == [*KNOWN_SHARES[1:], KNOWN_SHARES[0]]  # of 5, 4, 3, 2, 6
    page.get_by_label("Score of label 5").fill("99")
    assert page.get_by_label("Score of label 5").get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="again").click()
    assert shares() == KNOWN_SHARES
    assert page.get_by_label("Label 1 is true", exact=True).is_checked()


def test_it_works_by_keyboard(page: Any) -> None:
    page.locator("#picture button[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.locator("#neuron-heading").inner_text() == "Neuron 2 of hidden layer 2"
    focused = page.locator(":focus")
    assert focused.get_attribute("aria-pressed") == "true"
    assert str(focused.get_attribute("aria-label")).startswith("neuron 2 of hidden layer 2: ")
    page.keyboard.press("ArrowRight")
    assert page.locator("#neuron-heading").inner_text() == "Output weight"
    page.keyboard.press("ArrowRight")  # there is none
    assert page.locator(":focus").get_attribute("aria-label").startswith("Output weight: ")
    page.keyboard.press("Shift+Tab")
    assert page.locator(":focus").get_attribute("id") == "lines"
    page.locator("#run").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pause").wait_for()
    page.keyboard.press("Enter")
    assert page.locator("#run").inner_text() == "Run"


def test_a_link_reproduces_the_network(browser: Any, page: Any, address: str) -> None:
    start = page.url
    for name, choice in [("layers", "3"), ("units", "4"), ("activation", "tanh"), ("rate", "0.1")]:
        page.locator(f"[name={name}]").select_option(choice)
    page.get_by_role("button", name="Reset", exact=True).click()
    assert len(neurons(page)) == 2 + 3 * 4 + 1
    with opened(browser, address, page.url.split("#")[1]) as other:
        ready(other)
        assert other.locator("#summary").inner_text() == page.locator("#summary").inner_text()
        assert other.locator("[name=rate]").input_value() == "0.1"
    for _ in range(4):
        page.go_back()
    assert page.url == start
    assert len(neurons(page)) == 2 + 3 + 3 + 1
    page.goto(f"{address}/network#data=none&layers=9&seed=-1&lesson=x")
    ready(page)
    assert len(neurons(page)) == 2 + 3 + 3 + 1


def test_the_tour_can_be_followed_linked_and_left(browser: Any, address: str) -> None:
    with opened(browser, address, "lesson=3") as page:
        ready(page)
        heading = page.locator("#lesson-heading")
        assert heading.inner_text() == "3 of 5. The gradient says which way is down"
        assert stage(page) == STAGES[2]
        page.get_by_role("button", name="Next", exact=True).click()
        page.locator("#lesson-heading:focus").wait_for()
        assert heading.inner_text().startswith("4 of 5.")
        assert page.locator("[name=activation]").input_value() == "tanh"
        page.get_by_role("button", name="End the tour").click()
        page.get_by_role("button", name="Guided tour, 5 steps").click()
        page.get_by_text("1 of 5.").wait_for()
        page.go_back()
        page.go_back()
        page.get_by_text("4 of 5.").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible(browser: Any, address: str, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def violations(page: Any) -> list[str]:
        return [
            f"{one['id']}: {node['html'][:100]}"
            for one in axe.run(page).response["violations"]
            for node in one["nodes"]
        ]

    settings = {"light": "lesson=2", "dark": "data=words&group=typed&a=parris"}[theme]
    with opened(browser, address, settings, theme=theme) as page:
        page.get_by_text(re.compile("2 of 5|Each class needs at least two")).wait_for()
        assert violations(page) == []


def test_a_small_screen_does_not_scroll_sideways(browser: Any, address: str) -> None:
    for settings in ("data=words&group=typed&layers=3", "data=helpdesk&units=8&lesson=4"):
        with opened(browser, address, settings, size=PHONE) as page:
            ready(page)
            page.get_by_role("button", name="Next pair").click()
            for width, height in (PHONE, NARROW):
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth") == width
            controls = page.locator(":is(button, select, main input, nav a):visible").all()
            heights = [box["height"] for one in controls if (box := one.bounding_box())]
            assert min(heights) >= 43.5  # a finger's width


def test_all_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MAX_BYTES
