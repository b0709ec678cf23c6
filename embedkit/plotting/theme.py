"""Colors and fonts of the pictures.

Two colors have a meaning: the start and the end of an arrow. They are orange and blue, which people
with any kind of color blindness can tell apart, and also differ in lightness. Their marks also
differ in shape.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from embedkit.errors import ConfigurationError

__all__ = ["DARK", "LIGHT", "Theme", "families", "matplotlib_or_error", "readable"]

_LONGEST = 40  # characters of a label
_FAMILY = "DejaVu Sans"  # comes with matplotlib, so a picture is the same on every machine
_JOINERS = "\u200c\u200d"  # invisible; they join or separate letters


@dataclass(frozen=True)
class Theme:
    """Colors, in the notation of CSS and matplotlib.

    Attributes:
        paper, ink: the background and the text.
        muted, line: axes and captions; arrows.
        start, end: the start and the end of an arrow; words without an arrow have the color *end*.
        cloud: words that were not named.
        curves: the colors of Okabe and Ito 2008, without those with too little contrast.
    """

    paper: str
    ink: str
    muted: str
    line: str
    start: str
    end: str
    cloud: str
    curves: tuple[str, ...]


LIGHT = Theme(
    paper="#fbf9f4", ink="#1d1b18", muted="#655f56", line="#a1998a",
    start="#c4500f", end="#17608f", cloud="#b3ab9c",
    curves=("#17608f", "#c4500f", "#007a5e", "#a8577f", "#1d1b18"),
)  # fmt: skip
DARK = Theme(
    paper="#16171b", ink="#ece8e1", muted="#a7a198", line="#7b7d88",
    start="#ff9a5c", end="#7fc2f2", cloud="#5f616c",
    curves=("#7fc2f2", "#ff9a5c", "#3fcfa4", "#e79cc4", "#ece8e1"),
)  # fmt: skip


def matplotlib_or_error() -> Any:
    """Return matplotlib.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        import matplotlib.figure
        import matplotlib.style
    except ImportError as error:
        raise ConfigurationError(
            "pictures need matplotlib, which is not installed.",
            hint="Install it with pip install 'embedkit[viz]', or write an .html page.",
        ) from error
    return mpl


def readable(word: str) -> str:
    """Return a word as a label: on one line, without invisible characters, shortened if long."""
    shown = "".join(
        letter if letter == " " or letter.isprintable() else _escape(letter) for letter in word
    )
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _escape(letter: str) -> str:
    # Joiners are part of a word, as in Persian and in emoji; line breaks are not.
    if unicodedata.category(letter) == "Cf":
        return letter if letter in _JOINERS else ""
    return letter.encode("unicode_escape").decode()


def families(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Find fonts for texts.

    Returns:
        The font families that cover the texts, the default first; and the texts with characters
        that no installed font has.
    """
    from matplotlib import font_manager

    texts = list(texts)
    chosen = [_FAMILY]
    letters = {letter for text in texts for letter in text} - set(_JOINERS)
    missing = _missing(font_manager.findfont(_FAMILY), letters)
    others = _regular_fonts() if missing else {}
    while missing and others:  # each time, add the family with the most missing characters
        left = {name: _missing(path, missing) for name, path in others.items()}
        best = min(left, key=lambda name: len(left[name]))
        if len(left[best]) == len(missing):
            break
        chosen.append(best)
        missing = left[best]
        del others[best]
    return chosen, [text for text in texts if missing & set(text)]


def _regular_fonts() -> dict[str, str]:
    """Return the file of each family's upright font of regular weight, sorted by family."""
    from matplotlib.font_manager import fontManager

    return {
        font.name: font.fname
        for font in sorted(fontManager.ttflist, key=lambda font: (font.name, font.fname))
        if font.style == "normal" and font.weight in (400, "normal", "regular", "book")
        # Last Resort comes with matplotlib and draws a box for every character.
        and font.name != _FAMILY and not font.name.startswith("Last Resort")
    }  # fmt: skip


def _missing(path: str, letters: set[str]) -> set[str]:
    return {letter for letter in letters if ord(letter) not in _characters(path)}


@cache
def _characters(path: str) -> frozenset[int]:
    """Return the code points that a font covers."""
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except RuntimeError:  # not a font file
        return frozenset()
