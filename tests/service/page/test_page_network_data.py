"""The data that the page of the network learns from, and words that a user types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedkit
from tests.service.page.network_page import as_number, numbers, opened, progress, ready, run_for
from tests.service.servers import KEY, starting

FOLDER = Path(embedkit.__file__).parent / "service" / "page" / "network"
CORPORA = Path(__file__).parents[3] / "corpora"


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


def test_people_follow_the_formula_of_the_guide(browser: Any, address: str) -> None:
    script = """async () => {
      const { pairs, truth } = (await import("/page/network/data.js")).DATA.people.load();
      return pairs.map((pair) => `${pair.name} ${truth(pair)}`);
    }"""
    with opened(browser, address) as page:
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
