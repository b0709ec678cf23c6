"""Questions on the page: answers, completion, errors, and a busy, offline or protected service."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import embedkit
from embedkit.vectors.expressions import parse
from tests.service.page.browser import (
    QUESTION,
    answered,
    answers_of,
    link,
    type_anew,
    visited,
)
from tests.service.servers import KEY


@pytest.mark.parametrize("metric", ["cosine", "l2", "dot"])
def test_answers_equal_those_of_the_library(
    browser: Any, address: str, model: Path, metric: str
) -> None:
    question = "2 berlin - germany + spain"
    expected = embedkit.load(model).query(question, 5, metric=metric)
    with visited(browser, link(address, question, k=5, metric=metric)) as page:
        answered(page, expected[0].word)
        assert answers_of(page) == [(word, f"{score:.4f}") for word, score in expected]


def test_answers_appear_while_typing(page: Any) -> None:
    page.keyboard.press("/")
    type_anew(page, "berlin - germany + spain")
    answered(page, "madrid")
    bars = [
        bar.evaluate("bar => parseFloat(getComputedStyle(bar, '::after').width)")
        for bar in page.locator("#answers .bar").all()
    ]
    assert all(longer >= shorter for longer, shorter in pairwise(bars))
    assert bars[0] > bars[-1] > 0
    assert "madrid" in page.locator("#answers-status").inner_text()


def test_typing_is_one_history_entry(page: Any) -> None:
    type_anew(page, "berlin - germany + spain")
    answered(page, "madrid")
    page.wait_for_url("**spain")
    page.locator("#expression").press("Enter")
    page.locator("#metric").select_option("l2")
    for expression, metric in [("berlin - germany + spain", "cosine"), (QUESTION, "cosine")]:
        page.go_back()
        assert page.locator("#expression").input_value() == expression
        assert page.locator("#metric").input_value() == metric


def test_back_returns_to_typed_questions(page: Any) -> None:
    for expression, word in [("berlin - germany + spain", "madrid"), ("italy", None)]:
        type_anew(page, expression)
        if word:
            answered(page, word)
        page.wait_for_url(f"**/#q={expression.replace(' ', '+').replace('+++', '+%2B+')}")
        page.wait_for_timeout(1_500)  # the answer has stood for a second
    page.go_back()
    assert page.locator("#expression").input_value() == "berlin - germany + spain"
    page.go_back()
    assert page.locator("#expression").input_value() == QUESTION
    history = page.locator("#history button")
    assert history.all_text_contents()[:2] == ["italy", "berlin - germany + spain"]


def test_an_outdated_answer_is_discarded(page: Any) -> None:
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
    with page.expect_event("requestfailed") as given_up:
        type_anew(page, "paris - france + spain")
    assert given_up.value == held[0].request
    answered(page, "madrid")
    page.unroute_all(behavior="ignoreErrors")


def test_words_are_completed_by_keyboard(page: Any, model: Path) -> None:
    box = page.locator("#expression")
    type_anew(page, "berlin - germany + sp")
    options = page.locator("#completions li > span:first-child")
    options.get_by_text("spain", exact=True).wait_for()
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
    page.keyboard.type("par")  # the word at the caret, not the last one
    options.get_by_text("paris", exact=True).wait_for()
    box.press("ArrowDown")
    box.press("Tab")
    assert box.input_value() == "paris - germany + spain"
    page.keyboard.type(" + it")
    page.locator("#completions li").first.wait_for()
    box.press("Escape")
    assert page.locator("#completions").is_hidden()
    page.keyboard.type("a")
    page.locator("#completions li").first.wait_for()
    box.press("Tab")  # takes nothing that the arrow keys have not chosen
    assert box.input_value() == "paris + ita - germany + spain"


def test_finished_words_and_numbers_are_left_alone(page: Any, model: Path) -> None:
    options = page.locator("#completions li > span:first-child")
    type_anew(page, "berlin - germany + spain")
    options.get_by_text("spain0", exact=True).wait_for()
    assert options.first.inner_text() == "spain"  # before more frequent words with this prefix
    answered(page, "madrid")
    for selector in ("#answers li:first-child button", "#answers li:last-child button"):
        row = page.locator(selector)
        row.scroll_into_view_if_needed()
        assert row.evaluate(
            """row => {
                const { left, top } = row.getBoundingClientRect();
                return row.contains(document.elementFromPoint(left + 20, top + 12));
            }"""
        )
    type_anew(page, "(berlin + madrid)/2")
    answered(page, embedkit.load(model).query("(berlin + madrid)/2", 1)[0].word)
    assert page.locator("#completions").is_hidden()
    page.keyboard.press("Tab")
    assert page.locator("#expression").input_value() == "(berlin + madrid)/2"


def test_other_ways_to_write_minus_are_understood(page: Any) -> None:
    for dash in ("\N{MINUS SIGN}", "\N{EN DASH}"):
        type_anew(page, f"berlin{dash}germany + spain")
        answered(page, "madrid")
        assert page.locator("#read-as").is_hidden()
        type_anew(page, QUESTION)
        answered(page, "rome")
    type_anew(page, "berlin-germany + spain")
    page.locator("#read-as").get_by_text("Read as berlin - germany + spain.").wait_for()
    answered(page, "madrid")
    assert page.locator("#expression").input_value() == "berlin-germany + spain"


def test_a_known_hyphenated_word_is_one_word(page: Any) -> None:
    said = page.evaluate(
        """async () => {
            const { inExpression, withHyphensAsMinus, withWord } =
                await import("./page/expression.js");
            return [
                inExpression("jean\u2013luc"),
                withHyphensAsMinus("king-man + well-known - king-man", "king-man"),
                withWord("kingdoms + kingd", "kingd", "king"),
                withWord("2 kingd - kingd", "kingd", "new york"),
                withWord('"kingd" - kingdom', "kingd", "a$&b"),
                withWord("kingdoms + queen", "kingd", "king"),
                withWord("KingD + queen", "kingd", "king"),
                withWord("kingdoms + x/y", "x/y", "xy"),
            ];
        }"""
    )
    assert said == [
        '"jean\N{EN DASH}luc"',
        "king - man + well-known - king - man",
        "kingdoms + king",
        '2 "new york" - "new york"',
        "a$&b - kingdom",
        "kingdoms + queen",  # no word of it is kingd
        "king + queen",
        "kingdoms + xy",
    ]


def test_answers_are_selected_by_keyboard(page: Any) -> None:
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


def test_an_unknown_word_gets_suggestions(page: Any) -> None:
    type_anew(page, "paris - frnace + italy")
    page.keyboard.press("Enter")
    problem = page.locator("#problem")
    problem.get_by_text("frnace").wait_for()
    problem.get_by_role("button", name="france", exact=True).click()
    answered(page, "rome")
    assert problem.inner_text() == ""
    assert page.locator("#expression").input_value() == QUESTION


def test_completions_do_not_cover_an_error_about_another_word(page: Any) -> None:
    page.fill("#expression", "")
    page.locator("#expression").press_sequentially("pariss - france + ital")
    button = page.locator("#problem button").first
    button.wait_for()
    assert button.evaluate(
        """button => {
            const { x, y, width, height } = button.getBoundingClientRect();
            return document.elementFromPoint(x + width / 2, y + height / 2) === button;
        }"""
    )


def test_the_column_of_a_syntax_error_is_marked(page: Any) -> None:
    type_anew(page, "paris - * italy")
    page.keyboard.press("Enter")
    mark = page.locator("#problem mark")
    assert (mark.inner_text(), mark.get_attribute("title")) == ("*", "column 9")
    assert page.locator("#problem pre").inner_text() == "paris - * italy"
    assert page.locator("#expression").get_attribute("aria-invalid") == "true"


def test_requests_are_retried_if_the_service_is_busy_or_offline(page: Any) -> None:
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


def test_a_key_is_requested_and_kept_for_the_session(browser: Any, locked_address: str) -> None:
    with visited(browser, link(locked_address, QUESTION)) as page:
        dialog = page.locator("#key-dialog")
        for key in ("wrong", KEY):
            dialog.wait_for()
            page.locator("#key").fill(key)
            page.keyboard.press("Enter")
        answered(page, "rome")
        page.reload()
        answered(page, "rome")
        assert dialog.is_hidden()


def test_words_are_quoted_where_necessary(page: Any) -> None:
    hard = """paris 1984 c++ rock'n'roll o' - 3d 1e5 e-mail (a a*b 5" . 1.5"""
    words = [*hard.split(), "new york", "ann\u00a0lee"]
    said = page.evaluate(
        """async (words) => {
            const { inExpression } = await import("./page/expression.js");
            return words.map(inExpression);
        }""",
        words,
    )
    for word, text in zip(words, said, strict=True):
        assert [term.word for term in parse(f"x + {text} - y")] == ["x", word, "y"]


def test_examples_and_facts_describe_the_model(page: Any, model: Path) -> None:
    assert re.search(rf"\b{len(embedkit.load(model))} words", page.locator("#facts").inner_text())
    chip = page.locator("#examples button").last
    expression = chip.inner_text()
    chip.click()
    assert page.locator("#expression").input_value() == expression
    assert embedkit.load(model).query(expression, 1)
