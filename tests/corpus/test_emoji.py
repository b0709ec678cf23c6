"""Emoji as words, against UTS #51 and a list of all emoji."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkit.corpus.tokenizers import tokenize

parts_of_emoji = st.sampled_from(
    "1１#＃*\ufe0e\ufe0f\u20e3\u200d©™㊗🈁🈂☝🏽🇩🇪❤👍🏴\U000e0067\U000e007f'x "
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I ❤️ pizza", ["i", "❤", "pizza"]),
        ("I❤pizza👍👍🏽!", ["i", "❤", "pizza", "👍", "👍🏽"]),
        ("👩\u200d🚀👩🚀 ❤️\u200d🔥", ["👩\u200d🚀", "👩", "🚀", "❤\u200d🔥"]),
        ("🇩🇪🇫🇷 🏴\U000e0067\U000e0062\U000e007f", ["🇩🇪", "🇫🇷", "🏴\U000e0067\U000e0062\U000e007f"]),
        ("Don't 😀-©2 ™", ["don't", "😀", "2", "tm"]),
        ("no emoji, ΣΊΣΥΦΟΣ", ["no", "emoji", "σίσυφοσ"]),
        ("a\0b\n😀\0é", ["a", "b", "😀", "é"]),
        ("12\ufe0f 🏴\U000e0067 x", ["12", "🏴", "x"]),
        ("\U0001f1e9 🚗 🏽", ["🚗", "🏽"]),
    ],
)
def test_emoji_are_words_if_the_user_asks(text: str, words: list[str]) -> None:
    assert tokenize(text, "words+emoji") == words
    plain = [word for word in words if any(c.isalnum() for c in word)]
    assert tokenize(text, "words") == plain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#\ufe0f\u20e3tag", ["#\u20e3", "tag"]),
        ("1\ufe0f\u20e3st", ["1\u20e3", "st"]),
        ("11\ufe0f\u20e3 1\u20e3", ["1", "1\u20e3", "1\u20e3"]),
        ("*\u20e3*\ufe0f\u20e3", ["*\u20e3", "*\u20e3"]),
        ("a\u00a9\ufe0fb \u00a9 \u00a9\ufe0e", ["a", "\u00a9\ufe0f", "b"]),
        ("\u2122\ufe0f \u2122", ["\u2122\ufe0f", "tm"]),
        ("\u00ae\ufe0f\u200d🔥", ["\u00ae\ufe0f\u200d🔥"]),
        ("㊗\ufe0f㊗", ["㊗\ufe0f", "祝"]),
        ("🈁🈁\ufe0f🈂", ["🈁", "🈁", "サ"]),
    ],
)
def test_keycaps_and_signs_with_emoji_presentation_are_words(text: str, words: list[str]) -> None:
    assert tokenize(text, "words+emoji") == words
    assert tokenize(" ".join(words), "words+emoji") == words


def test_every_emoji_of_twemoji_is_one_word() -> None:
    listed = pytest.importorskip("pymdownx.twemoji_db").emoji.values()
    codes = {entry.get("unicode_alt", entry["unicode"]) for entry in listed}
    emoji = {"".join(chr(int(part, 16)) for part in code.split("-")) for code in codes}
    # Without the letters of flags, and without an Apple symbol in the private use area.
    emoji -= {*map(chr, range(0x1F1E6, 0x1F200)), "\ue50a"}
    assert len(emoji) > 3500
    for one in emoji:
        # The database leaves out U+FE0F here; emoji-variation-sequences.txt has it.
        shown = one.replace("\u20e3", "\ufe0f\u20e3") + "\ufe0f" * (one in "©®‼⁉™ℹⓂ㊗㊙🈂🈷")
        before, word, after = tokenize(f"a{shown}b", "words+emoji")
        assert (before, after) == ("a", "b"), ascii(one)
        assert word.replace("\ufe0f", "") == one.replace("\ufe0f", ""), ascii(one)
        assert tokenize(word, "words+emoji") == [word], ascii(one)


@settings(deadline=None, max_examples=200)
@given(st.text(parts_of_emoji, max_size=12))
def test_tokenizing_emoji_again_changes_nothing(text: str) -> None:
    tokens = tokenize(text, "words+emoji")
    assert tokenize(" ".join(tokens), "words+emoji") == tokens
