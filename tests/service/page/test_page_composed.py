"""Words on the page that are composed of character n-grams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import embedkit
from tests.service.page.browser import answered, link, type_anew, visited
from tests.subwords import ALIEN


def test_composed_words_are_marked(browser: Any, subword_address: str, subword_model: Path) -> None:
    expected = embedkit.load(subword_model).query("talking - talk + sing", 5)
    with visited(browser, link(subword_address, "talking - talk + sing", k=5)) as page:
        answered(page, expected[0].word)
        note = page.locator("#composed")
        assert note.inner_text() == (
            "talking is not in the vocabulary; its vector is composed of character n-grams."
        )
        page.wait_for_selector("#lesson-subword")
        assert page.locator("#lesson-skipgram").count() == 0
        type_anew(page, "walk")
        answered(page, embedkit.load(subword_model).neighbors("walk", 1)[0].word)
        assert not note.is_visible()
        type_anew(page, "talking + walks")
        note.wait_for(state="visible")
        assert note.inner_text().startswith("talking, walks are not in the vocabulary; their")
        type_anew(page, "walk-talk")  # composed, unless its parts are words
        page.locator("#read-as").get_by_text("Read as walk - talk.").wait_for()
        type_anew(page, "walk-talks")
        note.get_by_text("walk-talks").wait_for()
        type_anew(page, ALIEN)
        page.locator("#problem b").wait_for()
        assert not note.is_visible()
