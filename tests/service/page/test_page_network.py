"""The page on which a network learns: stages, running, data, errors, links and accessibility."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedkit
from tests.service.page.browser import PHONE, visited
from tests.service.servers import KEY, starting

NARROW = (320, 640)
FOLDER = Path(embedkit.__file__).parent / "service" / "page" / "network"
CORPORA = Path(__file__).parents[3] / "corpora"
MAX_BYTES = 60_000
KNOWN_SHARES = [0.6364, 0.2341, 0.0861, 0.0317, 0.0117]  # softmax of 5, 4, 3, 2, 1
STAGES = ["1. Forward", "2. Loss", "3. Gradient", "4. Step"]


def opened(browser: Any, address: str, settings: str = "", **options: Any) -> Any:
    return visited(browser, f"{address}/network#{settings}", **options)


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


def ready(page: Any) -> None:
    page.locator("#stages li").first.wait_for()


def as_number(text: str) -> float:
    """Read a number as the page writes it."""
    return float(text.replace("−", "-").replace("×", "").replace(",", "").replace("∞", "inf"))


def numbers(text: str) -> list[float]:
    return [as_number(found) for found in re.findall(r"−?\d[\d,]*(?:\.\d+)?(?:e−?\d+)?", text)]


def progress(page: Any) -> tuple[int, float]:
    """Return the number of steps and the mean loss."""
    steps, loss = numbers(page.locator("#summary").inner_text())[:2]
    return int(steps), loss


def run_for(page: Any, steps: int) -> None:
    """Run at full speed for at least this number of steps, then pause."""
    page.locator("#speed").select_option("4000")
    page.get_by_role("button", name="Run").click()
    for _ in range(1_200):  # a minute
        if progress(page)[0] >= steps:
            break
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Pause").click()


def stage(page: Any) -> str:
    return str(page.locator("#stages [aria-current] h3").inner_text())


def eval_numbers(written: str) -> float:
    """Return the value of a formula of numbers as the page writes it."""
    assert re.fullmatch(r"[-−+×() .\de]+", written), written
    python = written.replace("−", "-").replace("×", "*")
    return float(eval(python))


def neurons(page: Any) -> list[Any]:
    return list(page.locator("#picture button").all())


def worked_out(page: Any) -> list[list[str]]:
    """Return the rows of the table of the selected neuron, without their names."""
    rows = page.locator("#neuron tbody tr").all()
    return [row.locator("td").all_inner_texts() for row in rows]


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


@pytest.mark.parametrize(
    "settings", ["layers=2&activation=tanh", "data=words&activation=sigmoid", "data=helpdesk"]
)
def test_gradients_are_worked_out_from_the_output_back(
    browser: Any, address: str, settings: str
) -> None:
    with opened(browser, address, settings) as page:
        ready(page)
        for _ in range(2):
            page.get_by_role("button", name="Next stage").click()
        assert stage(page) == STAGES[2]
        buttons = neurons(page)
        inputs = 10 if "helpdesk" in settings else 2
        for button in buttons[inputs:]:
            button.click()
            text = page.locator("#neuron p").last.inner_text()
            written, result = text.split(". Times")[0].split(" = ")[-2:]
            expected = eval_numbers(written)
            assert as_number(result) == pytest.approx(expected, abs=0.03)
            rows = worked_out(page)
            assert rows[-2][3] == result  # the bias has the gradient of the sum
            for value, _, _, gradient, _ in rows[:-2]:
                product = as_number(value) * as_number(result)
                assert as_number(gradient) == pytest.approx(product, abs=0.03)
        page.get_by_role("button", name="Next stage").click()
        assert "gradient of the sum" not in page.locator("#neuron").inner_text()


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


@pytest.mark.parametrize(
    "settings",
    ["data=words&activation=sigmoid&rate=0.3", "data=helpdesk&layers=1&activation=tanh&rate=0.3"],
)
def test_classes_are_learned(browser: Any, address: str, settings: str) -> None:
    with opened(browser, address, settings) as page:
        ready(page)
        run_for(page, 1_000)
        right, pairs = numbers(page.locator("#summary").inner_text())[-2:]
        assert pairs == (27 if "helpdesk" in settings else 8)
        assert right == pairs
        assert progress(page)[1] < 0.3


def test_whole_vectors_are_those_of_the_model(browser: Any, address: str, model: Path) -> None:
    with opened(browser, address, "data=words&inputs=vector") as page:
        ready(page)
        assert "and 14 more" in page.locator("#picture").inner_text()
        word = page.locator("#pair b").inner_text()
        found = [
            as_number(button.locator(".value").inner_text())
            for button in page.locator("#picture button").all()[:10]
        ]
        page.locator("#picture button").nth(10).click()
        assert "the other 14" in page.locator("#neuron").inner_text()
        assert word in page.locator("#pair").inner_text()
    names = ["france", "italy", "spain", "germany", "paris", "rome", "madrid", "berlin"]
    vectors = np.array([embedkit.load(model)[name] for name in names], np.float64)
    scaled = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    np.testing.assert_allclose(found, scaled[names.index(word)][:10], atol=0.0051)


def test_people_follow_the_formula_of_the_guide(page: Any) -> None:
    script = """async () => {
      const { pairs, truth } = (await import("/page/network/data.js")).DATA.people.load();
      return pairs.map((pair) => `${pair.name} ${truth(pair)}`);
    }"""
    table = np.array([numbers(person) for person in page.evaluate(script)])
    assert table.shape == (60, 3)
    heights, ages, weights = table.T
    causes = np.column_stack([heights - 170, ages - 40, np.ones(60)])
    factors, squares, *_ = np.linalg.lstsq(causes, weights, rcond=None)
    assert np.all(np.abs(factors - [0.9, 0.1, 70]) < [0.09, 0.06, 1])
    assert (squares[0] / 57) ** 0.5 == pytest.approx(2, abs=0.4)  # the standard deviation of chance


def test_questions_are_those_of_the_guide() -> None:
    lines = (FOLDER / "helpdesk.tsv").read_text().splitlines()
    known = (CORPORA / "helpdesk.tsv").read_text().splitlines()
    assert set(lines) <= set(known)
    assert lines[0] == known[0]
    assert len(lines) == 28  # one product in each of the 27 patterns


def test_typed_words_are_checked(browser: Any, address: str) -> None:
    with opened(browser, address, "data=words") as page:
        ready(page)
        page.locator("[name=group]").select_option("typed")
        first = page.locator("[name=a]")
        first.wait_for()
        assert first.input_value() == "france, italy, germany, spain"
        problem = page.locator("#problem p")
        for typed, message in [
            ("paris", "Each class needs at least two words."),
            ("parris, rome", "Not in this vocabulary: parris. Similar to parris: paris"),
        ]:
            first.fill(typed)
            first.press("Enter")
            problem.get_by_text(message).wait_for()
            assert page.locator("#run").is_disabled()
        first.fill("mayor0 mayor1, mayor2")
        page.get_by_role("button", name="Use these words").click()
        page.locator("#run:enabled").wait_for()
        assert "of 7 right" in page.locator("#summary").inner_text()
        assert problem.count() == 0
        with opened(browser, address, page.url.split("#")[1]) as other:
            ready(other)
            assert other.locator("[name=a]").input_value() == "mayor0 mayor1, mayor2"
            assert other.locator("#summary").inner_text() == page.locator("#summary").inner_text()


def test_a_model_without_the_ready_words_offers_its_own(
    browser: Any, subword_model: Path, subword_address: str
) -> None:
    with opened(browser, subword_address, "data=words") as page:
        ready(page)
        assert page.locator("[name=group]").input_value() == "typed"
        assert "of its own" in page.locator("#note").inner_text()
        offered = ", ".join(page.locator(f"[name={name}]").input_value() for name in "ab")
        assert sorted(offered.split(", ")) == sorted(embedkit.load(subword_model).vocabulary)
        page.locator("[name=a]").fill("walks, talking")  # composed of character n-grams
        page.locator("[name=b]").fill("car, happy")
        page.get_by_role("button", name="Use these words").click()
        page.get_by_text("of 4 right").wait_for()
        run_for(page, 300)


@pytest.mark.slow  # trains and serves another model
def test_one_hot_vectors_are_too_long_to_show(browser: Any, tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(1_200)]
    embedkit.OneHotEncoder().fit([words]).save(tmp_path / "model")
    with starting() as start, opened(browser, start(tmp_path / "model").url, "data=words") as page:
        ready(page)
        page.locator("[name=inputs]").select_option("vector")
        page.locator("#problem").get_by_text("have 1,200 numbers, too many to show").wait_for()
        page.locator("[name=inputs]").select_option("plane")
        page.locator("#run:enabled").wait_for()


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


def test_only_words_need_the_key(browser: Any, locked_address: str) -> None:
    with opened(browser, locked_address) as page:
        ready(page)
        page.locator("[name=data]").select_option("helpdesk")
        page.get_by_text("of 27 right").wait_for()
        assert page.locator("#key-dialog").is_hidden()
        page.locator("[name=data]").select_option("words")
        page.locator("#key").fill(KEY)
        page.keyboard.press("Enter")
        page.get_by_text("of 8 right").wait_for()


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
