"""The page with models of other encoders, and with a model that is replaced while it is open."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import embedkit
from embedkit.encoders import load_encoder, untrained
from tests.service.page.browser import QUESTION, answered, link, type_anew, visited
from tests.service.servers import Server, Start, starting


@pytest.mark.parametrize("encoder", ["onehot", pytest.param("charcode", marks=pytest.mark.slow)])
def test_models_without_training_have_a_page(
    browser: Any, start: Start, model: Path, tmp_path: Path, encoder: str
) -> None:
    untrained(encoder, load_encoder(model).vectors().vocabulary).save(tmp_path / "model")
    with visited(browser, start(tmp_path / "model").url) as page:
        page.locator("table[data-encoder=onehot]").wait_for()
        page.locator("#map-words li").first.wait_for(state="attached")
        assert page.locator("#answers.stale").count() == 0
        assert page.locator("#problem").inner_text() == ""
        assert page.locator("#map-note").is_hidden()
        pressed = page.locator("[data-axes][aria-pressed=true]").inner_text()
        tied = page.locator("#unit").get_by_text("equally near")
        if encoder == "onehot":
            assert pressed == "These words"
            assert tied.is_visible()
        else:
            assert pressed == "Whole vocabulary"
            assert not tied.count()


def test_the_page_follows_a_replaced_model(
    browser: Any, start: Start, model: Path, subword_model: Path, tmp_path: Path
) -> None:
    served = tmp_path / "model"
    shutil.copytree(model, served)
    server = start(served, "--reload-model")
    with visited(browser, link(server.url, QUESTION)) as page:
        answered(page, "rome")
        served.rename(tmp_path / "old")
        shutil.copytree(subword_model, tmp_path / "new")
        (tmp_path / "new").rename(served)
        server.wait_for("Serving generation 2")
        page.fill("#expression", "walk + talk")
        page.locator("#banner").get_by_text("another model").wait_for()
        page.locator("#facts").get_by_text("10 words").wait_for()
        page.locator("#lesson-subword").wait_for()
        assert page.locator("#lesson-skipgram").count() == 0
        assert page.locator("#expression").input_value() == "walk + talk"
        page.locator("#map-words").get_by_text("The weighted sum of walk and talk").wait_for(
            state="attached"
        )


@pytest.fixture(scope="module")
def both(model: Path, subword_model: Path) -> Iterator[Server]:
    """A service with the small model and with parts, the model with n-grams."""
    with starting() as start:
        yield start(model, "--model", f"parts={subword_model}")


@contextlib.contextmanager
def with_parts(browser: Any, server: Server, subword_model: Path) -> Iterator[Any]:
    """The page with an answer of the second model, parts."""
    with visited(browser, link(server.url, "walk + talk", model="parts")) as page:
        answered(page, embedkit.load(subword_model).query("walk + talk", 1)[0].word)
        yield page


def test_two_models_answer_side_by_side(browser: Any, both: Server, subword_model: Path) -> None:
    """One link shows the answers of both models, and what they have in common."""
    with with_parts(browser, both, subword_model) as page:
        assert "10 words" in page.locator("#facts").inner_text()
        page.locator("#other").select_option("model")
        note = page.locator("#other-note")
        note.get_by_text("walk is not in the vocabulary of this model.").wait_for()
        page.locator("#model").select_option("model")
        page.locator("#other").select_option("parts")
        type_anew(page, QUESTION)
        answered(page, "rome")
        note.get_by_text("is not in the vocabulary").wait_for()
        page.wait_for_url("**q=paris*")  # it follows when typing pauses
        with visited(browser, page.url) as other:
            answered(other, "rome")
            assert other.locator("#other").input_value() == "parts"


def test_the_page_of_the_network_uses_the_chosen_model(
    browser: Any, both: Server, subword_model: Path
) -> None:
    with with_parts(browser, both, subword_model) as page:
        page.get_by_role("link", name="Network").click()
        page.locator("#stages li").first.wait_for()  # the script listens
        page.locator("[name=data]").select_option("words")
        page.locator("#note").get_by_text("lacks the ready words").wait_for()
        page.get_by_role("link", name="Words", exact=True).click()
        page.locator("#facts").get_by_text("parts: 10 words").wait_for()
    with visited(browser, f"{both.url}/network#data=words") as page:
        page.get_by_text("of 8 right").wait_for()


def test_a_link_to_a_model_that_is_gone_shows_the_first_one(browser: Any, both: Server) -> None:
    with visited(browser, link(both.url, QUESTION, model="gone")) as page:
        answered(page, "rome")
        page.locator("#banner").get_by_text("no model gone. The page shows model").wait_for()
        assert page.locator("#model option").count() == 2
        page.wait_for_url(lambda address: "gone" not in address)


def test_a_model_chosen_while_another_is_loading_is_not_mixed_with_it(
    browser: Any, both: Server, subword_model: Path
) -> None:
    """The map of the first model arrives after that of the second."""
    with with_parts(browser, both, subword_model) as page:
        late: list[Any] = []
        page.route("**/v1/map?model=model", lambda route: late.append(route))
        page.locator("#model").select_option("model")
        page.locator("#facts").get_by_text("model: ").wait_for()
        with page.expect_response("**/v1/map?model=parts"):
            page.locator("#model").select_option("parts")
        page.locator("#facts").get_by_text("parts: 10 words").wait_for()
        drawn = page.locator("#map").screenshot()
        with page.expect_response("**/v1/map?model=model"):
            late[0].continue_()
        page.wait_for_timeout(300)
        assert page.locator("#map").screenshot() == drawn
