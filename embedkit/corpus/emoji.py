"""Emoji in a text, by UTS #51 of Unicode: the emoji sequences, each as one word.

They are characters with emoji presentation, with their skin tones, keycaps, flags, tag sequences,
and what zero-width joiners connect.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

__all__ = ["split_emoji", "unicode_pattern"]

# A sign is text unless U+FE0F follows: U+00A9, U+00AE and those that NFKC replaces with letters or
# punctuation, such as the trademark sign.
_SIGN = r"(?:[\u00a9\u00ae]|\p{Extended_Pictographic}(?<![\p{dt=None}\p{Emoji_Presentation}]))"
_PICTOGRAPH = (
    rf"(?:{_SIGN}\ufe0f|(?!{_SIGN})\p{{Extended_Pictographic}}[\ufe0e\ufe0f]?\p{{Emoji_Modifier}}?"
    r"|\p{Emoji_Modifier})(?:[\U000e0020-\U000e007e]+\U000e007f)?"
)
_ELEMENT = rf"(?:\p{{Regional_Indicator}}{{2}}|{_PICTOGRAPH})"
# The regular expression is several times faster with its first characters in one set.
_JOINED = rf"(?=[\p{{RI}}\p{{EMod}}\p{{ExtPict}}]){_ELEMENT}(?:\u200d{_ELEMENT})*"
# A keycap without U+FE0F is a mark on a digit, so the rules for words keep the two together.
_KEYCAP = r"(?:[0-9]\ufe0f|[#*]\ufe0f?)\u20e3"
# A sign is no emoji without its selector.
_SELECTORS = rf"(?<!{_SIGN})[\ufe0e\ufe0f]"


@cache
def unicode_pattern(expression: str) -> regex.Pattern[str]:
    """Compile an expression with properties of Unicode, which `re` does not have."""
    import regex

    return regex.compile(expression)


def split_emoji(text: str) -> tuple[list[str], list[str]]:
    """Return n + 1 texts and the n emoji between them.

    Variation selectors are removed from the emoji, except from signs that are text without one.
    """
    # Without keycaps, the search need not stop at digits, which is slow.
    emoji = rf"({_JOINED}|{_KEYCAP})" if "\u20e3" in text else rf"({_JOINED})"
    pieces = unicode_pattern(emoji).split(text)  # text, emoji, text and so on
    return pieces[::2], [unicode_pattern(_SELECTORS).sub("", found) for found in pieces[1::2]]
